"""What every dipole inversion gives back, and the padded volume it works on."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.nouns import FieldMap, QuantitativeMap
from gradatim.linop.crop import Pad
from gradatim.linop.fft import fast_shape
from gradatim.solve.solution import Solution

MARGIN_MM = 18.0
"""Zeros around the image on each side, mm; periodic copies of a 100 mm head are then too far to matter."""


@dataclass(frozen=True, eq=False)
class Inversion:
    """A susceptibility map and how it was found.

    Args:
        susceptibility: ppm, in the local field's mask; relative to an unknown constant.
        weight: λ that was used, 1/(ppm/mm) for total variation; 0 where the method has none.
        misfit: 1.4826 · median |D χ − f|/σ over the mask, 1 for Gaussian noise of σ; NaN without an error map.
        everywhere: (x, y, z), ppm, the solution also outside the mask, where it stands for what is left of the
            background.
        solution: how the iteration ended, None for a direct method.
    """

    susceptibility: QuantitativeMap
    weight: float
    misfit: float
    everywhere: Tensor
    solution: Solution | None = None


def padding(field: FieldMap) -> Pad:
    """The field's volume with a margin, of a size that transforms fast."""
    x, y, z = (
        n + 2 * int(MARGIN_MM / edge + 0.5) for n, edge in zip(field.grid.shape, field.grid.spacing, strict=True)
    )
    return Pad.centred(field.grid.shape, fast_shape((x, y, z)))


def susceptibility_map(values: Tensor, field: FieldMap) -> QuantitativeMap:
    """The map in the field's mask, 0 outside, without a reference."""
    inside = torch.where(field.mask, values, 0.0)
    return QuantitativeMap(inside, field.mask, field.grid, "susceptibility", "ppm", reference="none")


def robust_misfit(predicted: Tensor, field: FieldMap) -> float:
    """Median of |D χ − f|/σ over the mask, scaled so that Gaussian noise gives 1."""
    inside = field.mask & (field.error > 0)
    away = ((predicted - field.ppm) / field.error_ppm).detach()[inside]
    return float(1.4826 * away.abs().median()) if away.numel() else float("nan")
