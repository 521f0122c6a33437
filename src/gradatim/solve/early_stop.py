"""What tells, without the truth, that a fit has begun to follow the noise."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.seeds import generator
from gradatim.solve.iterate_variance import IterateMoments
from gradatim.solve.solution import Progress, Stop
from gradatim.solve.stopping import StoppingRule, measured


class EarlyStop(ABC):
    """A number that falls while a fit gets better and rises when it gets worse.

    It becomes the objective of the history, where :class:`Patience` stops a run that has not bettered it for long.
    """

    @abstractmethod
    def held(self, shape: tuple[int, ...], *, seed: int | torch.Generator) -> Tensor:
        """Which data the fit does not see, bool, of a shape."""

    @abstractmethod
    def judge(self, moments: IterateMoments, unseen: float) -> float:
        """The number.

        Args:
            moments: of the last iterates.
            unseen: ½ Σ W|A x̄ − y|² over the data held out, x̄ the averaged iterate; 0 where none are.
        """


@dataclass(frozen=True)
class HeldOut(EarlyStop):
    """Holds out a share of the data, drawn at random, and judges the averaged iterate by how well it foretells them.

    White noise cannot be foretold, so that data held out are fitted worse as soon as noise is learnt. It costs their
    share of the data. Fooled by noise that neighbours share, which can be foretold, and blind to what the operator
    hides from the data.

    Args:
        share: held out, between 0 and 1; a tenth is customary. At least one number is.

    Raises:
        UsageError: GD-101 if the share is out of its range.

    Example:
        >>> int(HeldOut(0.25).held((8, 8), seed=0).sum())
        16
    """

    share: float = 0.1

    def __post_init__(self) -> None:
        if not 0.0 < self.share < 1.0:
            raise UsageError("GD-101", given=f"share {self.share}", allowed="between 0 and 1", do="hold out a tenth")

    def held(self, shape: tuple[int, ...], *, seed: int | torch.Generator) -> Tensor:
        order = torch.rand(shape, generator=generator(seed)).reshape(-1).argsort()
        found = torch.zeros(order.numel(), dtype=torch.bool)
        found[order[: max(1, round(self.share * order.numel()))]] = True
        return found.reshape(shape)

    def judge(self, moments: IterateMoments, unseen: float) -> float:
        return unseen


@dataclass(frozen=True)
class Wandering(EarlyStop):
    """Judges by the running variance of the iterates: they settle on the picture, then wander off after the noise.

    It uses all data. Fooled by steps so small that iterates hardly move, and by steps so large that they never settle:
    beside the jitter of Adam's steps the minimum is shallow, and it tends to choose too soon, where
    :class:`HeldOut` does not.

    Source:
        Wang et al., arXiv 2112.06074.

    Example:
        >>> bool(Wandering().held((2, 2), seed=0).any())
        False
    """

    def held(self, shape: tuple[int, ...], *, seed: int | torch.Generator) -> Tensor:
        return torch.zeros(shape, dtype=torch.bool)

    def judge(self, moments: IterateMoments, unseen: float) -> float:
        return float(moments.variance)


@dataclass(frozen=True)
class Patience(StoppingRule):
    """Stops when the objective has not been below its lowest for ``count`` iterations, however much it rose since.

    For an objective that is only looked at, such as the misfit over data held out: it rises for good once the noise is
    being learnt. The iterate that is wanted is the one at the lowest, not the last. For an objective that is minimised
    take :class:`~gradatim.solve.gradient_stopping.Plateau`, which waits for a swing to come back.

    Args:
        count: iterations, ≥ 1.

    Raises:
        UsageError: GD-101 if ``count`` < 1; GD-104 with a method that measures no objective.

    Source:
        Prechelt, Early Stopping - But When?, Lecture Notes in Computer Science 1524:55-69, 1998.

    Example:
        >>> rises = [Progress(change=1.0, objective=value) for value in (3.0, 1.0, 2.0, 4.0)]
        >>> Patience(2).check(rises[:3]) is None, Patience(2).check(rises).name
        (True, 'PLATEAU')
    """

    count: int = 200

    def __post_init__(self) -> None:
        if self.count < 1:
            raise UsageError("GD-101", given=f"{self.count} iterations", allowed="at least 1", do="wait for some")

    def check(self, history: Sequence[Progress]) -> Stop | None:
        measured(history[-1].objective, "objective")
        if len(history) <= self.count:
            return None
        before = min(progress.objective for progress in history[: -self.count])
        now = min(progress.objective for progress in history[-self.count :])
        return Stop.PLATEAU if now >= before else None
