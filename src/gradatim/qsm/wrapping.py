"""The principal value of a phase."""

import math

import torch
from torch import Tensor


def wrap(phase: Tensor) -> Tensor:
    """Phase brought into [−π, π]: φ − 2π·round(φ/2π), rounding half to even.

    Differentiable with slope 1 (the turns are piecewise constant).

    Args:
        phase: any shape, rad.

    Returns:
        The same shape and dtype, rad.

    Example:
        >>> round(float(wrap(torch.tensor(4.0))), 4)
        -2.2832
    """
    return phase - 2.0 * math.pi * torch.round(phase.detach() / (2.0 * math.pi))
