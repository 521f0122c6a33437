"""Pulses within the transmitter's strength, on its clock."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, Pulse, ticks
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T
from gradatim.scanner.system import System


def within_b1(pulse: Pulse, system: System) -> Pulse:
    """The same pulse, if the transmitter can make it.

    A shape played in t times the time needs 1/t of the strength, which gives the shortest duration that is named.

    Args:
        pulse: of any shape.
        system: whose ``max_b1`` holds.

    Raises:
        UsageError: GD-167 if the peak of B1 is above the limit, with the shortest duration of this shape.

    Example:
        >>> weak = Pulse(0, torch.tensor([0, 1000]), torch.tensor([5e-6 + 0j]), centre=500)
        >>> within_b1(weak, System()) is weak
        True
    """
    peak = float(pulse.field.detach().abs().max())
    if not peak <= system.max_b1 * (1 + 1e-9):
        shortest = ticks(pulse.duration / TICKS * peak / system.max_b1, system.rasters.pulse)
        raise UsageError(
            "GD-167",
            given=f"a pulse of {1e6 * peak:.4g} µT in {pulse.duration / 1e6:.4g} ms",
            allowed=f"at most {1e6 * system.max_b1:.4g} µT, which this shape keeps from {shortest / 1e6:.4g} ms on",
            do="make the pulse longer, or its angle or its time-bandwidth product smaller",
        )
    return pulse


def samples_of(duration: float, system: System, *, most: int) -> tuple[int, int]:
    """How many equal samples a pulse is made of, and how many ns each lasts, a whole number of pulse rasters.

    The duration is rounded up to an even number of samples, so that its middle is on the raster.

    Args:
        duration: s.
        system: whose pulse raster holds.
        most: samples.

    Example:
        >>> samples_of(2e-3, System(), most=512)
        (500, 4000)
    """
    raster = system.rasters.pulse
    whole = max(1, ticks(duration, raster) // raster)
    each = -(-whole // most)
    return -(-whole // (2 * each)) * 2, each * raster


def shaped(field: Tensor, each: int, *, centre: int) -> Pulse:
    """A pulse of equal samples.

    Args:
        field: B1, (n,), T, real or complex.
        each: ns a sample.
        centre: ns from the first edge.
    """
    return Pulse(0, torch.arange(len(field) + 1) * each, field.to(torch.complex128), centre)


def turning(shape: Tensor, flip: Tensor | float, seconds: Tensor | float) -> Tensor:
    """A shape scaled so that γ∫B1 dt is an angle, B1 (n,), T.

    Args:
        shape: (n,), any unit.
        flip: rad.
        seconds: of each sample, s.
    """
    return shape * (flip / (PROTON_GAMMA_RAD_PER_S_T * seconds * shape.sum()))


def require_positive(values: Mapping[str, float]) -> None:
    """Refuse numbers of a pulse's design that are not positive and finite.

    Args:
        values: name → number.

    Raises:
        UsageError: GD-169.
    """
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise UsageError(
                "GD-169", given=f"{name} {value}", allowed="a positive, finite number", do="give SI units: rad, s, Hz"
            )


def shortest_hard(flip: float, system: System) -> float:
    """The shortest hard pulse of an angle at full strength, flip/(γ·B1), s, its middle on the pulse raster.

    Args:
        flip: rad.
        system: whose strongest B1 and pulse raster hold.

    Example:
        >>> shortest_hard(1.5707963, System(max_b1=20e-6))
        0.000294
    """
    return ticks(flip / (PROTON_GAMMA_RAD_PER_S_T * system.max_b1), 2 * system.rasters.pulse) / TICKS
