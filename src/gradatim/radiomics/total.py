"""A sum that does not depend on the number of threads."""

import torch
from torch import Tensor

ROW = 1 << 14
"""Values that are added up at a time: fewer than torch would share out among threads."""


def total(values: Tensor) -> Tensor:
    """Σ values (), float64, the same to the last bit on any number of threads; differentiable.

    ``Tensor.sum`` gives each thread its share, so that its last digits move with their number. Here rows of one
    length are added up, then their sums; no more than a row is ever held in float64.

    Args:
        values: any shape and real dtype.

    Example:
        >>> total(torch.ones(3, 2)).item()
        6.0
    """
    found = torch.zeros((), dtype=torch.float64, device=values.device)
    for row in values.reshape(-1).split(ROW):
        found = found + row.sum(dtype=torch.float64)
    return found
