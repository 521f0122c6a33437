"""A lobe on the scanner's clock: the shortest symmetric trapezoid of whole rasters that does what is wanted."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, ticks
from gradatim.scanner.system import System

MOST_RAMPS = 20_000
"""Ramps that are tried for one duration; a finer raster is tried in equal steps."""

LONGEST = 100.0
"""s, beyond which no lobe is looked for."""

Measure = Callable[[Tensor, Tensor, Tensor], Tensor]
"""What lobes achieve, from their ramp (s), their whole duration (s) and their amplitude (T/m)."""


@dataclass(frozen=True)
class RasteredLobe:
    """A symmetric trapezoid of whole rasters.

    Args:
        ramp: of one side, ns.
        flat: ns, ≥ 0.
        amplitude: T/m, lowered until the lobe does no more than was wanted.

    Example:
        >>> RasteredLobe(210_000, 10_000, 0.031).duration
        0.00043
    """

    ramp: int
    flat: int
    amplitude: float

    @property
    def duration(self) -> float:
        """Of the whole lobe, s."""
        return (2 * self.ramp + self.flat) / TICKS


def shortest_on_raster(
    measure: Measure,
    *,
    wanted: float,
    start: float,
    system: System,
    power: int = 1,
    strongest: Callable[[Tensor], Tensor] | None = None,
) -> RasteredLobe:
    """The shortest lobe of whole rasters within the limits that achieves what is wanted.

    Durations are tried from that of the continuous design on, each with every ramp; amplitude and slew follow from the
    rounded times, A ≤ min(G, S·ramp), so that the limits hold after rounding.

    Args:
        measure: what lobes at the full amplitude achieve; grows with amplitude and duration.
        wanted: how much of it.
        start: duration of the continuous design, s.
        system: limits and raster.
        power: of the amplitude to which the measure is proportional.
        strongest: the amplitude (T/m) that a ramp (s) allows besides; None where only the system counts.

    Raises:
        UsageError: GD-101 if the lobe would last longer than 100 s.

    Example:
        >>> area = lambda ramp, total, amplitude: amplitude * (total - ramp)
        >>> shortest_on_raster(area, wanted=6.8324e-6, start=426.8e-6, system=System(0.040, 150.0)).flat
        10000
    """
    raster = system.rasters.gradient
    if not start <= LONGEST:
        raise UsageError(
            "GD-101",
            given=f"a lobe of {start:.3g} s",
            allowed=f"lobes of up to {LONGEST:g} s",
            do="check the units: lengths are in m, times in s, gradients in T/m",
        )
    full = ticks(system.max_gradient / system.max_slew, raster) // raster
    whole = max(2, ticks(start, raster) // raster - 1)
    while True:
        most = max(1, min(whole // 2, full) if strongest is None else whole // 2)
        ramps = torch.linspace(1, most, min(most, MOST_RAMPS), dtype=torch.float64).round()
        seconds = ramps * raster / TICKS
        amplitude = (system.max_slew * seconds).clamp(max=system.max_gradient)
        if strongest is not None:
            amplitude = torch.minimum(amplitude, strongest(seconds))
        done = measure(seconds, torch.full_like(seconds, whole * raster / TICKS), amplitude)
        best = int(done.argmax())
        if done[best] >= wanted * (1 - 1e-12):
            ramp = int(ramps[best]) * raster
            lowered = amplitude[best].item() * min(1.0, (wanted / done[best].item()) ** (1 / power))
            return RasteredLobe(ramp, whole * raster - 2 * ramp, lowered)
        whole += 1
