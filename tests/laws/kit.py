"""Laws that every linear operator obeys, as plain functions that fail with the numbers.

Reached from any test by the fixture ``laws``: ``laws.adjointness(operator)``.
"""

import torch
from torch import Tensor

from gradatim.linop.operator import LinearOperator


def linearity(operator: LinearOperator) -> None:
    """A(a·x + b·y) = a·A x + b·A y."""
    x, y = _random(operator.domain_shape, 1), _random(operator.domain_shape, 2)
    left = operator.apply(1.7 * x - 0.3 * y)
    right = 1.7 * operator.apply(x) - 0.3 * operator.apply(y)
    assert _distance(left, right) < 1e-12


def adjointness(operator: LinearOperator) -> None:
    """⟨A x, y⟩ = ⟨x, A* y⟩, relative to ‖A x‖·‖y‖."""
    x, y = _random(operator.domain_shape, 3), _random(operator.codomain_shape, 4)
    image, back = operator.apply(x), operator.adjoint(y)
    assert tuple(image.shape) == operator.codomain_shape
    assert tuple(back.shape) == operator.domain_shape
    left, right = torch.sum(image * y), torch.sum(x * back)
    assert float((left - right).abs() / (image.norm() * y.norm())) < 1e-12


def norm_is_a_bound(operator: LinearOperator) -> None:
    """‖A x‖ ≤ ‖A‖·‖x‖, and ‖A‖ = ‖A*‖."""
    norm = operator.norm(iterations=300, tolerance=1e-9)
    for seed in range(5, 9):
        x = _random(operator.domain_shape, seed)
        assert float(operator.apply(x).norm()) <= norm * float(x.norm()) * (1 + 1e-12)
    assert abs(operator.H.norm(iterations=300, tolerance=1e-9) - norm) <= 1e-2 * norm


def first_gradient(operator: LinearOperator) -> None:
    """The gradient of ½‖A x‖² is A* A x."""
    x = _random(operator.domain_shape, 9).requires_grad_()
    (0.5 * operator.apply(x).square().sum()).backward()
    assert x.grad is not None
    assert _distance(x.grad, operator.adjoint(operator.apply(x.detach()))) < 1e-12


def double_backward(operator: LinearOperator) -> None:
    """Autograd's Hessian of ½‖A x‖², applied to v, is A* A v: the backward can itself be derived."""
    x, v = _random(operator.domain_shape, 10).requires_grad_(), _random(operator.domain_shape, 11)
    (gradient,) = torch.autograd.grad(0.5 * operator.apply(x).square().sum(), x, create_graph=True)
    (product,) = torch.autograd.grad((gradient * v).sum(), x)
    assert _distance(product, operator.adjoint(operator.apply(v))) < 1e-12


def batch_is_a_loop(operator: LinearOperator) -> None:
    """Leading axes are handled one by one, in apply and in adjoint; float32 stays float32."""
    x, y = _random((2, 3, *operator.domain_shape), 12), _random((2, 3, *operator.codomain_shape), 13)
    for map_, batch in ((operator.apply, x), (operator.adjoint, y)):
        single = torch.stack([torch.stack([map_(item) for item in row]) for row in batch])
        assert _distance(map_(batch), single) < 1e-12
        assert map_(batch.float()).dtype is torch.float32


def gradcheck(operator: LinearOperator) -> None:
    """Finite differences agree with autograd, once and twice; only for small shapes."""
    x = _random(operator.domain_shape, 14).requires_grad_()
    y = _random(operator.codomain_shape, 15).requires_grad_()
    assert torch.autograd.gradcheck(operator.apply, (x,), fast_mode=True)
    assert torch.autograd.gradcheck(operator.adjoint, (y,), fast_mode=True)
    assert torch.autograd.gradgradcheck(lambda v: operator.apply(v).square(), (x,), fast_mode=True)


def _random(shape: tuple[int, ...], seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _distance(a: Tensor, b: Tensor) -> float:
    scale = float(b.norm())
    return float((a - b).norm()) / scale if scale > 0 else float(a.norm())
