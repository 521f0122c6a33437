"""Where a mask is set."""

from torch import Tensor

from gradatim.radiomics.boxes import Box


def tight(mask: Tensor) -> Box:
    """The smallest box around a mask that is set somewhere.

    Args:
        mask: (x, y, z), bool, on any device.

    Example:
        >>> import torch
        >>> tight(torch.tensor([False, True, True]).view(3, 1, 1))
        (slice(1, 3, None), slice(0, 1, None), slice(0, 1, None))
    """
    columns = mask.any(dim=2)
    lines = [columns.any(dim=1), columns.any(dim=0), mask.any(dim=0).any(dim=0)]
    x, y, z = (slice(int(found[0]), int(found[-1]) + 1) for found in (line.nonzero() for line in lines))
    return x, y, z
