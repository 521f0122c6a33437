"""What every filter asks of its image and its parameters."""

import math

import torch
from torch import Tensor

from gradatim.base.errors import UsageError


def floating(values: Tensor) -> Tensor:
    """The image in floating point: float32 and float64 as they are, anything else as float64.

    Raises:
        UsageError: GD-137 if the image has not three axes.

    Example:
        >>> floating(torch.ones(1, 1, 1, dtype=torch.int64)).dtype
        torch.float64
    """
    if values.ndim != 3 or values.numel() == 0:
        raise UsageError(
            "GD-137",
            given=f"an image of shape {tuple(values.shape)}",
            allowed="three axes (x, y, z), none of them empty",
            do="give one volume; a picture is a volume of one slice",
        )
    return values if values.dtype in (torch.float32, torch.float64) else values.to(torch.float64)


def check_dimensions(dimensions: int) -> None:
    """2 or 3, or UsageError GD-101."""
    if dimensions not in (2, 3):
        raise UsageError(
            "GD-101",
            given=f"a filter in {dimensions} dimensions",
            allowed="2, slice by slice along the third axis, or 3",
            do="take 2 where slices are much thicker than pixels, else 3",
        )


def check_positive(name: str, value: float, *, unit: str) -> None:
    """A finite number above 0, or UsageError GD-101."""
    if not (math.isfinite(value) and value > 0):
        raise UsageError(
            "GD-101", given=f"{name} = {value}", allowed=f"a finite number above 0, {unit}", do="choose a width"
        )
