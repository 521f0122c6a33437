"""What a restoration gives back: the image, and everything that was decided on the way to it."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.solve.solution import Certificate, Solution


@dataclass(frozen=True, eq=False)
class Restored:
    """A restored image.

    Args:
        value: the image, in the unit and on the axes of what was given; never clipped.
        noise: σ of the data that was used, given or estimated, unit of the image.
        weight: λ of the penalty in ½‖A x − y‖² + λR(x); None where the method has none.
        solution: of the last solve; None where nothing was iterated.
        message: what a reader must know, e.g. that λ lies at the edge of its range; empty if all is well.

    Example:
        >>> Restored(torch.zeros(2, 2), noise=1.0).certificate is None
        True
    """

    value: Tensor
    noise: float
    weight: float | None = None
    solution: Solution | None = None
    message: str = ""

    @property
    def certificate(self) -> Certificate | None:
        """How far the objective can be above its minimum; None where nothing can be proved."""
        return None if self.solution is None else self.solution.certificate


def require_image(image: Tensor, axes: int) -> None:
    """Refuse what no restoration here can work on.

    Args:
        image: (..., x, y) or (..., x, y, z), real floating point, finite.
        axes: how many of its last axes are space, 2 or 3.

    Raises:
        UsageError: GD-101 for another number of axes or another type; GD-103 if the image has fewer axes.
        InputError: GD-660 if a value is not finite.

    Example:
        >>> require_image(torch.zeros(4, 4), 2)
    """
    if axes not in (2, 3) or not image.is_floating_point():
        raise UsageError(
            "GD-101",
            given=f"an image of {image.dtype} with {axes} spatial axes",
            allowed="real floating point with two or three",
            do="convert the image, and give one edge an axis",
        )
    if image.ndim < axes or 0 in image.shape:
        raise UsageError(
            "GD-103",
            given=f"an image of shape {tuple(image.shape)}",
            allowed=f"at least {axes} axes, none of them empty",
            do="give spacing one edge for each spatial axis",
        )
    bad = int((~torch.isfinite(image)).sum())
    if bad:
        raise InputError(
            "GD-660",
            given=f"{bad} values of the image are not finite",
            allowed="finite values",
            do="replace them, or fill them in by inpainting, with a mask of where they are",
        )


def require_spacing(spacing: tuple[float, ...]) -> None:
    """Refuse edges that are not two or three positive lengths (GD-101).

    Example:
        >>> require_spacing((1.0, 0.5))
    """
    if len(spacing) not in (2, 3) or not all(math.isfinite(edge) and edge > 0 for edge in spacing):
        raise UsageError("GD-101", given=f"spacing {spacing}", allowed="two or three positive edges, mm", do="check it")


def require_positive(value: float | None, what: str, *, do: str = "") -> None:
    """Refuse a parameter that is given and not a positive number (GD-101).

    Args:
        value: of the parameter; None to have it found.
        what: its name.
        do: the advice for a parameter that is not found where it is left out.

    Example:
        >>> require_positive(None, "noise")
    """
    if value is not None and not (math.isfinite(value) and value > 0):
        raise UsageError(
            "GD-101",
            given=f"{what} {value}",
            allowed="a positive number",
            do=do or f"leave the {what} out to have it found",
        )
