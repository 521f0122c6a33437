"""The load of the gradient amplifiers: root mean square over a window that slides along a sequence."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.sequence import Sequence
from gradatim.base.waveform import Waveform
from gradatim.scanner.safety.sampling import waveform_of


@dataclass(frozen=True)
class GradientLoad:
    """The largest √(1/W·∫G² dt) of each axis over windows of length W, T/m.

    ∫G² is exact on each straight piece: step·(l² + l·r + r²)/3. The largest window begins or ends at a knot, or where
    |G(t)| = |G(t + W)|; all such windows are looked at. A waveform shorter than the window is followed by silence.
    Differentiable.

    Args:
        window: W, s.

    Raises:
        UsageError: GD-175 unless it is positive.

    Example:
        >>> from gradatim.base.sequence import Block, Lobe
        >>> flat = Lobe(torch.tensor([0, 1_000_000]), torch.tensor([0.02, 0.02], dtype=torch.float64))
        >>> still = Block(3_000_000, lobes=(flat, None, None))
        >>> [round(v, 9) for v in GradientLoad(window=4e-3)(Sequence((still,))).tolist()]
        [0.01, 0.0, 0.0]
    """

    window: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.window) and self.window > 0):
            raise UsageError(
                "GD-175", given=f"a window of {self.window:g} s", allowed="a positive one", do="give seconds"
            )

    def __call__(self, played: Waveform | Sequence) -> Tensor:
        """(3,), T/m.

        Args:
            played: gradients, or the sequence whose gradients are asked about.
        """
        waveform = waveform_of(played)
        edges = waveform.edges.detach()
        knots = torch.cat([edges, edges - self.window]).unique()
        starts = torch.cat([knots[:, None].expand(-1, 3), *_level(waveform, knots, self.window)])
        energy = [_energy(waveform, starts[:, axis] + self.window, axis) for axis in range(3)]
        before = [_energy(waveform, starts[:, axis], axis) for axis in range(3)]
        largest = torch.stack([(after - first).amax() for after, first in zip(energy, before, strict=True)])
        return (largest.clamp(min=0) / self.window).sqrt()


def _level(waveform: Waveform, knots: Tensor, window: float) -> tuple[Tensor, Tensor]:
    """Where G(t) = ±G(t + W) between knots, (n − 1, 3) each; a knot where they do not meet."""
    middle = 0.5 * (knots[1:] + knots[:-1])
    with torch.no_grad():
        (now, later), (now_middle, later_middle) = (
            (waveform.at(times), waveform.at(times + window)) for times in (knots[:-1], middle)
        )
    found = []
    for sign in (1.0, -1.0):
        apart = now - sign * later
        step = 2 * (apart - (now_middle - sign * later_middle))
        share = torch.where(step == 0, 0.0, apart / torch.where(step == 0, 1.0, step))
        share = torch.where((share > 0) & (share < 1), share, 0.0)
        found.append(knots[:-1, None] + share * knots.diff()[:, None])
    return found[0], found[1]


def _energy(waveform: Waveform, times: Tensor, axis: int) -> Tensor:
    """∫G² dt of one axis from the first edge to each time, (n,)."""
    step = waveform.edges.diff()
    left, right = waveform.left[:, axis], waveform.right[:, axis]
    whole = step * (left.square() + left * right + right.square()) / 3
    before = torch.cat([torch.zeros_like(whole[:1]), whole.cumsum(0)])
    inside = times.clamp(min=waveform.edges[0].detach(), max=waveform.edges[-1].detach())
    index = (torch.searchsorted(waveform.edges.detach(), inside.detach(), right=True) - 1).clamp(0, len(whole) - 1)
    past = inside - waveform.edges[index]
    value = left[index] + (right - left)[index] / step[index] * past
    return before[index] + past * (left[index].square() + left[index] * value + value.square()) / 3
