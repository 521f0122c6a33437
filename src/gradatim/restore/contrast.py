"""Offset and scale of a picture, told from its data before the picture is known."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from gradatim.linop.operator import LinearOperator

SEEN = 1e-6
"""A constant counts as seen by an operator that passes on this part of what it passes of the data's own picture."""


class Contrast(NamedTuple):
    """Where the grey values of a picture lie: about ``offset ± scale``, in its unit.

    Attributes:
        offset: the constant whose data are nearest to y; 0 where the operator does not see constants.
        scale: root mean square of the rest, > 0.
    """

    offset: float
    scale: float


def contrast(data: Tensor, *, operator: LinearOperator, weights: Tensor) -> Contrast:
    """Offset and scale of the x behind y ≈ A x.

    The offset minimises ‖A(c·1) − y‖_W. The scale is that of the first step of steepest descent from there, t A*W r
    with t = ‖A*W r‖²/‖A A*W r‖²_W, which has the unit of x whatever the unit and gain of A.

    Args:
        data: y, (..., *codomain).
        operator: A.
        weights: W ≥ 0, of the shape of y.

    Example:
        >>> from gradatim.linop.identity import Identity
        >>> contrast(torch.tensor([1.0, 5.0]), operator=Identity((2,)), weights=torch.ones(2))
        Contrast(offset=3.0, scale=2.0)
    """
    with torch.no_grad():
        flat = operator.apply(torch.ones(operator.domain_shape, dtype=data.real.dtype, device=data.device))
        passed = _squared(flat.expand_as(data), weights)
        _, gain = _first_step(data, operator, weights)
        offset = 0.0
        ones = data.numel() // flat.numel() * math.prod(operator.domain_shape)
        if passed > SEEN * gain * ones:
            offset = float((weights * (flat.conj() * data).real).sum(dtype=torch.float64)) / passed
        step, _ = _first_step(data - offset * flat, operator, weights)
    return Contrast(offset, step or abs(offset) or 1.0)


def _first_step(residual: Tensor, operator: LinearOperator, weights: Tensor) -> tuple[float, float]:
    """Root mean square of t A*W r, and 1/t; zeros where A*W r is 0."""
    slope = operator.adjoint(weights * residual)
    slope = slope.real if slope.is_complex() else slope
    length = _squared(slope, torch.ones_like(slope))
    passed = _squared(operator.apply(slope), weights)
    if not passed > 0:
        return 0.0, 0.0
    return (length / slope.numel()) ** 0.5 * length / passed, passed / length


def _squared(x: Tensor, weights: Tensor) -> float:
    return float((weights * x.abs().square()).sum(dtype=torch.float64))
