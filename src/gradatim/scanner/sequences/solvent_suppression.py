"""Does this hardware suffice? How far a spectrometer suppresses water by WATERGATE, and what stops it."""

import enum
import math
from dataclasses import dataclass

import torch

from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.pulses.binomial import BinomialTrain, instant_train
from gradatim.scanner.pulses.spinor import pulse_spinor
from gradatim.scanner.sequences.lobes import shortest_lobe
from gradatim.scanner.sequences.watergate import Watergate
from gradatim.scanner.system import System

OFFSETS = 201
"""Offsets over the water's width at which the train's leak is looked at."""


class Binding(enum.Enum):
    """What keeps the suppression from being higher."""

    GRADIENT = "the gradient's strength"
    SLEW = "the gradient's slew rate"
    SHIM = "the width of the water's line, which the train does not spare"
    B1 = "the transmitter's strength"


@dataclass(frozen=True)
class Verdict:
    """Whether the hardware suffices, by how much, and what binds.

    Args:
        suppression: initial over remaining water signal that is delivered; 1 where the train cannot be played.
        margin: delivered over wanted, of the suppression, or of B1 where that binds.
        by_gradient: suppression by the lobes alone.
        by_train: suppression by the train alone, 1/|β|² at its largest over the water's line.
        needed_area: of each lobe, for the wanted suppression with this train, T·s/m; inf where no lobe gives it.
        delivered_area: the largest in the given time, T·s/m.
        needed_b1: T, below which the train's pulses run into each other.
        binding: the weaker of what limits it.
    """

    suppression: float
    margin: float
    by_gradient: float
    by_train: float
    needed_area: float
    delivered_area: float
    needed_b1: float
    binding: Binding

    @property
    def suffices(self) -> bool:
        """Yes or no."""
        return self.margin >= 1

    @property
    def sentence(self) -> str:
        """The answer in words.

        Example:
            >>> SolventSuppression()(System(0.5, 5000.0, max_b1=600e-6)).sentence.split(":")[0]
            'yes'
        """
        answer = "yes" if self.suffices else "no"
        return (
            f"{answer}: water is suppressed {self.suppression:.3g}-fold, "
            f"{self.margin:.3g} times what is needed; {self.binding.value} binds"
        )


@dataclass(frozen=True)
class SolventSuppression:
    """How far WATERGATE suppresses water in a uniform sample, and what a wanted suppression takes.

    Water that the train spares is dephased twice by each lobe's area A. Over a sample of length L its signal is
    |sinc(γ̄·2A·L)| ≤ 1/(2π·γ̄·A·L). Water at ν off resonance is refocused with |β(ν)|², whatever the lobes. The two add
    at worst: 1/F = 1/(2π·γ̄·A·L) + max|β|². The train is simulated with its pulses as long as B1 makes them. Radiation
    damping, diffusion (which helps) and an inhomogeneous B1 are left out.

    Args:
        train: 3-9-19, W5 or another.
        suppression: F that is wanted, initial over remaining signal.
        sample_length: L along the gradient, m.
        lobe_duration: of each lobe with its ramps, s.
        water_width: Hz on both sides of resonance that the water's line reaches.

    Raises:
        UsageError: GD-168 for an impossible number.

    Example:
        >>> verdict = SolventSuppression(suppression=1000.0)(System(0.5, 5000.0, max_b1=600e-6))
        >>> verdict.suffices, verdict.binding.name
        (True, 'GRADIENT')
    """

    train: BinomialTrain = BinomialTrain()
    suppression: float = 1000.0
    sample_length: float = 0.015
    lobe_duration: float = 1e-3
    water_width: float = 5.0

    def __post_init__(self) -> None:
        numbers = (self.suppression, self.sample_length, self.lobe_duration)
        fine = all(math.isfinite(n) and n > 0 for n in numbers) and 0 <= self.water_width < math.inf
        if not fine or self.suppression < 1:
            raise UsageError(
                "GD-168",
                given=f"a {self.suppression}-fold suppression over {self.sample_length} m in {self.lobe_duration} s, "
                f"water ± {self.water_width} Hz",
                allowed="a factor of 1 or more, positive lengths and times, a width of 0 Hz or more",
                do="give SI units",
            )

    def __call__(self, system: System) -> Verdict:
        """The verdict on a system.

        Args:
            system: whose limits and rasters hold.
        """
        area = self._strongest(system)
        by_gradient = self._factor(area)
        leak = self._leak(system)
        by_train = math.inf if leak == 0 else 1 / leak
        left = 1 / self.suppression - leak
        needed = math.inf if left <= 0 else 1 / (2 * math.pi * PROTON_GAMMA_BAR_HZ_PER_T * self.sample_length * left)
        delivered = 1 / (1 / by_gradient + leak)
        slow = system.max_slew * self.lobe_duration / 2 < system.max_gradient
        binding = Binding.SHIM if by_train < by_gradient else Binding.SLEW if slow else Binding.GRADIENT
        margin = delivered / self.suppression
        if not self._plays(system):
            delivered, binding = 1.0, Binding.B1
            margin = min(system.max_b1 / self.train.needed_b1, 1 - 1e-9)
        return Verdict(delivered, margin, by_gradient, by_train, needed, area, self.train.needed_b1, binding)

    def sequence(self, system: System) -> Watergate:
        """WATERGATE with lobes of the needed area, or of the largest possible where that is less.

        Args:
            system: whose limits and rasters hold.
        """
        verdict = self(system)
        return Watergate(self.train, min(verdict.needed_area, verdict.delivered_area), self.lobe_duration)

    def first_null(self, system: System) -> float:
        """Where the spectrum has its next hole, Hz: at 1/τ for pulses without length, a little beside it for real ones.

        Args:
            system: whose raster and strongest B1 hold.

        Example:
            >>> round(SolventSuppression().first_null(System(0.5, 5000.0, max_b1=600e-6)))
            4912
        """
        offset = torch.linspace(0.7, 1.1, 2001, dtype=torch.float64) / self.train.spacing
        return float(offset[pulse_spinor(self.train(system), offset=offset).refocused.argmin()])

    def _strongest(self, system: System) -> float:
        """The largest area of a lobe of this duration on the raster, T·s/m."""
        raster = math.lcm(system.rasters.gradient, system.rasters.block)
        duration = max(2 * raster, round(self.lobe_duration * TICKS / raster) * raster)
        low, high = 0.0, system.max_gradient * duration / TICKS
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if shortest_lobe(middle, system) <= duration else (low, middle)
        # A little inside of the limit, so that rounding cannot carry it across.
        return low * (1 - 1e-9)

    def _factor(self, area: float) -> float:
        return 2 * math.pi * PROTON_GAMMA_BAR_HZ_PER_T * area * self.sample_length

    def _leak(self, system: System) -> float:
        """The largest |β|² over the water's line; of pulses without length where the real ones do not fit."""
        offset = torch.linspace(-self.water_width, self.water_width, OFFSETS, dtype=torch.float64)
        if self._plays(system):
            return float(pulse_spinor(self.train(system), offset=offset).refocused.max())
        return float(instant_train(self.train.angles, offset * self.train.spacing).refocused.max())

    def _plays(self, system: System) -> bool:
        try:
            self.train(system)
        except UsageError:
            return False
        return True
