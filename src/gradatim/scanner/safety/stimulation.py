"""How strongly gradients stimulate nerves, in per cent of a limit: an estimate, and every report of it says so."""

from dataclasses import dataclass

import torch
from torch import Tensor

ESTIMATE = "an estimate, not a clearance"
"""What every figure of stimulation is, in the words that every report carries."""


@dataclass(frozen=True)
class StimulationPeak:
    """The strongest stimulation of a waveform.

    Args:
        total: of all axes together, %.
        axes: the peak of each axis on its own, %.
        time: when the total is strongest, s from the waveform's beginning.
        limit: whose limit is 100 %, in words.

    Example:
        >>> print(StimulationPeak(85.5161, (19.4, 84.8, 43.5), 0.067, "the limit of the example hardware"))
        85.5 % of the limit of the example hardware; an estimate, not a clearance
    """

    total: float
    axes: tuple[float, float, float]
    time: float
    limit: str

    def __str__(self) -> str:
        return f"{self.total:.1f} % of {self.limit}; {ESTIMATE}"


@dataclass(frozen=True, eq=False)
class Stimulation:
    """Stimulation over time.

    Args:
        axes: (n, 3), % of the limit, of each axis on its own.
        step: s between samples.
        limit: whose limit is 100 %, in words.

    Example:
        >>> found = Stimulation(torch.tensor([[30.0, 40.0, 0.0]]), 1e-5, "a limit")
        >>> found.total.tolist(), str(found)
        ([50.0], '50.0 % of a limit; an estimate, not a clearance')
    """

    axes: Tensor
    step: float
    limit: str

    def __str__(self) -> str:
        return str(self.peak)

    @property
    def total(self) -> Tensor:
        """Root of the sum of the axes' squares, (n,), %; differentiable, with gradient 0 where all are 0."""
        return torch.linalg.vector_norm(self.axes, dim=-1)

    @property
    def peak(self) -> StimulationPeak:
        """Where the total is strongest; sample i stands for the time i·step."""
        total = self.total.detach()
        index = int(total.argmax())
        x, y, z = self.axes.detach().amax(dim=0).tolist()
        return StimulationPeak(float(total[index]), (x, y, z), index * self.step, self.limit)

    def excess(self, allowed: float = 100.0) -> Tensor:
        """∫ max(0, total/allowed − 1)² dt, a scalar, s: a penalty that is 0 where nothing is over, differentiable.

        Args:
            allowed: %, > 0.
        """
        return (self.total / allowed - 1).clamp(min=0).square().sum() * self.step
