"""Pulsatile flow in a tube: Womersley's exact solution, harmonic by harmonic, and its inverse."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import jve
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.transport.vessel import Vessel

_I32 = complex(np.exp(0.75j * np.pi))
"""i^(3/2)."""
_SMALL = 0.3
"""Below this α the profile comes from its power series."""
_SINGLE = 1e-6
"""How far outside a wall may lie that was written in single precision."""


@dataclass(frozen=True)
class Womersley:
    """Flow under a pressure gradient that is a sum of harmonics, −∂p/∂z = Re Σ Gₙ e^(inωt), n = 0, 1, 2 ...

    With Λ = i^(3/2)·α for each harmonic: u(r) = Gₙ/(iωρ)·(1 − J₀(Λr/R)/J₀(Λ)), Q = πR²·Gₙ/(iωρ)·M with
    M = 1 − 2J₁(Λ)/(Λ J₀(Λ)), and wall shear τ = Gₙ·R·(1 − M)/2. The harmonic n = 0 is Poiseuille's. The inverse
    divides by the impedance, Gₙ = Qₙ·Zₙ. Everything is linear in the harmonics, and differentiable in them alone.

    Args:
        vessel: the tube and its fluid.
        frequency: of the first harmonic, ω/2π, Hz.

    Raises:
        UsageError: GD-101 if the frequency is not positive, harmonics are not a complex vector, or a radius is outside.

    Source:
        Womersley, J Physiol 127:553-563, 1955.

    Example:
        >>> aorta = Womersley(Vessel(0.0125), frequency=1.2)
        >>> mean = aorta.mean_velocity(torch.tensor([0.0, 1000.0], dtype=torch.complex128))
        >>> round(mean[1].abs().item(), 4)  # m/s; Poiseuille would say 5.58
        0.1161
    """

    vessel: Vessel
    frequency: float

    def __post_init__(self) -> None:
        self.vessel.womersley(self.frequency)

    def alphas(self, count: int) -> Tensor:
        """α of each harmonic, (count,); 0 for the steady one.

        Args:
            count: of harmonics, the steady one included.
        """
        return self.vessel.womersley(self.frequency) * torch.arange(count, dtype=torch.float64).sqrt()

    def velocity(self, gradient: Tensor, *, radius: Tensor) -> Tensor:
        """u(r), complex amplitudes, (..., harmonics), m/s.

        Args:
            gradient: Gₙ, (harmonics,), complex, Pa/m, the steady one first.
            radius: r, (...), m, 0 to R.
        """
        share = radius.to(torch.float64) / self.vessel.radius
        if bool((share < 0).any()) or bool((share > 1 + _SINGLE).any()) or not bool(share.isfinite().all()):
            raise UsageError("GD-101", given="a radius outside of the vessel", allowed="0 to R", do="give r in m")
        share = share.clamp(max=1.0)
        harmonics = _vector(gradient)
        alpha = self.alphas(len(harmonics)).numpy()
        shape = np.empty((*share.shape, len(alpha)), dtype=np.complex128)
        steady = self.vessel.radius**2 / (4 * self.vessel.viscosity)
        shape[..., 0] = steady * (1 - share.numpy() ** 2)
        for n, a in enumerate(alpha[1:], 1):
            shape[..., n] = self._inertial(n) * _profile(a, share.numpy())
        return torch.from_numpy(shape) * harmonics

    def mean_velocity(self, gradient: Tensor) -> Tensor:
        """Q/(πR²), complex amplitudes, (harmonics,), m/s.

        Args:
            gradient: Gₙ, (harmonics,), Pa/m, the steady one first.
        """
        harmonics = _vector(gradient)
        return harmonics * self._mean(len(harmonics))

    def flow(self, gradient: Tensor) -> Tensor:
        """Q, complex amplitudes, (harmonics,), m³/s.

        Args:
            gradient: Gₙ, (harmonics,), Pa/m.
        """
        return math.pi * self.vessel.radius**2 * self.mean_velocity(gradient)

    def wall_shear(self, gradient: Tensor) -> Tensor:
        """τ = −μ·∂u/∂r at the wall, complex amplitudes, (harmonics,), Pa.

        Args:
            gradient: Gₙ, (harmonics,), Pa/m.
        """
        harmonics = _vector(gradient)
        drag = [1.0, *(1 - womersley_function(a) for a in self.alphas(len(harmonics))[1:].tolist())]
        return harmonics * torch.tensor(drag, dtype=torch.complex128) * self.vessel.radius / 2

    def impedance(self, harmonics: int) -> Tensor:
        """Zₙ = Gₙ/Qₙ, (harmonics,), Pa·s/m⁴: pressure gradient a flow needs.

        Args:
            harmonics: how many, the steady one included.
        """
        return 1.0 / (math.pi * self.vessel.radius**2 * self._mean(harmonics))

    def gradient_of_flow(self, flow: Tensor) -> Tensor:
        """The inverse: Gₙ = Zₙ·Qₙ, (harmonics,), Pa/m.

        Args:
            flow: Qₙ, (harmonics,), m³/s, complex, the steady one first.
        """
        harmonics = _vector(flow)
        return harmonics * self.impedance(len(harmonics))

    def gradient_of_velocity(self, velocity: Tensor, *, radius: float = 0.0) -> Tensor:
        """The inverse from one point of the profile: Gₙ from uₙ(r), (harmonics,), Pa/m.

        Args:
            velocity: uₙ, (harmonics,), m/s, complex, measured at ``radius``, e.g. on the axis by Doppler or phase
                contrast.
            radius: r, m, inside of the vessel and not at its wall.
        """
        if not 0 <= radius < self.vessel.radius:
            raise UsageError("GD-101", given=f"r {radius} m", allowed="0 to R, without R", do="measure off the wall")
        harmonics = _vector(velocity)
        unit = torch.ones(len(harmonics), dtype=torch.complex128)
        return harmonics / self.velocity(unit, radius=torch.tensor(radius, dtype=torch.float64))

    def _inertial(self, n: int) -> complex:
        """1/(i n ω ρ)."""
        return 1.0 / (1j * n * 2 * math.pi * self.frequency * self.vessel.density)

    def _mean(self, count: int) -> Tensor:
        """Mean velocity for a unit gradient, each harmonic."""
        steady = self.vessel.radius**2 / (8 * self.vessel.viscosity)
        pulses = [self._inertial(n) * womersley_function(a) for n, a in enumerate(self.alphas(count).tolist()) if n]
        return torch.tensor([steady, *pulses], dtype=torch.complex128)


def womersley_function(alpha: float) -> complex:
    """M(α) = 1 − 2J₁(Λ)/(Λ·J₀(Λ)) = −J₂(Λ)/J₀(Λ), Λ = i^(3/2)·α: the flow's share of what inertia alone would allow.

    The second form loses no digits for small α; scaled Bessel functions overflow for no α.

    Args:
        alpha: Womersley's number, > 0.

    Returns:
        |M| below 1; its argument is how much less than 90° the flow lags behind the gradient.

    Example:
        >>> round(abs(womersley_function(18.889)), 4)
        0.9279
    """
    z = _I32 * alpha
    return complex(-jve(2, z) / jve(0, z))


def _profile(alpha: float, share: np.ndarray) -> np.ndarray:
    """1 − J₀(Λs)/J₀(Λ), to full precision for small α too."""
    z = _I32 * alpha
    if alpha < _SMALL:
        w = z**2 / 4
        powers = [(-w) ** k / math.factorial(k) ** 2 for k in range(1, 7)]
        difference = sum(power * (1 - share ** (2 * k)) for k, power in enumerate(powers, 1))
        return np.asarray(difference / (1 + sum(powers)))
    scaled = jve(0, z * share) / jve(0, z) * np.exp(abs(z.imag) * (share - 1))
    return np.asarray(1 - scaled)


def _vector(harmonics: Tensor) -> Tensor:
    if harmonics.ndim != 1 or not len(harmonics) or not bool(torch.isfinite(torch.view_as_real(harmonics + 0j)).all()):
        raise UsageError(
            "GD-101",
            given=f"harmonics of shape {tuple(harmonics.shape)}",
            allowed="a vector of finite complex amplitudes, the steady one first",
            do="take them from harmonics_of(series)",
        )
    return harmonics.to(torch.complex128)
