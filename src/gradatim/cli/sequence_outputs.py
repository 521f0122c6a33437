"""What the commands that make sequences write, draw and print."""

import json as jsonlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

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


def deliver(
    make: "Callable[[System], Sequence]",
    hardware: SystemChoice,
    *,
    out: Path,
    picture: Path | None,
    json: bool,
    delivered: "Callable[[System, Sequence], Mapping[str, float | str | tuple[float, ...]]]",
) -> int:
    """Make a sequence on the chosen system, write it, draw it, and print what it delivers.

    Args:
        make: the protocol.
        hardware: the options of the system.
        out: Pulseq file to write.
        picture: SVG to draw, or None.
        json: one object to stdout instead of lines.
        delivered: name with its unit as ending → value, of the sequence as it is.

    Raises:
        UsageError: what the protocol and the system refuse; GD-107 for an output in the place of an input.
    """
    from gradatim.cli.feature_outputs import require_outputs
    from gradatim.io.pulseq_write import PulseqWriter, require_pulseq_name

    require_outputs([out, picture], inputs=(hardware.system_file,))
    require_pulseq_name(out)
    system, origin = hardware.chosen()
    sequence = make(system)
    found = {
        "duration_s": sequence.duration / 1e9,
        "readouts": float(len(sequence.readouts)),
        **delivered(system, sequence),
    }
    writer = PulseqWriter(
        system.max_gradient, system.max_slew, system.pulse_dead, system.pulse_ringdown, system.readout_dead
    )
    writer(sequence, out)
    if picture is not None:
        from gradatim.io.atomic import atomic_file
        from gradatim.report.sequence_plot import SequencePlot

        drawn = SequencePlot()(sequence)
        with atomic_file(picture) as file:
            file.write(drawn.data)
    if json:
        print(jsonlib.dumps({**found, "file": str(out)}, indent=2))
        return 0
    for name, value in found.items():
        print(f"{_line(name, value)}")
    limits = f"{1e3 * system.max_gradient:.4g} mT/m and {system.max_slew:.4g} T/(m·s) on one axis"
    print(f"system: {limits}{f' ({origin})' if origin else ''}")
    print(f"wrote {out}", file=sys.stderr)
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
