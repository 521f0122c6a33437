"""A gradient field over time: piecewise linear on three axes, with its exact integrals."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError

GAUSS_NODES = torch.tensor([0.5 - 0.5 * math.sqrt(0.6), 0.5, 0.5 + 0.5 * math.sqrt(0.6)], dtype=torch.float64)
"""Three Gauss points of an interval from 0 to 1, (3,): they integrate polynomials of degree five exactly."""

GAUSS_WEIGHTS = torch.tensor([5.0, 8.0, 5.0], dtype=torch.float64) / 18.0
"""Their weights, (3,)."""


@dataclass(frozen=True, eq=False)
class Waveform:
    """G(t), linear between edges on each of three axes, free to jump at them, and zero outside of them.

    On [tᵢ, tᵢ₊₁]: G(t) = (leftᵢ·(tᵢ₊₁ − t) + rightᵢ·(t − tᵢ)) / (tᵢ₊₁ − tᵢ). Trapezoids, arbitrary shapes and jumps
    are all exact. Gradients flow to edges and values.

    Args:
        edges: t, (n + 1,), s, increasing, float64.
        left: (n, 3), T/m, at the beginning of each interval.
        right: (n, 3), T/m, at its end.

    Raises:
        UsageError: GD-103 if the sizes disagree; GD-101 if the edges do not increase.

    Example:
        >>> ramp = Waveform(torch.tensor([0.0, 2.0]).double(), torch.zeros(1, 3).double(), torch.ones(1, 3).double())
        >>> ramp.moment(torch.tensor([1.0]).double())[0, 0].item()
        0.25
    """

    edges: Tensor
    left: Tensor
    right: Tensor

    def __post_init__(self) -> None:
        intervals = len(self.edges) - 1
        if self.left.shape != (intervals, 3) or self.right.shape != (intervals, 3):
            raise UsageError(
                "GD-103",
                given=f"{len(self.edges)} edges with values {tuple(self.left.shape)} and {tuple(self.right.shape)}",
                allowed="n + 1 edges, and n × 3 values at both ends of the intervals between them",
                do="give one value an interval, end and axis",
            )
        if not bool((self.edges.diff() > 0).all()):
            raise UsageError(
                "GD-101", given="edges that do not increase", allowed="increasing times", do="sort the edges"
            )

    def at(self, times: Tensor) -> Tensor:
        """G(t), (..., 3), T/m; at a jump the value after it.

        Args:
            times: (...), s.
        """
        index = (torch.searchsorted(self.edges.detach(), times.detach(), right=True) - 1).clamp(0, len(self.left) - 1)
        share = ((times - self.edges[index]) / (self.edges[index + 1] - self.edges[index]))[..., None]
        value = self.left[index] * (1 - share) + self.right[index] * share
        inside = (times >= self.edges[0]) & (times < self.edges[-1])
        return torch.where(inside[..., None], value, torch.zeros_like(value))

    def moment(self, times: Tensor) -> Tensor:
        """∫G dt from the first edge to t, (..., 3), T·s/m.

        Args:
            times: (...), s.
        """
        steps = self.edges.diff()[:, None]
        areas = 0.5 * (self.left + self.right) * steps
        before = torch.cat([torch.zeros_like(areas[:1]), areas.cumsum(0)])
        inside = times.clamp(min=self.edges[0].detach(), max=self.edges[-1].detach())
        index = (torch.searchsorted(self.edges.detach(), inside.detach(), right=True) - 1).clamp(0, len(areas) - 1)
        past = (inside - self.edges[index])[..., None]
        slope = (self.right - self.left) / steps
        return before[index] + past * (self.left[index] + 0.5 * past * slope[index])

    def squared_moment(self) -> Tensor:
        """∫M Mᵀ dt with M(t) = ∫G from the first edge on, over all of it, (3, 3), T²·s³/m², symmetric.

        Where G is linear M Mᵀ is a polynomial of degree four, which three Gauss points an interval integrate exactly.
        """
        steps = self.edges.diff()[:, None]
        areas, rise = 0.5 * (self.left + self.right) * steps, self.right - self.left
        before = torch.cat([torch.zeros_like(areas[:1]), areas.cumsum(0)[:-1]])
        share = GAUSS_NODES[:, None, None].to(steps.device)
        moment = before + steps * (self.left * share + 0.5 * rise * share**2)
        return torch.einsum("s,i,sia,sib->ab", GAUSS_WEIGHTS.to(steps.device), steps[:, 0], moment, moment)

    @property
    def slew(self) -> Tensor:
        """dG/dt in each interval, (n, 3), T/(m·s); jumps are not in it."""
        return (self.right - self.left) / self.edges.diff()[:, None]
