"""Steady states in closed form: of ideally spoiled and of balanced gradient echoes."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError


@dataclass(frozen=True, eq=False)
class SpoiledSteadyState:
    """The echo of a gradient-echo train whose transverse magnetisation is gone before every pulse.

    S = sin α·(1 − E₁)/(1 − E₁·cos α)·exp(−TE/T2), E₁ = exp(−TR/T1); largest at cos α = E₁, Ernst's angle.

    Args:
        flip: α, rad.
        repetition: TR, s.
        echo: TE, s.

    Returns (call):
        (...), in units of the equilibrium magnetisation.

    Raises:
        UsageError: GD-182 unless 0 ≤ TE ≤ TR and TR > 0.

    Source:
        Ernst & Anderson, Rev Sci Instrum 37:93-102 (1966).

    Example:
        >>> state = SpoiledSteadyState(math.acos(math.exp(-0.02)), 0.02, 0.0)
        >>> round(state(torch.tensor(1.0), torch.tensor(0.1)).item(), 4)
        0.1
    """

    flip: float | Tensor
    repetition: float | Tensor
    echo: float | Tensor

    def __post_init__(self) -> None:
        _require_times(float(self.repetition), float(self.echo))

    def __call__(self, t1: Tensor, t2: Tensor, *, b1: Tensor | None = None) -> Tensor:
        """The echo of voxels.

        Args:
            t1: (...), s.
            t2: (...), s.
            b1: (...), by what the flip is multiplied; 1 where not given.
        """
        flip = (torch.ones_like(t1) if b1 is None else b1) * self.flip
        recovery = torch.exp(-self.repetition / t1)
        return flip.sin() * (1 - recovery) / (1 - recovery * flip.cos()) * torch.exp(-self.echo / t2)


@dataclass(frozen=True, eq=False)
class BalancedSteadyState:
    """The echo of a train with every gradient balanced (bSSFP), pulses along x, of phase 0 or alternating.

    θ = 2π·Δf·TR + π for alternating phases; the magnetisation after a pulse, with D = (1 − E₁cos α)(1 − E₂cos θ) −
    E₂(E₁ − cos α)(E₂ − cos θ), is Mₓ + iM_y = −i·sin α·(1 − E₁)(1 − E₂e^{−iθ})/D, in the frame of that pulse; until
    the echo it decays and turns by exp(−TE/T2 + 2πi·Δf·TE). The signs of θ and i are those of a positive offset that
    turns by exp(+2πi·Δf·t).

    Args:
        flip: α, rad.
        repetition: TR, s.
        echo: TE, s.
        advance: by how much the phase grows from pulse to pulse, rad; π alternates.

    Returns (call):
        (...) complex, in units of the equilibrium magnetisation, relative to the last pulse's phase.

    Raises:
        UsageError: GD-182 unless 0 ≤ TE ≤ TR and TR > 0.

    Source:
        Freeman & Hill, J Magn Reson 4:366-383 (1971); Hargreaves, J Magn Reson Imaging 36:1300-1313 (2012).

    Example:
        >>> state = BalancedSteadyState(1.0, 0.004, 0.002)
        >>> round(abs(state(torch.tensor(1.0), torch.tensor(0.1), offset=torch.tensor(0.0)).item()), 3)
        0.137
    """

    flip: float | Tensor
    repetition: float | Tensor
    echo: float | Tensor
    advance: float = math.pi

    def __post_init__(self) -> None:
        _require_times(float(self.repetition), float(self.echo))

    def __call__(self, t1: Tensor, t2: Tensor, *, offset: Tensor, b1: Tensor | None = None) -> Tensor:
        """The echo of voxels.

        Args:
            t1: (...), s.
            t2: (...), s.
            offset: Δf, (...), Hz.
            b1: (...), by what the flip is multiplied; 1 where not given.
        """
        flip = (torch.ones_like(t1) if b1 is None else b1) * self.flip
        angle = 2 * math.pi * offset * self.repetition - self.advance
        along, across = torch.exp(-self.repetition / t1), torch.exp(-self.repetition / t2)
        cosine, turn = angle.cos(), torch.polar(torch.ones_like(angle), -angle)
        lower = (1 - along * flip.cos()) * (1 - across * cosine) - across * (along - flip.cos()) * (across - cosine)
        after = -1j * flip.sin() * (1 - along) * (1 - across * turn) / lower
        return after * torch.polar(torch.exp(-self.echo / t2).expand_as(angle), 2 * math.pi * offset * self.echo)


def _require_times(repetition: float, echo: float) -> None:
    if not 0 <= echo <= repetition < math.inf or repetition == 0:
        raise UsageError(
            "GD-182",
            given=f"an echo at {echo} s in a repetition of {repetition} s",
            allowed="0 ≤ TE ≤ TR and TR > 0",
            do="give times in s",
        )
