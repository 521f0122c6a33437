import pytest
import torch

from gradatim.base.errors import InputError
from gradatim.linop.difference import Gradient
from gradatim.linop.fft import frequencies
from gradatim.linop.identity import Identity
from gradatim.linop.multiplier import FourierMultiplier
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.gmres import Gmres
from gradatim.solve.implicit import ImplicitSolution
from gradatim.solve.normal_equations import NormalEquations
from gradatim.solve.norms import L1, GroupHuber, GroupL1, SquaredL2
from gradatim.solve.pdhg import Pdhg
from gradatim.solve.problem import Problem, Term
from gradatim.solve.stopping import IterationBound, SmallResidual

SHAPE = (4, 3, 1)
ONE, K = Identity(SHAPE), Gradient(SHAPE, (1.0, 1.0, 1.0))
LINEAR = Gmres(IterationBound(300) | SmallResidual(1e-10), restart=100)
QUADRATIC = NormalEquations(IterationBound(300) | SmallResidual(1e-13))
PRIMAL_DUAL = Pdhg(IterationBound(500) | SmallResidual(1e-5))


def _random(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def _scalar(value):
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


def _blur(width):
    """A Gaussian PSF whose symbol depends on its width, voxels."""
    squared = sum(f.square() for f in frequencies(SHAPE, (1.0, 1.0, 1.0)))
    return FourierMultiplier(torch.exp(-2.0 * (torch.pi * width) ** 2 * squared), SHAPE)


def _agrees_with_differences(implicit, *theta) -> bool:
    start = torch.zeros(SHAPE, dtype=torch.float64)
    return torch.autograd.gradcheck(
        lambda *t: implicit(*t, start=start).value, theta, eps=1e-5, atol=1e-5, rtol=1e-4, fast_mode=True
    )


def test_denoising_by_data_weights_and_lambda():
    def problem_of(y, weights, lam):
        return Problem((Term(SquaredDistance(y, weights), ONE), Term(SquaredL2(), K, lam)))

    weights = (_random(*SHAPE, seed=1).square() + 0.2).requires_grad_()
    assert _agrees_with_differences(
        ImplicitSolution(QUADRATIC, problem_of, LINEAR), _random(*SHAPE).requires_grad_(), weights, _scalar(0.7)
    )


def test_deblurring_by_data_lambda_and_the_width_of_the_psf():
    def problem_of(y, lam, width):
        return Problem((Term(SquaredDistance(y), _blur(width)), Term(SquaredL2(), K, lam), Term(SquaredL2(), ONE, 0.1)))

    theta = (_random(*SHAPE).requires_grad_(), _scalar(0.3), _scalar(0.6))
    assert _agrees_with_differences(ImplicitSolution(QUADRATIC, problem_of, LINEAR), *theta)


def test_smoothed_total_variation():
    def problem_of(y, lam):
        return Problem((Term(SquaredDistance(y), ONE), Term(GroupHuber(0.3), K, lam)))

    assert _agrees_with_differences(
        ImplicitSolution(PRIMAL_DUAL, problem_of, LINEAR), _random(*SHAPE).requires_grad_(), _scalar(0.4)
    )


def test_total_variation_by_data_and_lambda():
    def problem_of(y, lam):
        return Problem((Term(SquaredDistance(y), ONE), Term(GroupL1(), K, lam)))

    assert _agrees_with_differences(
        ImplicitSolution(PRIMAL_DUAL, problem_of, LINEAR), _random(*SHAPE).requires_grad_(), _scalar(0.2)
    )


def test_soft_threshold_has_its_closed_form():
    """x = sign(y)·max(|y| − λ, 0): slope 1 for y and −sign(y) for λ where |y| > λ, else 0."""
    y, lam = _random(*SHAPE).requires_grad_(), _scalar(0.5)

    def problem_of(y, lam):
        return Problem((Term(SquaredDistance(y), ONE), Term(L1(), ONE, lam)))

    x = ImplicitSolution(PRIMAL_DUAL, problem_of, LINEAR)(y, lam, start=torch.zeros(SHAPE).double()).value
    kept = y.detach().abs() > 0.5
    torch.testing.assert_close(x.detach(), (y - lam * y.sign()).detach() * kept, rtol=0, atol=1e-9)
    by_data, by_lambda = torch.autograd.grad(x.sum(), (y, lam))
    torch.testing.assert_close(by_data, kept.double(), rtol=0, atol=1e-8)
    assert float(by_lambda) == pytest.approx(float(-(y.detach().sign() * kept).sum()), abs=1e-8)


def test_torch_func_gives_the_same_and_nothing_is_written_aside():
    def problem_of(y, lam):
        return Problem((Term(SquaredDistance(y), ONE), Term(SquaredL2(), K, lam)))

    implicit, start = ImplicitSolution(QUADRATIC, problem_of, LINEAR), torch.zeros(SHAPE, dtype=torch.float64)
    y, lam = _random(*SHAPE).requires_grad_(), _scalar(0.7)

    def loss(y, lam):
        return implicit(y, lam, start=start).value.pow(3).sum()

    plain = torch.autograd.grad(loss(y, lam), (y, lam))
    functional = torch.func.grad(loss, argnums=(0, 1))(y.detach(), lam.detach())
    for a, b in zip(plain, functional, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)
    assert y.grad is None
    assert lam.grad is None
    jacobian = torch.func.jacrev(lambda lam: implicit(y.detach(), lam, start=start).value.sum(), chunk_size=1)(
        lam.detach()
    )
    assert float(jacobian) == pytest.approx(0.0, abs=1e-9)  # the gradient prior keeps the mean


def test_newton_takes_a_loose_solution_to_the_exact_one():
    """Total variation of a step is known: each side of n voxels moves by λ/n towards the other."""
    shape = (6, 1, 1)
    y = torch.tensor([0.0, 0.0, 1.0, 1.0, 1.0, 1.0], dtype=torch.float64).view(shape)

    def problem_of(y):
        return Problem(
            (Term(SquaredDistance(y), Identity(shape)), Term(GroupL1(), Gradient(shape, (1.0, 1.0, 1.0)), 0.2))
        )

    loose = Pdhg(IterationBound(300) | SmallResidual(1e-3))
    exact = torch.tensor([0.1, 0.1, 0.95, 0.95, 0.95, 0.95], dtype=torch.float64).view(shape)
    assert float((loose(problem_of(y), start=y).value - exact).abs().max()) > 1e-6
    found = ImplicitSolution(loose, problem_of, LINEAR)(y, start=y)
    torch.testing.assert_close(found.value, exact, rtol=0, atol=1e-10)


def test_the_gradient_belongs_to_the_solution_not_to_the_start():
    def problem_of(y, lam):
        return Problem((Term(SquaredDistance(y), ONE), Term(SquaredL2(), K, lam)))

    implicit, y = ImplicitSolution(QUADRATIC, problem_of, LINEAR), _random(*SHAPE)
    found = []
    for start in (torch.zeros_like(y), y, 100.0 * y):
        lam = _scalar(0.7)
        found.append(torch.autograd.grad(implicit(y, lam, start=start).value.square().sum(), lam)[0])
    torch.testing.assert_close(found[0], found[1], rtol=1e-9, atol=0)
    torch.testing.assert_close(found[0], found[2], rtol=1e-9, atol=0)


def test_a_problem_that_is_not_smooth_needs_a_method_with_a_step():
    def problem_of(y):
        return Problem((Term(SquaredDistance(y), ONE), Term(L1(), K)))

    with pytest.raises(InputError, match="GD-647"):
        ImplicitSolution(QUADRATIC, problem_of)(_random(*SHAPE), start=torch.zeros(SHAPE).double())


def test_a_linear_solve_that_fails_gives_no_gradient():
    def problem_of(y):
        return Problem((Term(SquaredDistance(y), ONE), Term(SquaredL2(), K, 5.0)))

    y = _random(*SHAPE).requires_grad_()
    hasty = ImplicitSolution(QUADRATIC, problem_of, Gmres(IterationBound(1) | SmallResidual(1e-10)))
    x = hasty(y, start=torch.zeros(SHAPE).double()).value
    with pytest.raises(InputError, match="GD-646"):
        torch.autograd.grad(x.square().sum(), y)


def test_the_certificate_is_that_of_the_polished_point():
    y = torch.linspace(0, 1, 12, dtype=torch.float64).view(3, 4)
    found = ImplicitSolution(NormalEquations(), _ridge)(
        y, torch.tensor(0.3, dtype=torch.float64), start=torch.zeros_like(y)
    )
    problem = _ridge(y, torch.tensor(0.3, dtype=torch.float64))
    assert found.certificate is not None
    assert found.certificate.objective == float(problem.value(found.value))


def _ridge(y, weight):
    one = Identity((3, 4))
    return Problem((Term(SquaredDistance(y), one), Term(SquaredL2(), one, weight)))
