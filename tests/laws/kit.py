"""Laws that every linear operator obeys, as plain functions that fail with the numbers.

Reached from any test by the fixture ``laws``: ``laws.adjointness(operator)``. ``EVERY_OPERATOR`` names the laws
that ask nothing of an operator but to be one. Shapes should be small: some laws make its whole matrix.
"""

import torch
from torch import Tensor
from torch.autograd import forward_ad

from gradatim.linop.operator import LinearOperator
from gradatim.linop.shift_invariant import ShiftInvariant

EVERY_OPERATOR = (
    "linearity",
    "adjointness",
    "complex_is_two_reals",
    "batch_is_a_loop",
    "norm_is_a_bound",
    "bound_is_above_the_norm",
    "first_gradient",
    "double_backward",
    "forward_derivative",
    "func_transforms",
    "gradcheck",
)

REAL, COMPLEX = torch.float64, torch.complex128


def linearity(operator: LinearOperator) -> None:
    """A(a·x + b·y) = a·A x + b·A y, with real numbers and with complex ones."""
    for kind, a, b in ((REAL, 1.7, -0.3), (COMPLEX, 1.7 - 0.4j, 2j)):
        x, y = _random(operator.domain_shape, 1, kind), _random(operator.domain_shape, 2, kind)
        left = operator.apply(a * x + b * y)
        right = a * operator.apply(x) + b * operator.apply(y)
        assert _distance(left, right) < 1e-12


def adjointness(operator: LinearOperator) -> None:
    """⟨A x, y⟩ = ⟨x, A* y⟩, relative to ‖A x‖·‖y‖, for real and for complex x and y."""
    for kind in (REAL, COMPLEX):
        x, y = _random(operator.domain_shape, 3, kind), _random(operator.codomain_shape, 4, kind)
        image, back = operator.apply(x), operator.adjoint(y)
        assert tuple(image.shape) == operator.codomain_shape
        assert tuple(back.shape) == operator.domain_shape
        left, right = torch.sum(image * y.conj()), torch.sum(x * back.conj())
        assert float((left - right).abs() / (image.norm() * y.norm())) < 1e-12


def complex_is_two_reals(operator: LinearOperator) -> None:
    """A(x + iy) = A x + i·A y, and so for A*."""
    for map_, shape in ((operator.apply, operator.domain_shape), (operator.adjoint, operator.codomain_shape)):
        x = _random(shape, 5, COMPLEX)
        assert _distance(map_(x), map_(x.real.clone()) + 1j * map_(x.imag.clone())) < 1e-12


def batch_is_a_loop(operator: LinearOperator) -> None:
    """Leading axes are handled one by one, in apply and in adjoint; single precision stays single."""
    for kind in (REAL, COMPLEX):
        x = _random((2, 3, *operator.domain_shape), 12, kind)
        y = _random((2, 3, *operator.codomain_shape), 13, kind)
        for map_, batch in ((operator.apply, x), (operator.adjoint, y)):
            single = torch.stack([torch.stack([map_(item) for item in row]) for row in batch])
            found = map_(batch)
            assert found.dtype is single.dtype
            assert _distance(found, single) < 1e-12
            short = torch.float32 if kind is REAL else torch.complex64
            assert map_(batch.to(short)).dtype is (torch.complex64 if found.is_complex() else torch.float32)


def norm_is_a_bound(operator: LinearOperator) -> None:
    """‖A x‖ ≤ ‖A‖·‖x‖, and ‖A‖ = ‖A*‖."""
    norm = operator.norm(iterations=300, tolerance=1e-9)
    for seed in range(5, 9):
        x = _random(operator.domain_shape, seed)
        assert float(operator.apply(x).norm()) <= norm * float(x.norm()) * (1 + 1e-12)
    assert abs(operator.H.norm(iterations=300, tolerance=1e-9) - norm) <= 1e-2 * norm


