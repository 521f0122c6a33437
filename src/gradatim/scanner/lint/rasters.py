"""Times against the clocks of the scanner."""

from dataclasses import dataclass

from gradatim.base.findings import Finding, Severity
from gradatim.base.sequence import Block
from gradatim.scanner.lint.check import finding
from gradatim.scanner.lint.played import Played


@dataclass(frozen=True)
class OffRaster:
    """GD-917: every time is a whole number of its raster.

    Blocks on the block raster, corners of gradients on half the gradient raster (samples of shapes lie in the middle),
    pulses on that of pulses, dwell times on that of readouts; a readout begins on the raster of pulses.

    Example:
        >>> OffRaster()
        OffRaster()
    """

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """One finding a kind of time at most.

        Args:
            played: the sequence.
        """
        off: dict[str, list[tuple[int, int]]] = {}
        clocks = played.sequence.rasters
        rasters = {
            "block": clocks.block,
            "gradient corner": max(clocks.gradient // 2, 1),
            "pulse": clocks.pulse,
            "dwell time": clocks.readout,
            "readout delay": clocks.pulse,
        }
        for start, block in zip(played.sequence.starts, played.sequence.blocks, strict=True):
            for kind, times in _times(block).items():
                bad = [time for time in times if time % rasters[kind]]
                if bad:
                    off.setdefault(kind, []).append((bad[0], start))
        return tuple(self._found(played, kind, rasters[kind], found) for kind, found in off.items())

    def _found(self, played: Played, kind: str, raster: int, found: list[tuple[int, int]]) -> Finding:
        places = [played.place(start) for _, start in found]
        what = f"a {kind} of {found[0][0] / 1e3:g} µs"
        allowed = f"whole multiples of {raster / 1e3:g} µs"
        fix = "round it up to the raster, and let amplitudes follow from the rounded times"
        return finding("GD-917", Severity.REFUSE, places, what=what, allowed=allowed, fix=fix)


def _times(block: Block) -> dict[str, list[int]]:
    """The times of a block by their kind, ns."""
    corners = [time for lobe in block.lobes if lobe is not None for time in lobe.times.tolist()]
    pulse = [] if block.pulse is None else [block.pulse.delay]
    dwell = [] if block.readout is None else [block.readout.dwell]
    delay = [] if block.readout is None else [block.readout.delay]
    return {
        "block": [block.duration],
        "gradient corner": corners,
        "pulse": pulse,
        "dwell time": dwell,
        "readout delay": delay,
    }
