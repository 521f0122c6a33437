"""Closed forms of a buffered microdomain, each with what it is worth at every distance."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import exp1
from torch import Tensor

from gradatim.transport.calcium.microdomain import Microdomain, impossible, require_radius

_TOLERANCE = 0.05
_SATURATION = 4.0
"""Both of RBA's errors are of first order, and up to 3.2 times larger where the buffer is bound nearly whole."""


@dataclass(frozen=True, eq=False)
class Profile:
    """Calcium over distance, from an approximation.

    Args:
        calcium: c, (n,), mol/m³.
        error: its own estimate of its relative error, (n,).
        holds: (n,), bool, where that is below 5 %.
        reason: what the error comes from.
    """

    calcium: Tensor
    error: Tensor
    holds: Tensor
    reason: str


class SteadyApproximation(ABC):
    """A closed form of the steady state with one mobile buffer."""

    def __call__(self, domain: Microdomain, *, radius: Tensor) -> Profile:
        """The profile, with the estimate of its error.

        Args:
            domain: channel, cytosol and buffer.
            radius: r, (n,), m, > 0.

        Raises:
            InputError: GD-852 for a fixed buffer, whose steady state is that of free diffusion; GD-853 for r ≤ 0.
        """
        if domain.buffer.diffusivity == 0 or domain.buffer.total == 0:
            raise impossible("a buffer that does not move, or none", "a mobile buffer; else take free_diffusion")
        at = require_radius(radius)
        calcium = self._calcium(domain, at)
        error = self._error(domain, at, calcium)
        return Profile(calcium, error, error < _TOLERANCE, self._reason)

    @property
    @abstractmethod
    def _reason(self) -> str:
        """What it leaves out."""

    @abstractmethod
    def _calcium(self, domain: Microdomain, radius: Tensor) -> Tensor:
        """c(r), mol/m³."""

    @abstractmethod
    def _error(self, domain: Microdomain, radius: Tensor, calcium: Tensor) -> Tensor:
        """Estimate of the relative error."""


@dataclass(frozen=True)
class ExcessBuffer(SteadyApproximation):
    """EBA: c = c₀ + σ/(2πDr)·exp(−r/λ), λ = √(D/(k₊B₀)): the buffer never runs short, and lets nothing go.

    Its error: what the linearised form adds, and what the bound buffer would have caught on the way.

    Source:
        Neher, Exp Brain Res Ser 14:80-96, 1986.

    Example:
        >>> from gradatim.transport.calcium.microdomain import Buffer
        >>> bapta = Microdomain(0.1e-12, Buffer(1.0, 4e5, 1.76e-4, 95e-12))
        >>> found = ExcessBuffer()(bapta, radius=torch.tensor([10e-9], dtype=torch.float64))
        >>> round(found.calcium.item() * 1e3, 3), bool(found.holds)
        (26.77, True)
    """

    @property
    def _reason(self) -> str:
        return "the buffer is taken as never bound, and as never letting go"

    def _calcium(self, domain: Microdomain, radius: Tensor) -> Tensor:
        return domain.resting + domain.length / radius * (-radius / excess_length(domain)).exp()

    def _error(self, domain: Microdomain, radius: Tensor, calcium: Tensor) -> Tensor:
        returned = (Linearised()._calcium(domain, radius) - calcium).abs() / calcium
        return returned + _depletion(domain, radius)


@dataclass(frozen=True)
class Linearised(SteadyApproximation):
    """LIN: c = c₀ + σ/(2πr(D + κD_B))·[1 + (κD_B/D)·exp(−r/Λ)], 1/Λ² = k₊B₀/D + k₊(K + c₀)/D_B: small changes of B.

    Its error: what the bound buffer would have caught of calcium on its way, and how far from linear equilibrium is,
    (c − c₀)/(K + c₀), for what has come to it.

    Source:
        Stern, Cell Calcium 13:183-192, 1992; Naraghi & Neher, J Neurosci 17:6961-6973, 1997.

    Example:
        >>> from gradatim.transport.calcium.microdomain import Buffer
        >>> slow = Microdomain(0.1e-12, Buffer(0.1, 1e5, 1e-2, 50e-12))
        >>> found = Linearised()(slow, radius=torch.tensor([10e-9], dtype=torch.float64))
        >>> round(found.calcium.item() * 1e3, 3)
        35.582
    """

    @property
    def _reason(self) -> str:
        return "the buffer is taken as little changed from rest"

    def _calcium(self, domain: Microdomain, radius: Tensor) -> Tensor:
        ratio = _carried(domain)
        lag = ratio * (-radius / linear_length(domain)).exp()
        return domain.resting + domain.length / radius * (1 + lag) / (1 + ratio)

    def _error(self, domain: Microdomain, radius: Tensor, calcium: Tensor) -> Tensor:
        ratio = _carried(domain)
        slow = domain.length / radius / (1 + ratio)
        fast = slow * ratio * (-radius / linear_length(domain)).exp()
        bent = (calcium - domain.resting) / (domain.buffer.dissociation + domain.resting)
        settled = -(-radius / linear_length(domain)).expm1()
        return (fast * _depletion(domain, radius) + slow * settled * bent) / calcium


