"""Boxes beyond the laws: open sides, the support function, and what is refused."""

import math

import pytest
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.solve.constraints import Box, NonNegative


def test_inside_costs_nothing_and_outside_is_forbidden():
    box = Box(-1.0, torch.tensor([0.0, 2.0]))
    assert box.value(torch.tensor([-1.0, 2.0])) == 0
    assert box.value(torch.tensor([0.1, 0.0])) == math.inf
    assert box.value(torch.tensor([math.nan, 0.0])) == math.inf
    assert NonNegative().value(torch.tensor([0.0, 3.0])) == 0
    assert NonNegative().value(torch.tensor([-1e-9, 3.0])) == math.inf


def test_non_negative_is_a_box_with_one_side():
    v = torch.randn(50, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    half = Box(lower=0.0)
    for map_ in ("value", "conjugate", "dual_point"):
        torch.testing.assert_close(getattr(half, map_)(v), getattr(NonNegative(), map_)(v))
    torch.testing.assert_close(half.prox(v, 3.0), NonNegative().prox(v, 0.1))
    torch.testing.assert_close(half.dual_prox(v, 3.0), NonNegative().dual_prox(v, 0.1))


def test_a_side_that_is_open_allows_no_pull_to_it():
    p = torch.tensor([1.0, -2.0, 0.0])
    assert Box(-1.0, 3.0).conjugate(p) == 3.0 + 2.0
    assert Box(-1.0).conjugate(p) == math.inf
    assert Box(-1.0).dual_point(p).tolist() == [0.0, -2.0, 0.0]
    assert Box(-1.0).conjugate(Box(-1.0).dual_point(p)) == 2.0
    assert Box().dual_point(p).tolist() == [0.0, 0.0, 0.0]
    assert Box().conjugate(torch.zeros(3)) == 0
    some = Box(torch.tensor([0.0, -math.inf, 0.0]), torch.tensor([math.inf, 1.0, math.inf]))
    assert some.dual_point(p).tolist() == [0.0, 0.0, 0.0]
    assert some.prox(torch.tensor([-1.0, 5.0, 7.0]), 1.0).tolist() == [0.0, 1.0, 7.0]


def test_a_value_may_be_pinned():
    pinned = Box(torch.tensor([2.0, -math.inf]), torch.tensor([2.0, math.inf]))
    assert pinned.prox(torch.tensor([9.0, 9.0]), 1.0).tolist() == [2.0, 9.0]


@pytest.mark.parametrize(
    ("lower", "upper"), [(1.0, 0.0), (math.nan, 1.0), (torch.tensor([0.0, 2.0]), torch.tensor([1.0, 1.0]))]
)
def test_a_box_without_an_inside_is_refused(lower, upper):
    with pytest.raises(UsageError, match="GD-101"):
        Box(lower, upper)


@pytest.mark.parametrize("f", [Box(0.0, 1.0), NonNegative()])
def test_complex_numbers_have_no_order(f):
    z = torch.ones(3, dtype=torch.complex64)
    for call in (f.value, f.conjugate, f.dual_point, lambda u: f.prox(u, 1.0)):
        with pytest.raises(InputError, match="GD-650"):
            call(z)
