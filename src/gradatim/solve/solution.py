"""What an iterative method gives back: the value, and why it stopped there."""

import math
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from torch import Tensor


class Stop(Enum):
    """Why an iteration ended; the value of a member is the sentence for a report."""

    CHANGE = "the iterate changed by less than the tolerance"
    RESIDUAL = "the residual of the equations fell below the tolerance"
    DISCREPANCY = "the misfit reached the level of the noise"
    BOUND = "the bound on iterations was reached before any other rule held"
    NON_FINITE = "a value became infinite or undefined; the last finite iterate is returned"


class Progress(NamedTuple):
    """What one iteration did; NaN where the method does not measure it.

    Attributes:
        change: ‖x_k − x_{k−1}‖ / ‖x_k‖.
        residual: how far the optimality conditions are from holding, relative; 0 at a solution.
        misfit: root mean square of √W·(A x − y) over the data of positive weight; 1 at the noise level
            if W is the inverse variance.
    """

    change: float
    residual: float = math.nan
    misfit: float = math.nan


@dataclass(frozen=True, eq=False)
class Solution:
    """The end of an iteration. A failure is a value here; raising is the caller's choice.

    Args:
        value: the last iterate.
        reason: why it stopped.
        iterations: how many were made.
        history: one :class:`Progress` per iteration.

    Example:
        >>> import torch
        >>> print(Solution(torch.zeros(1), Stop.BOUND, 1, (Progress(0.1),)).reason.value)
        the bound on iterations was reached before any other rule held
    """

    value: Tensor
    reason: Stop
    iterations: int
    history: tuple[Progress, ...]

    @property
    def converged(self) -> bool:
        """Whether a rule on quality ended it, not the bound or a failure."""
        return self.reason not in (Stop.BOUND, Stop.NON_FINITE)
