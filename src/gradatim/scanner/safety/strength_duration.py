"""The hyperbola of strength and duration: how fast a field may change for how long, and the limits made of it."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError


@dataclass(frozen=True)
class StrengthDuration:
    """The dB/dt at which nerves are stimulated: r·(1 + c/tₛ), T/s, of a change that lasts tₛ.

    A longer change needs less; at tₛ = c twice the rheobase r is needed. Differentiable. The hyperbola was measured
    with changes of tenths of milliseconds; thresholds have been found to have a minimum near 25 kHz, so it must not be
    extrapolated to faster ones. An estimate, not a clearance.

    Args:
        rheobase: r, T/s.
        chronaxie: c, s.

    Raises:
        UsageError: GD-175 unless both are positive and finite.

    References:
        IEC 60601-2-33; Bourland JD, Nyenhuis JA, Schaefer DJ: Physiologic effects of intense MR imaging gradient
        fields. Neuroimaging Clin N Am 9 (1999) 363.

    Example:
        >>> round(float(FIRST_LEVEL(0.3e-3)), 6)
        44.0
    """

    rheobase: float
    chronaxie: float

    def __post_init__(self) -> None:
        both = (self.rheobase, self.chronaxie)
        if not all(math.isfinite(number) and number > 0 for number in both):
            raise UsageError(
                "GD-175",
                given=f"rheobase {self.rheobase} T/s, chronaxie {self.chronaxie} s",
                allowed="both positive and finite",
                do="give the chronaxie in s: 0.36 ms is 0.36e-3",
            )

    def __call__(self, duration: float | Tensor) -> Tensor:
        """The dB/dt that is reached at the limit, T/s.

        Args:
            duration: tₛ, how long the field changes in one direction, s, > 0.

        Raises:
            UsageError: GD-177 unless it is positive.
        """
        return self.rheobase * (1 + self.chronaxie / _positive(duration))

    def of_swing(self, swing: float, slew: float, *, lever: float = 0.2) -> float:
        """The share of the limit that one swing of a gradient reaches, the field taken at a lever from the isocentre.

        dB/dt = lever·slew for tₛ = swing/slew: a rule of thumb, not the field of a real coil.

        Args:
            swing: from end to end, T/m; from −40 to +40 mT/m is 0.08.
            slew: T/(m·s).
            lever: m.

        Raises:
            UsageError: GD-177 unless all are positive.

        Example:
            >>> round(FIRST_LEVEL.of_swing(0.08, 150.0), 2)
            0.9
        """
        given = _positive(torch.tensor([swing, slew, lever], dtype=torch.float64))
        return float(given[2] * given[1] / self(given[0] / given[1]))


@dataclass(frozen=True)
class CardiacLimit:
    """The dB/dt that must not be passed for the heart's sake: a/(1 − exp(−tₛ/τ)), T/s.

    Args:
        strength: a, T/s.
        time_constant: τ, s.

    References:
        IEC 60601-2-33.

    Example:
        >>> round(float(CardiacLimit()(1e-3)), 1)
        70.6
    """

    strength: float = 20.0
    time_constant: float = 3e-3

    def __call__(self, duration: float | Tensor) -> Tensor:
        """The limit, T/s.

        Args:
            duration: tₛ, s, > 0.

        Raises:
            UsageError: GD-177 unless it is positive.
        """
        return self.strength / -torch.expm1(-_positive(duration) / self.time_constant)


FIRST_LEVEL = StrengthDuration(20.0, 0.36e-3)
"""The limit of the first level controlled operating mode, IEC 60601-2-33: the mean threshold of people."""

NORMAL_MODE = StrengthDuration(16.0, 0.36e-3)
"""The limit of the normal operating mode: 0.8 of the first level."""

BOURLAND_Y = StrengthDuration(15.0, 0.37e-3)
"""Mean thresholds of 84 people in a y gradient, Bourland 1999."""

BOURLAND_Z = StrengthDuration(26.0, 0.38e-3)
"""Mean thresholds of 84 people in a z gradient, Bourland 1999."""


def _positive(values: float | Tensor) -> Tensor:
    """Values as float64."""
    given = values.double() if isinstance(values, Tensor) else torch.tensor(values, dtype=torch.float64)
    if not bool((torch.isfinite(given) & (given > 0)).all()):
        raise UsageError(
            "GD-177",
            given=f"{given.detach().tolist()}",
            allowed="positive finite durations, swings, slews and levers",
            do="give durations in s, gradients in T/m and T/(m·s), levers in m",
        )
    return given
