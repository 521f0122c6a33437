"""What a pulse does to magnetisation anywhere: its Cayley-Klein parameters α and β, by exact rotations a step."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.sequence import TICKS, Pulse
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T, PROTON_GAMMA_RAD_PER_S_T
from gradatim.base.waveform import Waveform

STEPS_AT_ONCE = 64
"""Steps that are multiplied pairwise before the next are looked at; a matter of memory."""


@dataclass(frozen=True, eq=False)
class Spinor:
    """A rotation of magnetisation, U = [[α, −β*], [β, α*]], |α|² + |β|² = 1, in the frame that turns with B0.

    M₊ → (α*)²·M₊ − β²·M₊* + 2α*β·M_z. Source: Pauly, Le Roux, Nishimura and Macovski 1991, IEEE Transactions on
    Medical Imaging 10:53; here a positive offset turns M₊ by exp(+2πi·Δf·t), and a pulse turns M about B1 by +γB1t.

    Args:
        alpha: (...), complex128.
        beta: (...), complex128.

    Example:
        >>> rotation = spinor(torch.tensor([5.8717e-6 + 0j]), torch.tensor([1e-3]), torch.zeros(1, 1))
        >>> round(abs(rotation.transverse.item()), 4)
        1.0
    """

    alpha: Tensor
    beta: Tensor

    @property
    def transverse(self) -> Tensor:
        """M₊ that the rotation makes of magnetisation along B0, 2α*β."""
        return 2 * self.alpha.conj() * self.beta

    @property
    def refocused(self) -> Tensor:
        """|β|², the share of M₊ that comes back inverted between crushers, and of M_z that is inverted."""
        return _power(self.beta)

    @property
    def longitudinal(self) -> Tensor:
        """M_z that the rotation leaves of magnetisation along B0, |α|² − |β|²."""
        return _power(self.alpha) - _power(self.beta)

    def then(self, later: "Spinor") -> "Spinor":
        """This rotation followed by another."""
        return Spinor(*_product((later.alpha, later.beta), (self.alpha, self.beta)))

    def turned(self, cycles: Tensor) -> "Spinor":
        """This rotation followed by free precession of so many cycles, broadcast; M₊ turns by exp(2πi·cycles)."""
        half = torch.polar(torch.ones_like(cycles), math.pi * cycles)
        return Spinor(self.alpha * half.conj(), self.beta * half)


def spinor(field: Tensor, steps: Tensor, precession: Tensor) -> Spinor:
    """α and β of a field that is constant in steps, each step a rotation about the whole field in it.

    A step turns by φ = √(|γB1|² + (2πΔf)²)·t about n = (γB1_x, γB1_y, 2πΔf)·t/φ: α = cos(φ/2) − i·n_z·sin(φ/2),
    β = −i·(n_x + i·n_y)·sin(φ/2). Where B1 and Δf are constant in a step it is exact. Differentiable in all three.

    Args:
        field: B1, (n,) or broadcast to (..., n), T, complex.
        steps: t, (n,), s.
        precession: Δf, (..., n) or broadcast to it, Hz.

    Example:
        >>> found = spinor(torch.tensor([0j]), torch.tensor([1e-3]), torch.tensor([[250.0]]))
        >>> round(found.alpha.real.item(), 6), found.beta.abs().item()
        (0.707107, 0.0)
    """
    field, steps = field.to(torch.complex128), steps.to(torch.float64)
    total: tuple[Tensor, Tensor] | None = None
    count = len(steps)
    for first in range(0, count, STEPS_AT_ONCE):
        some = slice(first, min(first + STEPS_AT_ONCE, count))
        rotations = _rotations(_part(field, some), steps[some], _part(precession.to(torch.float64), some))
        chunk = _multiplied(*rotations)
        total = chunk if total is None else _product(chunk, total)
    return Spinor(*total) if total is not None else _identity(precession)


def pulse_spinor(
    pulse: Pulse,
    *,
    offset: Tensor,
    position: Tensor | None = None,
    gradients: Waveform | None = None,
    start: float = 0.0,
) -> Spinor:
    """α and β of a pulse, from its first edge to its last, for spins at offsets and places in a gradient.

    Δf = offset + γ̄·G·r. Within a step of the pulse the gradient's mean acts, which is exact where it is constant.

    Args:
        pulse: with its frequency and phase.
        offset: (...), Hz.
        position: r, (..., 3), m; None where no gradient acts.
        gradients: G(t); None for none.
        start: of the pulse's first edge on the gradients' clock, s.

    Returns:
        Spinor of the broadcast shape of offset and position.

    Example:
        >>> hard = Pulse(0, torch.tensor([0, 1000]), torch.tensor([5.8717e-3 + 0j]), centre=500)
        >>> round(pulse_spinor(hard, offset=torch.zeros(1)).refocused.item(), 3)
        0.5
    """
    edges = pulse.edges.to(torch.float64) / TICKS
    steps, precession = edges.diff(), (offset.to(torch.float64) - pulse.frequency)[..., None]
    if position is not None and gradients is not None:
        mean = gradients.moment(start + edges).diff(dim=0) / steps[:, None]
        precession = precession + PROTON_GAMMA_BAR_HZ_PER_T * (position.to(torch.float64) @ mean.T)
    phase = torch.tensor(pulse.phase, dtype=torch.float64)
    turned = spinor(pulse.field * torch.polar(torch.ones_like(phase), phase), steps, precession)
    return turned.turned(torch.full_like(offset, pulse.frequency * pulse.duration / TICKS, dtype=torch.float64))


def _rotations(field: Tensor, steps: Tensor, precession: Tensor) -> tuple[Tensor, Tensor]:
    """α and β of each step, (..., n)."""
    half = 0.5 * steps
    x = PROTON_GAMMA_RAD_PER_S_T * field.real * half
    y = PROTON_GAMMA_RAD_PER_S_T * field.imag * half
    z = 2 * math.pi * precession * half
    square = x * x + y * y + z * z
    small = square < 1e-8
    root = torch.where(small, 1.0, square).sqrt()
    cosine = torch.where(small, 1 - square / 2 + square**2 / 24, root.cos())
    sinc = torch.where(small, 1 - square / 6 + square**2 / 120, root.sin() / root)
    return torch.complex(cosine, -z * sinc), torch.complex((y * sinc).expand_as(z + x), (-x * sinc).expand_as(z + x))


def _multiplied(alpha: Tensor, beta: Tensor) -> tuple[Tensor, Tensor]:
    """The product of the rotations along the last axis, the first acting first, by halves."""
    while alpha.shape[-1] > 1:
        even = alpha.shape[-1] // 2 * 2
        rest = alpha[..., even:], beta[..., even:]
        alpha, beta = _product((alpha[..., 1:even:2], beta[..., 1:even:2]), (alpha[..., 0:even:2], beta[..., 0:even:2]))
        if rest[0].shape[-1]:
            alpha, beta = torch.cat([alpha, rest[0]], -1), torch.cat([beta, rest[1]], -1)
    return alpha[..., 0], beta[..., 0]


def _product(later: tuple[Tensor, Tensor], first: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """One rotation after another: α = α₂α₁ − β₂*β₁, β = β₂α₁ + α₂*β₁."""
    (a2, b2), (a1, b1) = later, first
    return a2 * a1 - b2.conj() * b1, b2 * a1 + a2.conj() * b1


def _part(values: Tensor, some: slice) -> Tensor:
    return values[..., some] if values.shape[-1] > 1 else values


def _identity(precession: Tensor) -> Spinor:
    one = torch.ones(precession.shape[:-1], dtype=torch.complex128)
    return Spinor(one, torch.zeros_like(one))


def _power(value: Tensor) -> Tensor:
    return value.real**2 + value.imag**2
