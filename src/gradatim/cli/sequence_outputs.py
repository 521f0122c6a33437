"""What the commands that make sequences write, draw and print."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gradatim.cli.system_choice import SystemChoice

if TYPE_CHECKING:
    from gradatim.base.sequence import Sequence
    from gradatim.scanner.system import System

UNITS = {
    "t_per_m": (1e3, "mT/m"),
    "s": (1e3, "ms"),
    "m": (1e3, "mm"),
    "deg": (1.0, "°"),
    "hz": (1.0, "Hz"),
    "s_per_m2": (1e-6, "s/mm²"),
}
"""Ending of a key → factor and unit with which people read it."""


class SequenceOptions(Protocol):
    """What every command that makes a sequence is asked."""

    @property
    def out(self) -> Path:
        """Pulseq file to write."""

    @property
    def hardware(self) -> SystemChoice:
        """The options of the system."""

    @property
    def picture(self) -> Path | None:
        """SVG to draw, or None."""

    @property
    def json(self) -> bool:
        """Whether to print one object to stdout instead of lines."""


def deliver(
    options: SequenceOptions,
    make: "Callable[[System], Sequence]",
    *,
    delivered: "Callable[[System, Sequence], Mapping[str, float | str | tuple[float, ...]]]",
) -> int:
    """Make a sequence on the chosen system, write it, draw it, and print what it delivers.

    Args:
        options: the command's own.
        make: the protocol.
        delivered: name with its unit as ending → value, of the sequence as it is.

    Raises:
        UsageError: what the protocol and the system refuse; GD-107 for an output in the place of an input.
    """
    from gradatim.cli.feature_outputs import require_outputs, require_svg
    from gradatim.io.pulseq_write import PulseqWriter, require_pulseq_name

    require_outputs([options.out, options.picture], inputs=(options.hardware.system_file,))
    require_svg(options.picture)
    require_pulseq_name(options.out)
    system, origin = options.hardware.chosen()
    sequence = make(system)
    found = {
        "duration_s": sequence.duration / 1e9,
        "readouts": float(len(sequence.readouts)),
        **delivered(system, sequence),
    }
    writer = PulseqWriter(
        system.max_gradient, system.max_slew, system.pulse_dead, system.pulse_ringdown, system.readout_dead
    )
    writer(sequence, options.out)
    if options.picture is not None:
        from gradatim.io.atomic import atomic_file
        from gradatim.report.sequence_plot import SequencePlot

        drawn = SequencePlot()(sequence)
        with atomic_file(options.picture) as file:
            file.write(drawn.data)
    if options.json:
        print(json.dumps({**found, "file": str(options.out)}, indent=2))
        return 0
    for name, value in found.items():
        print(f"{_line(name, value)}")
    limits = f"{1e3 * system.max_gradient:.4g} mT/m and {system.max_slew:.4g} T/(m·s) on one axis"
    print(f"system: {limits}{f' ({origin})' if origin else ''}")
    print(f"wrote {options.out}", file=sys.stderr)
    return 0


def timing(sequence: "Sequence") -> dict[str, float | tuple[float, ...]]:
    """Echo times, repetition time and angle that a sequence says it has.

    Args:
        sequence: with definitions.
    """
    names = {"TE": "echo_time_s", "TR": "repetition_time_s", "FlipAngle": "flip_angle_deg"}
    found: dict[str, float | tuple[float, ...]] = {}
    for name, key in names.items():
        value = sequence.definitions.get(name, ())
        if not isinstance(value, str) and value:
            found[key] = value if len(value) > 1 else value[0]
    return found


def _line(name: str, value: float | str | tuple[float, ...]) -> str:
    """One quantity with the unit that people use, or a sentence."""
    if isinstance(value, str):
        return f"{name.replace('_', ' '):<24}{value}"
    stem, ending = next(
        ((name.removesuffix(f"_{unit}"), unit) for unit in UNITS if name.endswith(f"_{unit}")), (name, "")
    )
    factor, unit = UNITS.get(ending, (1.0, ""))
    numbers = value if isinstance(value, tuple) else (value,)
    shown = ", ".join(f"{number * factor:.7g}" for number in numbers)
    return f"{stem.replace('_', ' '):<24}{shown} {unit}".rstrip()
