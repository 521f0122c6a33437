"""The finest voxel whose best protocol still meets a target error, in a scan time, under a scanner's limits."""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from gradatim.base.errors import InputError, UsageError
from gradatim.scanner.protocol.best_echoes import BestEchoes, BestProtocol
from gradatim.scanner.protocol.diffusion_echoes import BestDiffusion, BestWeightings
from gradatim.scanner.system import System

_LEAST, _MOST = 2, 4096
"""Voxels along the readout between which is searched."""
_UNFIT = frozenset({"GD-191", "GD-192", "GD-645", "GD-850"})
"""Refusals that say that no protocol fits: for so fine a voxel the error is boundless."""


@dataclass(frozen=True, eq=False)
class FoundVoxel:
    """The finest voxel, its protocol, and what the next finer one would cost.

    Args:
        voxel: edges, m, along readout, phase, and partition or slice.
        matrix: voxels along the encoded axes.
        best: the protocol that knows most at this size.
        finer_error: of the best protocol with one voxel more along the readout; inf if none fits.
    """

    voxel: tuple[float, float, float]
    matrix: tuple[int, ...]
    best: BestProtocol | BestWeightings
    finer_error: float


@dataclass(frozen=True)
class FinestVoxel:
    """The largest matrix, at a fixed field of view and shape of the voxel, whose best protocol meets a target error.

    Finer voxels hold less signal, ask for more encodings in the same time and for longer readouts, so that the error
    of the best protocol grows with every step; the resolution of least error is no resolution at all. What has an
    answer is the finest voxel that still knows the quantity well enough: a bracket over the voxels along the readout,
    with the others in proportion, narrowed by a power law and by halving until its ends are neighbours; all of the
    protocol is chosen anew at every step.

    Args:
        protocol: what is asked of each voxel; its scan's voxel sets the shape.
        target_error: standard error that is good enough, in the unit of the protocol's error: s for T2*, ppm for
            susceptibility, m²/s for D.

    Raises:
        UsageError: GD-199 for a target that is not positive and finite, or that voxels of any size meet; GD-198 if not
            even the coarsest voxel meets it.

    Source:
        A bracketed search on the bound of :class:`BestEchoes` and :class:`BestDiffusion`.

    Example:
        >>> from gradatim.scanner.protocol.diffusion_echoes import DiffusionScan
        >>> scan = DiffusionScan((96, 96), (0.22, 0.22, 0.002), slices=20, scan_time=60.0)
        >>> found = FinestVoxel(BestDiffusion(scan), target_error=0.05e-9)(System())
        >>> found.best.delivered_error <= 0.05e-9 < found.finer_error
        True
    """

    protocol: BestEchoes | BestDiffusion
    target_error: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.target_error) and self.target_error > 0):
            raise _refused(f"a target error of {self.target_error}", "a positive finite number")

    def __call__(self, system: System) -> FoundVoxel:
        """The finest voxel on a system.

        Args:
            system: limits and clock.
        """
        errors: dict[int, float] = {}
        good, bad = self._bracket(errors, system)
        for step in itertools.count():
            if bad - good == 1:
                break
            middle = (good + bad) // 2 if step % 3 == 2 else _between(good, bad, errors, self.target_error)
            good, bad = (middle, bad) if self._meets(middle, errors, system) else (good, middle)
        protocol = self._with_readout(good)
        return FoundVoxel(protocol.scan.voxel, protocol.scan.matrix, protocol(system), errors[bad])

    def _bracket(self, errors: dict[int, float], system: System) -> tuple[int, int]:
        """A matrix that meets the target and a larger one that does not, from the scan's own by factors of two."""
        start = min(max(self.protocol.scan.matrix[0], _LEAST), _MOST)
        if self._meets(start, errors, system):
            good, bad = start, min(2 * start, _MOST)
            while self._meets(bad, errors, system):
                if bad == _MOST:
                    raise _refused(f"{self.target_error:.3g}, which {_MOST} voxels meet too", "a smaller error")
                good, bad = bad, min(2 * bad, _MOST)
            return good, bad
        good, bad = max(start // 2, _LEAST), start
        while not self._meets(good, errors, system):
            if good == _LEAST:
                raise UsageError(
                    "GD-198",
                    given=f"a target error of {self.target_error:.3g}",
                    allowed=f"{errors[good]:.3g} or more, which the coarsest voxel has",
                    do="allow more time or more error",
                )
            good, bad = max(good // 2, _LEAST), good
        return good, bad

    def _meets(self, samples: int, errors: dict[int, float], system: System) -> bool:
        """Whether the best protocol of this matrix is good enough; its error goes into ``errors``."""
        if samples not in errors:
            try:
                errors[samples] = self._with_readout(samples).delivered_error(system)
            except (UsageError, InputError) as refusal:
                if refusal.code not in _UNFIT:
                    raise
                errors[samples] = math.inf
        return errors[samples] <= self.target_error

    def _with_readout(self, samples: int) -> BestEchoes | BestDiffusion:
        if isinstance(self.protocol, BestEchoes):
            return replace(self.protocol, scan=self.protocol.scan.with_readout(samples))
        return replace(self.protocol, scan=self.protocol.scan.with_readout(samples))


def _between(good: int, bad: int, errors: Mapping[int, float], target: float) -> int:
    """Where a power law through both ends meets the target, strictly between them; the middle if one is boundless."""
    if not (math.isfinite(errors[bad]) and errors[bad] > errors[good] > 0):
        return (good + bad) // 2
    share = math.log(target / errors[good]) / math.log(errors[bad] / errors[good])
    return min(max(int(good * (bad / good) ** share), good + 1), bad - 1)


def _refused(given: str, allowed: str) -> UsageError:
    return UsageError(
        "GD-199", given=given, allowed=allowed, do="give the standard error that is good enough, in SI units or ppm"
    )
