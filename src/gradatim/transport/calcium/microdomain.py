"""A channel's mouth: calcium that enters a half space, diffuses, and meets one buffer."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError

FARADAY = 96485.33212
"""C/mol. Source: CODATA 2022, exact."""


@dataclass(frozen=True)
class Buffer:
    """A molecule that binds one calcium ion: Ca + B ⇌ CaB, with free and bound alike in diffusion.

    Args:
        total: B_T, mol/m³ (1 mol/m³ is 1 mM).
        on_rate: k₊, m³/(mol·s); 1e8 /(M·s) is 1e5.
        dissociation: K, mol/m³.
        diffusivity: D_B, m²/s; 0 for a fixed buffer.

    Raises:
        InputError: GD-852 if a number is negative or not finite, or K or k₊ is 0.

    Example:
        >>> round(Buffer(1.0, 4e5, 1.76e-4, 95e-12).free(1e-4), 4)  # BAPTA, 1 mM
        0.6377
    """

    total: float
    on_rate: float
    dissociation: float
    diffusivity: float = 0.0

    def __post_init__(self) -> None:
        _require({"total": self.total, "diffusivity": self.diffusivity}, zero=True)
        _require({"on_rate": self.on_rate, "dissociation": self.dissociation}, zero=False)

    def free(self, calcium: float) -> float:
        """Free buffer in equilibrium, B = B_T·K/(K + c), mol/m³.

        Args:
            calcium: c, mol/m³.
        """
        return self.total * self.dissociation / (self.dissociation + calcium)

    def capacity(self, calcium: float) -> float:
        """κ = B/(K + c): how many ions bind for one that stays free.

        Args:
            calcium: c, mol/m³.
        """
        return self.free(calcium) / (self.dissociation + calcium)


@dataclass(frozen=True)
class Microdomain:
    """A point source in the wall of a half space, σ = i/(2F), with one buffer.

    Args:
        current: i of the open channel, A, > 0.
        buffer: what binds.
        diffusivity: D of free calcium, m²/s.
        resting: c₀ far away, mol/m³; 0.1 µM is 1e-4.

    Raises:
        InputError: GD-852 if a number is not possible.

    Source:
        Neher, Exp Brain Res Ser 14:80-96, 1986.

    Example:
        >>> domain = Microdomain(0.1e-12, Buffer(0.0, 1e5, 1e-2))
        >>> excess = domain.free_diffusion(torch.tensor([10e-9], dtype=torch.float64)) - domain.resting
        >>> round(excess.item() * 1e3, 3)  # µM
        37.489
    """

    current: float
    buffer: Buffer
    diffusivity: float = 220e-12
    resting: float = 1e-4

    def __post_init__(self) -> None:
        _require({"current": self.current, "diffusivity": self.diffusivity}, zero=False)
        _require({"resting": self.resting}, zero=True)

    @property
    def source(self) -> float:
        """σ = i/(2F), mol/s."""
        return self.current / (2 * FARADAY)

    @property
    def length(self) -> float:
        """a = σ/(2πD), mol/m²: the free excess is a/r."""
        return self.source / (2 * math.pi * self.diffusivity)

    def free_diffusion(self, radius: Tensor) -> Tensor:
        """c₀ + σ/(2πDr), mol/m³: without a buffer, and in steady state with any fixed one.

        A fixed buffer in equilibrium binds as much as it lets go, and carries nothing: it changes only the approach.

        Args:
            radius: r, (...), m, > 0.
        """
        return self.resting + self.length / require_radius(radius)

    def free_buffer(self, calcium: Tensor, radius: Tensor) -> Tensor:
        """B that belongs to c in steady state: D·c − D_B·B = D·c₀ − D_B·B₀ + σ/(2πr), of any mobile buffer.

        Args:
            calcium: c, (...), mol/m³.
            radius: r, (...), m.

        Raises:
            InputError: GD-852 for a fixed buffer, which the identity does not bind.
        """
        if self.buffer.diffusivity == 0:
            raise impossible("a fixed buffer", "a buffer that moves")
        flux = self.diffusivity * (calcium - self.resting) - self.source / (2 * math.pi * require_radius(radius))
        return self.buffer.free(self.resting) + flux / self.buffer.diffusivity


def require_radius(radius: Tensor) -> Tensor:
    """The radius in float64, if it lies in the cytosol.

    Args:
        radius: m.

    Raises:
        InputError: GD-853 if one is not positive and finite.
    """
    found = radius.to(torch.float64)
    if not bool((found.isfinite() & (found > 0)).all()):
        raise InputError(
            "GD-853", given="a radius of 0, below it, or not finite", allowed="r > 0", do="give r in m from the mouth"
        )
    return found


def impossible(given: str, allowed: str) -> InputError:
    """The refusal of a domain that cannot be.

    Args:
        given: what was found.
        allowed: what would do.
    """
    return InputError(
        "GD-852", given=given, allowed=allowed, do="give SI units: 1 mM is 1 mol/m³, 1 µm²/s is 1e-12 m²/s"
    )


def _require(numbers: dict[str, float], *, zero: bool) -> None:
    for name, value in numbers.items():
        if not math.isfinite(value) or value < 0 or (value == 0 and not zero):
            raise impossible(f"{name} {value}", "a finite number of 0 or more" if zero else "a finite number above 0")
