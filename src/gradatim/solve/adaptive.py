"""Descent with a step of its own for every number in θ: RMSProp, Adam, AdamW."""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.solve.descent import GradientMethod, known, require_step
from gradatim.solve.evaluate import Evaluated
from gradatim.solve.gradient_stopping import Plateau
from gradatim.solve.momentum import require_decay
from gradatim.solve.stopping import IterationBound, StoppingRule


class RmsPropState(NamedTuple):
    """State of RMSProp.

    Attributes:
        theta: the iterate.
        square: running mean of the squared gradient.
        mean: running mean of the gradient; stays 0 where it is not asked for.
        velocity: decaying sum of scaled gradients.
    """

    theta: Tensor
    square: Tensor
    mean: Tensor
    velocity: Tensor


class AdamState(NamedTuple):
    """State of Adam.

    Attributes:
        theta: the iterate.
        mean: running mean of the gradient.
        square: running mean of the squared gradient.
        steps: made so far, an integer.
    """

    theta: Tensor
    mean: Tensor
    square: Tensor
    steps: Tensor


@dataclass(frozen=True)
class RmsProp(GradientMethod):
    """Minimises a smooth f by s ← ρ s + (1 − ρ)g², v ← μ v + g/(√s + ε), θ ← θ − α v, with g = ∇f(θ).

    Step for step torch.optim.RMSprop. Each number in θ moves by about α whatever the size of its gradient, so
    that α has the unit of θ; with a fixed α it ends in a dance of about that size around the minimum.

    Args:
        step_size: α > 0, unit of θ; None to find ‖g‖₁/(n L), and halve it where the dance begins.
        decay: ρ, 0 ≤ ρ < 1.
        momentum: μ, 0 ≤ μ < 1; 0 for none.
        epsilon: ε > 0, unit of f per unit of θ: gradients below it count as small.
        rule: when to stop; sees ``change``, ``objective`` and ``gradient``.

    Raises:
        UsageError: GD-101 if a parameter is out of its range; GD-103 for a gradient of another shape.
        InputError: GD-656 or GD-657 for the objective.

    Source:
        Tieleman & Hinton, Coursera Neural Networks for Machine Learning, lecture 6.5, 2012.

    Example:
        >>> found = RmsProp()(lambda x: (x - 3.0).square().sum(), start=torch.zeros(2))
        >>> [round(v, 2) for v in found.value.tolist()]
        [3.0, 3.0]
    """

    step_size: float | None = None
    decay: float = 0.99
    momentum: float = 0.0
    epsilon: float = 1e-8
    rule: StoppingRule = field(default=IterationBound(2000) | Plateau())

    def __post_init__(self) -> None:
        _require(self.step_size, self.epsilon, (self.decay, self.momentum))

    def init(self, theta: Tensor) -> RmsPropState:
        return RmsPropState(theta, *(torch.zeros_like(theta) for _ in range(3)))

    def step(self, state: RmsPropState, gradient: Tensor) -> RmsPropState:
        square = self.decay * state.square + (1.0 - self.decay) * gradient.square()
        velocity = self.momentum * state.velocity + gradient / (square.sqrt() + self.epsilon)
        return RmsPropState(state.theta - known(self.step_size) * velocity, square, state.mean, velocity)

    def kinetic(self, state: RmsPropState) -> float:
        return math.nan

    def suited_step(self, at: Evaluated, curvature: float) -> float:
        # the first step is 1/√(1 − ρ) times as long as the later ones
        return _sign_step(at, curvature) * math.sqrt(1.0 - self.decay)