@dataclass(frozen=True)
class RapidBuffer(SteadyApproximation):
    """RBA: buffer and calcium in equilibrium everywhere, D·c + D_B·B_T·c/(K + c) = the same at rest + σ/(2πr).

    Its error: the calcium that has not met the buffer yet, by the linearised form, near the mouth all of it; and how
    far binding lags where the profile bends, D|∇²c| / (k₊·(B + (D/D_B)(K + c))).

    Source:
        Wagner & Keizer, Biophys J 67:447-456, 1994; Smith, Biophys J 71:3064-3072, 1996.

    Example:
        >>> from gradatim.transport.calcium.microdomain import Buffer
        >>> bapta = Microdomain(0.1e-12, Buffer(1.0, 4e5, 1.76e-4, 95e-12))
        >>> found = RapidBuffer()(bapta, radius=torch.tensor([10e-9], dtype=torch.float64))
        >>> round(found.calcium.item() * 1e3, 3), bool(found.holds)  # 26.934 is right
        (0.143, False)
    """

    @property
    def _reason(self) -> str:
        return "binding is taken as faster than diffusion"

    def _calcium(self, domain: Microdomain, radius: Tensor) -> Tensor:
        d, buffer, rest = domain.diffusivity, domain.buffer, domain.resting
        bound = buffer.diffusivity * buffer.total
        carried = d * rest + bound * rest / (buffer.dissociation + rest) + domain.source / (2 * math.pi * radius)
        half = (carried - bound - d * buffer.dissociation) / 2
        root = (half.square() + d * buffer.dissociation * carried).sqrt()
        # of the two forms of the root of a quadratic, the one that adds numbers of one sign
        larger = torch.where(half > 0, half + root, d * buffer.dissociation * carried / (root - half))
        return larger / d

    def _error(self, domain: Microdomain, radius: Tensor, calcium: Tensor) -> Tensor:
        ratio = _carried(domain)
        unmet = domain.length / radius * ratio / (1 + ratio) * (-radius / linear_length(domain)).exp()
        return _SATURATION * (unmet + self._lag(domain, radius, calcium)) / calcium

    def _lag(self, domain: Microdomain, radius: Tensor, calcium: Tensor) -> Tensor:
        """What c misses of equilibrium with its buffer; ∇²c = −W″·c′²/W′ with W(c) = D·c + D_B·B_T·c/(K + c)."""
        d, buffer = domain.diffusivity, domain.buffer
        held = buffer.dissociation + calcium
        carried = buffer.diffusivity * buffer.total * buffer.dissociation
        first, second = d + carried / held.square(), 2 * carried / held.pow(3)
        bend = second * (domain.source / (2 * math.pi * radius.square() * first)).square() / first
        free = buffer.total * buffer.dissociation / held
        return d * bend / (buffer.on_rate * (free + d / buffer.diffusivity * held))


def excess_length(domain: Microdomain) -> float:
    """λ = √(D/(k₊B₀)), m: how far calcium gets before it is bound.

    Args:
        domain: channel, cytosol and buffer.
    """
    return math.sqrt(domain.diffusivity / (domain.buffer.on_rate * domain.buffer.free(domain.resting)))


def linear_length(domain: Microdomain) -> float:
    """Λ = (k₊B₀/D + k₊(K + c₀)/D_B)^(−1/2), m: how far from equilibrium with the buffer calcium gets.

    Args:
        domain: with a mobile buffer.
    """
    buffer = domain.buffer
    release = buffer.on_rate * (buffer.dissociation + domain.resting) / buffer.diffusivity
    return 1 / math.sqrt(1 / excess_length(domain) ** 2 + release)


def _carried(domain: Microdomain) -> float:
    """κD_B/D: calcium that the buffer carries for one that goes free."""
    return domain.buffer.capacity(domain.resting) * domain.buffer.diffusivity / domain.diffusivity


def _depletion(domain: Microdomain, radius: Tensor) -> Tensor:
    """δ₀/2·(Ein(r/λ) + (1 − e^(−r/λ))·λ/r), δ₀ = σ/(2πλD_B·B₀): how much less is caught up to r, as B is bound.

    Calcium falls as exp(−∫dr/λ) with λ ∝ B^(−1/2), so that a depletion δ = δ₀·(1 − e^(−r/λ))·λ/r leaves ½∫δ dr/λ more.
    """
    length, buffer = excess_length(domain), domain.buffer
    deepest = domain.source / (2 * math.pi * length * buffer.diffusivity * buffer.free(domain.resting))
    x = (radius / length).numpy()
    return torch.from_numpy(deepest / 2 * (exp1(x) + np.log(x) + np.euler_gamma - np.expm1(-x) / x))
