"""The cells of a mask: cubes between eight neighbouring voxel centres, known by which of them are inside."""

import itertools

import torch
from torch import Tensor

from gradatim.radiomics.shape.cells_kernel import count_cells

CORNERS: tuple[tuple[int, int, int], ...] = tuple((i, j, k) for k, i, j in itertools.product((0, 1), repeat=3))
"""Which corner (i, j, k) of a cell each bit of its code stands for."""


def cell_codes(mask: Tensor) -> Tensor:
    """The code of every cell that touches a mask's box: Σ 2^b over the corners b that are in the mask.

    Args:
        mask: (x, y, z), bool; nothing lies outside.

    Returns:
        (x + 1, y + 1, z + 1), uint8, on the mask's device.

    Example:
        >>> cell_codes(torch.ones(1, 1, 1, dtype=torch.bool)).flatten().tolist()
        [128, 8, 64, 4, 32, 2, 16, 1]
    """
    padded = torch.nn.functional.pad(mask.to(torch.uint8), (1,) * 6)
    codes = torch.zeros([n + 1 for n in mask.shape], dtype=torch.uint8, device=mask.device)
    for bit, start in enumerate(CORNERS):
        corner = padded[tuple(slice(first, first + n + 1) for first, n in zip(start, mask.shape, strict=True))]
        codes += corner << bit
    return codes


def cell_counts(mask: Tensor) -> Tensor:
    """How many cells of each code there are in each layer along the first axis.

    Args:
        mask: (x, y, z), bool; nothing lies outside.

    Returns:
        (x + 1, 256), int64. A compiled pass on the CPU, a histogram of :func:`cell_codes` elsewhere.

    Example:
        >>> counts = cell_counts(torch.ones(1, 1, 1, dtype=torch.bool))
        >>> counts.shape, counts.sum(1).tolist()
        (torch.Size([2, 256]), [4, 4])
    """
    if mask.device.type == "cpu":
        return torch.from_numpy(count_cells(mask.contiguous().numpy()))
    return histogram(cell_codes(mask))


def histogram(codes: Tensor) -> Tensor:
    """How often each code occurs in each layer (x, y, z) → (x, 256), int64."""
    layers = torch.arange(len(codes), device=codes.device).view(-1, 1, 1) * 256
    return torch.bincount((codes + layers).flatten(), minlength=len(codes) * 256).view(-1, 256)