@dataclass(frozen=True)
class CentredRmsProp(GradientMethod):
    """RMSProp divided by the standard deviation of the gradient: √(s − m²) + ε, with m ← ρ m + (1 − ρ)g.

    Step for step torch.optim.RMSprop(centered=True). Where the gradient hardly changes the deviation is small
    and steps are long; a found step size is then halved often.

    Args:
        step_size: α > 0, unit of θ; None to find one, as for :class:`RmsProp`.
        decay: ρ, 0 ≤ ρ < 1.
        momentum: μ, 0 ≤ μ < 1; 0 for none.
        epsilon: ε > 0, unit of f per unit of θ.
        rule: when to stop; sees ``change``, ``objective`` and ``gradient``.

    Raises:
        UsageError: GD-101 if a parameter is out of its range; GD-103 for a gradient of another shape.
        InputError: GD-656 or GD-657 for the objective.

    Source:
        Graves, arXiv 1308.0850, 2013, equations 38 to 45.

    Example:
        >>> method = CentredRmsProp(step_size=0.1)
        >>> method.step(method.init(torch.zeros(1)), torch.ones(1)).theta.item()  # −0.1/√(0.01 − 0.01²)
        -1.0050...
    """

    step_size: float | None = None
    decay: float = 0.99
    momentum: float = 0.0
    epsilon: float = 1e-8
    rule: StoppingRule = field(default=IterationBound(2000) | Plateau())

    def __post_init__(self) -> None:
        _require(self.step_size, self.epsilon, (self.decay, self.momentum))

    def init(self, theta: Tensor) -> RmsPropState:
        return RmsPropState(theta, *(torch.zeros_like(theta) for _ in range(3)))

    def step(self, state: RmsPropState, gradient: Tensor) -> RmsPropState:
        square = self.decay * state.square + (1.0 - self.decay) * gradient.square()
        mean = self.decay * state.mean + (1.0 - self.decay) * gradient
        spread = (square - mean.square()).clamp_min(0.0).sqrt()  # rounding may put it below 0
        velocity = self.momentum * state.velocity + gradient / (spread + self.epsilon)
        return RmsPropState(state.theta - known(self.step_size) * velocity, square, mean, velocity)

    def kinetic(self, state: RmsPropState) -> float:
        return math.nan

    def suited_step(self, at: Evaluated, curvature: float) -> float:
        return _sign_step(at, curvature) * math.sqrt(1.0 - self.decay)


@dataclass(frozen=True)
class Adam(GradientMethod):
    """Minimises a smooth f by the ratio of two running means of the gradient, both freed of their start.

    With g = ∇f(θ) and k the number of the step::

        m ← β₁ m + (1 − β₁) g      s ← β₂ s + (1 − β₂) g²
        θ ← θ − α · m/(1 − β₁ᵏ) / (√(s/(1 − β₂ᵏ)) + ε)

    Step for step torch.optim.Adam; its weight decay is ``Penalised(f, l2=...)``. It moves by at most about α a
    step in each number of θ, swings like any method with momentum, and has no energy that is known to fall.

    Args:
        step_size: α > 0, unit of θ; None to find ‖g‖₁/(n L), and halve it where the swings no longer shrink.
        decay: β₁, 0 ≤ β₁ < 1.
        square_decay: β₂, 0 ≤ β₂ < 1.
        epsilon: ε > 0, unit of f per unit of θ.
        rule: when to stop; sees ``change``, ``objective`` and ``gradient``.

    Raises:
        UsageError: GD-101 if a parameter is out of its range; GD-103 for a gradient of another shape.
        InputError: GD-656 or GD-657 for the objective.

    Source:
        Kingma & Ba, arXiv 1412.6980, ICLR 2015, algorithm 1.

    Example:
        >>> found = Adam()(lambda x: (x - 3.0).square().sum(), start=torch.zeros(2))
        >>> [round(v, 2) for v in found.value.tolist()]
        [3.0, 3.0]
    """

    step_size: float | None = None
    decay: float = 0.9
    square_decay: float = 0.999
    epsilon: float = 1e-8
    rule: StoppingRule = field(default=IterationBound(2000) | Plateau())

    def __post_init__(self) -> None:
        _require(self.step_size, self.epsilon, (self.decay, self.square_decay))

    def init(self, theta: Tensor) -> AdamState:
        return _fresh(theta)

    def step(self, state: AdamState, gradient: Tensor) -> AdamState:
        after = _averaged(state, gradient, self.decay, self.square_decay)
        direction = _scaled(after, self.decay, self.square_decay, self.epsilon)
        return after._replace(theta=state.theta - known(self.step_size) * direction)

    def kinetic(self, state: AdamState) -> float:
        return math.nan

    def suited_step(self, at: Evaluated, curvature: float) -> float:
        return _sign_step(at, curvature)


