"""How strongly a function bends around a point, voxel by voxel: the diagonal that stands for its Hessian."""

from functools import singledispatch

from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.solve.distances import HuberDistance, SquaredDistance
from gradatim.solve.function import Function
from gradatim.solve.norms import L1, GroupHuber, GroupL1, SquaredL2
from gradatim.solve.shrinkage import lengths
from gradatim.solve.weights import root


@singledispatch
def curvature(function: Function, u: Tensor, epsilon: float) -> Tensor | float:
    """D ≥ 0 such that f bends around u like ½ Σ D|·|².

    For quadratics D is the Hessian. For f = Σ w φ(|u|) it is the lagged diffusivity w φ'(|u|)/|u|: the
    parabola that touches f at u from above, at least as steep as f itself. For L1 and GroupL1, where φ' jumps
    at 0, |u| is replaced by |u|_ε = √(|u|² + ε²).

    Args:
        function: f; SquaredDistance, SquaredL2, HuberDistance, L1, GroupL1 or GroupHuber. Others can be
            registered with ``curvature.register``.
        u: where.
        epsilon: ε > 0, unit of u.

    Returns:
        D, which broadcasts to u.

    Raises:
        InputError: GD-644 if no curvature is known for the function.

    Source:
        Vogel & Oman, SIAM J Sci Comput 17:227-238, 1996.

    Example:
        >>> import torch
        >>> from gradatim.solve.norms import L1
        >>> curvature(L1(2.5), torch.tensor([3.0]), 4.0).item()
        0.5
    """
    raise InputError(
        "GD-644",
        given=f"a {type(function).__name__}",
        allowed="a function whose curvature is known",
        do="register one with gradatim.solve.curvature.curvature.register",
    )


@curvature.register
def _(function: SquaredDistance, u: Tensor, epsilon: float) -> Tensor | float:
    return function.weights


@curvature.register
def _(function: SquaredL2, u: Tensor, epsilon: float) -> Tensor | float:
    return function.weight


@curvature.register
def _(function: HuberDistance, u: Tensor, epsilon: float) -> Tensor | float:
    scaled = root(function.weights) * (u - function.target).abs()
    return function.weights * (function.threshold / scaled.clamp_min(function.threshold))


@curvature.register
def _(function: L1, u: Tensor, epsilon: float) -> Tensor | float:
    return function.weight / (u.abs().square() + epsilon**2).sqrt()


@curvature.register
def _(function: GroupL1, u: Tensor, epsilon: float) -> Tensor | float:
    return (function.weight / (lengths(u, function.axis).square() + epsilon**2).sqrt()).unsqueeze(function.axis)


@curvature.register
def _(function: GroupHuber, u: Tensor, epsilon: float) -> Tensor | float:
    return (function.weight / lengths(u, function.axis).clamp_min(function.smoothing)).unsqueeze(function.axis)


@singledispatch
def resting_length(function: Function, u: Tensor, temperature: float) -> float:
    """The ε at which D(0) is the inverse variance of the prior that f stands for, exp(−f/T); inf if f needs none.

    A vector of d components with the density exp(−w‖u‖/T) has the variance (d + 1)T²/w² a component, so that
    T/D(0) = εT/w equals it for ε = (d + 1)T/w; for L1, d = 1.

    Args:
        function: f.
        u: of the shape that it is applied to.
        temperature: T, unit of f: σ²/λ.

    Example:
        >>> import torch
        >>> from gradatim.solve.norms import L1
        >>> resting_length(L1(2.0), torch.zeros(3), 1.0)
        1.0
    """
    return float("inf")


@resting_length.register
def _(function: L1, u: Tensor, temperature: float) -> float:
    return 2.0 * temperature / _middle(function.weight)


@resting_length.register
def _(function: GroupL1, u: Tensor, temperature: float) -> float:
    return (u.shape[function.axis] + 1.0) * temperature / _middle(function.weight)


def _middle(weight: float | Tensor) -> float:
    return float(weight.double().mean()) if isinstance(weight, Tensor) else float(weight)
