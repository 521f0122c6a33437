"""A denoiser as prior: how strong it is asked to be, and that nothing is promised."""

import math

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.linop.identity import Identity
from gradatim.solve.denoiser import Denoiser
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.norms import SquaredL2
from gradatim.solve.problem import Problem, Term


def wiener(image, sigma):
    """The best denoiser of white images of variance 1: the prox of ½‖u‖² at step σ²."""
    return image / (1 + sigma**2)


def test_the_noise_level_is_the_root_of_the_step():
    v = torch.randn(6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for step in (0.3, torch.tensor(2.0, dtype=torch.float64)):
        torch.testing.assert_close(Denoiser(wiener).prox(v, step), SquaredL2().prox(v, step))
        torch.testing.assert_close(Denoiser(wiener, strength=2.0).prox(v, step), SquaredL2(4.0).prox(v, step))


def test_the_weight_of_a_term_is_a_variance():
    v, one = torch.ones(6), Identity((6,))
    torch.testing.assert_close(
        Term(Denoiser(wiener), one, 0.25).prox(v, 2.0), Term(SquaredL2(), one, 0.25).prox(v, 2.0)
    )


def test_derivatives_go_through_the_denoiser():
    v = torch.randn(3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    step = torch.tensor(0.6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v, s: Denoiser(wiener).prox(v, s), (v, step))


def test_nothing_is_promised():
    prior, one, x = Denoiser(wiener), Identity((6,)), torch.ones(6)
    assert math.isnan(float(prior.value(x)))
    assert prior.conjugate(x) is None
    assert not prior.convex
    problem = Problem((Term(SquaredDistance(x), one), Term(prior, one)))
    assert problem.certificate(x, (None, None)) is None


def test_what_is_no_denoiser_is_refused():
    with pytest.raises(UsageError, match="GD-103"):
        Denoiser(lambda image, sigma: image[1:]).prox(torch.ones(3), 1.0)
    for strength in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(UsageError, match="GD-101"):
            Denoiser(wiener, strength)
