"""What a relaxation fit gives back."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.base.grid import Grid
from gradatim.base.nouns import MultiEcho, QuantitativeMap
from gradatim.base.soundness import require_sound

BLOCK = 1 << 18
"""Magnitudes that are fitted at a time, so that extra memory does not grow with the image."""


@dataclass(frozen=True, eq=False)
class RelaxationMaps:
    """R2*, T2* and S0 of a multi-echo magnitude.

    Args:
        r2star: 1/s, with its standard error. Not clipped: a negative value is noise about zero, and clipping it
            would bias a region's mean. Its mask leaves out voxels without an answer.
        t2star: s, 1/R2*, error σ_R2*/R2*²; its mask holds only voxels with R2* > 0, elsewhere it is 0.
        s0: signal at TE = 0 in the magnitude's unit, with its standard error.
        noise: σ per channel that the fit used, in the magnitude's unit; NaN for a fit that uses none.
        undefined: voxels of the given mask without an answer: no signal above the noise, or no convergence.
    """

    r2star: QuantitativeMap
    t2star: QuantitativeMap
    s0: QuantitativeMap
    noise: float
    undefined: int


def voxels_inside(signal: MultiEcho, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """The mask to fit in and the magnitudes there, (voxel, echo); refuses what cannot be fitted.

    Args:
        signal: the scan.
        mask: (x, y, z), bool; None takes every voxel whose magnitude is above 0 in all echoes.

    Raises:
        InputError: GD-604 with fewer than two echoes, GD-601 if the mask is empty, GD-603 if a magnitude is not finite.
        UsageError: GD-103 if the mask has another shape.
    """
    if len(signal.echo_times) < 2:
        raise InputError(
            "GD-604",
            given=f"{len(signal.echo_times)} echo",
            allowed="at least two echoes, to see a decay",
            do="leave R2* out, or give a multi-echo scan",
        )
    inside = (signal.magnitude > 0).all(0) if mask is None else mask
    require_sound(inside, signal.magnitude)
    return inside, signal.magnitude[:, inside].T


def blocks(magnitude: Tensor) -> tuple[Tensor, ...]:
    """(voxel, echo) magnitudes in blocks of about :data:`BLOCK` values.

    Example:
        >>> [len(block) for block in blocks(torch.zeros(150_000, 4))]
        [65536, 65536, 18928]
    """
    return magnitude.split(max(1, BLOCK // magnitude.shape[1]))


def assemble(values: Tensor, *, mask: Tensor, grid: Grid, noise: float) -> RelaxationMaps:
    """Maps from the fitted voxels.

    Args:
        values: (2, voxel): ln S0 and R2* in 1/s, or (4, voxel) with the standard errors of both behind; NaN
            where there is no answer.
        mask: (x, y, z), bool, the fitted voxels in order.
        grid: where they lie.
        noise: σ used, or NaN.
    """
    known = torch.isfinite(values).all(dim=0)
    log_s0, rate = values[:2]
    errors = values[2:] if len(values) == 4 else None
    s0 = log_s0.exp()
    return RelaxationMaps(
        r2star=_noun(rate, None if errors is None else errors[1], known, mask, grid, ("R2*", "1/s")),
        t2star=_noun(
            1.0 / rate,
            None if errors is None else errors[1] / rate.square(),
            known & (rate > 0),
            mask,
            grid,
            ("T2*", "s"),
        ),
        s0=_noun(s0, None if errors is None else s0 * errors[0], known, mask, grid, ("S0", "magnitude unit")),
        noise=noise,
        undefined=int((~known).sum()),
    )


def _noun(
    value: Tensor, error: Tensor | None, where: Tensor, mask: Tensor, grid: Grid, name: tuple[str, str]
) -> QuantitativeMap:
    """One quantity and its error, spread over the image where it is known."""
    inside = mask.clone()
    inside[mask] = where
    spread = None if error is None else _spread(error[where], inside)
    return QuantitativeMap(_spread(value[where], inside), inside, grid, *name, error=spread)


def _spread(values: Tensor, inside: Tensor) -> Tensor:
    image = torch.zeros(inside.shape, dtype=values.dtype, device=values.device)
    image[inside] = values
    return image
