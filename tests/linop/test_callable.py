"""Anybody's functions become an operator, if they are an adjoint pair."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from gradatim.base.errors import UsageError
from gradatim.linop.callable import adjoint_mismatch, check_adjoint, from_callable
from gradatim.linop.difference import Gradient
from tests.laws.kit import EVERY_OPERATOR


def _matrix(rows: int, columns: int) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def _through_numpy():
    """Scipy's own derivative, which autograd cannot see into."""
    taps = np.array([1.0, -2.0, 0.5])
    return from_callable(
        lambda x: torch.from_numpy(ndimage.correlate1d(x.numpy(), taps, axis=0, mode="constant")),
        lambda y: torch.from_numpy(ndimage.convolve1d(y.numpy(), taps, axis=0, mode="constant")),
        domain_shape=(6, 3),
        codomain_shape=(6, 3),
    )


@pytest.mark.parametrize("law", EVERY_OPERATOR)
def test_functions_that_leave_torch_obey_the_laws(law, laws):
    getattr(laws, law)(_through_numpy())


def test_a_wrong_adjoint_is_refused_with_how_wrong_it_is():
    matrix = _matrix(5, 4)

    def build(back):
        return from_callable(lambda x: matrix @ x, back, domain_shape=(4,), codomain_shape=(5,))

    build(lambda y: matrix.T @ y)
    with pytest.raises(UsageError, match="GD-110"):
        build(lambda y: 1.001 * (matrix.T @ y))
    with pytest.raises(UsageError, match="GD-110"):
        build(lambda y: matrix.T @ y.flip(0))
    with pytest.raises(UsageError, match="GD-110"):
        build(lambda y: torch.full((4,), torch.nan, dtype=torch.float64))
    with pytest.raises(UsageError, match="GD-103"):
        build(lambda y: y)


def test_a_forgotten_conjugate_is_seen():
    matrix = torch.complex(_matrix(5, 4), _matrix(4, 5).T)
    shapes = {"domain_shape": (4,), "codomain_shape": (5,)}
    from_callable(lambda x: matrix @ x.to(matrix), lambda y: matrix.mH @ y.to(matrix), **shapes)
    with pytest.raises(UsageError, match="GD-110"):
        from_callable(lambda x: matrix @ x.to(matrix), lambda y: matrix.T @ y.to(matrix), **shapes)


def test_a_map_that_is_not_linear_is_refused():
    with pytest.raises(UsageError, match="GD-110"):
        from_callable(lambda x: x + 1.0, lambda y: y, domain_shape=(4,), codomain_shape=(4,))


def test_a_real_domain_needs_only_real_products():
    """x real, y complex: the adjoint is the real part of F*y."""
    rfft = from_callable(torch.fft.fft, lambda y: 5 * torch.fft.ifft(y).real, domain_shape=(5,), codomain_shape=(5,))
    x = _matrix(5, 1)[:, 0].requires_grad_()
    assert torch.autograd.gradcheck(rfft.apply, (x,))


def test_functions_of_single_precision_pass():
    matrix = _matrix(50, 40).float()
    A = from_callable(
        lambda x: matrix @ x.float(), lambda y: matrix.T @ y.float(), domain_shape=(40,), codomain_shape=(50,)
    )
    assert 1e-12 < adjoint_mismatch(A) < 1e-6


def test_complex_only_functions_are_probed_with_complex_values():
    fft = from_callable(
        lambda x: torch.complex(x.real, x.imag).roll(1),
        lambda y: torch.complex(y.real, y.imag).roll(-1),
        domain_shape=(5,),
        codomain_shape=(5,),
        dtype=torch.complex128,
    )
    assert adjoint_mismatch(fft, dtype=torch.complex128) < 1e-14


def test_gradients_reach_the_tensors_that_are_named():
    matrix = _matrix(3, 4).requires_grad_()
    x = torch.arange(4.0, dtype=torch.float64)

    def image(m):
        return from_callable(
            lambda v: m @ v, lambda y: m.T @ y, domain_shape=(4,), codomain_shape=(3,), tensors=(m,)
        ).apply(x)

    assert torch.autograd.gradcheck(image, (matrix,))
    leaf = matrix.detach()
    (expected,) = torch.autograd.grad(image(matrix).square().sum(), matrix)
    torch.testing.assert_close(torch.func.grad(lambda m: image(m).square().sum())(leaf), expected)
    torch.testing.assert_close(torch.func.vmap(image)(torch.stack((leaf, 2 * leaf)))[1], 2 * image(leaf))


def test_any_operator_can_be_checked():
    check_adjoint(Gradient((6, 5), (1.0, 2.0)), tolerance=1e-13)
    with pytest.raises(UsageError, match="GD-110"):
        check_adjoint(Gradient((6, 5), (1.0, 2.0)), tolerance=0.0, dtype=torch.float32)
