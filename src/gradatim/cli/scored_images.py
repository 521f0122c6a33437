"""A map, its truth, a mask and labels, as they come from the command line."""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.io.nifti import NiftiImage, read_image, read_labels, read_mask


@dataclass(frozen=True, eq=False)
class ScoredImages:
    """What is compared, on one grid.

    Args:
        map: (x, y, z).
        truth: (x, y, z).
        mask: (x, y, z), bool.
        labels: (x, y, z), integer, or None.
    """

    map: Tensor
    truth: Tensor
    mask: Tensor
    labels: Tensor | None


def read_scored_images(found: Path, truth: Path, mask: Path, labels: Path | None) -> ScoredImages:
    """Read the images and see that they lie on one grid.

    Args:
        found: the map.
        truth: the truth.
        mask: 0 outside.
        labels: label image, or None.

    Raises:
        InputError: GD-215 for an image that is not three-dimensional; GD-311 if grids differ; what the readers refuse.
    """
    first = read_image(found)
    others = [read_image(truth), read_mask(mask), *([] if labels is None else [read_labels(labels)])]
    for image in (first, *others):
        if image.data.ndim != 3 or not _together(first, image):
            raise InputError(
                "GD-215" if image.data.ndim != 3 else "GD-311",
                given=f"{image.header.name} of shape {tuple(image.data.shape)} beside {first.header.name}",
                allowed="three-dimensional images on one grid",
                do="resample all to the grid of the map",
            )
    return ScoredImages(first.data, *(image.data for image in others), *([None] if labels is None else []))


def _together(first: NiftiImage, other: NiftiImage) -> bool:
    if first.oriented and other.oriented:
        return first.grid.same_space(other.grid)
    return first.grid.shape == other.grid.shape
