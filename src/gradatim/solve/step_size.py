"""The curvature around a point, and so a step size, from nothing but objective and gradient."""

import math

import torch
from torch import Tensor

from gradatim.base.seeds import generator
from gradatim.solve.evaluate import Evaluate, Evaluated, norm

MARGIN = 1.1
"""Power iteration approaches the largest curvature from below."""
ITERATIONS = 20
NEAR = 0.01
"""Differences of gradients are taken over this part of a safe step."""
MOST_DOUBLINGS = 200


def safe_step(evaluate: Evaluate, theta: Tensor, at: Evaluated) -> float:
    """A step α along −∇f that lowers f by at least ½α‖∇f‖², within a factor of two of the longest.

    The search starts at |f|/‖∇f‖², which has the unit of a step whatever the units of f and θ are.

    Args:
        evaluate: f and its gradient.
        theta: θ.
        at: f and ∇f at θ, with ∇f ≠ 0.

    Returns:
        α > 0, unit of θ² per unit of f.
    """

    def lowers(step: float) -> bool:
        return evaluate.value(theta - step * at.gradient) <= at.objective - 0.5 * step * squared

    squared = at.length**2
    step = abs(at.objective) / squared if at.objective != 0 else (norm(theta) or 1.0) / math.sqrt(squared)
    holds = lowers(step)
    for _ in range(MOST_DOUBLINGS):
        longer = step * 2.0 if holds else step * 0.5
        if lowers(longer) != holds:
            return step if holds else longer
        step = longer
    return step


def curvature(evaluate: Evaluate, theta: Tensor, at: Evaluated) -> float:
    """An estimate of the largest curvature of f around θ, the Lipschitz constant of ∇f there.

    Power iteration on differences of gradients, ‖∇f(θ + h v) − ∇f(θ)‖/h, over distances h that are short for
    f: a hundredth of a safe step, or what rounding allows. It scales as f and θ do, so that whoever takes 1/L
    need not know the units.

    Args:
        evaluate: f and its gradient.
        theta: θ.
        at: f and ∇f at θ.

    Returns:
        L > 0, unit of f per squared unit of θ; 1 where f is flat or undefined.

    Example:
        >>> f = Evaluate(lambda x: 0.5 * (torch.tensor([1.0, 50.0]) * x**2).sum())
        >>> x = torch.ones(2)
        >>> round(curvature(f, x, f(x)) / MARGIN, 1)
        50.0
    """
    if not math.isfinite(at.length):
        return 1.0
    step = safe_step(evaluate, theta, at) if at.length > 0 else math.inf
    rounding = math.sqrt(torch.finfo(theta.dtype).eps) * norm(theta)
    reach = max(NEAR * step * at.length if at.length > 0 else 0.0, rounding) or 1.0
    found, direction = 0.0, torch.randn(theta.shape, generator=generator(0), dtype=torch.float64).to(theta)
    for _ in range(ITERATIONS):
        direction = direction * (reach / norm(direction))
        bend = evaluate(theta + direction).gradient - at.gradient
        length = norm(bend)
        if not (math.isfinite(length) and length > 0):
            break
        found, direction = max(found, length / reach), bend
    found = max(found, 0.5 / step)  # under less curvature, twice the safe step would have been safe
    return MARGIN * found if found > 0 else 1.0
