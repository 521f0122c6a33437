"""The limits of pulsatile flow: slow, fast with a boundary layer, and inertia alone; each says whether it holds."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from gradatim.base.errors import UsageError
from gradatim.transport.womersley import womersley_function

_TOLERANCE = 0.01


@dataclass(frozen=True)
class Approximated:
    """A value from an approximation, with what it is worth.

    Args:
        value: M(α), the flow's share of what inertia alone would allow.
        error: relative, from the first term left out.
        exact_error: relative, against Womersley's function.
        holds: whether the error is below 1 %.
        reason: a sentence.
    """

    value: complex
    error: float
    exact_error: float
    holds: bool
    reason: str


class FlowLimit(ABC):
    """An approximation of M(α)."""

    def __call__(self, alpha: float) -> Approximated:
        """The approximation, and whether it holds.

        Args:
            alpha: Womersley's number.

        Raises:
            UsageError: GD-101 if α is not positive and finite.
        """
        if not (math.isfinite(alpha) and alpha > 0):
            raise UsageError("GD-101", given=f"α {alpha}", allowed="> 0", do="take it from Vessel.womersley")
        value, error = self._form(alpha)
        exact = womersley_function(alpha)
        holds = error < _TOLERANCE
        said = f"the first term left out is {100 * error:.2g} % of it at α = {alpha:.4g}"
        reason = f"holds: {said}" if holds else f"does not hold: {said}; use Womersley"
        return Approximated(value, error, abs(value / exact - 1), holds, reason)

    @abstractmethod
    def _form(self, alpha: float) -> tuple[complex, float]:
        """M and the relative size of the first term left out."""


@dataclass(frozen=True)
class QuasiSteady(FlowLimit):
    """Small α: M = (iα²/8)·(1 − iα²/6), Poiseuille's flow with the first breath of inertia.

    Source:
        The series of −J₂/J₀; the term left out is (11/384)·α⁴.

    Example:
        >>> QuasiSteady()(0.0378).holds, QuasiSteady()(4.08).holds
        (True, False)
    """

    def _form(self, alpha: float) -> tuple[complex, float]:
        return 1j * alpha**2 / 8 * (1 - 1j * alpha**2 / 6), 11 * alpha**4 / 384


@dataclass(frozen=True)
class BoundaryLayer(FlowLimit):
    """Large α: M = 1 − 2/(α√i) − i/α², a core that only feels inertia and a thin layer at the wall.

    Source:
        The asymptotic series of I₁/I₀ at √i·α; the term left out is 1/(4α³).

    Example:
        >>> BoundaryLayer()(18.889).holds
        True
    """

    def _form(self, alpha: float) -> tuple[complex, float]:
        root = complex(math.sqrt(0.5), math.sqrt(0.5))
        value = 1 - 2 / (alpha * root) - 1j / alpha**2
        return value, 1 / (4 * alpha**3 * abs(value))


@dataclass(frozen=True)
class InertiaAlone(FlowLimit):
    """No viscosity: M = 1, ∂u/∂t = G/ρ: a gradient of ρωU for a velocity U.

    Source:
        The balance of inertia and pressure; the term left out is 2/α.

    Example:
        >>> InertiaAlone()(18.889).reason
        'does not hold: the first term left out is 11 % of it at α = 18.89; use Womersley'
    """

    def _form(self, alpha: float) -> tuple[complex, float]:
        return 1.0 + 0j, 2 / alpha
