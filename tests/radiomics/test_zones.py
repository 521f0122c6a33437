"""Zones against flooding by hand, distances against all pairs of voxels, and the laws that both obey."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from torch import Tensor

from gradatim.radiomics.aggregation import PLANE, SPACE, ZONES_AVERAGED, ZONES_MERGED, ZONES_VOLUME, Offset
from gradatim.radiomics.margin import margined
from gradatim.radiomics.zones import Zones, by_erosion, by_kernel, by_propagation, find_zones

N = 3
Place = tuple[int, ...]


@st.composite
def regions(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    """Levels, and a morphological mask that holds them and possibly more."""
    size = draw(array_shapes(min_dims=3, max_dims=3, max_side=5))
    levels = torch.from_numpy(draw(arrays("int64", size, elements=st.integers(0, N))))
    levels.view(-1)[0] += 1 - int(bool(levels.any()))
    more = torch.from_numpy(draw(arrays("bool", size)))
    return levels, (levels > 0) | more


def by_hand(levels: Tensor, shape: Tensor, directions: tuple[Offset, ...]) -> list[Place]:
    """Flood from every voxel not yet in a zone: (slice, level, size, distance), sorted."""
    waiting = {place: int(levels[place]) for place in itertools.product(*map(range, levels.shape)) if levels[place] > 0}
    found = []
    while waiting:
        start, level = waiting.popitem()
        zone, front = [start], [start]
        while front:
            x, y, z = front.pop()
            for (a, b, c), sign in itertools.product(directions, (1, -1)):
                beside = (x + sign * a, y + sign * b, z + sign * c)
                if waiting.get(beside) == level:
                    del waiting[beside]
                    zone.append(beside)
                    front.append(beside)
        nearest = min(distance(place, shape, directions) for place in zone)
        found.append((start[2] if directions == PLANE else 0, level, len(zone), nearest))
    return sorted(found)


def distance(place: Place, shape: Tensor, directions: tuple[Offset, ...]) -> int:
    """City-block distance to the nearest voxel that is not in the mask; all are outside beyond the box."""
    x, y, z = shape.shape
    depth = [place[2]] if directions == PLANE else range(-1, z + 1)
    return min(
        sum(abs(p - q) for p, q in zip(place, other, strict=True))
        for other in itertools.product(range(-1, x + 1), range(-1, y + 1), depth)
        if any(not 0 <= q < n for q, n in zip(other, shape.shape, strict=True)) or not shape[other]
    )


def listed(zones: Zones) -> list[Place]:
    return sorted(zip(*(t.tolist() for t in (zones.slice, zones.level, zones.size, zones.distance)), strict=True))


@pytest.mark.parametrize("directions", [PLANE, SPACE])
@settings(max_examples=40)
@given(region=regions())
def test_zones_are_those_by_hand(directions: tuple[Offset, ...], region: tuple[Tensor, Tensor]) -> None:
    assert listed(find_zones(*region, directions)) == by_hand(*region, directions)


@pytest.mark.parametrize("directions", [PLANE, SPACE])
@given(region=regions())
def test_kernel_and_torch_find_the_same(directions: tuple[Offset, ...], region: tuple[Tensor, Tensor]) -> None:
    levels, shape = region
    laid, mask = margined(levels.to(torch.int16), directions), margined(shape, directions)
    assert by_kernel(laid, mask, directions).equal(by_propagation(laid, mask, directions))


@pytest.mark.parametrize("seed", range(4))
def test_kernel_and_torch_find_the_same_winding_zones(seed: int) -> None:
    # Two levels near the percolation threshold of each neighbourhood: large zones with many branches to join.
    draw = torch.Generator().manual_seed(seed)
    for directions, share in ((PLANE, 0.41), (SPACE, 0.1)):
        levels = (torch.rand((23, 21, 19), generator=draw) < share).long() + 1
        laid, mask = margined(levels.to(torch.int16), directions), margined(levels > 0, directions)
        assert by_kernel(laid, mask, directions).equal(by_propagation(laid, mask, directions))


@given(region=regions())
def test_every_voxel_is_in_one_zone(region: tuple[Tensor, Tensor]) -> None:
    levels, shape = region
    for directions in (PLANE, SPACE):
        zones = find_zones(levels, shape, directions)
        for level in range(1, N + 1):
            assert int(zones.size[zones.level == level].sum()) == int((levels == level).sum())


@given(region=regions())
def test_aggregations_count_the_voxels_of_what_they_merge(region: tuple[Tensor, Tensor]) -> None:
    levels, shape = region
    plane, voxels = find_zones(levels, shape, PLANE), (levels > 0).sum((0, 1)).double()
    for matrices in (plane.by_size, plane.by_distance):
        assert matrices(ZONES_AVERAGED).voxels.equal(voxels[voxels > 0])
        assert matrices(ZONES_MERGED).voxels.tolist() == [voxels.sum()]
    assert find_zones(levels, shape, SPACE).by_distance(ZONES_VOLUME).voxels.tolist() == [voxels.sum()]


@given(region=regions())
def test_turning_and_mirroring_change_nothing(region: tuple[Tensor, Tensor]) -> None:
    levels, shape = region
    plane, space = (listed(find_zones(levels, shape, d)) for d in (PLANE, SPACE))
    for axis in range(3):
        assert listed(find_zones(levels.flip(axis), shape.flip(axis), SPACE)) == space
    for axes in itertools.combinations(range(3), 2):
        assert listed(find_zones(levels.rot90(1, axes), shape.rot90(1, axes), SPACE)) == space
    for turned in (lambda t: t.flip(0), lambda t: t.flip(1), lambda t: t.rot90(1, (0, 1))):
        assert listed(find_zones(turned(levels), turned(shape), PLANE)) == plane


def test_corners_join() -> None:
    diagonal = torch.zeros(2, 2, 2, dtype=torch.int64)
    diagonal[0, 0, 0] = diagonal[1, 1, 1] = 1
    assert listed(find_zones(diagonal, diagonal > 0, SPACE)) == [(0, 1, 2, 1)]
    assert listed(find_zones(diagonal, diagonal > 0, PLANE)) == [(0, 1, 1, 1), (1, 1, 1, 1)]


def test_the_distance_is_that_in_the_morphological_mask() -> None:
    # A cube of 7 whose centre alone has an intensity: four steps lead out, whatever re-segmentation took away.
    levels = torch.zeros(7, 7, 7, dtype=torch.int64)
    levels[3, 3, 3] = 2
    whole = torch.ones(7, 7, 7, dtype=torch.bool)
    assert listed(find_zones(levels, whole, SPACE)) == [(0, 2, 1, 4)]
    assert listed(find_zones(levels, levels > 0, SPACE)) == [(0, 2, 1, 1)]


def test_the_distance_in_a_slice_does_not_look_at_other_slices() -> None:
    whole = torch.ones(5, 5, 1, dtype=torch.bool)
    x, y, z = (1, 0, 0), (0, 1, 0), (0, 0, 1)
    assert int(by_erosion(margined(whole, (x, y)), (x, y)).max()) == 3
    assert int(by_erosion(margined(whole, (x, y, z)), (x, y, z)).max()) == 1


@pytest.mark.gpu
def test_a_gpu_finds_the_same_zones() -> None:
    draw = torch.Generator().manual_seed(1)
    levels = torch.randint(0, 4, (12, 11, 10), generator=draw)
    shape = (levels > 0) | (torch.rand(levels.shape, generator=draw) < 0.5)
    for directions in (PLANE, SPACE):
        assert listed(find_zones(levels.cuda(), shape.cuda(), directions)) == listed(
            find_zones(levels, shape, directions)
        )
