"""The timing of a train of spin echoes: the shortest spacing that keeps the conditions of Carr, Purcell and Meiboom."""

import math
from dataclasses import dataclass, replace

from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, ticks
from gradatim.scanner.sequences.encoding import CartesianEncoding
from gradatim.scanner.sequences.lobes import ramp_of, shortest_lobe
from gradatim.scanner.sequences.slice_blocks import crusher_window, up
from gradatim.scanner.sequences.slice_pulse import SlicePulse
from gradatim.scanner.system import System


@dataclass(frozen=True)
class SpinEchoSpacing:
    """How the time between two refocusing pulses is divided: window, readout, window.

    Args:
        window: beside each refocusing pulse, for crusher, phase encoding and the readout's ramp, ns.
        ramp: of the readout, ns.
        readout: during which the readout's gradient is constant, ns.
        delay: within it before the samples, ns, so that sample n // 2 lies in its middle.
        pulse: for which the level of a refocusing pulse is held, ns.
        crushers: areas along z before the first refocusing pulse's level, and beside every other's, T·s/m.
        gradient: of the readout, T/m.
    """

    window: int
    ramp: int
    readout: int
    delay: int
    pulse: int
    crushers: tuple[float, float]
    gradient: float

    @property
    def echoes(self) -> int:
        """From echo to echo, ns."""
        return self.pulse + 2 * self.window + self.readout

    @property
    def prephasing(self) -> float:
        """Area along x before the first refocusing pulse: half of each readout's, ramps included, T·s/m."""
        return 0.5 * self.gradient * (self.readout + self.ramp) / TICKS


def spin_echo_spacing(
    encoding: CartesianEncoding,
    excitation: SlicePulse,
    refocusing: SlicePulse,
    system: System,
    *,
    crusher: float,
    asked: float | None,
) -> SpinEchoSpacing:
    """ESP = T_rf + T_acq + 2·max(T_crush, T_pe, T_ramp), each on the raster, with dead times.

    The time from the excitation's centre to the first refocusing pulse's is ESP/2, and the excitation must be over
    before the first window, in which the readout's prephaser plays, and a crusher that rephases the slice as well.
    Where the excitation lasts longer than half the readout, the readout's time grows.

    Args:
        encoding: field of view, matrix and dwell time.
        excitation: the pulse that excites.
        refocusing: the one that refocuses.
        system: whose limits, rasters and dead times hold.
        crusher: area on each side, T·s/m.
        asked: s; None for the shortest; longer ones widen the windows.

    Raises:
        UsageError: GD-173 if no sample can lie at k = 0, with dwell times for which one can; GD-171 if the spacing
            asked is shorter than possible.
    """
    dwell, samples, raster = encoding.dwell_ticks(system), encoding.matrix[0], system.rasters.gradient
    gradient, fine = encoding.gradient, system.rasters.pulse
    ramp = ramp_of(gradient, system)
    before = (samples // 2) * dwell + dwell // 2
    if dwell % 2 or before % fine:
        even = 2 * fine
        raise UsageError(
            "GD-173",
            given=f"a dwell time of {dwell} ns, with which no sample lies at the echo while readouts begin on a raster "
            f"of {fine} ns",
            allowed=f"for example {max(dwell // even, 1) * even} or {(dwell // even + 1) * even} ns",
            do="choose an even number of these rasters",
        )
    over = excitation.flat // 2 + max(excitation.ramp, system.pulse_ringdown)
    half = up(max(before + system.readout_dead, over), math.lcm(raster, system.rasters.block))
    first = crusher - excitation.level * (excitation.flat + excitation.ramp) / 2 / TICKS
    spacing = SpinEchoSpacing(0, ramp, 2 * half, half - before, refocusing.flat, (first, crusher), gradient)
    lobes = (encoding.step_area(0, 1), spacing.prephasing)
    longest = max(ramp, *(shortest_lobe(area, system) for area in lobes))
    window = max(longest, crusher_window(refocusing, system, crushers=spacing.crushers))
    spacing = replace(spacing, window=up(window, system.rasters.block))
    if asked is None:
        return spacing
    if not (math.isfinite(asked) and asked < 100 and asked * TICKS >= spacing.echoes - 1):
        raise UsageError(
            "GD-171",
            given=f"an echo spacing of {1e3 * asked:.6g} ms",
            allowed=f"{1e3 * spacing.echoes / TICKS:.6g} ms or more",
            do="ask for more time, a shorter dwell time or shorter pulses, or use a stronger gradient system",
        )
    wider = ticks((asked - spacing.echoes / TICKS) / 2, system.rasters.block)
    return replace(spacing, window=spacing.window + wider)
