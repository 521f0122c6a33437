"""WATERGATE: a spectrum without its water, by gradients on both sides of a train that spares the water."""

import math
from dataclasses import dataclass, replace

from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, Block, Readout, Sequence
from gradatim.scanner.pulses.binomial import BinomialTrain
from gradatim.scanner.pulses.hard import HardPulse
from gradatim.scanner.sequences.blocks import block
from gradatim.scanner.sequences.lobes import lobe_of_area
from gradatim.scanner.system import System


@dataclass(frozen=True)
class Watergate:
    """90° – G – train – G – acquire: what the train refocuses is rephased by the second lobe, the water is not.

    The echo is as long after the train's middle as that is after the excitation's; sampling begins there, the first
    sample at the echo, or up to one tick of the pulse raster after it. Source: Piotto, Saudek and Sklenář 1992, Journal
    of Biomolecular NMR 2:661.

    Args:
        train: 3-9-19, W5 or another.
        area: of each lobe, T·s/m, along z.
        lobe_duration: of each lobe with its ramps, s.
        excitation: the 90° pulse.
        dwell: s.
        samples: how many.

    Raises:
        UsageError: GD-168 for an impossible number; when called, GD-166 if the lobe is beyond the hardware, GD-167 or
            GD-169 if a pulse is.

    Example:
        >>> spectrometer = System(0.5, 5000.0, field_strength=14.1, max_b1=600e-6)
        >>> sequence = Watergate(BinomialTrain(spacing=200e-6), area=2e-4, lobe_duration=1e-3)(spectrometer)
        >>> [len(sequence.pulses), len(sequence.readouts), len(sequence.blocks)]
        [2, 1, 5]
    """

    train: BinomialTrain = BinomialTrain()
    area: float = 2e-5
    lobe_duration: float = 1e-3
    excitation: HardPulse = HardPulse(math.pi / 2, 10e-6)
    dwell: float = 100e-6
    samples: int = 2048

    def __post_init__(self) -> None:
        numbers = (self.lobe_duration, self.dwell, abs(self.area))
        if not all(math.isfinite(number) and number > 0 for number in numbers) or not 1 <= self.samples <= 1_000_000:
            raise UsageError(
                "GD-168",
                given=f"lobes of {self.area} T·s/m in {self.lobe_duration} s, {self.samples} samples of {self.dwell} s",
                allowed="positive, finite numbers, and at most a million samples",
                do="give SI units",
            )

    def __call__(self, system: System) -> Sequence:
        """The sequence on a system's clock.

        Args:
            system: whose limits, rasters and dead times hold.
        """
        grid = math.lcm(system.rasters.gradient, system.rasters.block)
        dwell = max(1, round(self.dwell * TICKS / system.rasters.readout)) * system.rasters.readout
        lobe = lobe_of_area(self.area, system, duration=round(self.lobe_duration * TICKS / grid) * grid)
        excite, refocus = block(system, pulse=self.excitation(system)), block(system, pulse=self.train(system))
        crush = block(system, lobes=(None, None, lobe))
        before = excite.duration - _centre(excite) + _centre(refocus)
        after = refocus.duration - _centre(refocus) + crush.duration + system.readout_dead + dwell // 2
        # Where the receiver would not be ready at the echo, the first lobe's block waits for it.
        dephase = replace(crush, duration=max(crush.duration, -(-(after - before) // grid) * grid))
        half = before + dephase.duration
        first = half - after + system.readout_dead
        readout = Readout(-(-first // system.rasters.pulse) * system.rasters.pulse, dwell, self.samples)
        return Sequence(
            (excite, dephase, refocus, crush, block(system, readout=readout)),
            system.rasters,
            {"Name": "watergate", "TE": (2 * half / TICKS,)},
        )


def _centre(made: Block) -> int:
    """The pulse's centre, ns from its block's beginning."""
    return 0 if made.pulse is None else made.pulse.delay + made.pulse.centre
