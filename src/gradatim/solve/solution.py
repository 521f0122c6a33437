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
    GAP = "a certificate puts the objective within the tolerance of its minimum"
    GRADIENT = "the gradient's norm fell below the tolerance"
    ENERGY = "the energy, objective and motion together, fell below the tolerance"
    PLATEAU = "the objective no longer fell"
    VANISHED = "the gradient of a part of the unknowns vanished beside that of the others"
    EXPLODED = "the gradient grew out of proportion to its start"
    TIME = "the time allowed was used up before any other rule held"
    BOUND = "the bound on iterations was reached before any other rule held"
    NON_FINITE = "a value became infinite or undefined; the last finite iterate is returned"


class Progress(NamedTuple):
    """What one iteration did; NaN where the method does not measure it.

    Attributes:
        change: ‖x_k − x_{k−1}‖ / ‖x_k‖.
        residual: how far the optimality conditions are from holding, relative; 0 at a solution.
        misfit: root mean square of √W·(A x − y) over the data of positive weight; 1 at the noise level
            if W is the inverse variance.
        objective: F(x_k).
        gap: relative bound on F(x_k) − F(x*), from a certificate.
        gradient: ‖∇F(x_k)‖, unit of F per unit of x.
        energy: objective plus the kinetic energy of a method with momentum.
        parts: norms of the gradient's parts, e.g. one a layer; empty where nobody watches them.
    """

    change: float
    residual: float = math.nan
    misfit: float = math.nan
    objective: float = math.nan
    gap: float = math.nan
    gradient: float = math.nan
    energy: float = math.nan
    parts: tuple[float, ...] = ()


@dataclass(frozen=True)
class Certificate:
    """A proof of how good a point is: F(x) − F(x*) ≤ gap.

    Args:
        gap: upper bound of F(x) − F(x*), unit of F.
        objective: F(x).
        radius: 0 where the bound holds whatever x* is (a duality gap); otherwise it holds for every x* with
            ‖x − x*‖ ≤ radius, unit of x.
        strong_convexity: a known μ of F, 0 if none.

    Example:
        >>> Certificate(gap=0.02, objective=4.0, radius=0.0, strong_convexity=1.0).distance
        0.2
    """

    gap: float
    objective: float
    radius: float
    strong_convexity: float

    @property
    def relative(self) -> float:
        """gap / |F(x)|; 0 where both are 0."""
        return self.gap / abs(self.objective) if self.objective else (0.0 if self.gap == 0 else math.inf)

    @property
    def distance(self) -> float:
        """Bound of ‖x − x*‖ from strong convexity, √(2·gap/μ), unit of x; inf where F is not strongly convex."""
        return math.sqrt(2.0 * self.gap / self.strong_convexity) if self.strong_convexity > 0 else math.inf


@dataclass(frozen=True, eq=False)
class Solution:
    """The end of an iteration. A failure is a value here; raising is the caller's choice.

    Args:
        value: the last iterate.
        reason: why it stopped.
        iterations: how many were made.
        history: one :class:`Progress` per iteration.
        certificate: how far the objective can be above its minimum; None where nothing can be proved.

    Example:
        >>> import torch
        >>> print(Solution(torch.zeros(1), Stop.BOUND, 1, (Progress(0.1),)).reason.value)
        the bound on iterations was reached before any other rule held
    """

    value: Tensor
    reason: Stop
    iterations: int
    history: tuple[Progress, ...]
    certificate: Certificate | None = None

    @property
    def converged(self) -> bool:
        """Whether a rule on quality ended it, not a bound or a failure."""
        return self.reason not in (Stop.BOUND, Stop.TIME, Stop.VANISHED, Stop.EXPLODED, Stop.NON_FINITE)
