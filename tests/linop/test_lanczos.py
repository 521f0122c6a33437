"""The bound of the largest eigenvalue lies above it, never far, and says when it cannot be told."""

import math

import pytest
import torch

from gradatim.linop.lanczos import eigenvalue_bound

N = 4000
KINDS = {
    "one far above": torch.cat((torch.linspace(0, 1, N - 1), torch.tensor([50.0]))),
    "a dense edge": torch.linspace(0, 1, N),
    "nearly equal": 1 + 1e-9 * torch.arange(N),
    "one hidden just above many": torch.cat((torch.ones(N - 1), torch.tensor([1.02]))),
    "few different": torch.tensor([1.0, 2.0, 7.0]).repeat(N),
    "decaying": torch.exp(-torch.arange(N) / 3),
    "tiny": 1e-30 * torch.linspace(0, 1, N),
    "huge": 1e30 * torch.linspace(0, 1, N),
}


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_bound_lies_between_the_eigenvalue_and_an_eighth_above(kind, seed):
    values = KINDS[kind].double()
    largest = float(values.max())
    bound = eigenvalue_bound(lambda x: values * x, tuple(values.shape), seed=seed)
    assert largest <= bound <= largest / 0.9 * (1 + 1e-9)


def test_complex_operators_start_from_complex_vectors():
    g = torch.Generator().manual_seed(0)
    matrix = torch.randn(40, 40, dtype=torch.complex128, generator=g)
    gram = matrix.mH @ matrix
    largest = float(torch.linalg.eigvalsh(gram).max())
    assert largest <= eigenvalue_bound(lambda x: gram @ x.to(gram), (40,)) <= largest / 0.9 * (1 + 1e-9)


def test_few_unknowns_are_exact():
    values = torch.tensor([3.0, 1.0, 2.0], dtype=torch.float64)
    assert eigenvalue_bound(lambda x: values * x, (3,)) == pytest.approx(3.0, rel=1e-9)
    assert eigenvalue_bound(lambda x: 5.0 * x, (1,)) == pytest.approx(5.0, rel=1e-9)


def test_nothing_and_nonsense():
    assert eigenvalue_bound(torch.zeros_like, (3, 4)) == 0.0
    assert eigenvalue_bound(lambda x: x * math.nan, (3,)) == math.inf
