"""Tone differences and dependences against looking at every voxel by hand; the kernels against their torch twins."""

import itertools
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from torch import Tensor

from gradatim.radiomics import neighbourhoods
from gradatim.radiomics.aggregation import ZONAL, ZONES_AVERAGED, ZONES_MERGED, ZONES_VOLUME, Aggregation
from gradatim.radiomics.neighbourhoods import (
    BOX,
    dependences,
    dependences_twin,
    differences_twin,
    padded,
    tone_differences,
)

N = 4

images = arrays("int64", array_shapes(min_dims=3, max_dims=3, max_side=4), elements=st.integers(0, N)).map(
    torch.from_numpy
)


def around(levels: Tensor, *, in_space: bool) -> Iterator[tuple[int, int, list[int]]]:
    """Slice, level and the neighbours' levels of every voxel in the region."""
    inside = {place: int(levels[place]) for place in itertools.product(*map(range, levels.shape)) if levels[place] > 0}
    for (x, y, z), level in inside.items():
        reach = (-1, 0, 1) if in_space else (0,)
        steps = itertools.product((-1, 0, 1), (-1, 0, 1), reach)
        near = [(x + i, y + j, z + k) for i, j, k in steps if (i, j, k) != (0, 0, 0)]
        yield z, level, [inside[place] for place in near if place in inside]


def group(aggregation: Aggregation, z: int) -> int:
    return z if aggregation.per_slice else 0


@settings(max_examples=40)
@given(images)
def test_tone_differences_are_those_by_hand(levels: Tensor) -> None:
    for aggregation in ZONAL:
        groups = levels.shape[2] if aggregation.per_slice else 1
        n = [[0] * N for _ in range(groups)]
        s = [[Fraction(0)] * N for _ in range(groups)]
        for z, level, near in around(levels, in_space=aggregation is ZONES_VOLUME):
            if near:
                n[group(aggregation, z)][level - 1] += 1
                s[group(aggregation, z)][level - 1] += abs(level - Fraction(sum(near), len(near)))
        expected = [(a, [float(value) for value in b]) for a, b in zip(n, s, strict=True) if any(a)]
        found = list(tone_differences(levels, aggregation, n_levels=N))
        assert [row for counts, _ in found for row in counts.tolist()] == [a for a, _ in expected]
        sums = np.array([row for _, sums in found for row in sums.tolist()])
        assert sums == pytest.approx(np.array([b for _, b in expected]), rel=1e-14)


@settings(max_examples=40)
@given(images)
def test_dependences_are_those_by_hand(levels: Tensor) -> None:
    for aggregation in ZONAL:
        groups = levels.shape[2] if aggregation.per_slice else 1
        counts = torch.zeros(groups, N, BOX, dtype=torch.int64)
        for z, level, near in around(levels, in_space=aggregation is ZONES_VOLUME):
            counts[group(aggregation, z), level - 1, near.count(level)] += 1
        expected = counts[counts.sum((1, 2)) > 0]
        found = list(dependences(levels, aggregation, n_levels=N))
        assert torch.cat([expected[:0], *found]).equal(expected)


@given(images)
def test_kernels_and_their_twins_count_the_same(levels: Tensor) -> None:
    for aggregation in ZONAL:
        [*kernel], [*twin] = (
            count(levels, aggregation, N) for count in (neighbourhoods._differences, differences_twin)
        )
        assert all(a.equal(b) for a, b in zip(kernel, twin, strict=True))
        assert neighbourhoods._dependences(levels, aggregation, N).equal(dependences_twin(levels, aggregation, N))


def test_many_levels_and_voxels_count_the_same() -> None:
    levels = torch.randint(0, 1025, (13, 12, 11), generator=torch.Generator().manual_seed(0))
    levels[2:9, 3:9] = 1024  # as much as a box can hold
    for aggregation in ZONAL:
        for a, b in zip(
            neighbourhoods._differences(levels, aggregation, 1024),
            differences_twin(levels, aggregation, 1024),
            strict=True,
        ):
            assert a.equal(b)
        assert neighbourhoods._dependences(levels, aggregation, 1024).equal(dependences_twin(levels, aggregation, 1024))


@given(images)
def test_merging_slices_adds_their_matrices(levels: Tensor) -> None:
    apart, merged = (
        torch.cat([torch.zeros(1, N, BOX, dtype=torch.int64), *dependences(levels, aggregation, n_levels=N)]).sum(0)
        for aggregation in (ZONES_AVERAGED, ZONES_MERGED)
    )
    assert apart.equal(merged)


@given(images)
def test_every_voxel_has_one_dependence(levels: Tensor) -> None:
    for aggregation in ZONAL:
        found = list(dependences(levels, aggregation, n_levels=N))
        total = torch.cat([torch.zeros(1, N, BOX, dtype=torch.int64), *found]).sum((0, 2))
        assert total.equal(torch.bincount(levels.flatten(), minlength=N + 1)[1:])


def test_slices_in_batches_are_the_slices_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    levels = torch.randint(0, N + 1, (5, 5, 7), generator=torch.Generator().manual_seed(0))
    [at_once] = dependences(levels, ZONES_AVERAGED, n_levels=N)
    [(n, s)] = tone_differences(levels, ZONES_AVERAGED, n_levels=N)
    monkeypatch.setattr(neighbourhoods, "MAX_ENTRIES", 2 * N * BOX)
    parts = list(dependences(levels, ZONES_AVERAGED, n_levels=N))
    assert len(parts) == 4
    assert torch.cat(parts).equal(at_once)
    tones = list(tone_differences(levels, ZONES_AVERAGED, n_levels=N))
    assert torch.cat([counts for counts, _ in tones]).equal(n)
    assert torch.cat([sums for _, sums in tones]).equal(s)


def test_a_volume_is_padded_with_nothing() -> None:
    volume = padded(torch.full((2, 3, 4), 7).permute(2, 0, 1))
    assert volume.shape == (6, 4, 5)
    assert volume.dtype == np.uint16
    assert volume.sum() == 7 * 24
    assert (volume[1:-1, 1:-1, 1:-1] == 7).all()
