"""What the gradients ask of amplifiers and of the mechanics: mean squares, and bands of frequencies to avoid."""

from dataclasses import dataclass

import torch

from gradatim.base.findings import Finding, Severity
from gradatim.base.sequence import TICKS
from gradatim.scanner.lint.check import finding
from gradatim.scanner.lint.played import Played
from gradatim.scanner.safety.gradient_load import GradientLoad


@dataclass(frozen=True)
class Load:
    """GD-922: the root mean square of each axis over a sliding window stays below a limit.

    Args:
        most: T/m, of each axis.
        window: s.

    Example:
        >>> Load(most=0.02).window
        1.0
    """

    most: float
    window: float = 1.0

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

    Example:
        >>> ForbiddenBand(frequency=590.0, width=100.0).share
        0.5
    """

    frequency: float
    width: float
    share: float = 0.5
    window: float = 0.05

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """One finding at most.

        Args:
            played: the sequence.
        """
        step = played.sequence.rasters.gradient / TICKS
        size = max(2 * round(self.window / step / 2), 16)
        taper = torch.hann_window(size, dtype=torch.float64)[:, None]
        strongest = torch.zeros(size // 2 + 1, 3, dtype=torch.float64)
        for first in range(0, max(played.sequence.duration // played.sequence.rasters.gradient, 1), size // 2):
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
