import pytest
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.linop.difference import PeriodicGradient
from gradatim.linop.identity import Identity
from gradatim.linop.operator import Scaled
from gradatim.solve.criterion import Choice, Criterion, least
from gradatim.solve.discrepancy_principle import DiscrepancyPrinciple
from gradatim.solve.distances import L1Distance, SquaredDistance
from gradatim.solve.normal_equations import NormalEquations
from gradatim.solve.norms import L1
from gradatim.solve.pdhg import Pdhg
from gradatim.solve.problem import Problem, Term
from gradatim.solve.regularisation_path import RegularisationPath
from gradatim.solve.selection import Selected
from gradatim.solve.stopping import IterationBound, SmallGap, SmallResidual
from gradatim.solve.weight_range import weight_range

SHAPE = (8, 6, 4)
TIGHT = NormalEquations(IterationBound(500) | SmallResidual(1e-10))


def _random(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def _smooth(y, *, gain=1.0, stiffness=1.0):
    """Denoising with a quadratic gradient prior; the data term or the gradient may be scaled."""
    K = Scaled(stiffness, PeriodicGradient(SHAPE, (1.0, 1.0, 1.0)))
    A = Scaled(gain, Identity(SHAPE))

    def at(lam):
        nothing = torch.zeros(3, *SHAPE, dtype=y.dtype)
        return Problem((Term(SquaredDistance(y), A), Term(SquaredDistance(nothing), K, lam)))

    return at


class _Wanted(Criterion):
    """The λ nearest to 1 by distance of logarithms, to watch the search alone."""

    def choose(self, path: RegularisationPath, weights: tuple[float, ...]) -> Choice:
        return least(lambda lam: abs(torch.tensor(lam).log().item()), weights, "the distance")


def test_the_solution_is_that_of_the_chosen_weight():
    y = _random(*SHAPE)
    found = Selected(DiscrepancyPrinciple(0.8), TIGHT)(_smooth(y), start=y)
    alone = TIGHT(_smooth(y)(found.weight), start=y).value
    torch.testing.assert_close(found.value, alone, rtol=0, atol=1e-8)
    assert found.weights == tuple(sorted(found.weights))
    assert len(found.values) == len(found.weights)


@pytest.mark.parametrize("stiffness", [0.001, 1.0, 1000.0])
@pytest.mark.parametrize("gain", [0.01, 100.0])
def test_the_choice_follows_the_units_of_operator_and_prior(gain, stiffness):
    """A x = gain·x and K = stiffness·∇ with data gain·y: the same image, λ scaled by gain²/stiffness²."""
    y = _random(*SHAPE)
    plain = Selected(DiscrepancyPrinciple(0.8), TIGHT)(_smooth(y), start=y)
    scaled = Selected(DiscrepancyPrinciple(0.8 * gain), TIGHT)(
        _smooth(gain * y, gain=gain, stiffness=stiffness), start=y
    )
    assert scaled.weight == pytest.approx(plain.weight * (gain / stiffness) ** 2, rel=0.03)
    assert not scaled.at_edge


def test_an_optimum_inside_is_found_and_one_at_an_edge_is_told():
    inside = Selected(_Wanted(), TIGHT, range=(0.02, 30.0))(_smooth(_random(*SHAPE)), start=torch.zeros(SHAPE))
    assert inside.weight == pytest.approx(1.0, rel=0.15)
    assert (inside.at_edge, inside.message) == (False, "")
    for bounds, edge in (((2.0, 200.0), "lower"), ((0.005, 0.5), "upper")):
        found = Selected(_Wanted(), TIGHT, range=bounds)(_smooth(_random(*SHAPE)), start=torch.zeros(SHAPE))
        assert found.at_edge
        assert f"at the {edge} edge" in found.message
        assert found.weight == bounds[0 if edge == "lower" else 1]


def test_where_a_criterion_is_not_defined_is_no_optimum_and_its_rim_is_an_edge():
    grid = tuple(10.0**k for k in range(-3, 4))
    assert least(lambda lam: float("inf") if lam < 0.05 else (lam - 1.0) ** 2, grid, "it").weight == pytest.approx(1.0)
    assert least(lambda lam: float("inf") if lam < 0.05 else lam, grid, "it").at_edge
    assert least(lambda _: float("inf"), grid, "it").at_edge
    assert least(lambda lam: float("nan") if lam < 0.05 else (lam - 1.0) ** 2, grid, "it").weight == pytest.approx(1.0)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_range_of_a_norm_ends_where_the_solution_becomes_trivial(scale):
    """For the lasso that is the largest |y|: at the upper end nothing is left, a little below something is."""
    y, one = scale * _random(*SHAPE), Identity(SHAPE)

    def lasso(lam):
        return Problem((Term(SquaredDistance(y), one), Term(L1(), one, lam)))

    least_weight, most = weight_range(RegularisationPath(lasso, Pdhg(), torch.zeros_like(y)))
    assert most == pytest.approx(float(y.abs().max()), rel=5e-3)
    assert least_weight == pytest.approx(1e-4 * most)
    method = Pdhg(IterationBound(2000) | SmallGap(1e-10))
    assert float(method(lasso(1.01 * most), start=y).value.abs().max()) < 1e-6 * scale
    assert float(method(lasso(0.9 * most), start=y).value.abs().max()) > 1e-2 * scale


def test_the_range_of_a_quadratic_prior_ends_where_a_tenth_is_left_to_gain():
    y = _random(*SHAPE)
    path = RegularisationPath(_smooth(y), TIGHT, y)
    most = weight_range(path)[1]
    trivial = (y - y.mean()).norm()
    assert (path.at(most).value - y.mean()).norm() / trivial == pytest.approx(0.1, rel=0.1)


def test_a_path_solves_each_weight_once_and_starts_near():
    starts = []

    def method(problem, *, start):
        starts.append(start)
        return TIGHT(problem, start=start)

    path = RegularisationPath(_smooth(_random(*SHAPE)), method, torch.zeros(SHAPE, dtype=torch.float64))
    first, second = path.at(1.0), path.at(100.0)
    assert path.at(1.0) is first
    path.at(60.0)
    assert len(starts) == 3
    assert starts[1] is first.value
    assert starts[2] is second.value


def test_only_the_terms_that_lambda_multiplies_are_the_prior():
    y, one = _random(*SHAPE), Identity(SHAPE)
    path = RegularisationPath(
        lambda lam: Problem((Term(SquaredDistance(y), one), Term(L1(), one, 0.1), Term(L1(3.0), one, 2 * lam))),
        Pdhg(),
        y,
    )
    (term,) = path.prior_terms()
    assert float(term.weight) == 2.0


def test_masked_data_do_not_count():
    y, weights = _random(*SHAPE), (_random(*SHAPE, seed=1) > 0).double()
    path = RegularisationPath(
        lambda lam: Problem((Term(SquaredDistance(y, weights), Identity(SHAPE)), Term(L1(), Identity(SHAPE), lam))),
        Pdhg(),
        y,
    )
    assert path.count == int(weights.sum())


def test_data_that_are_not_gaussian_or_come_second_are_refused():
    y, one = _random(*SHAPE), Identity(SHAPE)
    with pytest.raises(InputError, match="GD-642"):
        Selected(DiscrepancyPrinciple(1.0))(lambda lam: Problem((Term(L1Distance(y), one, lam),)), start=y)


def test_a_prior_without_lambda_or_with_nothing_to_resist_is_refused():
    y, one = _random(*SHAPE), Identity(SHAPE)
    with pytest.raises(InputError, match="GD-643"):
        Selected(DiscrepancyPrinciple(1.0))(
            lambda _: Problem((Term(SquaredDistance(y), one), Term(L1(), one))), start=y
        )
    with pytest.raises(InputError, match="GD-643"):
        Selected(DiscrepancyPrinciple(1.0), TIGHT)(_smooth(0 * y), start=y)


def test_an_impossible_range_is_refused():
    with pytest.raises(UsageError, match="GD-101"):
        Selected(DiscrepancyPrinciple(1.0), range=(1.0, 0.1))
    with pytest.raises(UsageError, match="GD-101"):
        Selected(DiscrepancyPrinciple(1.0), points=3)


def test_normal_equations_refuse_what_is_not_quadratic():
    one = Identity(SHAPE)
    with pytest.raises(InputError, match="GD-641"):
        NormalEquations()(Problem((Term(L1(), one),)), start=torch.zeros(SHAPE))
