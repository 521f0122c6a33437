import itertools

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.linop.blocks import BlockMean, BlockSum
from gradatim.linop.resample import Resample

KINDS = (Resample.area, Resample.linear, Resample.cubic)
PAIRS = [((5,), (3,)), ((3,), (7,)), ((4, 6), (6, 3)), ((1, 5), (3, 5)), ((3, 4, 2), (5, 2, 3))]


def _random(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize(("kind", "pair"), [*itertools.product(KINDS, PAIRS)])
def test_flat_stays_flat_and_the_adjoint_keeps_totals(kind, pair):
    A = kind(*pair)
    torch.testing.assert_close(A.apply(torch.ones(pair[0], dtype=torch.float64)), torch.ones(pair[1]).double())
    y = _random(*pair[1])
    torch.testing.assert_close(A.adjoint(y).sum(), y.sum())


@pytest.mark.parametrize("pair", PAIRS)
def test_areas_keep_the_mean(pair):
    x = _random(*pair[0])
    torch.testing.assert_close(Resample.area(*pair).apply(x).mean(), x.mean())


def test_areas_of_whole_factors_are_blocks():
    torch.testing.assert_close(
        Resample.area((6, 4), (2, 2)).apply(_random(6, 4)), BlockMean((6, 4), (3, 2)).apply(_random(6, 4))
    )
    torch.testing.assert_close(
        Resample.area((2, 2), (6, 4)).apply(_random(2, 2)), BlockSum((6, 4), (3, 2)).adjoint(_random(2, 2))
    )


@pytest.mark.parametrize("pair", [((4, 6), (8, 13)), ((5, 7), (5, 21)), ((1, 4), (4, 9))])
def test_linear_to_finer_grids_is_torchs(pair):
    x = _random(*pair[0])
    wanted = torch.nn.functional.interpolate(x[None, None], size=pair[1], mode="bilinear", align_corners=False)[0, 0]
    torch.testing.assert_close(Resample.linear(*pair).apply(x), wanted, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("kind", "mode"), [(Resample.linear, "bilinear"), (Resample.cubic, "bicubic")])
def test_to_coarser_grids_the_kernel_widens_as_torchs_does(kind, mode):
    """Torch leaves out what lies outside where we count it for the outermost voxel, so only the inside is compared."""
    x = _random(24, 30)
    wanted = torch.nn.functional.interpolate(x[None, None], size=(8, 12), mode=mode, antialias=True)[0, 0]
    torch.testing.assert_close(kind((24, 30), (8, 12)).apply(x)[2:-2, 2:-2], wanted[2:-2, 2:-2], rtol=0, atol=1e-13)


def test_orders_of_exactness_away_from_the_edge():
    fine = (torch.arange(24, dtype=torch.float64) + 0.5) / 2 - 0.5
    t = torch.arange(12, dtype=torch.float64)
    for kind, degree in ((Resample.linear, 1), (Resample.cubic, 2)):
        for power in range(degree + 1):
            torch.testing.assert_close(kind((12,), (24,)).apply(t**power)[4:-4], (fine**power)[4:-4])


def test_the_same_grid_changes_nothing():
    for kind in KINDS:
        torch.testing.assert_close(kind((5, 3), (5, 3)).apply(_random(5, 3)), _random(5, 3), rtol=0, atol=1e-15)


def test_the_bound_is_the_norm():
    A = Resample.cubic((6, 5), (9, 3))
    matrix = A.apply(torch.eye(30, dtype=torch.float64).view(30, 6, 5)).flatten(1)
    assert A.norm_bound() == pytest.approx(float(torch.linalg.matrix_norm(matrix, 2)), rel=1e-12)


def _refusal(call):
    with pytest.raises(UsageError) as caught:
        call()
    return caught.value.code


def test_grids_that_do_not_fit_are_refused():
    assert _refusal(lambda: Resample.area((4, 4), (4,))) == "GD-103"
    assert _refusal(lambda: Resample.linear((4, 4), (4, 0))) == "GD-101"
    assert _refusal(lambda: Resample((torch.ones(3),))) == "GD-103"


def test_whole_numbers_are_interpolated_as_numbers():
    """The matrix was rounded to the input's type: everything became 0."""
    counts = torch.tensor([0, 4])
    assert Resample.linear((2,), (4,)).apply(counts).tolist() == [0.0, 1.0, 3.0, 4.0]
    assert Resample.area((4,), (2,)).adjoint(counts).tolist() == [0.0, 0.0, 2.0, 2.0]
