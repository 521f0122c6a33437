"""Clipping and soft thresholds of numbers and of vectors, the maps behind L1 and its relatives."""

import torch
from torch import Tensor


def clip(v: Tensor, radius: float | Tensor) -> Tensor:
    """The nearest number with |v| ≤ radius, real or complex.

    Example:
        >>> clip(torch.tensor([-3.0, 0.5]), 2.0).tolist(), clip(torch.tensor([3.0 + 4.0j]), 2.5).tolist()
        ([-2.0, 0.5], [(1.5+2j)])
    """
    if v.is_complex():
        return v * clip_factor(v.abs(), radius)
    if isinstance(radius, Tensor):
        return torch.minimum(torch.maximum(v, -radius), radius)
    return v.clamp(-radius, radius)


def soft(v: Tensor, threshold: float | Tensor) -> Tensor:
    """The soft threshold v·max(1 − t/|v|, 0).

    Example:
        >>> soft(torch.tensor([-3.0, 0.5]), 2.0).tolist()
        [-1.0, 0.0]
    """
    return v - clip(v, threshold)


def clip_factor(length: Tensor, radius: float | Tensor) -> Tensor:
    """What shortens a vector of that length to at most radius, min(radius/length, 1).

    Written so that no derivative is NaN, neither for vectors of length 0 nor for a radius of 0.
    """
    tiny = torch.finfo(length.dtype).tiny
    if isinstance(radius, Tensor):
        return radius / torch.maximum(length, radius).clamp_min(tiny)
    return radius / length.clamp_min(max(radius, tiny))


def shrink_factor(length: Tensor, threshold: float | Tensor) -> Tensor:
    """What shortens a vector of that length by the threshold, max(1 − t/length, 0)."""
    return 1.0 - clip_factor(length, threshold)


def lengths(v: Tensor, axis: int) -> Tensor:
    """Euclidean length over an axis, with the slope 0 for the vector 0.

    Term by term, which is ten times as fast as a norm over a strided axis of three.
    """
    first, *others = v.unbind(axis)
    if v.is_complex():
        total = first.real.square().addcmul(first.imag, first.imag)
        for part in others:
            total = total.addcmul(part.real, part.real).addcmul(part.imag, part.imag)
    else:
        total = first.square()
        for part in others:
            total = torch.addcmul(total, part, part)
    if not torch.is_grad_enabled():
        return total.sqrt()
    nothing = total == 0
    return total.masked_fill(nothing, 1.0).sqrt().masked_fill(nothing, 0.0)
