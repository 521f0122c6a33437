"""What the gradients ask of amplifiers and of the mechanics: mean squares, and bands of frequencies to avoid."""

from dataclasses import dataclass

import torch

from gradatim.base.findings import Finding, Severity
from gradatim.base.sequence import TICKS
from gradatim.base.waveform import Waveform
from gradatim.scanner.lint.check import finding, require_positive
from gradatim.scanner.lint.played import Played
from gradatim.scanner.safety.gradient_load import GradientLoad


@dataclass(frozen=True)
class Load:
    """GD-922: the root mean square of each axis over a sliding window stays below a limit.

    Args:
        most: T/m, of each axis.
        window: s.

    Raises:
        UsageError: GD-175 unless its numbers are positive and finite.

    Example:
        >>> Load(most=0.02).window
        1.0
    """

    most: float
    window: float = 1.0

    def __post_init__(self) -> None:
        require_positive(self, self.most, self.window)

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """One finding at most.

        Args:
            played: the sequence.
        """
        found = GradientLoad(self.window)(played.sequence)
        if float(found.max()) <= self.most:
            return ()
        axis = int(found.argmax())
        what = f"{1e3 * float(found[axis]):.2f} mT/m root mean square on {'xyz'[axis]} over {self.window:g} s"
        fix = "lengthen the repetition time, or weaken the longest lobes"
        allowed = f"{1e3 * self.most:.2f} mT/m"
        return (finding("GD-922", Severity.REFUSE, [played.place(0)], what=what, allowed=allowed, fix=fix),)


@dataclass(frozen=True)
class ForbiddenBand:
    """GD-923: no strong line of the gradients' spectrum lies in a band where the scanner's mechanics resonate.

    The spectrum of each axis is taken over windows with a Hann taper that overlap by half, and its largest amplitude in
    the band compared with the largest anywhere.

    Args:
        frequency: the middle of the band, Hz.
        width: of the whole band, Hz.
        share: of the strongest line, from which a line in the band counts.
        window: s.

    Raises:
        UsageError: GD-175 unless its numbers are positive and finite.

    Example:
        >>> ForbiddenBand(frequency=590.0, width=100.0).share
        0.5
    """

    frequency: float
    width: float
    share: float = 0.5
    window: float = 0.05

    def __post_init__(self) -> None:
        require_positive(self, self.frequency, self.width, self.share, self.window)

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """One finding at most.

        Args:
            played: the sequence.
        """
        step = played.sequence.rasters.gradient / TICKS
        size = max(2 * round(self.window / step / 2), 16)
        taper = torch.hann_window(size, dtype=torch.float64)[:, None]
        strongest = torch.zeros(size // 2 + 1, 3, dtype=torch.float64)
        for first in _busy(played.sequence.waveform, step, size):
            times = (first + torch.arange(size, dtype=torch.float64) + 0.5) * step
            spectrum = torch.fft.rfft(played.sequence.waveform.at(times) * taper, dim=0).abs()
            strongest = torch.maximum(strongest, spectrum)
        frequencies = torch.fft.rfftfreq(size, step, dtype=torch.float64)
        inside = (frequencies - self.frequency).abs() <= 0.5 * self.width
        everywhere = strongest[frequencies > 2 / self.window]
        if not bool(inside.any()) or not float(everywhere.max()) > 0:
            return ()
        within = torch.where(inside[:, None], strongest, 0.0)
        share = float(within.max() / everywhere.max())
        if share < self.share:
            return ()
        row, axis = divmod(int(within.argmax()), 3)
        what = f"a line at {float(frequencies[row]):.0f} Hz on {'xyz'[axis]}, {share:.2f} of the strongest"
        fix = "change the echo spacing or the repetition time until the line leaves the band"
        low, high = self.frequency - 0.5 * self.width, self.frequency + 0.5 * self.width
        allowed = f"less than {self.share:g} of it between {low:g} and {high:g} Hz"
        return (finding("GD-923", Severity.WARN, [played.place(0)], what=what, allowed=allowed, fix=fix),)


def _busy(waveform: Waveform, step: float, size: int) -> list[int]:
    """The first samples of those windows, half overlapping, in which a gradient plays."""
    plays = ((waveform.left != 0) | (waveform.right != 0)).any(dim=-1)
    before = torch.cat([torch.zeros(1, dtype=torch.int64), plays.long().cumsum(0)])
    firsts = torch.arange(0, max(int(waveform.edges[-1] / step), 1), size // 2)
    begin = (torch.searchsorted(waveform.edges, firsts * step, right=True) - 1).clamp(min=0)
    end = torch.searchsorted(waveform.edges, (firsts + size) * step).clamp(max=len(plays))
    return firsts[before[end] > before[begin]].tolist()
