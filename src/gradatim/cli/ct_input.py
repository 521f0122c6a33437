"""A CT image and regions of it, as they come from the command line."""

from pathlib import Path

from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.io.nifti import NiftiImage, read_image, read_mask


def read_with_masks(image: Path, *masks: Path) -> tuple[NiftiImage, tuple[Tensor, ...]]:
    """Read an image and masks that lie on its grid.

    Args:
        image: a NIfTI file, three-dimensional; slope and intercept are applied.
        masks: NIfTI files, 0 outside and 1 inside.

    Raises:
        InputError: GD-215 if the image is not three-dimensional; GD-311 for a mask on another grid; what the readers
            refuse.
    """
    values = read_image(image)
    if values.data.ndim != 3:
        raise InputError(
            "GD-215",
            given=f"{image.name} with {values.data.ndim} dimensions",
            allowed="one three-dimensional image",
            do="give one volume of it",
        )
    found = []
    for path in masks:
        mask = read_mask(path)
        together = values.oriented and mask.oriented
        if not (mask.grid.same_space(values.grid) if together else mask.grid.shape == values.grid.shape):
            raise InputError(
                "GD-311",
                given=f"{path.name} on a grid of {mask.grid.shape}, the image on {values.grid.shape} or turned",
                allowed="a mask on the image's grid",
                do="resample it to the image with nearest neighbours",
            )
        found.append(mask.data)
    return values, tuple(found)
