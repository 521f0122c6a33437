"""Options that gradient echoes share: what is excited, what is encoded, how it is spoiled."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradatim.base.errors import UsageError
from gradatim.cli.system_choice import require_plausible
from gradatim.cli.typed_units import from_milliseconds

if TYPE_CHECKING:
    from gradatim.base.sequence import Sequence
    from gradatim.scanner.pulses.slice_selection import NonSelective, SliceSelective
    from gradatim.scanner.sequences.encoding import CartesianEncoding
    from gradatim.scanner.sequences.spoiling import Spoiling
    from gradatim.scanner.system import System


@dataclass(frozen=True)
class CartesianOptions:
    """A slice, or with partitions a volume.

    Attributes:
        matrix: samples along x and lines along y.
        partitions: along z; 1 measures a slice.
        fov_mm: field of view along x and y, mm.
        thickness_mm: of the slice, or of the whole volume, mm.
        dwell_us: of a sample, µs.
        flip_angle: degrees.
        pulse_ms: duration of the sinc pulse, time-bandwidth product 4, ms; 0 excites everything by a hard pulse.
        dummies: excitations before the first line.
    """

    matrix: tuple[int, int] = (64, 64)
    partitions: int = 1
    fov_mm: tuple[float, float] = (220.0, 220.0)
    thickness_mm: float = 5.0
    dwell_us: float = 20.0
    flip_angle: float = 15.0
    pulse_ms: float = 2.0
    dummies: int = 10

    def encoding(self) -> "CartesianEncoding":
        """Field of view, matrix and dwell time."""
        from gradatim.scanner.sequences.encoding import CartesianEncoding

        for typed in (*self.fov_mm, self.thickness_mm):
            require_plausible(typed, (1e-3, 2000.0), what="--fov-mm or --thickness-mm", unit="mm", do="22 cm is 220")
        require_plausible(self.dwell_us, (1e-2, 1e5), what="--dwell-us", unit="µs", do="2e-5 s is 20")
        x, y = self.fov_mm
        fov = (x / 1e3, y / 1e3, self.thickness_mm / 1e3)
        return CartesianEncoding(fov, (*self.matrix, self.partitions), self.dwell_us / 1e6)

    def excitation(self, system: "System") -> "SliceSelective | NonSelective":
        """The pulse, with its gradient where it has one."""
        from gradatim.scanner.pulses.hard import HardPulse
        from gradatim.scanner.pulses.sinc import SincPulse
        from gradatim.scanner.pulses.slice_selection import NonSelective, SliceSelective
        from gradatim.scanner.pulses.strength import shortest_hard

        require_plausible(self.flip_angle, (0.01, 360.0), what="--flip-angle", unit="degrees", do="π/12 rad is 15")
        flip = math.radians(self.flip_angle)
        duration = from_milliseconds(self.pulse_ms, what="--pulse-ms")
        if not duration:
            if self.partitions == 1:
                raise UsageError(
                    "GD-168",
                    given="--pulse-ms 0 with 1 partition",
                    allowed="a selective pulse for a slice, or more than one partition",
                    do="give --partitions, or a pulse of 1 ms or more",
                )
            return NonSelective(HardPulse(flip, shortest_hard(flip, system)))
        return SliceSelective(SincPulse(flip, duration), self.thickness_mm / 1e3)

    def spoiling(self) -> "Spoiling":
        """117°, two cycles and the dummies."""
        from gradatim.scanner.sequences.spoiling import Spoiling

        return Spoiling(dummies=self.dummies)

    def delivered(self, system: "System", sequence: "Sequence") -> dict[str, float | tuple[float, ...]]:
        """What is told of a sequence: its times, its voxel, and its slice as the pulse makes it."""
        from gradatim.cli.sequence_outputs import timing
        from gradatim.scanner.pulses.slice_selection import NonSelective

        excitation, encoding = self.excitation(system), self.encoding()
        found = {**timing(sequence), "voxel_m": encoding.voxel, "readout_gradient_t_per_m": encoding.gradient}
        if not isinstance(excitation, NonSelective):
            found["slice_thickness_m"] = excitation.thickness
            found["delivered_thickness_m"] = excitation.delivered(system)
        return found
