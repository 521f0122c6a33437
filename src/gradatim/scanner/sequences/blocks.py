"""A block of a sequence with the dead times that the hardware needs, and as long as its raster wants."""

from dataclasses import replace

from gradatim.base.errors import UsageError
from gradatim.base.sequence import Block, Lobe, Pulse, Readout
from gradatim.scanner.system import System

Lobes = tuple[Lobe | None, Lobe | None, Lobe | None]

NO_LOBES: Lobes = (None, None, None)
"""No gradient on any axis."""


def block(
    system: System,
    *,
    pulse: Pulse | None = None,
    lobes: Lobes = NO_LOBES,
    readout: Readout | None = None,
    duration: int | None = None,
) -> Block:
    """A block of these events; where a dead time is missing before one of them, all begin later together.

    Pulse and gradient, or readout and gradient, so stay as they were made for each other. The end leaves the ring-down
    time after a pulse and the dead time after a readout, and is rounded up to the block raster.

    Args:
        system: whose dead times and rasters hold.
        pulse: its delay counts from the block's beginning.
        lobes: on x, y and z.
        readout: the samples.
        duration: how long the block lasts, ns, on the block raster; None for the shortest.

    Raises:
        UsageError: GD-166 if the duration is off the raster or too short, with the shortest possible.

    Example:
        >>> block(System(), readout=Readout(0, 20_000, 64)).duration
        1300000
    """
    missing = max(
        0 if pulse is None else system.pulse_dead - pulse.delay,
        0 if readout is None else system.readout_dead - readout.delay,
        0,
    )
    shift = -(-missing // system.rasters.gradient) * system.rasters.gradient
    if shift:
        pulse = None if pulse is None else replace(pulse, delay=pulse.delay + shift)
        readout = None if readout is None else replace(readout, delay=readout.delay + shift)
        lobes = (later(lobes[0], shift), later(lobes[1], shift), later(lobes[2], shift))
    ends = [lobe.end for lobe in lobes if lobe is not None]
    ends += [] if pulse is None else [pulse.delay + pulse.duration + system.pulse_ringdown]
    ends += [] if readout is None else [readout.delay + readout.duration + system.readout_dead]
    shortest = -(-max(ends, default=0) // system.rasters.block) * system.rasters.block
    if duration is None:
        duration = shortest
    if duration < shortest or duration % system.rasters.block:
        raise UsageError(
            "GD-166",
            given=f"a block of {duration} ns",
            allowed=f"whole multiples of {system.rasters.block} ns from {shortest} ns on",
            do="give the block more time",
        )
    return Block(duration, pulse=pulse, lobes=lobes, readout=readout)


def later(lobe: Lobe | None, shift: int) -> Lobe | None:
    """The same lobe, or its absence, so many ns later.

    Example:
        >>> later(None, 10_000) is None
        True
    """
    return None if lobe is None else replace(lobe, times=lobe.times + shift)
