"""Runs against walking along every line by hand, and the laws every one of them obeys."""

import itertools
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from torch import Tensor

from gradatim.radiomics.aggregation import (
    DIRECTIONS_MERGED,
    PLANE,
    PLANES_MERGED,
    SLICES_AVERAGED,
    SLICES_MERGED,
    SPACE,
    VOLUME_MERGED,
    Offset,
)
from gradatim.radiomics.margin import margined
from gradatim.radiomics.runs import Runs, by_doubling, by_kernel, find_runs

N = 3

images = (
    arrays("int64", array_shapes(min_dims=3, max_dims=3, max_side=5), elements=st.integers(0, N))
    .map(torch.from_numpy)
    .filter(lambda levels: bool(levels.any()))
)


def by_hand(levels: Tensor, directions: tuple[Offset, ...]) -> Counter[tuple[int, ...]]:
    """Stand on every voxel that begins a run and walk: (slice, direction, level, length) → how many."""
    inside = {place: int(levels[place]) for place in itertools.product(*map(range, levels.shape)) if levels[place] > 0}
    found: Counter[tuple[int, ...]] = Counter()
    for (number, (x, y, z)), place in itertools.product(enumerate(directions), inside):
        at, length = place, 0
        if inside.get((at[0] - x, at[1] - y, at[2] - z)) == inside[place]:
            continue
        while inside.get(at) == inside[place]:
            at, length = (at[0] + x, at[1] + y, at[2] + z), length + 1
        found[place[2] if directions == PLANE else 0, number, inside[place], length] += 1
    return found


def counted(runs: Runs) -> dict[tuple[int, ...], int]:
    keys = zip(runs.slice.tolist(), runs.direction.tolist(), runs.level.tolist(), runs.length.tolist(), strict=True)
    return dict(zip(keys, runs.count.tolist(), strict=True))


@pytest.mark.parametrize("directions", [PLANE, SPACE])
@settings(max_examples=40)
@given(levels=images)
def test_runs_are_those_by_hand(directions: tuple[Offset, ...], levels: Tensor) -> None:
    assert counted(find_runs(levels, directions)) == by_hand(levels, directions)


@pytest.mark.parametrize("directions", [PLANE, SPACE])
@given(levels=images)
def test_kernel_and_torch_count_the_same(directions: tuple[Offset, ...], levels: Tensor) -> None:
    laid, longest = margined(levels.to(torch.int16), directions), max(levels.shape)
    kernel = by_kernel(laid, directions, n_levels=N, longest=longest)
    assert kernel.long().equal(by_doubling(laid, directions, n_levels=N, longest=longest))


@given(levels=images)
def test_every_voxel_is_in_one_run_of_each_direction(levels: Tensor) -> None:
    voxels = int((levels > 0).sum())
    for directions in (PLANE, SPACE):
        runs = find_runs(levels, directions)
        for number in range(len(directions)):
            mine = runs.direction == number
            assert int((runs.count * runs.length)[mine].sum()) == voxels


@given(levels=images)
def test_aggregations_count_the_voxels_of_what_they_merge(levels: Tensor) -> None:
    runs, voxels = find_runs(levels, PLANE), (levels > 0).sum((0, 1)).double()
    voxels = voxels[voxels > 0]
    assert runs.matrices(SLICES_AVERAGED).voxels.equal(voxels.repeat_interleave(4))
    assert runs.matrices(SLICES_MERGED).voxels.equal(4 * voxels)
    assert runs.matrices(DIRECTIONS_MERGED).voxels.equal(voxels.sum().expand(4))
    assert runs.matrices(PLANES_MERGED).voxels.tolist() == [4 * voxels.sum()]
    assert find_runs(levels, SPACE).matrices(VOLUME_MERGED).voxels.tolist() == [13 * voxels.sum()]


def collection(levels: Tensor, directions: tuple[Offset, ...]) -> list[list[tuple[int, ...]]]:
    """The matrices of all directions over all slices, whatever their order."""
    counts = counted(find_runs(levels, directions))
    merged: dict[int, Counter[tuple[int, ...]]] = {number: Counter() for number in range(len(directions))}
    for (_, number, level, length), count in counts.items():
        merged[number][level, length] += count
    return sorted(sorted((*key, count) for key, count in table.items()) for table in merged.values())


@given(levels=images)
def test_turning_and_mirroring_only_change_the_names_of_directions(levels: Tensor) -> None:
    for axis in range(3):
        assert collection(levels.flip(axis), SPACE) == collection(levels, SPACE)
        assert collection(levels.flip(axis), PLANE) == collection(levels, PLANE)
    assert collection(levels.rot90(1, (0, 1)), PLANE) == collection(levels, PLANE)
    for axes in itertools.combinations(range(3), 2):
        assert collection(levels.rot90(1, axes), SPACE) == collection(levels, SPACE)


def test_a_voxel_without_intensity_ends_a_run() -> None:
    runs = find_runs(torch.tensor([2, 2, 0, 2, 2, 2]).view(6, 1, 1), ((1, 0, 0),))
    assert counted(runs) == {(0, 0, 2, 2): 1, (0, 0, 2, 3): 1}


def test_slices_in_batches_are_the_slices_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    levels = torch.randint(0, N + 1, (5, 5, 7), generator=torch.Generator().manual_seed(0))
    at_once = counted(find_runs(levels, PLANE))
    for cells in (1, 2 * 4 * N * 7):
        monkeypatch.setattr("gradatim.radiomics.runs.MAX_CELLS", cells)
        assert counted(find_runs(levels, PLANE)) == at_once


@pytest.mark.gpu
def test_a_gpu_gives_the_same_runs() -> None:
    levels = torch.randint(0, 9, (12, 11, 10), generator=torch.Generator().manual_seed(1))
    for directions in (PLANE, SPACE):
        assert counted(find_runs(levels.cuda(), directions)) == counted(find_runs(levels, directions))
