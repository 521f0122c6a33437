"""Weights of a sum over voxels, and the sums that a function and its conjugate are made of."""

import math

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError

SLACK = 16.0
"""A point counts as inside the domain of a conjugate up to so many units of rounding beyond its rim, relatively."""


def require_weight(weight: float | Tensor, what: str = "a weight") -> None:
    """Refuse weights that are negative or not finite.

    Raises:
        UsageError: GD-101 if a weight is negative or not finite.
    """
    low, high = least(weight), largest(weight)
    if not (low >= 0 and math.isfinite(high)):
        raise UsageError(
            "GD-101",
            given=f"{what} between {low} and {high}",
            allowed="finite numbers ≥ 0",
            do="give 0 where data must not count",
        )


def require_real(u: Tensor, who: str) -> None:
    """Refuse complex numbers where the function needs an order or an angle.

    Raises:
        InputError: GD-650 if the tensor is complex.
    """
    if u.is_complex():
        raise InputError(
            "GD-650",
            given=f"a complex tensor for {who}",
            allowed="real numbers",
            do="treat the real and the imaginary part, or magnitude and phase, by themselves",
        )


def least(weights: float | Tensor) -> float:
    """The smallest weight."""
    return float(weights.detach().min()) if isinstance(weights, Tensor) else float(weights)


def largest(weights: float | Tensor) -> float:
    """The largest weight."""
    return float(weights.detach().max()) if isinstance(weights, Tensor) else float(weights)


def root(weights: float | Tensor) -> float | Tensor:
    """√w, with the slope 0 where w = 0, so that a masked voxel spoils no derivative."""
    if not isinstance(weights, Tensor):
        return math.sqrt(weights)
    if not (torch.is_grad_enabled() and weights.requires_grad):
        return weights.sqrt()
    nothing = weights == 0
    return weights.masked_fill(nothing, 1.0).sqrt().masked_fill(nothing, 0.0)


def squares(u: Tensor) -> Tensor:
    """|u|², voxel by voxel."""
    return u.real.square() + u.imag.square() if u.is_complex() else u.square()


def inner(a: Tensor, b: Tensor) -> Tensor:
    """Re⟨a, b⟩ summed in float64."""
    product = (a.conj() * b).real if a.is_complex() or b.is_complex() else a * b
    return product.sum(dtype=torch.float64)


def indicator(inside: Tensor) -> Tensor:
    """0 if every voxel is inside, inf otherwise; a float64 scalar."""
    return torch.where(inside.all(), 0.0, math.inf).to(torch.float64)


def rim(radius: float | Tensor, like: Tensor) -> float | Tensor:
    """A bound widened by the rounding that is forgiven."""
    return radius * (1.0 + SLACK * torch.finfo(like.dtype).eps)


def quadratic_conjugate(p: Tensor, weights: float | Tensor) -> Tensor:
    """Σ |p|²/(2W), the conjugate of ½ΣW|u|²; inf if p ≠ 0 where W = 0."""
    spread = torch.as_tensor(weights, dtype=p.real.dtype, device=p.device)
    counted = spread > 0
    quotient = 0.5 * squares(p) / spread.masked_fill(~counted, 1.0)
    return torch.where(counted, quotient, 0.0).sum(dtype=torch.float64) + indicator(counted | (p == 0))


def where_counted(p: Tensor, weights: float | Tensor) -> Tensor:
    """p where W > 0, 0 elsewhere: the nearest point where the conjugate of a quadratic is finite."""
    return torch.where(torch.as_tensor(weights, device=p.device) > 0, p, 0.0)
