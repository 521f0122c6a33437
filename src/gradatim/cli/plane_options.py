"""Options that sequences of whole planes share: slices, and an echo-planar train."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradatim.base.errors import UsageError

if TYPE_CHECKING:
    from gradatim.base.sequence import Sequence
    from gradatim.scanner.pulses.sinc import SincPulse
    from gradatim.scanner.sequences.echo_planar_train import EchoPlanarTrain
    from gradatim.scanner.system import System


@dataclass(frozen=True)
class SliceOptions:
    """Slices along z about the centre.

    Attributes:
        thickness_mm: of a slice, mm.
        slices: how many.
        gap_mm: between two of them, mm.
    """

    thickness_mm: float = 5.0
    slices: int = 1
    gap_mm: float = 0.0

    @property
    def thickness(self) -> float:
        """Of a slice, m."""
        from gradatim.cli.typed_units import metres

        return metres(self.thickness_mm, what="--thickness-mm") or 0.0

    @property
    def positions(self) -> tuple[float, ...]:
        """z of each slice, m.

        Raises:
            UsageError: GD-101 for a number or a gap of slices that is not possible.
        """
        if not (1 <= self.slices <= 1000 and math.isfinite(self.gap_mm) and self.gap_mm >= 0):
            raise UsageError(
                "GD-101",
                given=f"{self.slices} slices with gaps of {self.gap_mm} mm",
                allowed="1 to 1000 slices, gaps of 0 or more",
                do="change --slices or --gap-mm",
            )
        step = self.thickness + 1e-3 * self.gap_mm
        return tuple((index - (self.slices - 1) / 2) * step for index in range(self.slices))


@dataclass(frozen=True)
class TrainOptions:
    """An echo-planar train.

    Attributes:
        matrix: voxels along x and y.
        fov_mm: field of view along x and y, mm.
        partial_fourier: share of the lines that is read, above 0.5 up to 1.
        navigators: lines through k = 0 for the correction of ghosts.
    """

    matrix: tuple[int, int] = (64, 64)
    fov_mm: tuple[float, float] = (220.0, 220.0)
    partial_fourier: float = 1.0
    navigators: int = 3

    def train(self) -> "EchoPlanarTrain":
        """The plane of k-space and how it is read."""
        from gradatim.cli.typed_units import fov_metres
        from gradatim.scanner.sequences.echo_planar_train import EchoPlanarTrain

        x, y = (fov_metres(length) or 0.0 for length in self.fov_mm)
        return EchoPlanarTrain((x, y), self.matrix, self.partial_fourier, self.navigators)

    def delivered(self, system: "System", sequence: "Sequence") -> dict[str, float | tuple[float, ...]]:
        """What is told of a train: its times, its bandwidth, and how far a field offset shifts the image."""
        from gradatim.cli.sequence_outputs import timing

        train = self.train()
        line = train.line(system)
        period = line.period / 1e9
        return {
            **timing(sequence),
            "echo_spacing_s": period,
            "bandwidth_per_pixel_hz": 1 / (self.matrix[1] * period),
            "shift_at_100_hz_pixels": 100 * self.matrix[1] * period,
            "readout_gradient_t_per_m": line.amplitude,
            "dwell_s": line.dwell / 1e9,
            "samples_per_line": float(line.samples),
            "lines": float(train.lines),
        }


def sinc_pulse(flip_angle: float, pulse_ms: float, *, what: str) -> "SincPulse":
    """A sinc pulse of time-bandwidth product 4.

    Args:
        flip_angle: degrees.
        pulse_ms: duration, ms.
        what: the duration's option.
    """
    from gradatim.cli.typed_units import from_milliseconds
    from gradatim.scanner.pulses.sinc import SincPulse

    return SincPulse(math.radians(flip_angle), from_milliseconds(pulse_ms, what=what) or 0.0)
