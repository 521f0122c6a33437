"""Bessel functions J₀ and J₁ that can be derived to any order.

The values are scipy's, computed on the CPU: those of ``torch.special`` are wrong by 10⁻⁷ above 5 and jump there.
"""

from typing import Any

import scipy.special
import torch
from torch import Tensor


def bessel_j0(x: Tensor) -> Tensor:
    """J₀(x), J₀' = −J₁; float32 or float64, any shape.

    Example:
        >>> abs(bessel_j0(torch.tensor(2.404825557695773, dtype=torch.float64)).item()) < 1e-15
        True
    """
    return _J0.apply(x)


def bessel_j1(x: Tensor) -> Tensor:
    """J₁(x), J₁' = J₀ − J₁/x; float32 or float64, any shape.

    Example:
        >>> x = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
        >>> bessel_j1(x).backward()
        >>> x.grad.item()
        0.5
    """
    return _J1.apply(x)


class _J0(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.as_tensor(scipy.special.j0(x.detach().cpu().numpy())).to(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return -grad * bessel_j1(x)


class _J1(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.as_tensor(scipy.special.j1(x.detach().cpu().numpy())).to(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        near = x.abs() < 1e-4  # J₁(x)/x = ½ − x²/16 + …, exact to 1e-18 there
        ratio = torch.where(near, 0.5 - x * x / 16.0, bessel_j1(x) / torch.where(near, torch.ones_like(x), x))
        return grad * (bessel_j0(x) - ratio)
