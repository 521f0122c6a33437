"""Trains of hard pulses whose second half undoes the first on resonance: binomial-like solvent suppression."""

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, Pulse, PulseUse, ticks
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T
from gradatim.scanner.pulses.spinor import Spinor
from gradatim.scanner.pulses.strength import require_positive, within_b1
from gradatim.scanner.system import System

JUMP_RETURN = (math.pi / 2, -math.pi / 2)
"""90° and back, which excites what has turned in between (Plateau and Guéron 1982, JACS 104:7310)."""

THREE_NINE_NINETEEN = tuple(part * math.pi / 26 for part in (3, 9, 19, -19, -9, -3))
"""3α-9α-19α and back, 26α = 180° (Sklenář, Piotto, Leppik and Saudek 1993, Journal of Magnetic Resonance A 102:241)."""

W5 = tuple(math.radians(part) for part in (7.8, 18.5, 37.2, 70.0, 134.2, -134.2, -70.0, -37.2, -18.5, -7.8))
"""Five pulses and back, with a narrower hole (Liu et al. 1998, Journal of Magnetic Resonance 132:125)."""


@dataclass(frozen=True)
class BinomialTrain:
    """Hard pulses at one strength, their middles τ apart, the second half with inverted phase.

    On resonance, and at multiples of 1/τ from it, the halves cancel; between them spins are refocused. With pulses
    of no length |β|² → (π·Σ sin θⱼ)²·(ντ)² near resonance, θⱼ the angle after j pulses: 44.6·(ντ)² for 3-9-19 and
    114.0·(ντ)² for W5.

    Args:
        angles: of the pulses, rad; negative ones have inverted phase.
        spacing: τ between the middles of neighbours, s; rounded up to the pulse raster.
        b1: at which all are played, T; None for the strongest that the system has.
        use: what it is for.

    Raises:
        UsageError: GD-169 for impossible numbers, and when called if the pulses do not fit between each other, with
            the shortest spacing; GD-167 if b1 is too strong for the system.

    Example:
        >>> train = BinomialTrain(W5, 200e-6)(System(max_b1=600e-6))
        >>> round(train.duration / 1e6, 3), round(abs(float(train.field.real @ train.edges.diff().double())), 12)
        (1.802, 0.0)
    """

    angles: tuple[float, ...] = THREE_NINE_NINETEEN
    spacing: float = 200e-6
    b1: float | None = None
    use: PulseUse = PulseUse.REFOCUSING

    def __post_init__(self) -> None:
        require_positive({"spacing": self.spacing, **({} if self.b1 is None else {"b1": self.b1})})
        if not self.angles or not all(math.isfinite(angle) and 0 < abs(angle) <= math.tau for angle in self.angles):
            raise UsageError(
                "GD-169", given=f"angles {self.angles}", allowed="angles that are not 0", do="give radians"
            )

    def __call__(self, system: System) -> Pulse:
        """The train on a system's clock, centred in its middle.

        Args:
            system: whose raster and strongest B1 hold.
        """
        raster, strength = system.rasters.pulse, self.b1 or system.max_b1
        apart = ticks(self.spacing, 2 * raster)
        halves = [self._half(angle, strength, raster) for angle in self.angles]
        shortest = max((a + b for a, b in itertools.pairwise(halves)), default=0)
        if apart < shortest + raster:
            raise UsageError(
                "GD-169",
                given=f"pulses every {1e6 * self.spacing:g} µs",
                allowed=f"{(shortest + raster) / 1e3:g} µs at the shortest for {1e6 * strength:.4g} µT",
                do="make the spacing longer, or the pulses stronger",
            )
        middles = [halves[0] + i * apart for i in range(len(halves))]
        edges, field = [0], []
        for middle, half, angle in zip(middles, halves, self.angles, strict=True):
            if middle - half > edges[-1]:
                edges.append(middle - half)
                field.append(0.0)
            edges.append(middle + half)
            field.append(angle / (PROTON_GAMMA_RAD_PER_S_T * 2 * half / TICKS))
        b1 = torch.tensor(field, dtype=torch.complex128)
        centre = (middles[0] + middles[-1]) // 2
        return within_b1(Pulse(0, torch.tensor(edges), b1, centre, use=self.use), system)

    @property
    def needed_b1(self) -> float:
        """The strength below which neighbouring pulses would run into each other, T."""
        pairs = itertools.pairwise(self.angles)
        return max((abs(a) + abs(b) for a, b in pairs), default=0.0) / (2 * PROTON_GAMMA_RAD_PER_S_T * self.spacing)

    @staticmethod
    def _half(angle: float, strength: float, raster: int) -> int:
        """Half of a pulse, ns, on the raster."""
        return max(raster, ticks(abs(angle) / (2 * PROTON_GAMMA_RAD_PER_S_T * strength), raster))


def instant_train(angles: tuple[float, ...], cycles: Tensor) -> Spinor:
    """α and β of a train of pulses without length, at offsets ν in units of 1/τ.

    Args:
        angles: rad, about x.
        cycles: ντ, (...).

    Example:
        >>> place = torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64)
        >>> [round(value, 6) + 0.0 for value in instant_train(THREE_NINE_NINETEEN, place).refocused.tolist()]
        [0.0, 1.0, 0.0]
    """
    one = torch.ones_like(cycles, dtype=torch.complex128)
    whole: Spinor | None = None
    for angle in angles:
        pulse = Spinor(math.cos(angle / 2) * one, -1j * math.sin(angle / 2) * one)
        whole = pulse if whole is None else whole.turned(cycles).then(pulse)
    return whole if whole is not None else Spinor(one, 0 * one)
