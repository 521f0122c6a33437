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
    planes = [mask.any(dim=a).any(dim=b).nonzero().flatten() for a, b in ((2, 1), (2, 0), (1, 0))]
    x, y, z = (slice(int(found[0]), int(found[-1]) + 1) for found in planes)
    return x, y, z
