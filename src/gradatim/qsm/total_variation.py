"""Dipole inversion with total variation and a robust, error-weighted data term."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.nouns import FieldMap
from gradatim.linop.difference import PeriodicGradient
from gradatim.linop.dipole import dipole_symbol
from gradatim.linop.multiplier import FourierMultiplier
from gradatim.qsm.dipole_inversion import Inversion, padding, robust_misfit, susceptibility_map
from gradatim.solve.admm import Admm
from gradatim.solve.distances import HuberDistance
from gradatim.solve.norms import L1
from gradatim.solve.problem import Problem, Term
from gradatim.solve.stopping import IterationBound, SmallResidual, StoppingRule

STEEP = 0.01
"""A susceptibility gradient that matters, ppm/mm; sets the first penalty of the splitting, not the result."""
FIRST_GUESS_MM = 0.13
"""λ·σ of the first pass, mm; three times as much or as little moves the second pass's λ by a few to 15 per cent."""
MOST_WEIGHT = 2.0
"""No voxel counts as better known than this many times the median error says."""


@dataclass(frozen=True)
class TotalVariation:
    """Minimises Σ h((D χ − f)/σ) + λ Σ |∇χ| over the whole volume, λ chosen by the noise.

    h is Huber's function: a quadratic up to ``huber`` standard deviations σ of the field, a line beyond, so
    that a few wrong voxels cannot pull streaks through the map. |∂χ| is summed over the three axes, each step
    divided by its length, so the map does not depend on how the array is turned or mirrored in memory; the
    isotropic form, which pairs each voxel with its *next* neighbours, would (by up to 0.03 ppm on a small block).
    Outside the mask χ is free to take what is left of the background: there λ is ``outside`` times
    smaller and the data say nothing.

    Unless it is given, λ [1/(ppm/mm)] follows the discrepancy principle: the robust misfit, median |Dχ − f|/σ
    over the mask in units of a Gaussian's, is to be ``level``. A map with as many free values as half the data
    fits half of the noise too, which leaves √½ of it: the default, without a look at any truth. A call without
    a start takes λ = ``FIRST_GUESS_MM``/σ; one with a start steps from its λ to λ·(level/misfit)², because the
    misfit grows about as √λ (:class:`gradatim.qsm.two_pass.TwoPass`).

    Solved by ADMM with an exact step in Fourier space. Not differentiable.

    Args:
        weight: λ, 1/(ppm/mm), kept in every call; None lets the noise choose.
        outside: λ outside the mask over λ inside, > 0.
        huber: standard deviations, > 0.
        level: misfit to aim at, > 0; without effect if λ is given.
        rule: when the iteration stops.

    Raises:
        UsageError: GD-101 if a parameter is out of range.
        InputError: GD-603 if the field's error is 0 everywhere, or values are not finite inside the mask.

    Source:
        Total variation for QSM: Bilgic et al., NeuroImage 59:2625 (2012); Langkammer et al., NeuroImage
        111:622 (2015). Robust data term: Milovic et al., Magn Reson Med 87:480 (2022). Discrepancy: Morozov,
        Soviet Math Dokl 7:414 (1966). The free outside is derived here, after the total field inversion of
        Liu et al., Magn Reson Med 78:303 (2017).

    Example:
        >>> TotalVariation(huber=3.0).outside
        0.01
    """

    weight: float | None = None
    outside: float = 0.01
    huber: float = 3.0
    level: float = math.sqrt(0.5)
    rule: StoppingRule = field(default=IterationBound(150) | SmallResidual(1e-2))

    def __post_init__(self) -> None:
        for name in ("outside", "huber", "level"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise UsageError("GD-101", given=f"{name} {value}", allowed="a positive number", do="see the default")
        if self.weight is not None and not (math.isfinite(self.weight) and self.weight > 0):
            raise UsageError("GD-101", given=f"weight {self.weight}", allowed="λ > 0", do="leave it to the noise")

    def __call__(self, local: FieldMap, *, start: Inversion | None = None) -> Inversion:
        """Invert a local field.

        Args:
            local: field in Hz with its standard error.
            start: an earlier inversion to go on from, with its λ, if it had one, stepped towards the noise level.

        Returns:
            The map in ppm on the field's mask, λ and the misfit.
        """
        pad = padding(local)
        sigma = _usable_error(local)
        typical = float(sigma[local.mask].median())
        weight = self._weight(typical, start)
        precision = pad.apply(torch.where(local.mask, (typical / sigma).clamp_max(MOST_WEIGHT).square(), 0.0))
        data = pad.apply(torch.where(local.mask, local.ppm, 0.0))
        inside = pad.apply(local.mask.to(data.dtype)) > 0.5
        scaled = weight * typical**2  # the objective times σ², so that the data term's curvature is about 1
        threshold = torch.where(_steps_within(inside), scaled, scaled * self.outside)
        symbol = dipole_symbol(
            pad.padded, local.grid.spacing, b0_direction=local.grid.b0_direction, dtype=data.dtype, device=data.device
        )
        dipole = FourierMultiplier(symbol, pad.padded)
        problem = Problem((
            Term(HuberDistance(data, precision, threshold=self.huber * typical), dipole),
            Term(L1(threshold), PeriodicGradient(pad.padded, local.grid.spacing)),
        ))  # fmt: skip
        first = torch.zeros_like(data) if start is None else pad.apply(start.everywhere)
        solution = Admm(self.rule)(problem, start=first, penalties=(1.0, scaled / STEEP))
        values = pad.adjoint(solution.value)
        misfit = robust_misfit(pad.adjoint(dipole.apply(solution.value)), local)
        return Inversion(susceptibility_map(values, local), weight, misfit, values, solution)

    def _weight(self, typical: float, start: Inversion | None) -> float:
        if self.weight is not None:
            return self.weight
        if start is None or not (start.weight > 0 and start.misfit > 0):
            return FIRST_GUESS_MM / typical
        return start.weight * (self.level / start.misfit) ** 2


def _steps_within(mask: Tensor) -> Tensor:
    """(3, x, y, z), whether the step from a voxel to the next along each axis stays in the mask, whichever way."""
    return torch.stack([mask & mask.roll(-1, axis) for axis in range(3)])


def _usable_error(local: FieldMap) -> Tensor:
    """σ in ppm with a floor at a tenth of its median, so that no voxel counts without bound."""
    error = local.error_ppm
    known = error[local.mask & (error > 0)]
    sound = torch.isfinite(local.field) & ~torch.isnan(error)
    if not known.numel() or not bool(sound[local.mask].all()):
        raise InputError(
            "GD-603",
            given="a local field without a usable standard error",
            allowed="finite values and σ > 0 in the mask",
            do="fit the field with its error, or set a constant one",
        )
    return error.clamp_min(0.1 * float(known.median()))
