"""Linear-phase low-pass filters, the β of a selective pulse."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

Value = float | Tensor


def transition(inside: float, outside: float) -> float:
    """D∞, the width of a low-pass filter's transition in time-bandwidth product, by Herrmann's formula for its ripples.

    D∞ = (a₁L₁² + a₂L₁ + a₃)·L₂ + a₄L₁² + a₅L₁ + a₆, Lᵢ = log₁₀ δᵢ. Source: Pauly 1991, equation
    20, after Herrmann, Rabiner and Chan 1973, Bell System Technical Journal 52:769.

    Args:
        inside: δ₁, ripple in the pass-band.
        outside: δ₂, ripple in the stop-band.

    Example:
        >>> round(transition(0.01, 0.01), 3)
        1.944
    """
    one, two = math.log10(inside), math.log10(outside)
    quadratic = 5.309e-3 * one**2 + 7.114e-2 * one - 4.761e-1
    rest = -2.66e-3 * one**2 - 5.941e-1 * one - 4.278e-1
    return quadratic * two + rest


@dataclass(frozen=True)
class LeastSquares:
    """The filter with the least squared error, ∫(H − 1)² inside + (δ₁/δ₂)·∫H² outside; its ripple falls off.

    H(f) = 2·Σ c_m·cos(2πf·h_m), with h_m = m + ½ for an even number of taps and m for an odd one. Differentiable in the
    time-bandwidth product.

    Example:
        >>> taps = LeastSquares()(64, time_bandwidth=4.0, inside=0.01, outside=0.01)
        >>> round(taps.sum().item(), 1), bool((taps == taps.flip(0)).all())
        (1.0, True)
    """

    def __call__(self, count: int, *, time_bandwidth: Value, inside: float, outside: float) -> Tensor:
        """Taps, (count,), float64, symmetric, of height 1 in the pass-band.

        Args:
            count: taps.
            time_bandwidth: taps times the pass-band's whole width in cycles a tap.
            inside: δ₁.
            outside: δ₂.
        """
        low, high = (
            torch.as_tensor(edge, dtype=torch.float64) for edge in _edges(count, time_bandwidth, inside, outside)
        )
        place = torch.arange(count, dtype=torch.float64)[count // 2 :] - (count - 1) / 2
        difference, total = place[:, None] - place, place[:, None] + place

        def overlap(edge: Tensor) -> Tensor:
            return 0.5 * edge * (torch.sinc(2 * edge * difference) + torch.sinc(2 * edge * total))

        weight = inside / outside
        normal = overlap(low) + weight * (overlap(torch.full_like(low, 0.5)) - overlap(high))
        half = 0.5 * torch.linalg.solve(normal, low * torch.sinc(2 * low * place))
        if count % 2:
            return torch.cat([half[1:].flip(0), 2 * half[:1], half[1:]])
        return torch.cat([half.flip(0), half])


@dataclass(frozen=True)
class Equiripple:
    """The filter with the least largest error (Parks and McClellan 1972); its ripple is the same everywhere.

    Example:
        >>> taps = Equiripple()(64, time_bandwidth=4.0, inside=0.01, outside=0.01)
        >>> len(taps), round(taps.sum().item(), 1)
        (64, 1.0)
    """

    def __call__(self, count: int, *, time_bandwidth: float, inside: float, outside: float) -> Tensor:
        """Taps, (count,), float64, symmetric, of height 1 in the pass-band.

        Args:
            count: taps.
            time_bandwidth: taps times the pass-band's whole width in cycles a tap.
            inside: δ₁.
            outside: δ₂.
        """
        from scipy.signal import remez

        low, high = _edges(count, time_bandwidth, inside, outside)
        taps = remez(count, [0, low, high, 0.5], [1, 0], weight=[1, inside / outside], fs=1.0)
        return torch.from_numpy(0.5 * (taps + taps[::-1]))


def _edges(count: int, time_bandwidth: Value, inside: float, outside: float) -> tuple[Value, Value]:
    """Where the pass-band ends and where the stop-band begins, cycles a tap."""
    width = transition(inside, outside)
    return (time_bandwidth - width) / (2 * count), (time_bandwidth + width) / (2 * count)
