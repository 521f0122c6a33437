"""Signal after a pair of pulses in a pore: short pulses, Gaussian phase, long times; each says where it holds."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.diffusion.restricted.cumulant import checked, half_variance, half_variance_of_short_pulses
from gradatim.diffusion.restricted.pores import Pore
from gradatim.diffusion.restricted.pulses import Attenuation, PulsePair

FINEST = 100.0
"""Largest 2πq·size of the series."""

_AT_ONCE = 256


@dataclass(frozen=True)
class RestrictedSignal(ABC):
    """A way to the signal of spins between reflecting walls.

    Args:
        tolerance: error up to which the signal is said to hold, as a share of the signal without gradients.

    Raises:
        UsageError: GD-194 unless the tolerance lies between 0 and 1.
    """

    tolerance: float = 0.01

    def __post_init__(self) -> None:
        if not 0 < self.tolerance < 1:
            raise UsageError(
                "GD-194", given=f"tolerance {self.tolerance}", allowed="a share between 0 and 1", do="use 0.01"
            )

    @abstractmethod
    def __call__(self, pore: Pore, pulses: PulsePair, *, diffusivity: Tensor | float) -> Attenuation:
        """The signal of one pore; (...) of the pulses.

        Args:
            pore: between whose walls.
            pulses: rectangular.
            diffusivity: D in the free liquid, m²/s.

        Raises:
            UsageError: GD-194 unless D is positive.
        """


@dataclass(frozen=True)
class GaussianPhase(RestrictedSignal):
    """E = exp(−½⟨φ²⟩), as if phases had a normal distribution: exact for weak gradients, however long the pulses.

    Its error is estimated against short pulses that give the phase the same variance, for which the signal is known
    exactly, minima included. Beyond 2πq·size = 100 nothing is claimed. Differentiable in pulses and D.

    Source:
        Murday & Cotts, J Chem Phys 48:4938-4945, 1968 (spheres); Neuman, J Chem Phys 60:4508-4511, 1974 (planes,
        cylinders); van Gelderen et al., J Magn Reson B 103:255-260, 1994 (cylinders).

    Example:
        >>> from gradatim.diffusion.restricted.pores import Sphere
        >>> found = GaussianPhase()(Sphere(5e-6), PulsePair(0.05, 0.01, 0.05), diffusivity=2e-9)
        >>> round(found.signal.item(), 4), found.holds.item()
        (0.9638, True)
    """

    def __call__(self, pore: Pore, pulses: PulsePair, *, diffusivity: Tensor | float) -> Attenuation:
        half, left = half_variance(pore, pulses, diffusivity)
        signal = torch.exp(-half)
        with torch.no_grad():
            seen, free = _seen(pore, pulses, diffusivity), checked(diffusivity)
            exact, rest = _echo(pore, seen.clamp_max(FINEST), _elapsed(pore, pulses, free))
            error = torch.where(seen > FINEST, 1.0, (exact - signal).abs() + rest + signal * left)
        return Attenuation(signal, error, self.tolerance)


@dataclass(frozen=True)
class ShortPulse(RestrictedSignal):
    """E(q, Δ) = Σ A_n(q)·exp(−α_n²·D·Δ/size²), as if nothing moved during a pulse: exact for any q.

    During a pulse spins wander towards the middle of their pore, as if q or the pore were smaller. The error is how far
    the echo lies from that of the smaller q with which the variance of the phase is right; what the modes left out hold
    is added. Differentiable in Δ and D only.

    Raises:
        InputError: when called, GD-854 beyond 2πq·size = 100.

    Source:
        Tanner & Stejskal, J Chem Phys 49:1768-1777, 1968; Balinov et al., J Magn Reson A 104:17-25, 1993; Callaghan,
        J Magn Reson A 113:53-59, 1995.

    Example:
        >>> from gradatim.diffusion.restricted.pores import Planes
        >>> found = ShortPulse()(Planes(10e-6), PulsePair(1.0, 1e-4, 0.05), diffusivity=2e-9)
        >>> round(found.signal.item(), 4), found.holds.item()
        (0.9941, True)
    """

    def __call__(self, pore: Pore, pulses: PulsePair, *, diffusivity: Tensor | float) -> Attenuation:
        _require_coarse(pore, pulses)
        elapsed = _elapsed(pore, pulses, checked(diffusivity))
        signal, left = _echo(pore, pulses.wavenumber.detach().abs() * pore.size, elapsed)
        with torch.no_grad():
            shorter, _ = _echo(pore, _seen(pore, pulses, diffusivity), elapsed)
            error = (signal - shorter).abs() + left
        return Attenuation(signal, error, self.tolerance)


@dataclass(frozen=True)
class LongTime(RestrictedSignal):
    """E = |form(q)|², when each spin may be anywhere in its pore: its Fourier transform, with diffraction minima.

    Minima lie at q = 1/spacing for planes, 0.61/radius for cylinders and 0.72/radius for spheres. The error is bounded
    by the slowest mode, (1 − E)·exp(−α₁²·D·Δ/size²), to which what the pulses' length does is added. Without gradient.

    Raises:
        InputError: when called, GD-854 beyond 2πq·size = 100.

    Source:
        Callaghan et al., Nature 351:467-469, 1991.

    Example:
        >>> from gradatim.diffusion.restricted.pores import Planes
        >>> found = LongTime()(Planes(10e-6), PulsePair(1.0, 1e-4, 0.2), diffusivity=2e-9)
        >>> round(found.signal.item(), 4), found.holds.item()
        (0.9941, True)
    """

    def __call__(self, pore: Pore, pulses: PulsePair, *, diffusivity: Tensor | float) -> Attenuation:
        _require_coarse(pore, pulses)
        with torch.no_grad():
            elapsed = _elapsed(pore, pulses, checked(diffusivity))
            wavenumber = (pulses.wavenumber.abs() * pore.size).expand(elapsed.shape)
            signal, shorter = (_settled(pore, p) for p in (wavenumber, _seen(pore, pulses, diffusivity)))
            error = (1.0 - signal) * torch.exp(-(pore.slowest**2) * elapsed) + (signal - shorter).abs()
        return Attenuation(signal, error, self.tolerance)


def _elapsed(pore: Pore, pulses: PulsePair, free: Tensor) -> Tensor:
    """D·Δ/size², of the shape of the answer."""
    _, _, separation = pulses.terms
    return free * separation / pore.size**2


def _settled(pore: Pore, wavenumber: Tensor) -> Tensor:
    return pore.form(wavenumber.reshape(-1)).reshape(wavenumber.shape).square()


def _echo(pore: Pore, wavenumber: Tensor, elapsed: Tensor) -> tuple[Tensor, Tensor]:
    """The sum over modes, and a bound of what is left out."""
    wavenumber, elapsed = torch.broadcast_tensors(wavenumber, elapsed)
    p, times, shape = wavenumber.reshape(-1), elapsed.reshape(-1)[:, None], wavenumber.shape
    more = 6.0 / math.sqrt(max(float(times.detach().min()), 1e-300))
    cutoff = int(float(p.max()) + min(max(more, 12.0), 64.0)) + 1
    echoes, rest = [], []
    for few, when in zip(p.split(_AT_ONCE), times.split(_AT_ONCE), strict=True):
        first = pore.form(few).square()
        weights, roots = pore.echo_modes(few, cutoff)
        rest.append((1.0 - first - weights.sum(1)).clamp_min(0.0) * torch.exp(-(float(cutoff) ** 2) * when[:, 0]))
        echoes.append(first + (weights * torch.exp(-(roots**2) * when)).sum(1))
    return torch.cat(echoes).reshape(shape), torch.cat(rest).detach().reshape(shape)


def _seen(pore: Pore, pulses: PulsePair, diffusivity: Tensor | float) -> Tensor:
    """2πq·size of the short pulses that give the phase the same variance: spins move to the pore's middle."""
    long = half_variance(pore, pulses, diffusivity)[0].detach()
    short = half_variance_of_short_pulses(pore, pulses, diffusivity).detach()
    share = torch.where(short > 0, long / torch.where(short > 0, short, 1.0), 1.0).sqrt()
    return pulses.wavenumber.detach().abs() * pore.size * share


def _require_coarse(pore: Pore, pulses: PulsePair) -> None:
    finest = float((pulses.wavenumber.detach().abs() * pore.size).max())
    if finest > FINEST:
        raise InputError(
            "GD-854",
            given=f"2πq·size = {finest:.4g}",
            allowed=f"up to {FINEST:g}",
            do="give weaker or shorter pulses, or a smaller pore; beyond, all signal is gone",
        )