@dataclass(frozen=True)
class AdamW(GradientMethod):
    """Adam with a decay of θ itself beside the step: θ ← (1 − α w)θ − α·(Adam's direction).

    Step for step torch.optim.AdamW. The decay is no penalty: the method's fixed point is no objective's minimum,
    so that no step size can be found for it; the objective of the history is f alone. For a penalty take Adam on
    ``Penalised(f, l2=...)``.

    Args:
        step_size: α > 0, unit of θ.
        decay: β₁, 0 ≤ β₁ < 1.
        square_decay: β₂, 0 ≤ β₂ < 1.
        epsilon: ε > 0, unit of f per unit of θ.
        weight_decay: w ≥ 0, per unit of θ.
        rule: when to stop; sees ``change``, ``objective`` and ``gradient``.

    Raises:
        UsageError: GD-101 if a parameter is out of its range; GD-103 for a gradient of another shape.
        InputError: GD-656 or GD-657 for the objective.

    Source:
        Loshchilov & Hutter, arXiv 1711.05101, ICLR 2019, algorithm 2.

    Example:
        >>> method = AdamW(step_size=0.1, weight_decay=1.0)
        >>> round(method.step(method.init(torch.ones(1)), torch.ones(1)).theta.item(), 4)  # 1 − 0.1 − 0.1
        0.8
    """

    step_size: float = 1e-3
    decay: float = 0.9
    square_decay: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.01
    rule: StoppingRule = field(default=IterationBound(2000) | Plateau())

    def __post_init__(self) -> None:
        _require(self.step_size, self.epsilon, (self.decay, self.square_decay))
        if not (math.isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise UsageError("GD-101", given=f"weight decay {self.weight_decay}", allowed="≥ 0", do="0 is Adam")

    def init(self, theta: Tensor) -> AdamState:
        return _fresh(theta)

    def step(self, state: AdamState, gradient: Tensor) -> AdamState:
        after = _averaged(state, gradient, self.decay, self.square_decay)
        direction = _scaled(after, self.decay, self.square_decay, self.epsilon)
        return after._replace(
            theta=(1.0 - self.step_size * self.weight_decay) * state.theta - self.step_size * direction
        )

    def kinetic(self, state: AdamState) -> float:
        return math.nan

    def suited_step(self, at: Evaluated, curvature: float) -> float:
        return self.step_size


def _fresh(theta: Tensor) -> AdamState:
    count = torch.zeros((), dtype=torch.int64, device=theta.device)
    return AdamState(theta, torch.zeros_like(theta), torch.zeros_like(theta), count)


def _averaged(state: AdamState, gradient: Tensor, decay: float, square_decay: float) -> AdamState:
    mean = state.mean + (1.0 - decay) * (gradient - state.mean)
    square = square_decay * state.square + (1.0 - square_decay) * gradient.square()
    return AdamState(state.theta, mean, square, state.steps + 1)


def _scaled(state: AdamState, decay: float, square_decay: float, epsilon: float) -> Tensor:
    steps = state.steps.to(torch.float64)
    mean = state.mean / (1.0 - decay**steps)
    return mean / ((state.square / (1.0 - square_decay**steps)).sqrt() + epsilon)


def _sign_step(at: Evaluated, curvature: float) -> float:
    """The best step along −sign(g) under curvature L: f falls by α‖g‖₁ − ½L n α², most at ‖g‖₁/(n L)."""
    found = float(at.gradient.abs().sum(dtype=torch.float64)) / (at.gradient.numel() * curvature)
    return found if found > 0 else 1.0


def _require(step_size: float | None, epsilon: float, decays: tuple[float, ...]) -> None:
    require_step(step_size)
    for decay in decays:
        require_decay(decay, "decay")
    if not (math.isfinite(epsilon) and epsilon > 0):
        raise UsageError("GD-101", given=f"ε = {epsilon}", allowed="a positive number", do="1e-8 is customary")
