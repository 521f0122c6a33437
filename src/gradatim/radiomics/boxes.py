"""Where each region of a label image lies."""

import numpy as np
from torch import Tensor

from gradatim.radiomics.boxes_kernel import spans

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
    highest = int(array.max())
    if highest <= _DENSE:
        found = spans(array, max(highest, 0))
        return {rank + 1: _slices(span) for rank, span in enumerate(found) if span[0, 1] >= 0}
    # An atlas may number its regions in millions, and the kernel keeps a place for every number.
    present, ranks = np.unique(np.maximum(array, 0), return_inverse=True)
    names = present[present > 0].tolist()
    found = spans(ranks.reshape(array.shape) + (present[0] > 0), len(names))
    return {name: _slices(span) for name, span in zip(names, found, strict=True)}


def _slices(span: np.ndarray) -> Box:
    (x, x_end), (y, y_end), (z, z_end) = span.tolist()
    return slice(x, x_end + 1), slice(y, y_end + 1), slice(z, z_end + 1)