def bound_is_above_the_norm(operator: LinearOperator) -> None:
    """The largest singular value ≤ the bound; the bound that needs no formula is at most 6 % above it."""
    norm = _norm(operator)
    assert operator.norm(iterations=100) <= norm * (1 + 1e-12)
    assert norm <= operator.norm_bound() * (1 + 1e-12)
    generic = LinearOperator.norm_bound(operator)
    assert norm * (1 - 1e-12) <= generic <= 1.06 * norm


def bound_is_sharp(operator: LinearOperator) -> None:
    """The bound by a formula is at most 1.2·‖A‖."""
    assert operator.norm_bound() <= 1.2 * _norm(operator)


def first_gradient(operator: LinearOperator) -> None:
    """The gradient of ½‖A x‖² is A* A x; for real x the real part of it."""
    for kind in (REAL, COMPLEX):
        x = _random(operator.domain_shape, 9, kind).requires_grad_()
        _energy(operator, x).backward()
        assert x.grad is not None
        assert _distance(x.grad, _gram(operator, x.detach())) < 1e-12


def double_backward(operator: LinearOperator) -> None:
    """Autograd's Hessian of ½‖A x‖², applied to v, is A* A v: the backward can itself be derived."""
    x, v = _random(operator.domain_shape, 10).requires_grad_(), _random(operator.domain_shape, 11)
    (gradient,) = torch.autograd.grad(_energy(operator, x), x, create_graph=True)
    (product,) = torch.autograd.grad((gradient * v).sum(), x)
    assert _distance(product, _gram(operator, v)) < 1e-12


def forward_derivative(operator: LinearOperator) -> None:
    """A is its own derivative, in forward mode as well."""
    for map_, shape in ((operator.apply, operator.domain_shape), (operator.adjoint, operator.codomain_shape)):
        for kind in (REAL, COMPLEX):
            x, v = _random(shape, 16, kind), _random(shape, 17, kind)
            image, slope = torch.func.jvp(map_, (x,), (v,))
            assert _distance(image, map_(x)) < 1e-12
            assert _distance(slope, map_(v)) < 1e-12
            with forward_ad.dual_level():
                slope = forward_ad.unpack_dual(map_(forward_ad.make_dual(x, v))).tangent
            assert slope is not None
            assert _distance(slope, map_(v)) < 1e-12


def func_transforms(operator: LinearOperator) -> None:
    """``torch.func``: vmap is a loop over any axis, grad is A* A x, forward over reverse is A* A v."""
    for map_, shape in ((operator.apply, operator.domain_shape), (operator.adjoint, operator.codomain_shape)):
        batch = _random((2, 3, *shape), 18)
        assert _distance(torch.func.vmap(torch.func.vmap(map_))(batch), map_(batch)) < 1e-12
        turned = batch[0].movedim(0, -1)
        assert _distance(torch.func.vmap(map_, in_dims=-1)(turned), map_(batch[0])) < 1e-12
    x, v = _random(operator.domain_shape, 19), _random(operator.domain_shape, 20)
    slope = torch.func.grad(lambda at: _energy(operator, at))
    assert _distance(slope(x), _gram(operator, x)) < 1e-12
    assert _distance(torch.func.jvp(slope, (x,), (v,))[1], _gram(operator, v)) < 1e-12
    both = torch.stack((x, v))
    assert _distance(torch.func.vmap(slope)(both), _gram(operator, both)) < 1e-12


def gradcheck(operator: LinearOperator) -> None:
    """Finite differences agree with autograd, once and twice; only for small shapes."""
    for kind in (REAL, COMPLEX):
        x = _random(operator.domain_shape, 14, kind).requires_grad_()
        y = _random(operator.codomain_shape, 15, kind).requires_grad_()
        assert torch.autograd.gradcheck(operator.apply, (x,), fast_mode=True)
        assert torch.autograd.gradcheck(operator.adjoint, (y,), fast_mode=True)
        assert torch.autograd.gradgradcheck(lambda v: operator.apply(v).abs().square(), (x,), fast_mode=True)


