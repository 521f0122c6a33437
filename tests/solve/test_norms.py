"""Norms beyond the laws: the vectors' axis in 2-D and 3-D, the smoothed limit, rounding, and what is refused."""

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.solve.norms import L1, GroupHuber, GroupL1, SquaredL2


def _random(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("shape", "axis"), [((2, 5, 4), -3), ((3, 5, 4, 2), -4), ((6, 2, 5, 4), -3), ((5, 7), -1)])
def test_group_l1_is_the_sum_of_lengths_along_its_axis(shape, axis):
    u = _random(*shape)
    lengths = torch.linalg.vector_norm(u, dim=axis)
    torch.testing.assert_close(GroupL1(0.3, axis).value(u), 0.3 * lengths.sum())
    shorter = torch.linalg.vector_norm(GroupL1(0.3, axis).prox(u, 2.0), dim=axis)
    torch.testing.assert_close(shorter, (lengths - 0.6).clamp_min(0.0))
    found = GroupL1(0.3, axis).prox(u, 2.0)
    torch.testing.assert_close(found * lengths.unsqueeze(axis), u * shorter.unsqueeze(axis), rtol=1e-12, atol=1e-12)


def test_weights_may_differ_from_place_to_place_and_from_image_to_image():
    u, w = _random(4, 2, 3, 5, seed=1), _random(4, 1, 1, seed=2).abs()
    each = torch.stack([GroupL1(float(w[i]), axis=-3).prox(u[i], 0.5) for i in range(4)])
    torch.testing.assert_close(GroupL1(w, axis=-3).prox(u, 0.5), each)


def test_the_smoothed_norm_tends_to_the_sharp_one_and_never_exceeds_it():
    u = _random(2, 6, 5, seed=3)
    sharp = float(GroupL1(axis=-3).value(u))
    values = [float(GroupHuber(delta, axis=-3).value(u)) for delta in (1.0, 0.1, 1e-3)]
    assert values == sorted(values)
    assert sharp - 0.5 * 1e-3 * 30 <= values[-1] <= sharp


def test_the_smoothed_norm_is_the_envelope_of_the_sharp_one():
    """φ(u) = min over p of ‖p‖ + ‖u − p‖²/2δ, attained at the prox."""
    u = _random(2, 6, 5, seed=4)
    sharp = GroupL1(axis=-3)
    p = sharp.prox(u, 0.7)
    torch.testing.assert_close(
        GroupHuber(0.7, axis=-3).value(u), sharp.value(p) + (u - p).square().sum() / (2 * 0.7), rtol=1e-12, atol=0
    )


def test_vectors_of_length_zero_have_the_slope_zero():
    u = torch.zeros(2, 3, 3, requires_grad=True)
    for f in (GroupL1(axis=-3), GroupHuber(1e-3, axis=-3), L1(), SquaredL2()):
        for result in (f.value(u), f.prox(u, 1.0).sum()):
            (slope,) = torch.autograd.grad(result, u)
            assert bool(slope.isfinite().all())
        (slope,) = torch.autograd.grad(f.value(u), u)
        assert slope.abs().max() == 0


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_rounding_at_the_rim_is_forgiven_and_more_is_not(scale):
    p = torch.randn(3, 40, 40, 9, generator=torch.Generator().manual_seed(5)) * 3 * scale
    for f in (L1(scale), GroupL1(scale)):
        near = f.dual_point(p)
        assert f.conjugate(near) == 0
        assert f.conjugate(near * (1 + 1e-5)) == torch.inf
        assert f.conjugate(torch.full_like(p, torch.nan)) == torch.inf


def test_sums_are_made_in_double_precision():
    """2²⁵ ones: a float32 sum one by one would stop at 2²⁴."""
    u = torch.ones(1).expand(2**25)
    assert L1().value(u) == 2**25
    assert SquaredL2(2.0).value(u) == 2**25


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf"), torch.tensor([1.0, -0.1])])
@pytest.mark.parametrize("make", [L1, GroupL1, SquaredL2, lambda w: GroupHuber(1.0, w)])
def test_weights_that_are_not_weights_are_refused(make, weight):
    with pytest.raises(UsageError, match="GD-101"):
        make(weight)


@pytest.mark.parametrize("smoothing", [0.0, -1.0, float("nan"), float("inf")])
def test_a_smoothing_that_is_none_is_refused(smoothing):
    with pytest.raises(UsageError, match="GroupL1"):
        GroupHuber(smoothing)
