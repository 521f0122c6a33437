"""The one loop of all iterative methods: step, measure, ask the rule, keep the history."""

import math
from collections.abc import Callable
from typing import TypeVar

from torch import Tensor

from gradatim.solve.solution import Certificate, Progress, Solution, Stop
from gradatim.solve.stopping import StoppingRule

State = TypeVar("State")


def drive(
    step: Callable[[State], State],
    state: State,
    *,
    rule: StoppingRule,
    measure: Callable[[State, State], Progress],
    value: Callable[[State], Tensor],
    certify: Callable[[State], Certificate | None] | None = None,
) -> Solution:
    """Step from a state until a rule stops it.

    Args:
        step: the pure step of a method, state → state.
        state: the first state.
        rule: when to stop.
        measure: what an iteration did, from the states before and after it.
        value: the iterate in a state.
        certify: the certificate of the last state, asked once at the end.

    Returns:
        The last iterate, or the last one before an objective or a change became infinite or undefined.

    Example:
        >>> import torch
        >>> from gradatim.solve.stopping import IterationBound
        >>> halved = drive(
        ...     lambda x: x / 2,
        ...     torch.ones(1),
        ...     rule=IterationBound(3),
        ...     measure=lambda before, after: Progress(change=float((after - before).norm())),
        ...     value=lambda x: x,
        ... )
        >>> halved.value.item(), halved.iterations
        (0.125, 3)
    """
    history: list[Progress] = []
    while True:
        before, state = state, step(state)
        progress = measure(before, state)
        if not math.isfinite(progress.change) or math.isinf(progress.objective):
            return Solution(value(before), Stop.NON_FINITE, len(history), tuple(history))
        history.append(progress)
        reason = rule.check(history)
        if reason is not None:
            certificate = None if certify is None else certify(state)
            return Solution(value(state), reason, len(history), tuple(history), certificate)
