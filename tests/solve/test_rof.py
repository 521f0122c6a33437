"""Total-variation denoising: closed forms, the duality gap, and the peer that everybody has."""

import numpy as np
import pytest
import torch
from skimage import data
from skimage.restoration import denoise_tv_chambolle

from gradatim.base.errors import UsageError
from gradatim.linop.difference import Gradient
from gradatim.linop.identity import Identity
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.norms import GroupL1
from gradatim.solve.pdhg import Pdhg
from gradatim.solve.problem import Problem, Term
from gradatim.solve.rof import RudinOsherFatemi
from gradatim.solve.solution import Stop
from gradatim.solve.stopping import IterationBound, RelativeChange, SmallGap

EXACT = RudinOsherFatemi(IterationBound(20000) | SmallGap(1e-9))


def _problem(y, weight, spacing):
    shape = tuple(y.shape[-len(spacing) :])
    prior = Term(GroupL1(axis=-1 - len(shape)), Gradient(shape, spacing), weight)
    return Problem((Term(SquaredDistance(y), Identity(shape)), prior))


def _noisy(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_two_plateaus_move_towards_each_other(axis):
    """A step of area A between plateaus of n voxels each: each moves by λ·A/(A·n·h) = λ/(n·h)."""
    spacing, weight = (0.5, 2.0, 1.5), 0.3
    shape = [4, 4, 4]
    shape[axis] = 10
    y = torch.zeros(shape, dtype=torch.float64)
    y.narrow(axis, 4, 6).fill_(1.0)
    found = EXACT(y, weight=weight, spacing=spacing).value
    shift = weight / spacing[axis]
    low, high = found.narrow(axis, 0, 4), found.narrow(axis, 4, 6)
    torch.testing.assert_close(low, torch.full_like(low, shift / 4), rtol=0, atol=1e-4)
    torch.testing.assert_close(high, torch.full_like(high, 1 - shift / 6), rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("shape", "spacing"), [((24, 17), (1.0, 0.7)), ((9, 8, 7), (1.0, 2.0, 0.6)), ((5, 6, 1), (1.0, 1.0, 1.0))]
)
def test_kernel_and_torch_agree(shape, spacing):
    y = _noisy(*shape)
    problem = _problem(y, 0.2, spacing)
    fast = EXACT(y, weight=0.2, spacing=spacing)
    plain = Pdhg(IterationBound(1500) | SmallGap(1e-8))(problem, start=y)
    assert fast.certificate.objective == pytest.approx(float(problem.value(fast.value)), rel=1e-12)
    torch.testing.assert_close(
        fast.value, plain.value, rtol=0, atol=fast.certificate.distance + plain.certificate.distance
    )


def test_the_gap_is_a_bound_and_says_so_in_time():
    y = _noisy(40, 30)
    best = EXACT(y, weight=0.15, spacing=(1.0, 1.0))
    for tolerance in (1e-1, 1e-2, 1e-3, 1e-4):
        rough = RudinOsherFatemi(IterationBound(5000) | SmallGap(tolerance))(y, weight=0.15, spacing=(1.0, 1.0))
        excess = rough.certificate.objective - best.certificate.objective
        assert -1e-12 <= excess <= rough.certificate.gap
        assert rough.certificate.relative <= tolerance
        assert float((rough.value - best.value).norm()) <= rough.certificate.distance + best.certificate.distance


def test_the_mean_stays_and_a_large_weight_leaves_only_it():
    y = _noisy(12, 9, 7)
    found = EXACT(y, weight=0.1, spacing=(1.0, 1.0, 1.0)).value
    assert float(found.mean()) == pytest.approx(float(y.mean()), abs=1e-12)
    flat = EXACT(y, weight=50.0, spacing=(1.0, 1.0, 1.0)).value
    torch.testing.assert_close(flat, torch.full_like(y, float(y.mean())), rtol=0, atol=1e-3)


def test_units_do_not_matter():
    """Values times c with λ times c, or lengths times c with λ times c, is the same picture."""
    y = _noisy(20, 20)
    plain = EXACT(y, weight=0.2, spacing=(1.0, 1.0)).value
    scaled = EXACT(1e4 * y, weight=0.2e4, spacing=(1.0, 1.0)).value / 1e4
    metres = EXACT(y, weight=0.2e-3, spacing=(1e-3, 1e-3)).value
    torch.testing.assert_close(scaled, plain, rtol=0, atol=1e-3)
    torch.testing.assert_close(metres, plain, rtol=0, atol=1e-3)


def test_batch_is_a_loop_and_the_input_stays():
    y = _noisy(2, 3, 10, 11)
    before = y.clone()
    together = EXACT(y, weight=0.2, spacing=(1.0, 1.0)).value
    assert torch.equal(y, before)
    alone = torch.stack([torch.stack([EXACT(p, weight=0.2, spacing=(1.0, 1.0)).value for p in row]) for row in y])
    torch.testing.assert_close(together, alone, rtol=0, atol=2e-4)
    turned = y.transpose(-1, -2)
    again = EXACT(turned, weight=0.2, spacing=(1.0, 1.0)).value
    torch.testing.assert_close(again, together.transpose(-1, -2), rtol=0, atol=2e-4)


def test_better_than_scikit_image_on_its_own_objective():
    """The peer, run to its end with its early stop switched off, stays above the certified optimum."""
    y = torch.from_numpy(data.camera()[::4, ::4] / 255.0) + 0.1 * torch.randn(
        128, 128, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    problem = _problem(y, 0.1, (1.0, 1.0))
    found = RudinOsherFatemi(IterationBound(5000) | SmallGap(1e-5))(y, weight=0.1, spacing=(1.0, 1.0))
    peer = torch.from_numpy(denoise_tv_chambolle(y.numpy(), weight=0.1, eps=0, max_num_iter=400))
    ours, theirs = float(problem.value(found.value)), float(problem.value(peer))
    assert ours <= theirs
    assert theirs <= ours * 1.001
    np.testing.assert_allclose(found.value.numpy(), peer.numpy(), atol=0.02)


def test_single_precision_and_weight_zero():
    y = _noisy(16, 16).float()
    found = RudinOsherFatemi()(y, weight=0.1, spacing=(1.0, 1.0))
    assert found.value.dtype is torch.float32
    assert found.converged
    assert torch.equal(RudinOsherFatemi()(y, weight=0.0, spacing=(1.0, 1.0)).value, y)


@pytest.mark.parametrize("unit", [1e-30, 1e-20, 1e20, 1e30])
def test_single_precision_bears_any_unit(unit):
    """Squares of such numbers are 0 or inf in single precision; without a guard the gap was 0 and the image wrong."""
    y = _noisy(16, 16)
    rule = RudinOsherFatemi(IterationBound(2000) | SmallGap(1e-5))
    found = rule((unit * y).float(), weight=0.1 * unit, spacing=(1.0, 1.0))
    assert found.reason is Stop.GAP
    assert found.value.dtype is torch.float32
    torch.testing.assert_close(found.value.double() / unit, rule(y, weight=0.1, spacing=(1.0, 1.0)).value,
                               rtol=0, atol=1e-6)  # fmt: skip


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_missing_value_is_a_failure_not_an_arrival(dtype):
    y = _noisy(16, 16).to(dtype)
    y[3, 4] = torch.nan
    found = RudinOsherFatemi(IterationBound(50) | RelativeChange(1e-3))(y, weight=0.1, spacing=(1.0, 1.0))
    assert found.reason is Stop.NON_FINITE
    assert not found.converged


@pytest.mark.gpu
def test_on_cuda():
    y = _noisy(16, 16)
    there = EXACT(y.cuda(), weight=0.1, spacing=(1.0, 1.0)).value
    torch.testing.assert_close(there.cpu(), EXACT(y, weight=0.1, spacing=(1.0, 1.0)).value, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("weight", "spacing"), [(-1.0, (1.0, 1.0)), (float("nan"), (1.0, 1.0)), (1.0, (0.0, 1.0)), (1.0, (1.0,))]
)
def test_bad_parameters_are_refused(weight, spacing):
    with pytest.raises(UsageError, match="GD-101"):
        RudinOsherFatemi()(torch.zeros(4, 4), weight=weight, spacing=spacing)
    with pytest.raises(UsageError, match="GD-103"):
        RudinOsherFatemi()(torch.zeros(4), weight=1.0, spacing=(1.0, 1.0))


@pytest.mark.parametrize(("dimensions", "size", "radius", "weight"), [(2, 96, 18.0, 1.0), (3, 44, 8.0, 0.4)])
def test_a_ball_loses_the_contrast_that_its_radius_says(dimensions, size, radius, weight):
    """In the continuum a ball of radius R in d dimensions keeps 1 − dλ/R, with λ and R in the unit of the spacing."""
    edge = 0.5
    places = (torch.arange(size, dtype=torch.float64) - size / 2 + 0.5) * edge
    away = torch.stack(torch.meshgrid(*[places] * dimensions, indexing="ij")).norm(dim=0)
    method = RudinOsherFatemi(IterationBound(3000) | SmallGap(1e-4))
    found = method((away < radius).double(), weight=weight, spacing=(edge,) * dimensions).value
    lost = 1.0 - float(found[away < radius - 3.0].mean())
    assert lost == pytest.approx(dimensions * weight / radius, rel=0.05)  # steps of half a millimetre
