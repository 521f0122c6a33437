"""Sums of absolute values, of lengths and of squares: the priors of sparsity, total variation and Tikhonov."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.solve.function import Function
from gradatim.solve.shrinkage import clip, clip_factor, lengths, shrink_factor, soft
from gradatim.solve.weights import (
    indicator,
    largest,
    least,
    quadratic_conjugate,
    require_weight,
    rim,
    squares,
    where_counted,
)


@dataclass(frozen=True, eq=False)
class L1(Function):
    """f(u) = Σ w|u|, of real or complex numbers.

    The prox is the soft threshold v·max(1 − step·w/|v|, 0); f* is 0 where |p| ≤ w, inf elsewhere.

    Args:
        weight: w ≥ 0, a number or a tensor that broadcasts to u.

    Raises:
        UsageError: GD-101 if a weight is negative or not finite.

    Source:
        Parikh & Boyd, Proximal Algorithms, Found Trends Optim 1:127-239, 2014, section 6.5.2.

    Example:
        >>> L1(1.0).prox(torch.tensor([-3.0, 0.5]), 2.0).tolist()
        [-1.0, 0.0]
    """

    weight: float | Tensor = 1.0

    def __post_init__(self) -> None:
        require_weight(self.weight)

    def value(self, u: Tensor) -> Tensor:
        return (self.weight * u.abs()).sum(dtype=torch.float64)

    def prox(self, v: Tensor, step: float | Tensor) -> Tensor:
        return soft(v, step * self.weight)

    def conjugate(self, p: Tensor) -> Tensor:
        return indicator(p.abs() <= rim(self.weight, p))

    def dual_point(self, p: Tensor) -> Tensor:
        return clip(p, self.weight)

    def dual_prox(self, p: Tensor, step: float | Tensor) -> Tensor:
        return clip(p, self.weight)


@dataclass(frozen=True, eq=False)
class GroupL1(Function):
    """f(u) = Σ w‖u‖₂ over vectors along one axis: isotropic total variation of u = ∇x.

    The prox shortens each vector, v·max(1 − step·w/‖v‖₂, 0); f* is 0 where ‖p‖₂ ≤ w, inf elsewhere.

    Args:
        weight: w ≥ 0, a number or a tensor that broadcasts to u without the vectors' axis.
        axis: along which the vectors' components lie: −4 for fields (3, x, y, z), −3 for (2, x, y).

    Raises:
        UsageError: GD-101 if a weight is negative or not finite.

    Source:
        Rudin, Osher & Fatemi, Physica D 60:259-268, 1992; Yuan & Lin, J R Stat Soc B 68:49-67, 2006.

    Example:
        >>> GroupL1(1.0).prox(torch.tensor([3.0, 4.0]).view(2, 1, 1, 1), 2.5).flatten().tolist()
        [1.5, 2.0]
    """

    weight: float | Tensor = 1.0
    axis: int = -4

    def __post_init__(self) -> None:
        require_weight(self.weight)

    def value(self, u: Tensor) -> Tensor:
        return (self.weight * lengths(u, self.axis)).sum(dtype=torch.float64)

    def prox(self, v: Tensor, step: float | Tensor) -> Tensor:
        return v * shrink_factor(lengths(v, self.axis), step * self.weight).unsqueeze(self.axis)

    def conjugate(self, p: Tensor) -> Tensor:
        return indicator(lengths(p, self.axis) <= rim(self.weight, p))

    def dual_point(self, p: Tensor) -> Tensor:
        return p * clip_factor(lengths(p, self.axis), self.weight).unsqueeze(self.axis)

    def dual_prox(self, p: Tensor, step: float | Tensor) -> Tensor:
        return self.dual_point(p)


@dataclass(frozen=True, eq=False)
class GroupHuber(Function):
    """f(u) = Σ w·φ(‖u‖₂) over vectors along one axis, φ(t) = t²/2δ for t ≤ δ and t − δ/2 beyond: smoothed TV.

    As ``GroupL1`` but quadratic for short vectors, so that slopes below δ are not turned into steps. It is
    smooth, L = w/δ. The prox is v·(1 − step·w / max(‖v‖₂, δ + step·w)); f*(p) = Σ δ‖p‖²/2w where ‖p‖₂ ≤ w.

    Args:
        smoothing: δ > 0, unit of u; GroupL1 is its limit 0.
        weight: w ≥ 0, a number or a tensor that broadcasts to u without the vectors' axis.
        axis: along which the vectors' components lie: −4 for fields (3, x, y, z), −3 for (2, x, y).

    Raises:
        UsageError: GD-101 if a weight is negative or not finite, or δ is not positive.

    Source:
        Huber, Ann Math Stat 35:73-101, 1964; Chambolle & Pock, J Math Imaging Vis 40:120-145, 2011, section 6.2.3.

    Example:
        >>> smooth = GroupHuber(2.0, axis=-1)
        >>> smooth.value(torch.tensor([[0.6, 0.8], [3.0, 4.0]])).item()
        4.25
    """

    smoothing: float
    weight: float | Tensor = 1.0
    axis: int = -4

    def __post_init__(self) -> None:
        require_weight(self.weight)
        if not (math.isfinite(self.smoothing) and self.smoothing > 0):
            raise UsageError(
                "GD-101", given=f"smoothing {self.smoothing}", allowed="δ > 0", do="use GroupL1 for no smoothing"
            )

    def value(self, u: Tensor) -> Tensor:
        length = lengths(u, self.axis)
        short = length.clamp_max(self.smoothing)
        return (self.weight * short * (length - 0.5 * short)).sum(dtype=torch.float64) / self.smoothing

    def gradient(self, u: Tensor) -> Tensor:
        return u * (self.weight / lengths(u, self.axis).clamp_min(self.smoothing)).unsqueeze(self.axis)

    def prox(self, v: Tensor, step: float | Tensor) -> Tensor:
        pull = step * self.weight
        length = lengths(v, self.axis)
        far = torch.maximum(length, torch.as_tensor(self.smoothing + pull, dtype=length.dtype, device=length.device))
        return v * (1.0 - pull / far).unsqueeze(self.axis)

    def conjugate(self, p: Tensor) -> Tensor:
        length = lengths(p, self.axis)
        return self.smoothing * quadratic_conjugate(length, self.weight) + indicator(length <= rim(self.weight, p))

    def dual_point(self, p: Tensor) -> Tensor:
        return p * clip_factor(lengths(p, self.axis), self.weight).unsqueeze(self.axis)

    @property
    def smoothness(self) -> float:
        return largest(self.weight) / self.smoothing


@dataclass(frozen=True, eq=False)
class SquaredL2(Function):
    """f(u) = ½ Σ w|u|², the prior of Tikhonov and, behind a gradient, of Sobolev; real or complex.

    The prox is v/(1 + step·w); f*(p) = Σ |p|²/2w. L = max w, μ = min w.

    Args:
        weight: w ≥ 0, a number or a tensor that broadcasts to u.

    Raises:
        UsageError: GD-101 if a weight is negative or not finite.

    Example:
        >>> SquaredL2(1.0).prox(torch.tensor([-3.0, 0.5]), 1.0).tolist()
        [-1.5, 0.25]
    """

    weight: float | Tensor = 1.0

    def __post_init__(self) -> None:
        require_weight(self.weight)

    def value(self, u: Tensor) -> Tensor:
        return 0.5 * (self.weight * squares(u)).sum(dtype=torch.float64)

    def gradient(self, u: Tensor) -> Tensor:
        return self.weight * u

    def prox(self, v: Tensor, step: float | Tensor) -> Tensor:
        return v / (1.0 + step * self.weight)

    def conjugate(self, p: Tensor) -> Tensor:
        return quadratic_conjugate(p, self.weight)

    def dual_point(self, p: Tensor) -> Tensor:
        return where_counted(p, self.weight)

    @property
    def smoothness(self) -> float:
        return largest(self.weight)

    @property
    def strong_convexity(self) -> float:
        return least(self.weight)