def hints_for_exact_solves(operator: ShiftInvariant) -> None:
    """The symbol of A*A, the spectrum of A* y and A x from its spectrum agree with apply and adjoint."""
    shape = operator.domain_shape
    axes = tuple(range(-len(shape), 0))
    x, y = _random((2, *shape), 21), _random((2, *operator.codomain_shape), 22)
    spectrum, back = torch.fft.rfftn(x, dim=axes), operator.adjoint(y)
    symbol = operator.gram_symbol(x)
    assert symbol.dtype is REAL
    assert float(symbol.min()) >= 0
    assert float(symbol.max()) <= operator.norm_bound() ** 2 * (1 + 1e-12)
    assert _distance(torch.fft.irfftn(symbol * spectrum, s=shape, dim=axes), _gram(operator, x)) < 1e-12
    assert _distance(operator.adjoint_spectrum(y), torch.fft.rfftn(back, dim=axes)) < 1e-12
    assert _distance(operator.forward_from(spectrum, x), operator.apply(x)) < 1e-12
    assert operator.gram_symbol(x.float()).dtype is torch.float32
    leaf, image = x.clone().requires_grad_(), y.clone().requires_grad_()
    operator.forward_from(torch.fft.rfftn(leaf, dim=axes), leaf).mul(y).sum().backward()
    torch.fft.irfftn(operator.adjoint_spectrum(image), s=shape, dim=axes).mul(x).sum().backward()
    assert leaf.grad is not None
    assert image.grad is not None
    assert _distance(leaf.grad, back) < 1e-12
    assert _distance(image.grad, operator.apply(x)) < 1e-12


def follows_the_device(operator: LinearOperator) -> None:
    """Input without values (device meta) gives output there, of the right shape and precision."""
    for map_, shape, expected in (
        (operator.apply, operator.domain_shape, operator.codomain_shape),
        (operator.adjoint, operator.codomain_shape, operator.domain_shape),
    ):
        for kind in (torch.float32, COMPLEX):
            given = _random((2, *shape), 25).to(kind)
            found, there = map_(given), map_(given.to("meta"))
            assert there.is_meta
            assert there.shape == found.shape == (2, *expected)
            assert there.dtype is found.dtype


def same_on_cuda(operator: LinearOperator) -> None:
    """A CUDA tensor stays there, and gives what the CPU gives."""
    for kind in (REAL, COMPLEX):
        x, y = _random(operator.domain_shape, 23, kind), _random(operator.codomain_shape, 24, kind)
        for map_, given in ((operator.apply, x), (operator.adjoint, y)):
            found = map_(given.cuda())
            assert found.is_cuda
            assert _distance(found.cpu(), map_(given)) < 1e-12


def _gram(operator: LinearOperator, x: Tensor) -> Tensor:
    found = operator.adjoint(operator.apply(x))
    return found if x.is_complex() or not found.is_complex() else found.real


def _energy(operator: LinearOperator, x: Tensor) -> Tensor:
    image = operator.apply(x)
    return 0.5 * (image * image.conj()).real.sum() if image.is_complex() else 0.5 * image.square().sum()


def _norm(operator: LinearOperator) -> float:
    """The largest singular value of the operator's matrix."""
    size = torch.Size(operator.domain_shape).numel()
    columns = operator.apply(torch.eye(size, dtype=REAL).reshape(size, *operator.domain_shape))
    return float(torch.linalg.matrix_norm(columns.reshape(size, -1), 2))


def _random(shape: tuple[int, ...], seed: int, kind: torch.dtype = REAL) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=kind)


def _distance(a: Tensor, b: Tensor) -> float:
    scale = float(b.norm())
    return float((a - b).norm()) / scale if scale > 0 else float(a.norm())
