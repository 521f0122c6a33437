"""The equations that a minimiser solves, as functions of everything that defines the problem."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gradatim.solve.drive import drive
from gradatim.solve.pdhg import Pdhg, PdhgState
from gradatim.solve.problem import Problem
from gradatim.solve.solution import Certificate, Progress, Solution

Stationarity = Callable[..., Tensor]
"""E(z, *θ), a vector of the length of z that is 0 at the solution."""


def gradient_of(problem_of: Callable[..., Problem], like: Tensor) -> Stationarity:
    """E = ∇F(x; θ) of a smooth problem, by automatic differentiation of its value.

    Example:
        >>> from gradatim.linop.identity import Identity
        >>> from gradatim.solve.norms import SquaredL2
        >>> from gradatim.solve.problem import Term
        >>> E = gradient_of(lambda lam: Problem((Term(SquaredL2(), Identity((1, 2)), lam),)), torch.zeros(1, 2))
        >>> E(torch.tensor([1.0, 2.0]), torch.tensor(3.0)).tolist()
        [3.0, 6.0]
    """

    def equation(z: Tensor, *theta: Tensor) -> Tensor:
        problem = problem_of(*theta)
        return torch.func.grad(lambda at: problem.value(at.view(like.shape)))(z)

    return equation


def step_of(
    method: Pdhg, problem_of: Callable[..., Problem], theta: tuple[Tensor, ...], start: Tensor
) -> tuple[Solution, Tensor, Stationarity]:
    """The solution by primal-dual steps, z = (x, duals) as one vector, and E = z − T(z; θ) with T one step.

    The steps' lengths in T are those that the method starts with: a solution is a fixed point whatever they
    are, and those that a strongly convex problem ends with are too short to be inverted well.
    """
    last: list[PdhgState] = []
    with torch.no_grad():
        problem = problem_of(*theta)

        def step(state: PdhgState) -> PdhgState:
            last[:] = [method.step(problem, state)]
            return last[0]

        def certify(state: PdhgState) -> Certificate | None:
            return problem.certificate(state.x, state.duals)

        first = method.init(problem, start)
        found = drive(step, first, rule=method.rule, measure=_measure, value=lambda s: s.x, certify=certify)
        rest = first._replace(x=last[0].x, duals=last[0].duals, origin=None)
    parts = [part for part in (rest.x, *rest.duals) if part is not None]

    def equation(z: Tensor, *at: Tensor) -> Tensor:
        pieces = iter(
            piece.view_as(part) for piece, part in zip(z.split([p.numel() for p in parts]), parts, strict=True)
        )
        state = rest._replace(x=next(pieces), duals=tuple(None if p is None else next(pieces) for p in rest.duals))
        moved = method.step(problem_of(*at), state)
        return z - torch.cat([part.flatten() for part in (moved.x, *moved.duals) if part is not None])

    return found, torch.cat([part.flatten() for part in parts]), equation


def _measure(before: PdhgState, after: PdhgState) -> Progress:
    moves = [_relative(after.x - before.x, after.x) * max(1.0, before.tau / after.tau)]
    moves += [
        _relative(new - old, new)
        for new, old in zip(after.duals, before.duals, strict=True)
        if new is not None and old is not None
    ]
    return Progress(change=moves[0], residual=max(moves))


def _relative(part: Tensor, whole: Tensor) -> float:
    length, scale = float(torch.linalg.vector_norm(part)), float(torch.linalg.vector_norm(whole))
    return length / scale if scale > 0 else (0.0 if length == 0 else math.inf)
