"""The gradients that mark where spins are, in measurements without images."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

from torch import Tensor

from gradatim.base.coherence import Turn
from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, Block, Lobe, PulseUse, ticks, trapezoid
from gradatim.scanner.pulses.hard import HardPulse
from gradatim.scanner.sequences.lobes import ramp_of
from gradatim.scanner.sequences.slice_blocks import up
from gradatim.scanner.system import System


class EncodingLobes(ABC):
    """A gradient, or a pair of them, that leaves q = γ·G·δ."""

    @property
    @abstractmethod
    def turns(self) -> tuple[Turn, ...]:
        """What its pulses do."""

    @abstractmethod
    def delta(self, system: System) -> int:
        """δ on the raster, ns.

        Args:
            system: whose raster holds.
        """

    @abstractmethod
    def blocks(self, amplitude: Tensor, system: System) -> tuple[Block, ...]:
        """Played once.

        Args:
            amplitude: G, (3,), T/m.
            system: whose limits and dead times hold.
        """


@dataclass(frozen=True)
class SingleLobe(EncodingLobes):
    """One trapezoid: q = γ·G·δ with δ from the beginning of its rise to that of its fall.

    Args:
        duration: δ, s; rounded up to the raster.

    Raises:
        UsageError: GD-174 for an impossible duration.

    Example:
        >>> import torch
        >>> amplitude = torch.tensor([0.0, 0.0, 0.04], dtype=torch.float64)
        >>> round(SingleLobe(2e-3).blocks(amplitude, System())[0].lobes[2].area, 9)
        8e-05
    """

    duration: float = 2e-3

    def __post_init__(self) -> None:
        _require(self.duration)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """None: no pulse."""
        return ()

    def delta(self, system: System) -> int:
        return ticks(self.duration, system.rasters.gradient)

    def blocks(self, amplitude: Tensor, system: System) -> tuple[Block, ...]:
        return (_block(amplitude, self.delta(system), system),)


@dataclass(frozen=True)
class BipolarLobes(EncodingLobes):
    """Two trapezoids of opposite sign about a refocusing pulse, in which background gradients cancel.

    Args:
        duration: δ of both together, s; each half is rounded up to the raster.
        refocusing: the pulse between them.

    Raises:
        UsageError: GD-174 for an impossible duration.

    Source:
        Cotts, Hoch, Sun & Markert, J Magn Reson 83:252-266, 1989.

    Example:
        >>> import torch
        >>> len(BipolarLobes(2e-3).blocks(torch.tensor([0.0, 0.0, 0.04], dtype=torch.float64), System(max_b1=1e-3)))
        3
    """

    duration: float = 2e-3
    refocusing: HardPulse = HardPulse(math.pi, 20e-6)

    def __post_init__(self) -> None:
        _require(self.duration)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """One refocusing pulse."""
        return (Turn.REFOCUS,)

    def delta(self, system: System) -> int:
        return 2 * ticks(self.duration / 2, system.rasters.gradient)

    def blocks(self, amplitude: Tensor, system: System) -> tuple[Block, ...]:
        half = self.delta(system) // 2
        turn = centred_pulse(self.refocusing, system, use=PulseUse.REFOCUSING)
        return _block(amplitude, half, system), turn, _block(-amplitude, half, system)


def centred_pulse(design: HardPulse, system: System, *, use: PulseUse) -> Block:
    """A block with a pulse whose centre is the block's middle, on the raster.

    Args:
        design: of the pulse.
        system: whose dead times hold.
        use: what it is for.
    """
    pulse = design(system)
    after = pulse.duration - pulse.centre + system.pulse_ringdown
    half = up(max(system.pulse_dead + pulse.centre, after), max(system.rasters.block, system.rasters.gradient))
    return Block(2 * half, pulse=replace(pulse, delay=half - pulse.centre, use=use))


def _block(amplitude: Tensor, duration: int, system: System) -> Block:
    rise = ramp_of(system.max_gradient, system)
    strongest = float(amplitude.abs().max())
    if strongest > 0 and duration < rise:
        rise = ramp_of(strongest, system)
    if strongest > system.max_gradient * (1 + 1e-9) or duration < rise:
        raise UsageError(
            "GD-174",
            given=f"a lobe of {1e3 * strongest:.6g} mT/m and δ = {1e3 * duration / TICKS:.6g} ms",
            allowed=f"up to {1e3 * system.max_gradient:.6g} mT/m, and δ of {1e3 * rise / TICKS:.6g} ms, its ramp, "
            "or more",
            do="ask for a weaker or longer lobe, or use a stronger gradient system",
        )
    x, y, z = (_lobe(float(value), duration, rise) for value in amplitude)
    return Block(up(duration + rise, system.rasters.block), lobes=(x, y, z))


def _lobe(amplitude: float, duration: int, rise: int) -> Lobe | None:
    return trapezoid(0, rise, duration - rise, rise, amplitude=amplitude) if amplitude else None


def _require(duration: float) -> None:
    if not (math.isfinite(duration) and 0 < duration < 10):
        raise UsageError(
            "GD-174",
            given=f"δ = {duration} s",
            allowed="above 0, below 10 s",
            do="give seconds: 2 ms are 0.002",
        )
