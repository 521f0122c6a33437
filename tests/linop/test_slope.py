"""The stack of image and slope: the operators obey every law, and slopes that fit leave nothing over."""

import math

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.linop.difference import Gradient
from gradatim.linop.slope import SlopeMismatch, SlopePart, ValuePart
from gradatim.linop.symmetrised import SymmetrisedGradient

OPERATORS = {
    "value": ValuePart((3, 4)),
    "slope": SlopePart((3, 4)),
    "slope, 3-D": SlopePart((2, 3, 2)),
    "mismatch": SlopeMismatch((3, 4), (1.0, 0.5), 0.7),
    "mismatch, 3-D": SlopeMismatch((2, 3, 2), (1.0, 0.5, 2.0), 1.3),
    "bend": SymmetrisedGradient((3, 4), (1.0, 0.5)) @ SlopePart((3, 4)),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operator_obeys_every_law(name, laws):
    for law in laws.EVERY_OPERATOR:
        getattr(laws, law)(OPERATORS[name])


def test_the_bound_is_the_norm():
    for shape, spacing, length in (((9, 8), (1.0, 0.5), 0.7), ((5, 4, 6), (1.0, 1.0, 3.0), 10.0)):
        operator = SlopeMismatch(shape, spacing, length)
        assert operator.norm_bound() == pytest.approx(operator.norm(iterations=3000, tolerance=1e-12), rel=1e-3)


def test_a_slope_that_fits_leaves_nothing():
    x = torch.randn(5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    slope = Gradient((5, 6), (1.0, 2.0)).apply(x)
    stack = torch.cat([x[None], 3.0 * slope])
    assert float(SlopeMismatch((5, 6), (1.0, 2.0), 3.0).apply(stack).abs().max()) < 1e-15
    assert torch.equal(ValuePart((5, 6)).apply(stack), x)
    assert torch.equal(SlopePart((5, 6)).apply(stack), 3.0 * slope)
    assert torch.equal(ValuePart((5, 6)).adjoint(x)[1:], torch.zeros(2, 5, 6))


@pytest.mark.parametrize("length", [0.0, -1.0, math.nan, math.inf])
def test_a_length_that_is_none_is_refused(length):
    with pytest.raises(UsageError, match="GD-101"):
        SlopeMismatch((3, 4), (1.0, 1.0), length)


def test_a_spacing_that_does_not_fit_is_refused():
    with pytest.raises(UsageError, match="GD-103"):
        SlopeMismatch((3, 4), (1.0, 1.0, 1.0), 1.0)
