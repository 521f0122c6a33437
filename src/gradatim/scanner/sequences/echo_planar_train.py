"""The train of lines that reads a whole plane of k-space after one excitation."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, Block
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.sequences.blocks import block
from gradatim.scanner.sequences.echo_planar_line import EchoPlanarLine, shortest_line
from gradatim.scanner.sequences.lobes import lobe_of_area
from gradatim.scanner.system import System


@dataclass(frozen=True)
class EchoPlanarTrain:
    """Lines from one edge of k-space to the other, back and forth, with a blip between each two.

    Args:
        fov: m, along x (the lines) and y.
        matrix: voxels along x and y.
        partial_fourier: share of the lines that is read, above ½ up to 1; those before k = 0 are left out.
        navigators: lines through k = 0 without blips that a correction of ghosts can use; 0 for none.

    Raises:
        UsageError: GD-170 if one of them is impossible.

    Example:
        >>> train = EchoPlanarTrain((0.22, 0.22), (64, 64), partial_fourier=0.75)
        >>> train.lines, train.first, train.centre
        (48, 16, 16)
    """

    fov: tuple[float, float] = (0.22, 0.22)
    matrix: tuple[int, int] = (64, 64)
    partial_fourier: float = 1.0
    navigators: int = 3

    def __post_init__(self) -> None:
        sizes = all(math.isfinite(length) and 1e-5 < length < 100 for length in self.fov)
        share = 0.5 < self.partial_fourier <= 1
        if not (sizes and share and all(4 <= n <= 4096 for n in self.matrix) and 0 <= self.navigators <= 64):
            raise UsageError(
                "GD-170",
                given=f"{self.matrix} voxels over {self.fov} m, {self.partial_fourier} of the lines, "
                f"{self.navigators} navigators",
                allowed="4 to 4096 voxels, lengths in m, a share above 0.5 up to 1, 0 to 64 navigators",
                do="mend the one that is outside; 220 mm are 0.22",
            )

    @property
    def lines(self) -> int:
        """How many lines are read, navigators aside."""
        return math.ceil(self.partial_fourier * self.matrix[1] - 1e-9)

    @property
    def first(self) -> int:
        """Index of the first line that is read; that of k = 0 is matrix[1] // 2."""
        return self.matrix[1] - self.lines

    @property
    def centre(self) -> int:
        """How many lines are read before that of k = 0."""
        return self.matrix[1] // 2 - self.first

    def line(self, system: System) -> EchoPlanarLine:
        """One line as this hardware plays it.

        Args:
            system: whose limits hold.
        """
        return shortest_line(self.fov[0], self.matrix[0], system, step=1.0 / self.fov[1])

    def prephasing(self, system: System) -> tuple[float, float]:
        """Areas along x and y that must be played before the train, T·s/m.

        Args:
            system: whose limits hold.
        """
        return -0.5 * self.line(system).area, -self.centre / (PROTON_GAMMA_BAR_HZ_PER_T * self.fov[1])

    def before_centre(self, system: System) -> int:
        """From the train's beginning to k = 0, ns.

        Args:
            system: whose limits hold.
        """
        line = self.line(system)
        return self.centre * line.period + line.period // 2

    def after_centre(self, system: System) -> int:
        """From k = 0 to the train's end, ns.

        Args:
            system: whose limits hold.
        """
        return self.lines * self.line(system).period - self.before_centre(system)

    def left_over(self, system: System) -> tuple[float, float]:
        """Areas from k = 0 to where the train ends, T·s/m.

        Args:
            system: whose limits hold.
        """
        line = self.line(system)
        along = 0.5 * line.area if self.lines % 2 else -0.5 * line.area
        last = self.lines - 1 - self.centre
        return along, last / (PROTON_GAMMA_BAR_HZ_PER_T * self.fov[1])

    def blocks(self, system: System, labels: Mapping[str, int] | None = None) -> tuple[Block, ...]:
        """The lines, one block each, from the prephased edge on.

        Args:
            system: whose limits hold.
            labels: counters of all of them beside ``LIN``, ``REV`` and ``SEG``.
        """
        line = self.line(system)
        made = []
        for index in range(self.lines):
            back = index % 2
            blips = line.blip.around(line.period, before=int(index > 0), after=int(index < self.lines - 1))
            counters = {**(labels or {}), "LIN": self.first + index, "REV": back, "SEG": back, "NAV": 0}
            made.append(
                Block(line.period, lobes=(line.lobe(1 - 2 * back), blips, None), readout=line.readout(counters))
            )
        return tuple(made)

    def navigator_blocks(self, system: System, labels: Mapping[str, int] | None = None) -> tuple[Block, ...]:
        """Lines through k = 0, back and forth, from k = 0 and back to it; nothing where none are wanted.

        Args:
            system: whose limits hold.
            labels: counters of all of them beside ``LIN``, ``REV``, ``SEG`` and ``NAV``.
        """
        if self.navigators == 0:
            return ()
        line = self.line(system)
        half = lobe_of_area(-0.5 * line.area, system)
        home = lobe_of_area(-0.5 * line.area if self.navigators % 2 else 0.5 * line.area, system)
        made = [block(system, lobes=(half, None, None))]
        for index in range(self.navigators):
            back = index % 2
            counters = {**(labels or {}), "LIN": self.matrix[1] // 2, "REV": back, "SEG": back, "NAV": 1}
            made.append(Block(line.period, lobes=(line.lobe(1 - 2 * back), None, None), readout=line.readout(counters)))
        return (*made, block(system, lobes=(home, None, None)))

    def definitions(self, system: System) -> dict[str, tuple[float, ...]]:
        """What a reader of the file wants to know, by Pulseq's names.

        Args:
            system: whose limits hold.
        """
        period = self.line(system).period / TICKS
        return {
            "EchoSpacing": (period,),
            "BandwidthPerPixelPhaseEncode": (1.0 / (self.matrix[1] * period),),
            "PartialFourier": (self.lines / self.matrix[1],),
        }
