"""From a sequence to pypulseq's events: Hz/m and Hz by γ̄, seconds from whole nanoseconds."""

from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any, Protocol

import numpy as np

from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, Block, Lobe, Pulse, Rasters, Readout, Sequence
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.io.pulseq_difference import played

_US = 1_000
_SLACK = 1 + 1e-6
"""By how much rounding may pass a limit."""


class Limits(Protocol):
    """What a scanner's hardware allows, as the writer holds it."""

    @property
    def max_gradient(self) -> float:
        """T/m."""

    @property
    def max_slew(self) -> float:
        """T/(m·s)."""

    @property
    def pulse_dead(self) -> int:
        """ns before a pulse."""

    @property
    def pulse_ringdown(self) -> int:
        """ns after a pulse."""

    @property
    def readout_dead(self) -> int:
        """ns before and after a readout."""


def hardware(pulseq: ModuleType, limits: Limits, rasters: Rasters) -> Any:
    """pypulseq's options for these limits and clocks."""
    return pulseq.Opts(
        max_grad=limits.max_gradient * PROTON_GAMMA_BAR_HZ_PER_T,
        max_slew=limits.max_slew * PROTON_GAMMA_BAR_HZ_PER_T,
        gamma=PROTON_GAMMA_BAR_HZ_PER_T,
        rf_dead_time=limits.pulse_dead / TICKS,
        rf_ringdown_time=limits.pulse_ringdown / TICKS,
        adc_dead_time=limits.readout_dead / TICKS,
        grad_raster_time=rasters.gradient / TICKS,
        rf_raster_time=rasters.pulse / TICKS,
        adc_raster_time=rasters.readout / TICKS,
        block_duration_raster=rasters.block / TICKS,
    )


@dataclass(eq=False)
class Translation:
    """Plays a sequence into one of pypulseq's, each pulse and lobe translated once.

    Args:
        pulseq: the module.
        target: pypulseq's sequence.
        limits: of the scanner.
    """

    pulseq: ModuleType
    target: Any
    limits: Limits
    _known: dict[tuple[int, str], SimpleNamespace] = field(default_factory=dict)
    _labels: dict[str, int] = field(default_factory=dict)

    def play(self, sequence: Sequence) -> None:
        """Add all blocks.

        Raises:
            UsageError: GD-161 if the format, or the limits, do not allow one.
        """
        names = {label for _, readout in sequence.readouts for label in readout.labels}
        for number, block in enumerate(played(sequence), start=1):
            self._within(block, number)
            try:
                events = self._events(block, sequence.rasters, sorted(names))
                self.target.add_block(*events, self.pulseq.make_delay(block.duration / TICKS))
            except (ValueError, RuntimeError, AssertionError, ZeroDivisionError) as error:
                raise _unfit(f"block {number}: {error}") from error

    def _within(self, block: Block, number: int) -> None:
        for lobe in (lobe for lobe in block.lobes if lobe is not None):
            top = float(lobe.values.abs().max())
            slew = float((lobe.values.diff() / lobe.times.diff()).abs().max()) * TICKS
            if top > self.limits.max_gradient * _SLACK or slew > self.limits.max_slew * _SLACK:
                raise UsageError(
                    "GD-161",
                    given=f"block {number}: a gradient of {top:.6g} T/m with a slew of {slew:.6g} T/(m·s)",
                    allowed=f"{self.limits.max_gradient:g} T/m and {self.limits.max_slew:g} T/(m·s)",
                    do="make the sequence for this scanner, or write it for another",
                )

    def _events(self, block: Block, rasters: Rasters, names: list[str]) -> list[SimpleNamespace]:
        events = []
        if block.pulse is not None:
            events.append(self._pulse(block.pulse, rasters))
        for axis, lobe in zip("xyz", block.lobes, strict=True):
            if lobe is not None:
                key = (id(lobe), axis)
                if key not in self._known:
                    self._known[key] = gradient_event(lobe, axis, rasters.gradient)
                events.append(self._known[key])
        if block.readout is not None:
            events.append(readout_event(self.pulseq, block.readout, self.target.system))
            events += self._changed(block.readout, names)
        return events

    def _pulse(self, pulse: Pulse, rasters: Rasters) -> SimpleNamespace:
        key = (id(pulse), "rf")
        if key not in self._known:
            event = pulse_event(pulse, rasters.pulse, self.limits)
            event.id, _ = self.target.register_rf_event(event)
            self.target.rf_library.type[event.id] = pulse.use.value[0]
            self._known[key] = event
        return self._known[key]

    def _changed(self, readout: Readout, names: list[str]) -> list[SimpleNamespace]:
        """The labels that this readout changes; all of them before the first one."""
        wanted = {name: readout.labels.get(name, 0) for name in names}
        changed = [name for name in names if self._labels.get(name) != wanted[name]]
        self._labels = wanted
        return [self.pulseq.make_label(name, "SET", wanted[name]) for name in changed]


