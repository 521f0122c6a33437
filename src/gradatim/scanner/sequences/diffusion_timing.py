"""Where the two lobes of a diffusion weighting lie around a refocusing pulse, and how short the echo time can be."""

from dataclasses import dataclass

from gradatim.base.sequence import TICKS
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T
from gradatim.scanner.sequences.lobes import ramp_of
from gradatim.scanner.system import System


@dataclass(frozen=True)
class DiffusionTiming:
    """One clock for all weightings: half the echo time, the lobes in it, and what they must leave free.

    Args:
        half: half the echo time, ns.
        before: from the excitation's centre until the first lobe may begin, ns.
        after: from the end of the second lobe until k = 0, at least, ns.
        around: half of the refocusing pulse's block, ns.
    """

    half: int
    before: int
    after: int
    around: int

    def lobe(self, raster: int) -> int:
        """The longest lobes that fit, ns.

        Args:
            raster: of gradients, ns.
        """
        return (self.half - self.around - max(self.before, self.after)) // raster * raster

    def gaps(self, raster: int) -> tuple[int, int]:
        """Time without gradients between the first lobe and the refocusing block, and after that block, ns.

        Args:
            raster: of gradients, ns.
        """
        room = self.half - self.around - self.lobe(raster)
        return room - self.before, room - self.after

    def separation(self, raster: int) -> int:
        """Δ, from the beginning of one lobe to that of the other, ns.

        Args:
            raster: of gradients, ns.
        """
        return self.lobe(raster) + sum(self.gaps(raster)) + 2 * self.around

    def rise(self, system: System) -> int:
        """Of the lobes' ramps, ns: to the strongest gradient, or half of a short lobe.

        Args:
            system: whose limits hold.
        """
        raster = system.rasters.gradient
        return min(ramp_of(system.max_gradient, system), self.lobe(raster) // (2 * raster) * raster)

    def strongest(self, system: System) -> float:
        """The amplitude on one axis that these lobes can have, T/m.

        Args:
            system: whose limits hold.
        """
        return min(system.max_gradient, system.max_slew * self.rise(system) / TICKS)

    def lobes_alone(self, system: System) -> float:
        """b of lobes of the strongest amplitude on one axis: γ²G²[d²(Δ − d/3) + ε³/30 − dε²/6], s/m².

        Args:
            system: whose limits hold.
        """
        raster = system.rasters.gradient
        rise, apart = self.rise(system) / TICKS, self.separation(raster) / TICKS
        if self.lobe(raster) < 2 * raster:
            return 0.0
        d = self.lobe(raster) / TICKS - rise
        shape = d**2 * (apart - d / 3) + rise**3 / 30 - d * rise**2 / 6
        return (PROTON_GAMMA_RAD_PER_S_T * self.strongest(system)) ** 2 * shape
