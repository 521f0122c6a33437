"""Descent with momentum: Polyak's heavy ball and Nesterov's look ahead."""

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.solve.descent import GradientMethod, known, require_step
from gradatim.solve.evaluate import Evaluated, norm
from gradatim.solve.gradient_stopping import SmallEnergy
from gradatim.solve.stopping import IterationBound, StoppingRule


class MomentumState(NamedTuple):
    """State of a method with momentum.

    Attributes:
        theta: the iterate.
        velocity: v, the decaying sum of gradients, unit of f per unit of θ.
        steps: made so far, an integer.
    """

    theta: Tensor
    velocity: Tensor
    steps: Tensor


@dataclass(frozen=True)
class HeavyBall(GradientMethod):
    """Minimises a smooth f by v ← β v + (1 − τ)∇f(θ), θ ← θ − α v.

    Without dampening this is x_{k+1} = x_k − α∇f(x_k) + β(x_k − x_{k−1}); the first v is ∇f itself. Step for
    step torch.optim.SGD(momentum=β, dampening=τ). The iterate swings through the minimum, so that its gradient
    falls and rises again: neither a small gradient nor a small step says that it has arrived. What falls is the
    energy E = f + β/(2α)·‖x_k − x_{k−1}‖², for every f of curvature at most L if α ≤ 2(1 − β)/L (α(1 − τ)
    takes the place of α where τ ≠ 0). The default rule looks at the energy.

    Args:
        step_size: α > 0, unit of θ² per unit of f; None to find 1/L.
        momentum: β, 0 ≤ β < 1.
        dampening: τ, 0 ≤ τ < 1.
        rule: when to stop; sees ``change``, ``objective``, ``gradient`` and ``energy``.

    Raises:
        UsageError: GD-101 if a parameter is out of its range; GD-103 for a gradient of another shape.
        InputError: GD-656 or GD-657 for the objective.

    Source:
        Polyak, USSR Comput Math Math Phys 4(5):1-17, 1964; Sutskever et al., ICML 2013.

    Example:
        >>> ball = HeavyBall(step_size=0.1, rule=IterationBound(6))
        >>> swing = ball(lambda x: 0.5 * x.square().sum(), start=torch.ones(1, dtype=torch.float64))
        >>> [round(p.gradient, 4) for p in swing.history]
        [0.9, 0.72, 0.486, 0.2268, 0.0292, 0.2566]
        >>> [round(p.energy, 3) for p in swing.history]
        [0.45, 0.405, 0.364, 0.328, 0.295, 0.266]
    """

    step_size: float | None = None
    momentum: float = 0.9
    dampening: float = 0.0
    rule: StoppingRule = field(default=IterationBound(1000) | SmallEnergy(1e-8))

    def __post_init__(self) -> None:
        require_step(self.step_size)
        require_decay(self.momentum, "momentum")
        require_decay(self.dampening, "dampening")

    def init(self, theta: Tensor) -> MomentumState:
        return at_rest(theta)

    def step(self, state: MomentumState, gradient: Tensor) -> MomentumState:
        later = self.momentum * state.velocity + (1.0 - self.dampening) * gradient
        velocity = torch.where(state.steps == 0, gradient, later)
        return MomentumState(state.theta - known(self.step_size) * velocity, velocity, state.steps + 1)

    def kinetic(self, state: MomentumState) -> float:
        mass = self.momentum * known(self.step_size) / (1.0 - self.dampening)
        return 0.5 * mass * norm(state.velocity) ** 2

    def suited_step(self, at: Evaluated, curvature: float) -> float:
        return 1.0 / curvature


@dataclass(frozen=True)
class Nesterov(GradientMethod):
    """Minimises a smooth f by v ← β v + ∇f(θ), θ ← θ − α(∇f(θ) + β v).

    Step for step torch.optim.SGD(momentum=β, nesterov=True): θ is the point ahead, where the gradient is
    taken; θ + αβv is Nesterov's own iterate, and a plain gradient step from the last θ. The swings are damped
    more than the heavy ball's, but they are there, and they fool the same rules.

    Args:
        step_size: α > 0, unit of θ² per unit of f; None to find 1/L.
        momentum: β, 0 ≤ β < 1; (√κ − 1)/(√κ + 1) is best for a known condition number κ.
        rule: when to stop; sees ``change``, ``objective``, ``gradient`` and ``energy``.

    Raises:
        UsageError: GD-101 if a parameter is out of its range; GD-103 for a gradient of another shape.
        InputError: GD-656 or GD-657 for the objective.

    Source:
        Nesterov, Soviet Math Dokl 27:372-376, 1983; in this form Sutskever et al., ICML 2013.

    Example:
        >>> found = Nesterov()(lambda x: (x - 3.0).square().sum(), start=torch.zeros(2))
        >>> [round(v, 3) for v in found.value.tolist()], found.reason.name
        ([3.0, 3.0], 'ENERGY')
    """

    step_size: float | None = None
    momentum: float = 0.9
    rule: StoppingRule = field(default=IterationBound(1000) | SmallEnergy(1e-8))

    def __post_init__(self) -> None:
        require_step(self.step_size)
        require_decay(self.momentum, "momentum")

    def init(self, theta: Tensor) -> MomentumState:
        return at_rest(theta)

    def step(self, state: MomentumState, gradient: Tensor) -> MomentumState:
        velocity = self.momentum * state.velocity + gradient
        ahead = gradient + self.momentum * velocity
        return MomentumState(state.theta - known(self.step_size) * ahead, velocity, state.steps + 1)

    def kinetic(self, state: MomentumState) -> float:
        return 0.5 * self.momentum * known(self.step_size) * norm(state.velocity) ** 2

    def suited_step(self, at: Evaluated, curvature: float) -> float:
        return 1.0 / curvature


def at_rest(theta: Tensor) -> MomentumState:
    """The state without velocity."""
    return MomentumState(theta, torch.zeros_like(theta), torch.zeros((), dtype=torch.int64, device=theta.device))


def require_decay(value: float, what: str) -> None:
    """Refuse a decay that is not in [0, 1) (GD-101)."""
    if not 0.0 <= value < 1.0:
        raise UsageError("GD-101", given=f"{what} {value}", allowed="at least 0, below 1", do="0.9 is customary")
