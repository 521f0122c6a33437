import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.linop.blocks import BlockMean, BlockSum, Decimate
from gradatim.linop.transposed import TransposedConvolution


def _random(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_block_mean_is_torchs_average_pooling():
    x = _random(2, 3, 8, 6)
    torch.testing.assert_close(BlockMean((8, 6), (4, 2)).apply(x), torch.nn.functional.avg_pool2d(x, (4, 2)))


def test_intensive_stays_flat_and_extensive_keeps_totals_both_ways():
    shape, factors = (6, 4, 2), (3, 2, 1)
    mean, total = BlockMean(shape, factors), BlockSum(shape, factors)
    flat, coarse = torch.full(shape, 0.7, dtype=torch.float64), torch.full((2, 2, 2), 0.7, dtype=torch.float64)
    torch.testing.assert_close(mean.apply(flat), coarse)
    torch.testing.assert_close(total.adjoint(coarse), flat)
    x, y = _random(*shape), _random(2, 2, 2)
    torch.testing.assert_close(total.apply(x).sum(), x.sum())
    torch.testing.assert_close(mean.adjoint(y).sum(), y.sum())


def test_coarse_up_and_down_again_changes_nothing():
    y, (mean, total) = _random(2, 3), (kind((6, 6), (3, 2)) for kind in (BlockMean, BlockSum))
    torch.testing.assert_close(mean.apply(total.adjoint(y)), y)
    torch.testing.assert_close(total.apply(mean.adjoint(y)), y)


def test_norms_are_the_roots_of_the_block():
    for kind, norm in ((BlockMean, 6**-0.5), (BlockSum, 6**0.5)):
        A = kind((6, 6), (3, 2))
        assert A.norm_bound() == pytest.approx(norm, rel=1e-14)
        assert A.norm() == pytest.approx(norm, rel=1e-9)


def test_every_sth_sample_after_a_blur_is_the_strided_convolution():
    blur = TransposedConvolution(_random(3, 3), (7, 8), padding=1).H
    strided = TransposedConvolution(_random(3, 3), (4, 4), stride=2, padding=1, output_padding=(0, 1)).H
    x = _random(7, 8)
    torch.testing.assert_close((Decimate((7, 8), (2, 2)) @ blur).apply(x), strided.apply(x))


@pytest.mark.parametrize("offset", [0, 1, 2])
def test_decimation_takes_the_samples_that_it_says(offset):
    A = Decimate((8, 3), (3, 1), (offset, 0))
    x = _random(8, 3)
    assert torch.equal(A.apply(x), x[offset::3])
    assert torch.equal(A.apply(A.adjoint(A.apply(x))), x[offset::3])
    assert A.codomain_shape == tuple(x[offset::3].shape)


def _refusal(call):
    with pytest.raises(UsageError) as caught:
        call()
    return caught.value.code


def test_factors_that_do_not_fit_are_refused():
    assert _refusal(lambda: BlockMean((5, 4), (2, 2))) == "GD-123"
    assert _refusal(lambda: BlockSum((4, 4), (2,))) == "GD-123"
    assert _refusal(lambda: Decimate((4, 4), (2, 0))) == "GD-123"
    assert _refusal(lambda: Decimate((4, 4), (2, 2), (0, 2))) == "GD-123"
    assert _refusal(lambda: Decimate((1, 4), (2, 2), (1, 0))) == "GD-123"
