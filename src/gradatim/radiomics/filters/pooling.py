"""How responses become one."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Pooling(Protocol):
    """Anything that makes one response of several of one shape."""

    def __call__(self, responses: Iterable[Tensor]) -> Tensor:
        """The pooled response; it takes one at a time and keeps none."""


@dataclass(frozen=True)
class Maximum:
    """The largest response at each voxel. Differentiable where one is the largest.

    Source: IBSI 2 reference manual, arXiv:2006.05470, "Rotation invariance".

    Example:
        >>> Maximum()([torch.tensor([1.0, -2.0]), torch.tensor([0.0, 3.0])]).tolist()
        [1.0, 3.0]
    """

    def __call__(self, responses: Iterable[Tensor]) -> Tensor:
        """The largest of the responses."""
        return functools.reduce(torch.maximum, responses)


@dataclass(frozen=True)
class Average:
    """The mean of the responses at each voxel. Linear, differentiable.

    Source: IBSI 2 reference manual, arXiv:2006.05470, "Rotation invariance".

    Example:
        >>> Average()([torch.tensor([1.0, -2.0]), torch.tensor([0.0, 3.0])]).tolist()
        [0.5, 0.5]
    """

    def __call__(self, responses: Iterable[Tensor]) -> Tensor:
        """The mean of the responses."""
        count, total = 0, torch.zeros(())
        for count, response in enumerate(responses, start=1):
            total = response if count == 1 else total + response
        return total / count
