"""How far an image is from data: squared, Huber's and absolute distance, each with weights."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.solve.function import Function
from gradatim.solve.shrinkage import clip, soft
from gradatim.solve.weights import (
    indicator,
    inner,
    largest,
    least,
    quadratic_conjugate,
    require_weight,
    rim,
    root,
    squares,
    where_counted,
)


@dataclass(frozen=True, eq=False)
class SquaredDistance(Function):
    """f(u) = ½ Σ W|u − y|², Gaussian noise of variance 1/W, real or complex.

    The prox is the weighted mean (step·W·y + v) / (step·W + 1); where W = 0 it leaves v alone.
    f*(p) = Σ ⟨p, y⟩ + |p|²/2W. L = max W, μ = min W.

    Args:
        target: y.
        weights: W ≥ 0, of the shape of y or a number.

    Raises:
        UsageError: GD-101 if a weight is negative or not finite.

    Example:
        >>> SquaredDistance(torch.tensor([2.0]), 1.0).prox(torch.tensor([0.0]), 1.0).tolist()
        [1.0]
    """

    target: Tensor
    weights: float | Tensor = 1.0

    def __post_init__(self) -> None:
        require_weight(self.weights)

    def value(self, u: Tensor) -> Tensor:
        return 0.5 * (self.weights * squares(u - self.target)).sum(dtype=torch.float64)

    def gradient(self, u: Tensor) -> Tensor:
        return self.weights * (u - self.target)

    def prox(self, v: Tensor, step: float | Tensor) -> Tensor:
        pull = step * self.weights
        return v + (self.target - v) * (pull / (1.0 + pull))

    def conjugate(self, p: Tensor) -> Tensor:
        return inner(p, self.target) + quadratic_conjugate(p, self.weights)

    def dual_point(self, p: Tensor) -> Tensor:
        return where_counted(p, self.weights)

    @property
    def smoothness(self) -> float:
        return largest(self.weights)

    @property
    def strong_convexity(self) -> float:
        return least(self.weights)


@dataclass(frozen=True, eq=False)
class HuberDistance(Function):
    """f(u) = Σ h(√W·|u − y|), h(t) = t²/2 for t ≤ δ and δt − δ²/2 beyond: outliers pull with a bounded force.

    The prox goes towards y like that of the squared distance, but never farther than step·δ√W.
    f*(p) = Σ ⟨p, y⟩ + |p|²/2W where |p| ≤ δ√W, inf elsewhere. L = max W. A derivative with respect to W needs W > 0.

    Args:
        target: y.
        weights: W ≥ 0, inverse variances, of the shape of y or a number.
        threshold: δ > 0 in standard deviations; 1.345 keeps 95 % efficiency under Gaussian noise.

    Raises:
        UsageError: GD-101 if a weight is negative or not finite, or the threshold is not positive.

    Source:
        Huber, Ann Math Stat 35:73-101, 1964.

    Example:
        >>> far = HuberDistance(torch.tensor([0.0]), 1.0, threshold=1.0)
        >>> far.prox(torch.tensor([10.0]), 2.0).tolist()
        [8.0]
    """

    target: Tensor
    weights: float | Tensor = 1.0
    threshold: float = 1.345

    def __post_init__(self) -> None:
        require_weight(self.weights)
        if not self.threshold > 0:
            raise UsageError(
                "GD-101", given=f"Huber threshold {self.threshold}", allowed="> 0", do="use 1.345 standard deviations"
            )

    def value(self, u: Tensor) -> Tensor:
        t2 = self.weights * squares(u - self.target)
        rim2 = self.threshold**2
        # without a case: below the threshold the second summand is 0, beyond it the first is constant
        near, far = t2.clamp_max(rim2), t2.clamp_min(rim2).sqrt()
        return (0.5 * near + self.threshold * (far - self.threshold)).sum(dtype=torch.float64)

    def gradient(self, u: Tensor) -> Tensor:
        return clip(self.weights * (u - self.target), self._force)

    def prox(self, v: Tensor, step: float | Tensor) -> Tensor:
        pull = step * self.weights
        away = v - self.target
        return v - clip(away * (pull / (1.0 + pull)), step * self._force)

    def conjugate(self, p: Tensor) -> Tensor:
        quadratic = quadratic_conjugate(p, self.weights)
        return inner(p, self.target) + quadratic + indicator(p.abs() <= rim(self._force, p))

    def dual_point(self, p: Tensor) -> Tensor:
        return clip(p, self._force)

    @property
    def smoothness(self) -> float:
        return largest(self.weights)

    @property
    def _force(self) -> float | Tensor:
        """δ√W, the strongest that a datum can pull."""
        return self.threshold * root(self.weights)


@dataclass(frozen=True, eq=False)
class L1Distance(Function):
    """f(u) = Σ w|u − y|, the limit of Huber's for a small threshold: a median instead of a mean.

    The prox is y plus the soft threshold of v − y; f*(p) = Σ ⟨p, y⟩ where |p| ≤ w, inf elsewhere.

    Args:
        target: y.
        weights: w ≥ 0, inverse scale (not variance), of the shape of y or a number.

    Raises:
        UsageError: GD-101 if a weight is negative or not finite.

    Example:
        >>> L1Distance(torch.tensor([1.0, 1.0])).prox(torch.tensor([4.0, 1.5]), 2.0).tolist()
        [2.0, 1.0]
    """

    target: Tensor
    weights: float | Tensor = 1.0

    def __post_init__(self) -> None:
        require_weight(self.weights)

    def value(self, u: Tensor) -> Tensor:
        return (self.weights * (u - self.target).abs()).sum(dtype=torch.float64)

    def prox(self, v: Tensor, step: float | Tensor) -> Tensor:
        return self.target + soft(v - self.target, step * self.weights)

    def conjugate(self, p: Tensor) -> Tensor:
        return inner(p, self.target) + indicator(p.abs() <= rim(self.weights, p))

    def dual_point(self, p: Tensor) -> Tensor:
        return clip(p, self.weights)
