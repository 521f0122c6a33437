"""Pulses taken as instantaneous rotations at their centres."""

import math
from dataclasses import dataclass

import torch

from gradatim.base.errors import InputError
from gradatim.base.sequence import TICKS, Pulse, Sequence
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T

STEADY = 1e-3
"""How far B1 may leave one phase, over its largest value, for its area to be its flip."""
TUNED = 0.05
"""Turns that a pulse without a gradient may be off resonance while it lasts."""


@dataclass(frozen=True)
class InstantPulse:
    """A rotation by a flip angle about an axis in the transverse plane.

    Args:
        time: of the centre, s from the sequence's beginning.
        flip: γ·|∫B1 dt|, rad.
        phase: of the pulse at its centre in the frame of the scanner's frequency, rad.
    """

    time: float
    flip: float
    phase: float


def instant_pulses(sequence: Sequence) -> tuple[InstantPulse, ...]:
    """Every pulse as a rotation at its centre: no slice profile, no relaxation and no precession while it is on.

    The flip is exact on resonance where B1 keeps one phase (or turns it by π). A frequency together with a gradient
    moves a slice, and turns the spins in that slice's middle by this flip.

    Args:
        sequence: what is played.

    Raises:
        InputError: GD-835 for a pulse whose phase is swept, or that is tuned to other spins than those on resonance.

    Example:
        >>> from gradatim.base.sequence import Block
        >>> hard = Pulse(0, torch.tensor([0, 1000]), torch.tensor([5.87e-6 + 0j], dtype=torch.complex128), centre=500)
        >>> round(instant_pulses(Sequence((Block(1000, hard),)))[0].flip, 5)
        0.00157
    """
    waveform = sequence.waveform
    found = []
    for first, pulse in sequence.pulses:
        centre = torch.tensor([(first + pulse.centre) / TICKS], dtype=torch.float64)
        area = complex((pulse.field * pulse.edges.diff()).sum()) / TICKS
        _require_plain(pulse, area, gradient=bool(waveform.at(centre).any()))
        phase = pulse.phase + 2 * math.pi * pulse.frequency * pulse.centre / TICKS + math.atan2(area.imag, area.real)
        found.append(InstantPulse(float(centre), abs(area) * PROTON_GAMMA_RAD_PER_S_T, phase))
    return tuple(found)


def _require_plain(pulse: Pulse, area: complex, *, gradient: bool) -> None:
    across = (pulse.field * (abs(area) / area if area else 1.0)).imag.abs().max()
    swept = float(across) > STEADY * float(pulse.field.abs().max())
    turns = abs(pulse.frequency) * pulse.duration / TICKS
    if swept or (turns > TUNED and not gradient):
        raise InputError(
            "GD-835",
            given="a pulse whose phase is swept" if swept else f"a pulse tuned to {pulse.frequency:g} Hz",
            allowed="pulses of one phase, with a frequency only beside a gradient: a rotation at their centre",
            do="simulate isochromats, which follow the pulse itself",
        )
