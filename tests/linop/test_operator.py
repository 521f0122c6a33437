import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.linop.crop import Pad
from gradatim.linop.diagonal import Diagonal, Mask
from gradatim.linop.difference import Gradient, Laplacian, PeriodicGradient
from gradatim.linop.dipole import Dipole
from gradatim.linop.identity import Identity
from gradatim.linop.multiplier import FourierMultiplier
from gradatim.linop.symmetrised import PeriodicSymmetrisedGradient


def _refusal(call):
    with pytest.raises(UsageError) as caught:
        call()
    return caught.value.code


def test_shapes_that_do_not_fit_are_refused_with_the_shapes():
    with pytest.raises(UsageError, match=r"GD-103: a tensor of shape \(2, 3\) for Identity; .*\(2, 2, 2\)"):
        Identity((2, 2, 2)).apply(torch.ones(2, 3))
    assert _refusal(lambda: Gradient((2, 2, 2), (1.0, 1.0, 1.0)).adjoint(torch.ones(2, 2, 2))) == "GD-103"
    assert _refusal(lambda: Identity((2, 2, 2)) @ Identity((2, 2, 3))) == "GD-103"
    assert _refusal(lambda: Identity((2, 2, 2)) + Identity((2, 2, 3))) == "GD-103"
    assert _refusal(lambda: Pad((4, 4, 4), (5, 5, 5), (2, 0, 0))) == "GD-103"
    assert _refusal(lambda: Pad.centred((4, 4), (5, 5, 5))) == "GD-103"
    assert _refusal(lambda: FourierMultiplier(torch.ones(2, 2, 2), (2, 2, 4))) == "GD-103"


def test_values_that_make_no_operator_are_refused():
    assert _refusal(lambda: float("nan") * Identity((2, 2, 2))) == "GD-101"
    assert _refusal(lambda: Mask(torch.ones(2))) == "GD-101"
    assert _refusal(lambda: Dipole((4, 4, 4), (1.0, 1.0, 1.0), (0.0, 0.0, 2.0))) == "GD-101"
    assert _refusal(lambda: Dipole((4, 4, 4), (1.0, 1.0, 1.0), padding=0.5)) == "GD-101"
    lopsided = torch.ones(4, 4, 3, dtype=torch.complex64)
    lopsided[1, 0, 0] = 2.0
    assert _refusal(lambda: FourierMultiplier(lopsided, (4, 4, 4))) == "GD-101"


def test_norm_finds_the_largest_singular_value():
    weights = torch.linspace(-3.0, 2.0, 11)
    assert Diagonal(weights).norm() == pytest.approx(3.0, rel=1e-4)
    assert Diagonal(torch.zeros(3)).norm() == 0.0
    assert (-2.0 * Diagonal(weights)).norm() == pytest.approx(6.0, rel=1e-4)


def test_norm_of_differences_approaches_its_closed_form_from_below():
    shape, spacing = (16, 16, 16), (1.0, 0.5, 2.0)
    bound = sum(4.0 / h**2 for h in spacing) ** 0.5
    found = PeriodicGradient(shape, spacing).norm(iterations=500, tolerance=1e-9)
    assert found <= bound
    assert found == pytest.approx(bound, rel=1e-3)


@pytest.mark.parametrize(
    "operator",
    [
        Gradient((5, 4, 3), (1.0, 0.5, 2.0)),
        Gradient((6, 1), (1.0, 0.5)),
        PeriodicGradient((5, 4, 3), (1.0, 0.5, 2.0)),
        PeriodicGradient((2, 7), (1.0, 0.5)),
        Laplacian(Gradient((5, 4), (1.0, 0.5))),
        PeriodicSymmetrisedGradient((5, 4), (1.0, 0.5)),
        Diagonal(torch.tensor([1j, -3.0, 2.0])),
        Mask(torch.tensor([False, True])),
        Mask(torch.tensor([False, False])),
        -2.0 * Pad((2, 3), (4, 5)),
    ],
)
def test_bounds_by_a_formula_are_the_norm(operator):
    size = torch.Size(operator.domain_shape).numel()
    matrix = operator.apply(torch.eye(size, dtype=torch.float64).reshape(size, *operator.domain_shape))
    assert operator.norm_bound() == pytest.approx(float(torch.linalg.matrix_norm(matrix.reshape(size, -1), 2)))


