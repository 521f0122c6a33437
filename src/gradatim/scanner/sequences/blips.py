"""The short gradients that step from line to line, split where two blocks meet."""

import math
from dataclasses import dataclass

import torch

from gradatim.base.sequence import TICKS, Lobe, ticks
from gradatim.scanner.system import System


@dataclass(frozen=True)
class HalfBlip:
    """Half of a triangle: up to its peak at the end of one block, down from it at the beginning of the next.

    Args:
        duration: of the half, ns.
        peak: T/m.
    """

    duration: int
    peak: float

    def around(self, period: int, *, before: int, after: int) -> Lobe | None:
        """The gradient of a block with the second half of one blip, and the first half of another.

        Args:
            period: of the block, ns.
            before: sign of the blip that ends here: +1, −1, or 0 for none.
            after: sign of the blip that begins here.
        """
        knots = {0: before * self.peak, self.duration: 0.0} if before else {}
        knots |= {period - self.duration: 0.0, period: after * self.peak} if after else {}
        if not knots or not self.peak:
            return None
        return Lobe(torch.tensor(list(knots)), torch.tensor(list(knots.values()), dtype=torch.float64))


def half_blip(area: float, system: System) -> HalfBlip:
    """The shortest triangle of an area whose halves lie on the raster: 2·√(A/S), or 2·A/G, rounded up.

    Args:
        area: of the whole blip, T·s/m, ≥ 0.
        system: whose limits and raster hold.

    Example:
        >>> half_blip(1 / 0.22 / 42.577478461e6, System(0.040, 150.0)).duration
        30000
    """
    if area == 0:
        return HalfBlip(0, 0.0)
    shortest = max(math.sqrt(area / system.max_slew), area / system.max_gradient)
    raster = math.lcm(system.rasters.gradient, system.rasters.block)
    duration = max(raster, ticks(shortest, raster))
    return HalfBlip(duration, area / (duration / TICKS))
