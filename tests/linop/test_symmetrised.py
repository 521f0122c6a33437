"""What total generalised variation needs of its second stage."""

import math

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.linop.difference import Gradient, PeriodicGradient
from gradatim.linop.symmetrised import PeriodicSymmetrisedGradient, SymmetrisedGradient

SHAPE, SPACING = (6, 7, 5), (1.0, 0.5, 2.0)
PAIRS = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
PARTNERS = [(Gradient, SymmetrisedGradient), (PeriodicGradient, PeriodicSymmetrisedGradient)]


def _positions() -> list[torch.Tensor]:
    axes = [h * torch.arange(n, dtype=torch.float64) for n, h in zip(SHAPE, SPACING, strict=True)]
    return list(torch.meshgrid(*axes, indexing="ij"))


def test_affine_images_cost_nothing_up_to_the_edge():
    x, y, z = _positions()
    slope = Gradient(SHAPE, SPACING).apply(2.0 * x - 3.0 * y + 0.5 * z + 1.0)
    assert float(SymmetrisedGradient(SHAPE, SPACING).apply(slope).abs().max()) < 1e-13


@pytest.mark.parametrize(("gradient", "symmetrised"), PARTNERS)
def test_second_derivatives_of_a_quadratic(gradient, symmetrised):
    x, y, z = _positions()
    hessian = torch.tensor([[2.0, 0.7, -1.0], [0.7, -3.0, 0.4], [-1.0, 0.4, 1.0]], dtype=torch.float64)
    r = torch.stack((x, y, z))
    quadratic = 0.5 * torch.einsum("i...,ij,j...->...", r, hessian, r)
    found = symmetrised(SHAPE, SPACING).apply(gradient(SHAPE, SPACING).apply(quadratic))
    for component, (i, j) in zip(found[:, 1:-1, 1:-1, 1:-1], PAIRS, strict=True):
        expected = hessian[i, j] * (1.0 if i == j else math.sqrt(2.0))
        torch.testing.assert_close(component, expected.expand_as(component), rtol=1e-12, atol=1e-11)


def test_length_over_components_is_the_frobenius_norm_of_the_matrix():
    shape, spacing = (4, 5), (0.5, 2.0)
    w = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    jacobian = torch.stack([torch.stack([(w[i] - w[i].roll(1, j)) / spacing[j] for j in range(2)]) for i in range(2)])
    matrix = 0.5 * (jacobian + jacobian.transpose(0, 1))
    found = PeriodicSymmetrisedGradient(shape, spacing).apply(w)
    torch.testing.assert_close(found.norm(dim=0), matrix.flatten(0, 1).norm(dim=0), rtol=1e-13, atol=0)


def test_rotations_cost_nothing():
    """The kernel of E on the whole space: w = a + B r with B antisymmetric."""
    x, y, z = _positions()
    w = torch.stack((2.0 * y - z, -2.0 * x + 0.5 * z, x - 0.5 * y))
    found = SymmetrisedGradient(SHAPE, SPACING).apply(w)[:, 1:, 1:, 1:]
    assert float(found.abs().max()) < 1e-13


@pytest.mark.parametrize("operator", [SymmetrisedGradient, PeriodicSymmetrisedGradient, Gradient, PeriodicGradient])
def test_impossible_grids_are_refused(operator):
    with pytest.raises(UsageError, match="GD-103"):
        operator((4, 4), (1.0, 1.0, 1.0))
    with pytest.raises(UsageError, match="GD-101"):
        operator((4, 4), (1.0, 0.0))
    with pytest.raises(UsageError, match="GD-101"):
        operator((4, 4), (1.0, math.inf))
