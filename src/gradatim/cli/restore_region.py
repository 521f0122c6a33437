"""A region drawn in another file: where that is not 0."""

from pathlib import Path
from typing import TYPE_CHECKING

from gradatim.base.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from gradatim.io.any_image import AnyImage


def read_region(path: Path, image: "AnyImage") -> "Tensor":
    """Where an image of the same size is not 0, in any of its colours.

    Args:
        path: the file.
        image: what the region belongs to.

    Returns:
        Bool, of the image's spatial shape.

    Raises:
        InputError: GD-311 if the sizes differ, or the places of two NIfTI images.
    """
    from gradatim.io.any_image import read_any
    from gradatim.io.nifti import NiftiImage

    drawn = read_any(path)
    if drawn.shape != image.shape:
        raise InputError(
            "GD-311",
            given=f"{path.name} of {drawn.shape}, the image of {image.shape} pixels",
            allowed="a mask of the image's size",
            do="draw it on the image itself",
        )
    one, other = drawn.source, image.source
    if isinstance(one, NiftiImage) and isinstance(other, NiftiImage) and not one.grid.same_space(other.grid):
        raise InputError(
            "GD-311",
            given=f"{path.name} lies elsewhere in space than the image",
            allowed="a mask on the image's grid",
            do="resample it onto the image first",
        )
    region = drawn.data != 0
    return region.flatten(0, region.ndim - len(drawn.shape) - 1).any(0) if region.ndim > len(drawn.shape) else region
