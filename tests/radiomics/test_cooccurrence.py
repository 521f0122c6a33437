"""Co-occurrence matrices against counting by hand, and the laws every one of them obeys."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from torch import Tensor

from gradatim.radiomics.aggregation import (
    DIRECTIONAL,
    DIRECTIONS_MERGED,
    PLANE,
    PLANES_MERGED,
    SLICES_AVERAGED,
    SLICES_MERGED,
    SPACE,
    VOLUME_AVERAGED,
    VOLUME_MERGED,
    Aggregation,
    Offset,
)
from gradatim.radiomics.cooccurrence import _matrices, matrices, matrices_twin, pair_counts
from gradatim.radiomics.glcm import CoOccurrence, Glcm

N = 4

images = arrays("int64", array_shapes(min_dims=3, max_dims=3, max_side=4), elements=st.integers(0, N)).map(
    torch.from_numpy
)


def by_hand(levels: Tensor, offset: Offset) -> Tensor:
    """Look at every voxel and at its two neighbours."""
    counts = torch.zeros(N, N, dtype=torch.int64)
    inside = {place: int(levels[place]) for place in itertools.product(*map(range, levels.shape)) if levels[place] > 0}
    for place, level in inside.items():
        for sign in (1, -1):
            partner = inside.get(tuple(p + sign * m for p, m in zip(place, offset, strict=True)))  # type: ignore[call-overload]
            if partner is not None:
                counts[level - 1, partner - 1] += 1
    return counts


@settings(max_examples=30)
@given(images)
def test_counts_are_those_by_hand(levels: Tensor) -> None:
    for offset in SPACE:
        assert pair_counts(levels.unsqueeze(0), offset, n_levels=N)[0].equal(by_hand(levels, offset))


@given(images)
def test_matrices_are_symmetric_and_probabilities_add_up_to_one(levels: Tensor) -> None:
    for aggregation in DIRECTIONAL:
        for counts in matrices(levels, aggregation, n_levels=N):
            assert counts.equal(counts.mT)
            p = counts / counts.sum((-2, -1), keepdim=True).to(torch.float64)
            assert torch.allclose(p.sum((-2, -1)), torch.ones(len(p), dtype=torch.float64), rtol=1e-12)


@given(images)
def test_the_kernel_and_its_twin_count_the_same(levels: Tensor) -> None:
    for aggregation in DIRECTIONAL:
        assert _matrices(levels, aggregation, N).equal(matrices_twin(levels, aggregation, N))


def test_many_levels_count_the_same() -> None:
    levels = torch.randint(0, 301, (9, 8, 7), generator=torch.Generator().manual_seed(3))
    for aggregation in DIRECTIONAL:
        assert _matrices(levels, aggregation, 300).equal(matrices_twin(levels, aggregation, 300))


def total(levels: Tensor, aggregation: Aggregation) -> Tensor:
    return torch.cat([torch.zeros(1, N, N, dtype=torch.int64), *matrices(levels, aggregation, n_levels=N)]).sum(0)


@given(images)
def test_merging_loses_no_pair(levels: Tensor) -> None:
    plane = total(levels, PLANES_MERGED)
    for aggregation in (SLICES_AVERAGED, SLICES_MERGED, DIRECTIONS_MERGED):
        assert total(levels, aggregation).equal(plane)
    assert total(levels, VOLUME_AVERAGED).equal(total(levels, VOLUME_MERGED))


@given(images)
def test_one_slice_looks_the_same_in_2d_and_in_space(levels: Tensor) -> None:
    assert total(levels[:, :, :1], PLANES_MERGED).equal(total(levels[:, :, :1], VOLUME_MERGED))


def test_slices_in_batches_are_the_slices_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    levels = torch.randint(0, N + 1, (5, 5, 7), generator=torch.Generator().manual_seed(0))
    at_once = torch.cat(list(matrices(levels, SLICES_MERGED, n_levels=N)))
    monkeypatch.setattr("gradatim.radiomics.cooccurrence.MAX_ENTRIES", 2 * len(PLANE) * N**2)
    assert len(list(matrices(levels, SLICES_MERGED, n_levels=N))) == 4
    assert torch.cat(list(matrices(levels, SLICES_MERGED, n_levels=N))).equal(at_once)


def test_features_follow_their_formulas() -> None:
    # The sums over (i, j) as IBSI writes them, against the sums over i − j and i + j that the code takes.
    weights = torch.rand(3, N, N, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    p = (weights + weights.mT) / (weights + weights.mT).sum((-2, -1), keepdim=True)
    i = torch.arange(1, N + 1, dtype=torch.float64).view(-1, 1)
    j = i.T
    mu = (i * p).sum((-2, -1)).view(-1, 1, 1)
    pi, pj = p.sum(-1, keepdim=True), p.sum(-2, keepdim=True)
    gap = (i - j).abs()
    expected = {
        "joint_variance": (i - mu) ** 2 * p,
        "joint_entropy": -p * p.log2(),
        "difference_average": gap * p,
        "sum_average": (i + j) * p,
        "sum_variance": (i + j - 2 * mu) ** 2 * p,
        "angular_second_moment": p**2,
        "contrast": gap**2 * p,
        "inverse_difference": p / (1 + gap),
        "normalised_inverse_difference": p / (1 + gap / N),
        "inverse_difference_moment": p / (1 + gap**2),
        "normalised_inverse_difference_moment": p / (1 + (gap / N) ** 2),
        "inverse_variance": torch.where(gap > 0, p / gap**2, 0.0),
        "autocorrelation": i * j * p,
        "cluster_shade": (i + j - 2 * mu) ** 3 * p,
        "cluster_prominence": (i + j - 2 * mu) ** 4 * p,
    }
    records = {record.id: record for record in Glcm.features}
    measured = CoOccurrence(p)
    for name, summand in expected.items():
        torch.testing.assert_close(records[name].compute(measured), summand.sum((-2, -1)), rtol=1e-12, atol=0)
    hxy, hx = (-p * p.log2()).sum((-2, -1)), (-pi * pi.log2()).sum((-2, -1))
    hxy1, hxy2 = (-p * (pi * pj).log2()).sum((-2, -1)), (-pi * pj * (pi * pj).log2()).sum((-2, -1))
    torch.testing.assert_close(records["information_correlation_1"].compute(measured), (hxy - hxy1) / hx)
    torch.testing.assert_close(
        records["information_correlation_2"].compute(measured), (1 - (-2 * (hxy2 - hxy)).exp()).sqrt()
    )


def test_features_are_differentiable_in_the_probabilities() -> None:
    p = torch.rand(2, N, N, dtype=torch.float64, generator=torch.Generator().manual_seed(2)) + 0.1
    p = ((p + p.mT) / (p + p.mT).sum((-2, -1), keepdim=True)).requires_grad_()
    for record in Glcm.features:
        assert torch.autograd.gradcheck(lambda q, record=record: record.compute(CoOccurrence(q)), (p,)), record.id
