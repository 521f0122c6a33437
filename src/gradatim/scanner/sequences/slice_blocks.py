"""The two blocks that turn a slice: excitation with its rephaser, refocusing between its crushers."""

import math

import torch

from gradatim.base.sequence import Block, Lobe
from gradatim.scanner.sequences.blocks import Lobes, later
from gradatim.scanner.sequences.bridges import bridge, joined, mirrored
from gradatim.scanner.sequences.slice_pulse import SlicePulse
from gradatim.scanner.system import System


def excitation_block(
    chosen: SlicePulse,
    system: System,
    *,
    position: float,
    phase: float = 0.0,
    beside: tuple[Lobe | None, Lobe | None] = (None, None),
    after: Lobe | None = None,
) -> Block:
    """Slice selection along z, rephased to the pulse's centre, with gradients on x and y after the pulse.

    Args:
        chosen: the pulse and its level.
        system: whose limits and dead times hold.
        position: of the slice, z, m.
        phase: of the pulse at its centre, rad.
        beside: gradients on x and y that begin where the level ends.
        after: what follows the level on z, from time 0 on; None for the shortest gradient that rephases the slice.
    """
    start = up(max(chosen.ramp, system.pulse_dead - chosen.pulse.delay), system.rasters.gradient)
    end = start + chosen.flat
    home = bridge(-chosen.half_area, chosen.level, system) if after is None else after
    pulse = chosen.at(start, position=position, phase=phase)
    z = joined([(start - chosen.ramp, _rise(chosen)), (end, home)])
    ends = [z.end, *(end + lobe.end for lobe in beside if lobe is not None)]
    ends.append(pulse.delay + pulse.duration + system.pulse_ringdown)
    x, y = (later(lobe, end) for lobe in beside)
    return Block(up(max(ends), system.rasters.block), pulse=pulse, lobes=(x, y, z))


def crusher_window(chosen: SlicePulse, system: System, *, crushers: tuple[float, ...]) -> int:
    """The shortest time beside a refocusing pulse's level that holds each of its crushers and the dead times, ns.

    Args:
        chosen: the pulse and its level.
        system: whose limits and dead times hold.
        crushers: areas, T·s/m.
    """
    before = system.pulse_dead - chosen.pulse.delay
    after = system.pulse_ringdown - (chosen.flat - chosen.pulse.delay - chosen.pulse.duration)
    longest = max(bridge(area, chosen.level, system).end for area in crushers)
    return up(max(longest, before, after), math.lcm(system.rasters.block, system.rasters.gradient))


def refocusing_block(
    chosen: SlicePulse,
    system: System,
    *,
    crushers: tuple[float, float],
    window: int,
    position: float,
    phase: float,
    beside: tuple[Lobe | None, Lobe | None] = (None, None),
) -> Block:
    """Slice selection along z between two crushers; the pulse's centre is the block's middle.

    Crushers dephase what the pulse excites itself, and, where they are equal, leave alone what it refocuses.

    Args:
        chosen: the pulse and its level.
        system: whose limits hold.
        crushers: areas before and after the level, T·s/m.
        window: beside the level, ns, at least :func:`crusher_window`.
        position: of the slice, z, m.
        phase: of the pulse at its centre, rad.
        beside: gradients on x and y, from the block's beginning on.

    Raises:
        UsageError: GD-171 if the window is too short.
    """
    before, after = (bridge(area, chosen.level, system, duration=window) for area in crushers)
    z = joined([(0, mirrored(before)), (window + chosen.flat, after)])
    lobes: Lobes = (*beside, z)
    pulse = chosen.at(window, position=position, phase=phase)
    return Block(2 * window + chosen.flat, pulse=pulse, lobes=lobes)


def up(time: int, raster: int) -> int:
    """The next whole number of rasters, ns.

    Example:
        >>> up(10_001, 10_000)
        20000
    """
    return -(-time // raster) * raster


def _rise(chosen: SlicePulse) -> Lobe:
    return Lobe(torch.tensor([0, chosen.ramp]), torch.tensor([0.0, chosen.level], dtype=torch.float64))
