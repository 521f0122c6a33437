"""Gradients to the tensors that an operator is made of, through every way of composing operators."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from gradatim.linop.crop import Crop, Pad
from gradatim.linop.diagonal import Diagonal
from gradatim.linop.difference import Gradient, PeriodicGradient
from gradatim.linop.dipole import Dipole
from gradatim.linop.fft import rfftn
from gradatim.linop.identity import Identity
from gradatim.linop.multiplier import FourierMultiplier
from gradatim.linop.operator import LinearOperator

SHAPE, SPACING = (3, 4, 2), (1.0, 0.5, 2.0)


def _random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def _padded(kernel: Tensor) -> LinearOperator:
    """A convolution without wrap-around, its kernel a variable."""
    pad = Pad.centred((3, 4), (6, 6))
    return Crop(pad) @ FourierMultiplier(rfftn(kernel, ndim=2), (6, 6)) @ pad


BUILDERS = {
    "diagonal": (lambda w: Diagonal(w), SHAPE),
    "composition": (lambda w: PeriodicGradient(SHAPE, SPACING) @ Diagonal(w), SHAPE),
    "composition, outside": (lambda w: Diagonal(w) @ Gradient(SHAPE, SPACING), (3, *SHAPE)),
    "sum": (lambda w: Diagonal(w) + Identity(SHAPE), SHAPE),
    "scaled": (lambda w: -2.0 * Diagonal(w), SHAPE),
    "adjoint": (lambda w: (Diagonal(w) @ Dipole(SHAPE, SPACING)).H, SHAPE),
    "symbol": (lambda w: FourierMultiplier(rfftn(w), SHAPE), SHAPE),
    "symbol, plane, padded": (_padded, (6, 6)),
}


@pytest.mark.parametrize("name", BUILDERS)
def test_gradients_reach_them(name):
    build, shape = BUILDERS[name]
    A = build(_random(*shape))
    x, y = _random(2, *A.domain_shape, seed=1), _random(*A.codomain_shape, seed=2)
    own = _random(*shape).requires_grad_()
    for image in (lambda w: build(w).apply(x), lambda w: build(w).adjoint(y)):
        assert torch.autograd.gradcheck(image, (own,), fast_mode=True)
        assert torch.autograd.gradgradcheck(lambda w, image=image: image(w).square(), (own,), fast_mode=True)
    assert torch.autograd.gradcheck(lambda w, v: build(w).apply(v), (own, x.clone().requires_grad_()), fast_mode=True)


@pytest.mark.parametrize("name", BUILDERS)
def test_an_operator_built_inside_a_transform_is_its_variable(name):
    build, shape = BUILDERS[name]
    own, other = _random(*shape), _random(*shape, seed=3)
    x = _random(*build(own).domain_shape, seed=1)

    def energy(w):
        return build(w).apply(x).pow(3).sum()

    leaf = own.clone().requires_grad_()
    (expected,) = torch.autograd.grad(energy(leaf), leaf)
    torch.testing.assert_close(torch.func.grad(energy)(own), expected)
    torch.testing.assert_close(torch.func.jvp(energy, (own,), (other,))[1], (expected * other).sum())
    each = torch.func.vmap(energy)(torch.stack((own, other)))
    torch.testing.assert_close(each, torch.stack((energy(own), energy(other))))
    rows = torch.func.jacrev(lambda w: build(w).adjoint(build(w).apply(x)))(own)
    assert rows.shape == (*x.shape, *own.shape)


@dataclass(frozen=True, eq=False)
class Taps:
    """Parameters in a dataclass of their own, as an operator may keep them."""

    values: tuple[Tensor, ...]


@dataclass(frozen=True, eq=False)
class Polynomial(LinearOperator):
    """x times Σ tᵢ·2ⁱ."""

    taps: Taps
    domain_shape = codomain_shape = (3,)

    def _forward(self, x: Tensor) -> Tensor:
        return x * sum(t * 2.0**i for i, t in enumerate(self.taps.values))

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._forward(y)


def test_they_are_found_however_deep():
    first, second = (torch.tensor(t, dtype=torch.float64, requires_grad=True) for t in (1.0, 3.0))
    x = torch.ones(3, dtype=torch.float64, requires_grad=True)
    (2.0 * Polynomial(Taps((first, second))).H).apply(x).sum().backward()
    assert (first.grad, second.grad) == (6.0, 12.0)
    torch.testing.assert_close(x.grad, torch.full_like(x, 14.0))


def test_complex_weights_have_their_gradient():
    own = _random(3, 4, dtype=torch.complex128).requires_grad_()
    x = _random(3, 4, seed=1)
    assert torch.autograd.gradcheck(lambda w: Diagonal(w).apply(x), (own,))
    assert torch.autograd.gradcheck(lambda w: Diagonal(w).adjoint(x), (own,))


def test_a_symbol_that_learns_is_never_stale():
    symbol = rfftn(_random(*SHAPE)).real.abs().requires_grad_()
    A, x = FourierMultiplier(symbol, SHAPE), _random(*SHAPE, seed=1)
    before = A.apply(x).detach()
    with torch.no_grad():
        quiet, short = A.apply(x), A.apply(x.float())
        symbol.mul_(2.0)
        torch.testing.assert_close(A.apply(x.float()), 2.0 * short)
    torch.testing.assert_close(quiet, before)
    torch.testing.assert_close(A.apply(x).detach(), 2.0 * before)
    assert A.norm_bound() == float(symbol.detach().max())


def test_without_a_wish_for_gradients_there_are_none():
    own = _random(*SHAPE).requires_grad_()
    with torch.no_grad():
        assert not Diagonal(own).apply(torch.ones(SHAPE)).requires_grad
    assert not Diagonal(own.detach()).apply(torch.ones(SHAPE)).requires_grad
