"""Where each region of a label image lies."""

import numpy as np
from scipy import ndimage
from torch import Tensor

Box = tuple[slice, slice, slice]

_DENSE = 1 << 16


def boxes(labels: Tensor) -> dict[int, Box]:
    """The smallest box around each label above 0.

    Args:
        labels: (x, y, z), an integer dtype; 0 and below is no region.

    Returns:
        Label → slices along x, y and z, labels increasing.

    Example:
        >>> import torch
        >>> boxes(torch.tensor([0, 7, 7, 0]).view(4, 1, 1))
        {7: (slice(1, 3, None), slice(0, 1, None), slice(0, 1, None))}
    """
    array = labels.detach().cpu().numpy()
    if array.max() <= _DENSE:
        found = enumerate(ndimage.find_objects(array), start=1)
        return {label: box for label, box in found if box is not None}
    # An atlas may number its regions in millions, and scipy makes a list as long as the largest label.
    present, ranks = np.unique(np.maximum(array, 0), return_inverse=True)
    boxes = ndimage.find_objects(ranks.reshape(array.shape) + (present[0] > 0))
    return dict(zip(present[present > 0].tolist(), boxes, strict=True))


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
