"""The diffusion weighting that a sequence delivers as its lobes grow, imaging gradients included."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T
from gradatim.base.waveform import Waveform

_PROBE = 0.01
"""Amplitude at which a weighting's coefficients are found, T/m; they do not depend on it."""


@dataclass(frozen=True, eq=False)
class DeliveredWeighting:
    """B(g) = B₀ + c gᵀ + g cᵀ + a·g gᵀ for lobes of amplitude vector g among gradients that stay.

    With q = q₀ + g·p(t): B₀ = ∫q₀q₀ᵀ dt of the imaging gradients alone, c = ∫q₀·p dt their cross terms with the lobes,
    a = ∫p² dt of lobes of 1 T/m.

    Args:
        imaging: B₀, (3, 3), s/m².
        cross: c, (3,), s/m² per T/m.
        lobes: a, s/m² per (T/m)².

    Example:
        >>> delivered = DeliveredWeighting(torch.zeros(3, 3).double(), torch.zeros(3).double(), 1e12)
        >>> delivered.amplitude(1e9, torch.tensor([1.0, 0.0, 0.0]).double()).tolist()
        [0.03162277660168379, 0.0, 0.0]
    """

    imaging: Tensor
    cross: Tensor
    lobes: float

    def matrix(self, amplitude: Tensor) -> Tensor:
        """B, (3, 3), s/m².

        Args:
            amplitude: g, (3,), T/m.
        """
        mixed = torch.outer(self.cross, amplitude)
        return self.imaging + mixed + mixed.T + self.lobes * torch.outer(amplitude, amplitude)

    def amplitude(self, b: float, direction: Tensor) -> Tensor:
        """The amplitude vector along a direction u with uᵀBu = b, (3,), T/m.

        Zero where the imaging gradients alone weight as much: less cannot be had.

        Args:
            b: s/m².
            direction: u, (3,), of length 1.
        """
        rest = float(direction @ self.imaging @ direction) - b
        if rest >= 0 or self.lobes == 0:
            return torch.zeros(3, dtype=torch.float64)
        mixed = float(self.cross @ direction)
        return direction * (-rest / (mixed + math.sqrt(mixed**2 - self.lobes * rest)))


def delivered_weighting(waveform: Callable[[Tensor], Waveform]) -> DeliveredWeighting:
    """The coefficients of a weighting, from three waveforms, exactly.

    Args:
        waveform: as the coherence feels it, for the amplitude vector of its lobes, (3,), T/m.
    """
    axis = torch.tensor([_PROBE, 0.0, 0.0], dtype=torch.float64)
    none, plus, minus = (
        PROTON_GAMMA_RAD_PER_S_T**2 * waveform(amplitude).squared_moment() for amplitude in (0 * axis, axis, -axis)
    )
    cross = (plus - minus)[:, 0] / (2 * _PROBE)
    cross[0] /= 2
    return DeliveredWeighting(none, cross, float((plus + minus - 2 * none)[0, 0]) / (2 * _PROBE**2))


@dataclass(frozen=True)
class DiffusionWeighting:
    """One weighting that is asked for.

    Args:
        b: s/m²; 1000 s/mm² is 1e9.
        direction: along which, of any length; without meaning where b is 0.

    Raises:
        UsageError: GD-172 for a b that is negative or not finite, or a direction without length.

    Example:
        >>> DiffusionWeighting(1e9, (0.0, 0.0, 2.0)).unit.tolist()
        [0.0, 0.0, 1.0]
    """

    b: float
    direction: tuple[float, float, float] = (1.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        length = math.hypot(*self.direction)
        if not (math.isfinite(self.b) and self.b >= 0 and math.isfinite(length) and length > 1e-6):
            raise UsageError(
                "GD-172",
                given=f"b = {self.b} s/m² along {self.direction}",
                allowed="b of 0 or more, and a direction that has a length",
                do="give b in s/m²: 1000 s/mm² is 1e9",
            )

    @property
    def unit(self) -> Tensor:
        """The direction with length 1, (3,)."""
        direction = torch.tensor(self.direction, dtype=torch.float64)
        return direction / direction.norm()


def weightings_of(
    b_values: tuple[float, ...], directions: tuple[tuple[float, float, float], ...]
) -> tuple[DiffusionWeighting, ...]:
    """Each b along each direction, b = 0 once.

    Args:
        b_values: s/m².
        directions: of any length.

    Example:
        >>> len(weightings_of((0.0, 5e8, 1e9), ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))))
        5
    """
    return tuple(
        DiffusionWeighting(b, direction) for b in b_values for direction in (directions if b else directions[:1])
    )
