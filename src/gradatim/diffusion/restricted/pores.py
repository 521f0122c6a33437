"""Pores with reflecting walls, by the modes of the diffusion equation in them."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import j1, jv, jvp, spherical_jn
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.diffusion.restricted.bessel_roots import cylinder_roots, sphere_roots

_NEAR = 1e-5
"""How close to a root a quotient is replaced by its expansion."""


class Pore(ABC):
    """A closed pore, seen along the gradient; nothing passes or relaxes at its walls.

    The wall's normal lies in the gradient's plane: planes and cylinders are seen perpendicular to their walls. A mode n
    decays as exp(−α_n²·D·t/size²).
    """

    @property
    @abstractmethod
    def size(self) -> float:
        """The length that α is in units of, m: the spacing of planes, the radius of cylinders and spheres."""

    @property
    @abstractmethod
    def dimensions(self) -> int:
        """In how many directions walls confine."""

    @property
    @abstractmethod
    def surface_to_volume(self) -> float:
        """S/V, 1/m."""

    @property
    @abstractmethod
    def mean_square(self) -> float:
        """⟨x²⟩ from the centre, along the gradient, in units of size²."""

    @property
    @abstractmethod
    def slowest(self) -> float:
        """The smallest α of all modes but the constant one."""

    @abstractmethod
    def position_modes(self, cutoff: int) -> tuple[Tensor, Tensor]:
        """⟨x(0)·x(t)⟩ = size²·Σ B_n·exp(−α_n²·D·t/size²): B and α up to a cutoff, each (modes,), float64."""

    @abstractmethod
    def form(self, wavenumber: Tensor) -> Tensor:
        """The Fourier transform of the pore, 1 at 0: all that is left of the echo after a long time is its square.

        Args:
            wavenumber: 2πq in units of 1/size, (n,), float64.
        """

    @abstractmethod
    def echo_modes(self, wavenumber: Tensor, cutoff: int) -> tuple[Tensor, Tensor]:
        """E = form² + Σ A_n·exp(−α_n²·D·Δ/size²): A (n, modes) and α (modes,) up to a cutoff; all A are ≥ 0.

        Without time E is 1, so that 1 − form² − Σ A is what the modes beyond the cutoff hold.

        Args:
            wavenumber: 2πq in units of 1/size, (n,), float64.
            cutoff: largest α.
        """


@dataclass(frozen=True)
class Planes(Pore):
    """Two parallel planes, the gradient perpendicular to them.

    Args:
        spacing: m.

    Raises:
        UsageError: GD-194 unless the spacing is positive.

    Source:
        Tanner & Stejskal, J Chem Phys 49:1768-1777, 1968 (short pulses); Neuman, J Chem Phys 60:4508-4511, 1974.

    Example:
        >>> round(Planes(2e-6).position_modes(400)[0].sum().item(), 6)  # 1/12
        0.083333
    """

    spacing: float

    def __post_init__(self) -> None:
        _require(self.spacing, "planes {} m apart")

    @property
    def size(self) -> float:
        return self.spacing

    @property
    def dimensions(self) -> int:
        return 1

    @property
    def surface_to_volume(self) -> float:
        return 2.0 / self.spacing

    @property
    def mean_square(self) -> float:
        return 1.0 / 12.0

    @property
    def slowest(self) -> float:
        return math.pi

    def position_modes(self, cutoff: int) -> tuple[Tensor, Tensor]:
        roots = math.pi * torch.arange(1, max(2, int(cutoff / math.pi) + 1), 2, dtype=torch.float64)
        return 8.0 / roots**4, roots

    def form(self, wavenumber: Tensor) -> Tensor:
        return _sinc(wavenumber)

    def echo_modes(self, wavenumber: Tensor, cutoff: int) -> tuple[Tensor, Tensor]:
        orders = torch.arange(1, int(cutoff / math.pi) + 1, dtype=torch.float64)
        roots, sign = math.pi * orders, 1.0 - 2.0 * (orders % 2)
        p = wavenumber[:, None]
        return 0.5 * (_sinc(p + roots) + sign * _sinc(p - roots)).square(), roots


@dataclass(frozen=True)
class Cylinder(Pore):
    """A long cylinder, the gradient perpendicular to its axis.

    Args:
        radius: m.

    Raises:
        UsageError: GD-194 unless the radius is positive.

    Source:
        Callaghan, J Magn Reson A 113:53-59, 1995 (short pulses); Neuman, J Chem Phys 60:4508-4511, 1974, and van
        Gelderen et al., J Magn Reson B 103:255-260, 1994 (Gaussian phase).

    Example:
        >>> round(Cylinder(2e-6).position_modes(400)[0].sum().item(), 6)  # 1/4
        0.25
    """

    radius: float

    def __post_init__(self) -> None:
        _require(self.radius, "a cylinder of radius {} m")

    @property
    def size(self) -> float:
        return self.radius

    @property
    def dimensions(self) -> int:
        return 2

    @property
    def surface_to_volume(self) -> float:
        return 2.0 / self.radius

    @property
    def mean_square(self) -> float:
        return 0.25

    @property
    def slowest(self) -> float:
        return 1.8411837813406593

    def position_modes(self, cutoff: int) -> tuple[Tensor, Tensor]:
        roots = torch.from_numpy(cylinder_roots(1, cutoff))
        return 2.0 / (roots**2 * (roots**2 - 1.0)), roots

    def form(self, wavenumber: Tensor) -> Tensor:
        p = wavenumber.numpy()
        return torch.from_numpy(np.where(p == 0, 1.0, 2.0 * j1(p) / np.where(p == 0, 1.0, p)))

    def echo_modes(self, wavenumber: Tensor, cutoff: int) -> tuple[Tensor, Tensor]:
        p, weights, found = wavenumber.numpy(), [], []
        for order in range(cutoff):
            roots = cylinder_roots(order, cutoff)
            share = 1.0 - (order / roots) ** 2
            second = -share * jv(order, roots)
            third = -(3.0 * second + 2.0 * jv(order, roots)) / roots
            quotient = _quotient(jvp(order, p), p, roots, second, third)
            weights.append((4.0 if order == 0 else 8.0) / share * (p[:, None] * quotient / (p[:, None] + roots)) ** 2)
            found.append(roots)
        return torch.from_numpy(np.concatenate(weights, 1)), torch.from_numpy(np.concatenate(found))


@dataclass(frozen=True)
class Sphere(Pore):
    """A sphere.

    Args:
        radius: m.

    Raises:
        UsageError: GD-194 unless the radius is positive.

    Source:
        Balinov et al., J Magn Reson A 104:17-25, 1993, and Callaghan, J Magn Reson A 113:53-59, 1995 (short pulses);
        Murday & Cotts, J Chem Phys 48:4938-4945, 1968 (Gaussian phase).

    Example:
        >>> round(Sphere(2e-6).position_modes(400)[0].sum().item(), 6)  # 1/5
        0.2
    """

    radius: float

    def __post_init__(self) -> None:
        _require(self.radius, "a sphere of radius {} m")

    @property
    def size(self) -> float:
        return self.radius

    @property
    def dimensions(self) -> int:
        return 3

    @property
    def surface_to_volume(self) -> float:
        return 3.0 / self.radius

    @property
    def mean_square(self) -> float:
        return 0.2

    @property
    def slowest(self) -> float:
        return 2.081575977818101

    def position_modes(self, cutoff: int) -> tuple[Tensor, Tensor]:
        roots = torch.from_numpy(sphere_roots(1, cutoff))
        return 2.0 / (roots**2 * (roots**2 - 2.0)), roots

    def form(self, wavenumber: Tensor) -> Tensor:
        p = wavenumber.numpy()
        return torch.from_numpy(np.where(p == 0, 1.0, 3.0 * spherical_jn(1, p) / np.where(p == 0, 1.0, p)))

    def echo_modes(self, wavenumber: Tensor, cutoff: int) -> tuple[Tensor, Tensor]:
        p, weights, found = wavenumber.numpy(), [], []
        for order in range(cutoff):
            roots = sphere_roots(order, cutoff)
            share = 1.0 - order * (order + 1) / roots**2
            value = spherical_jn(order, roots)
            second = -share * value
            third = -(4.0 * second + 2.0 * value) / roots
            quotient = _quotient(spherical_jn(order, p, derivative=True), p, roots, second, third)
            weights.append(6.0 * (2 * order + 1) / share * (p[:, None] * quotient / (p[:, None] + roots)) ** 2)
            found.append(roots)
        return torch.from_numpy(np.concatenate(weights, 1)), torch.from_numpy(np.concatenate(found))


def _quotient(
    slope: NDArray[np.float64],
    p: NDArray[np.float64],
    roots: NDArray[np.float64],
    second: NDArray[np.float64],
    third: NDArray[np.float64],
) -> NDArray[np.float64]:
    """f′(p)/(p − α), (n, roots), by its expansion where p lies on a root of f′."""
    apart = p[:, None] - roots
    close = np.abs(apart) < _NEAR
    return np.where(close, second + 0.5 * third * apart, slope[:, None] / np.where(close, 1.0, apart))


def _sinc(z: Tensor) -> Tensor:
    """sin(z/2)/(z/2)."""
    return torch.sinc(z / (2.0 * math.pi))


def _require(size: float, what: str) -> None:
    if not 0 < size < math.inf:
        raise UsageError(
            "GD-194", given=what.format(size), allowed="a positive length", do="give metres: 5 µm are 5e-6"
        )
