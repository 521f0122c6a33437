"""Gradients against what a system can play: how strong, how fast, without jumps; and the time it needs between."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.findings import Finding, Severity
from gradatim.base.sequence import TICKS
from gradatim.scanner.lint.check import finding, require_positive
from gradatim.scanner.lint.played import Played
from gradatim.scanner.system import System

_ROUNDING = 1e-4
"""Files give amplitudes to six digits, and their γ differs in the fifth."""


@dataclass(frozen=True)
class Amplitude:
    """GD-914: each axis stays within the system's strongest gradient.

    Args:
        system: whose limit counts, axis by axis.

    Example:
        >>> Amplitude(System(max_gradient=0.03)).system.max_gradient
        0.03
    """

    system: System

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """One finding at most.

        Args:
            played: the sequence.
        """
        waveform = played.sequence.waveform
        strongest = torch.maximum(waveform.left.abs(), waveform.right.abs())
        return _over(
            played,
            strongest,
            self.system.max_gradient,
            code="GD-914",
            said=lambda value: f"{1e3 * value:.2f} mT/m",
            fix="give the lobe more time",
        )


@dataclass(frozen=True)
class Slew:
    """GD-915: no gradient changes faster than the system can.

    Args:
        system: whose limit counts, axis by axis.

    Example:
        >>> Slew(System(max_slew=100.0)).system.max_slew
        100.0
    """

    system: System

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """One finding at most.

        Args:
            played: the sequence.
        """
        return _over(
            played,
            played.sequence.waveform.slew.abs(),
            self.system.max_slew,
            code="GD-915",
            said=lambda value: f"{value:.1f} T/(m·s)",
            fix="make the ramp longer: round it up to the raster, never to the nearest",
        )


@dataclass(frozen=True)
class Jumps:
    """GD-916: a gradient is continuous, also from one block to the next.

    A step must be one that a ramp of a gradient raster's length could make.

    Args:
        max_slew: T/(m·s), of that ramp; by default more than any whole-body scanner has.

    Raises:
        UsageError: GD-175 unless its numbers are positive and finite.

    Example:
        >>> Jumps().max_slew
        250.0
    """

    max_slew: float = 250.0

    def __post_init__(self) -> None:
        require_positive(self, self.max_slew)

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """One finding at most.

        Args:
            played: the sequence.
        """
        waveform = played.sequence.waveform
        silent = torch.zeros(1, 3, dtype=torch.float64)
        steps = (torch.cat([waveform.left, silent]) - torch.cat([silent, waveform.right])).abs()
        allowed = self.max_slew * played.sequence.rasters.gradient / TICKS
        times = waveform.edges[(steps > allowed * (1 + _ROUNDING)).any(dim=-1)]
        if not len(times):
            return ()
        axis = int(steps.amax(dim=0).argmax())
        what = f"a step of {1e3 * float(steps.max()):.3f} mT/m at once on {'xyz'[axis]}"
        fix = "ramp to 0 at a block's end, or begin the next one with the value that this one ends with"
        places = [played.place(round(time * TICKS)) for time in times.tolist()]
        said = f"{1e3 * allowed:.3f} mT/m, what {self.max_slew:g} T/(m·s) do in one raster"
        return (finding("GD-916", Severity.REFUSE, places, what=what, allowed=said, fix=fix),)


@dataclass(frozen=True)
class DeadTimes:
    """GD-918: pulses and readouts leave the hardware the time that it needs before and after them.

    Args:
        system: whose dead times count.

    Example:
        >>> DeadTimes(System()).system.pulse_dead
        100000
    """

    system: System

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """One finding a kind at most.

        Args:
            played: the sequence.
        """
        need = self.system
        short: dict[str, list[tuple[int, int]]] = {}
        for start, block in zip(played.sequence.starts, played.sequence.blocks, strict=True):
            waits = []
            if block.pulse is not None:
                after = block.duration - block.pulse.delay - block.pulse.duration
                waits += [("before a pulse", block.pulse.delay, need.pulse_dead)]
                waits += [("after a pulse", after, need.pulse_ringdown)]
            if block.readout is not None:
                after = block.duration - block.readout.delay - block.readout.duration
                waits += [("before a readout", block.readout.delay, need.readout_dead)]
                waits += [("after a readout", after, need.readout_dead)]
            for name, given, asked in waits:
                if given < asked:
                    short.setdefault(f"{name}|{asked}", []).append((given, start))
        return tuple(self._found(played, name, found) for name, found in short.items())

    def _found(self, played: Played, name: str, found: list[tuple[int, int]]) -> Finding:
        where, asked = name.split("|")
        what = f"{min(found)[0] / 1e3:g} µs {where}"
        places = [played.place(start) for _, start in found]
        fix = "delay the event, or make its block longer"
        return finding(
            "GD-918", Severity.REFUSE, places, what=what, allowed=f"{int(asked) / 1e3:g} µs or more", fix=fix
        )


def _over(
    played: Played, values: Tensor, limit: float, *, code: str, said: Callable[[float], str], fix: str
) -> tuple[Finding, ...]:
    """The finding of values, (n, 3), of the waveform's pieces that are over a limit."""
    over = (values > limit * (1 + _ROUNDING)).any(dim=-1)
    if not bool(over.any()):
        return ()
    axis = int(values.amax(dim=0).argmax())
    times = played.sequence.waveform.edges[:-1][over].tolist()
    places = [played.place(round(time * TICKS)) for time in times]
    what = f"{said(float(values.max()))} on {'xyz'[axis]}"
    return (finding(code, Severity.REFUSE, places, what=what, allowed=f"{said(limit)} or less", fix=fix),)
