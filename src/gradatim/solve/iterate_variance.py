"""Mean and variance of the last iterates: a good picture, and a sign that it is getting worse."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from gradatim.base.errors import UsageError


class IterateMoments(NamedTuple):
    """Moments of the iterates so far, the last ones counting most.

    Attributes:
        sum: of the iterates, with weights that add up to ``share``.
        share: 1 − (1 − a)ᵏ after k iterates.
        variance: squared distance of the iterates from their mean, summed over x, in float64.
    """

    sum: Tensor
    share: float
    variance: Tensor

    @property
    def mean(self) -> Tensor:
        """The averaged iterate."""
        return self.sum / self.share


@dataclass(frozen=True)
class IterateVariance:
    """Running mean and variance of iterates, m ← (1 − a)m + a x and v ← (1 − a)(v + a‖x − m‖²), with the old m.

    A network that is fitted to one noisy picture first learns the picture, and its iterates settle; then it learns the
    noise, and they wander. So v falls, has a minimum, ideally near the best picture, and rises again; neither the truth
    nor the level of the noise is needed to see it. Before the first iterate x counts as 0: v begins large. The mean of
    about 2/a iterates is itself a better picture than each of them.

    Args:
        memory: a, 0 < a < 1.

    Raises:
        UsageError: GD-101 if a is out of its range.

    Source:
        Wang, Li, Zhuang, Chen, Liang & Sun, Early Stopping for Deep Image Prior, arXiv 2112.06074, TMLR 2023
        (algorithm ES-EMV).

    Example:
        >>> running = IterateVariance(0.5)
        >>> moments = running.init(torch.zeros(1))
        >>> for x in (4.0, 4.0, 4.0, 4.0): moments = running.step(moments, torch.tensor([x]))
        >>> moments.mean.item(), moments.variance.item()
        (4.0, 0.9375)
    """

    memory: float = 0.1

    def __post_init__(self) -> None:
        if not (math.isfinite(self.memory) and 0.0 < self.memory < 1.0):
            raise UsageError("GD-101", given=f"memory {self.memory}", allowed="between 0 and 1", do="0.1 is customary")

    def init(self, like: Tensor) -> IterateMoments:
        """The moments before the first iterate, whose shape ``like`` has."""
        return IterateMoments(torch.zeros_like(like), 0.0, torch.zeros((), dtype=torch.float64, device=like.device))

    def step(self, moments: IterateMoments, iterate: Tensor) -> IterateMoments:
        """The moments with one iterate more."""
        keep, apart = 1.0 - self.memory, iterate - moments.sum
        squared = torch.sum(apart.abs().square(), dtype=torch.float64)
        return IterateMoments(
            moments.sum + self.memory * apart,
            keep * moments.share + self.memory,
            keep * (moments.variance + self.memory * squared),
        )