def pulse_event(pulse: Pulse, raster: int, limits: Limits) -> SimpleNamespace:
    """A pulse as pypulseq's event: one sample a raster, a step a sample where steps are longer, or a block pulse.

    Raises:
        UsageError: GD-161 if its edges do not lie on the raster.
    """
    edges, hertz = pulse.edges.numpy(), pulse.field.numpy() * PROTON_GAMMA_BAR_HZ_PER_T
    steps = np.diff(edges)
    if (edges % raster).any():
        raise _unfit(f"a pulse with edges off the raster of {raster} ns")
    if len(hertz) == 1:
        times, hertz = edges, np.repeat(hertz, 2)
    elif (steps == steps[0]).all():
        times = edges[:-1] + steps / 2
    else:
        count = steps // raster
        hertz = np.repeat(hertz, count)
        times = (np.arange(len(hertz)) + 0.5) * raster
    if not (np.isfinite(hertz).all() and np.abs(hertz).max() > 0):
        raise _unfit("a pulse without a field")
    return SimpleNamespace(
        type="rf",
        signal=hertz,
        t=times / TICKS,
        shape_dur=pulse.duration / TICKS,
        freq_offset=pulse.frequency,
        phase_offset=pulse.phase,
        freq_ppm=0.0,
        phase_ppm=0.0,
        dead_time=limits.pulse_dead / TICKS,
        ringdown_time=limits.pulse_ringdown / TICKS,
        delay=pulse.delay / TICKS,
        center=pulse.centre / TICKS,
        use=pulse.use.value,
    )


def gradient_event(lobe: Lobe, axis: str, raster: int) -> SimpleNamespace:
    """A lobe as pypulseq's event: a trapezoid, samples in the middle of the raster, or knots on it.

    Raises:
        UsageError: GD-161 if its knots lie neither on the raster nor in its middles.
    """
    times, hertz = lobe.times.numpy() - int(lobe.times[0]), lobe.values.numpy() * PROTON_GAMMA_BAR_HZ_PER_T
    delay = int(lobe.times[0])
    if not np.isfinite(hertz).all():
        raise _unfit("a gradient that is not finite")
    edges = [0, *np.diff(times).tolist()]
    if hertz[0] == hertz[-1] == 0 and not (times % _US).any() and _flat(hertz):
        rise, flat, fall = edges[1], (edges[2] if len(edges) == 4 else 0), edges[-1]
        return SimpleNamespace(
            type="trap",
            channel=axis,
            amplitude=float(hertz[1]),
            rise_time=rise / TICKS,
            flat_time=flat / TICKS,
            fall_time=fall / TICKS,
            delay=delay / TICKS,
        )
    middles = (np.arange(len(times) - 2) + 0.5) * raster
    sampled = len(times) > 2 and times[-1] == raster * (len(times) - 2) and (times[1:-1] == middles).all()
    if not sampled and (times % raster).any():
        raise _unfit(f"a gradient with knots off the raster of {raster} ns")
    inside = slice(1, -1) if sampled else slice(None)
    return SimpleNamespace(
        type="grad",
        channel=axis,
        waveform=hertz[inside],
        tt=times[inside] / TICKS,
        first=float(hertz[0]),
        last=float(hertz[-1]),
        delay=delay / TICKS,
        shape_dur=int(times[-1]) / TICKS,
    )


def readout_event(pulseq: ModuleType, readout: Readout, system: Any) -> SimpleNamespace:
    """A readout as pypulseq's event."""
    return pulseq.make_adc(
        num_samples=readout.samples,
        dwell=readout.dwell / TICKS,
        delay=readout.delay / TICKS,
        freq_offset=readout.frequency,
        phase_offset=readout.phase,
        system=system,
    )


def definitions(sequence: Sequence) -> dict[str, Any]:
    """The definitions as pypulseq takes them.

    Raises:
        UsageError: GD-161 for a name of several words, or text of several lines.
    """
    for name, value in sequence.definitions.items():
        lines = value.splitlines() if isinstance(value, str) else []
        if len(name.split()) != 1 or name[0] in "[#" or len(lines) > 1 or not all(line.isprintable() for line in lines):
            raise _unfit(f"the definition {name[:40]!r}")
    return {name: value if isinstance(value, str) else list(value) for name, value in sequence.definitions.items()}


def problems_of(pulseq: ModuleType, limits: Limits, target: Any, sequence: Sequence) -> list[str]:
    """What does not fit the scanner's clocks and dead times, in words: our own check, then pypulseq's."""
    found = []
    for number, block in enumerate(played(sequence), start=1):
        if block.pulse is not None:
            end = block.pulse.delay + block.pulse.duration + limits.pulse_ringdown
            if end > block.duration:
                found.append(f"block {number}: {block.duration} ns, its pulse rings until {end} ns")
        if block.readout is not None:
            end = block.readout.delay + block.readout.duration + limits.readout_dead
            if block.readout.delay < limits.readout_dead or end > block.duration:
                found.append(f"block {number}: its readout needs {limits.readout_dead} ns before and after it")
    if found:
        return found
    _, report = target.check_timing()
    return [_words(error) for error in report]


def _words(error: SimpleNamespace) -> str:
    kind = error.error_type.lower().replace("_", " ")
    return f"block {error.block}: {kind}: {error.field} of {error.event} is {error.value * 1e6:.6g} µs"


def _flat(hertz: np.ndarray) -> bool:
    return len(hertz) == 3 or (len(hertz) == 4 and float(hertz[1]) == float(hertz[2]))


def _unfit(what: str) -> UsageError:
    return UsageError(
        "GD-161",
        given=what,
        allowed="pulses, gradients, labels and definitions that the Pulseq format can hold",
        do="bring the sequence to the scanner's rasters and join gradients where blocks meet",
    )
