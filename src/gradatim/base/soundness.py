"""What every voxel-wise method refuses before it starts."""

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError


def require_sound(mask: Tensor, *images: Tensor) -> None:
    """Refuse a mask and images that no voxel-wise method can answer.

    Args:
        mask: (x, y, z), bool.
        images: each (..., x, y, z).

    Raises:
        UsageError: GD-103 if an image has another grid than the mask.
        InputError: GD-601 if the mask is empty; GD-603 if a value inside it is not finite.

    Example:
        >>> require_sound(torch.ones(2, 2, 2, dtype=torch.bool), torch.zeros(3, 2, 2, 2))
    """
    for image in images:
        if mask.ndim != 3 or image.shape[-3:] != mask.shape:
            raise UsageError(
                "GD-103",
                given=f"an image of shape {tuple(image.shape)} with a mask of shape {tuple(mask.shape)}",
                allowed="a mask of shape (x, y, z) and images that end in it",
                do="bring all to one grid first",
            )
    if not bool(mask.any()):
        raise InputError(
            "GD-601", given="an empty mask", allowed="at least one voxel", do="give another mask or relax its threshold"
        )
    bad = sum(int((~torch.isfinite(image) & mask).sum()) for image in images)
    if bad:
        raise InputError(
            "GD-603",
            given=f"{bad} non-finite values inside the mask",
            allowed="finite values",
            do="repair the images or take these voxels out of the mask",
        )