def test_bounds_of_compositions_and_sums():
    A, B = Diagonal(torch.tensor([1.0, -3.0])), 2.0 * Diagonal(torch.tensor([2.0, 0.5]))
    assert (A @ B).norm_bound() == pytest.approx(12.0)
    assert (A + B).norm_bound() == pytest.approx(7.0)
    assert A.H.norm_bound() == pytest.approx(3.0)


def test_a_bound_follows_the_values():
    weights = torch.tensor([1.0, 2.0])
    A = Diagonal(weights)
    assert A.norm_bound() == 2.0
    weights.mul_(5.0)
    assert A.norm_bound() == 10.0


def test_real_images_of_a_complex_operator_have_real_gradients():
    A, x = Diagonal(torch.tensor([1j, 2 - 1j], dtype=torch.complex128)), torch.ones(2, dtype=torch.float64)
    leaf = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(A.apply(leaf).abs().square().sum(), leaf)
    torch.testing.assert_close(gradient, torch.tensor([2.0, 10.0], dtype=torch.float64))


def test_whole_hessians_and_jacobians_compose():
    A = Gradient((3, 2), (1.0, 0.5))
    x = torch.randn(3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    backward, forward = torch.func.jacrev(A.apply)(x), torch.func.jacfwd(A.apply)(x)
    torch.testing.assert_close(backward, forward)
    matrix = backward.reshape(-1, 6)
    hessian = torch.func.hessian(lambda v: 0.5 * A.apply(v).square().sum())(x).reshape(6, 6)
    torch.testing.assert_close(hessian, matrix.T @ matrix)


def test_norm_repeats_with_its_seed():
    A = Gradient((5, 6, 7), (1.0, 1.0, 1.0))
    assert A.norm(iterations=5, seed=3) == A.norm(iterations=5, seed=3)
    assert A.norm(iterations=5, seed=3) != A.norm(iterations=5, seed=4)


def test_mask_removes_nan_outside():
    mask = torch.tensor([True, False])
    assert Mask(mask).apply(torch.tensor([1.0, float("nan")])).tolist() == [1.0, 0.0]


def test_complex_weights_have_their_conjugate_as_adjoint():
    A = Diagonal(torch.tensor([1j, 2 - 1j]))
    x, y = torch.tensor([1 + 2j, 3j]), torch.tensor([0.5j, 1 - 1j])
    assert torch.vdot(y, A.apply(x)).item() == pytest.approx(torch.vdot(A.adjoint(y), x).item())


@pytest.mark.parametrize("gradient", [Gradient, PeriodicGradient])
def test_differences_of_a_quadratic(gradient):
    shape, spacing = (8, 9, 10), (1.0, 0.5, 2.0)
    x, y, z = (
        s * torch.arange(n, dtype=torch.float64).view([-1 if i == j else 1 for j in range(3)])
        for i, (n, s) in enumerate(zip(shape, spacing, strict=True))
    )
    quadratic = x**2 - 3 * y**2 + 0.5 * z**2 + x * y
    laplacian = Laplacian(gradient(shape, spacing)).apply(quadratic)
    inner = laplacian[1:-1, 1:-1, 1:-1]
    torch.testing.assert_close(inner, torch.full_like(inner, 2 - 6 + 1))


def test_periodic_laplacian_has_the_negative_gram_symbol():
    shape, spacing = (6, 5, 4), (1.0, 0.5, 2.0)
    gradient = PeriodicGradient(shape, spacing)
    x = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    by_symbol = torch.fft.irfftn(-gradient.gram_symbol(x) * torch.fft.rfftn(x), s=shape)
    torch.testing.assert_close(Laplacian(gradient).apply(x), by_symbol)


def test_weights_are_not_rounded_to_whole_numbers():
    half = Diagonal(torch.tensor([0.5, 1.5]))
    assert half.apply(torch.tensor([1, 3])).tolist() == [0.5, 4.5]
    assert half.adjoint(torch.tensor([1, 3])).tolist() == [0.5, 4.5]
