"""The one grid convention: where new voxels lie, what maps and masks become on them, what is refused."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial.transform import Rotation
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap
from gradatim.radiomics.boxes import boxes
from gradatim.radiomics.interpolation import CubicSpline, Linear, Nearest
from gradatim.radiomics.resample import ResampleTo, RoundToUnit

sizes = st.tuples(*[st.integers(1, 12)] * 3)
lengths = st.tuples(*[st.floats(0.3, 4.0)] * 3)

TURNS = {
    "straight": np.eye(3),
    "flipped": np.diag([-1.0, -1.0, 1.0]),
    "permuted": np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
    "oblique": Rotation.from_euler("xyz", [10, -25, 40], degrees=True).as_matrix(),
}


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def image(value: Tensor, grid: Grid | None = None, mask: Tensor | None = None) -> QuantitativeMap:
    x, y, z = value.shape
    known = torch.ones(value.shape, dtype=torch.bool) if mask is None else mask
    return QuantitativeMap(value, known, grid or Grid((x, y, z), (1.0, 1.0, 1.0)), "CT number", "HU")


def placed(turn: np.ndarray, shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> Grid:
    affine = np.eye(4)
    affine[:3, :3] = turn * np.asarray(spacing)
    affine[:3, 3] = (-17.0, 4.0, 90.5)
    return Grid.from_affine(shape, affine)


def world(grid: Grid) -> Tensor:
    """World positions of all voxel centres, (3, x, y, z), mm."""
    index = np.stack([*np.indices(grid.shape), np.ones(grid.shape)])
    return torch.from_numpy(np.einsum("ij,jxyz->ixyz", grid.matrix, index)[:3])


def ball(n: int, radius: float) -> Tensor:
    axis = torch.arange(n) - (n - 1) / 2
    x, y, z = torch.meshgrid(axis, axis, axis, indexing="ij")
    return x**2 + y**2 + z**2 <= radius**2


@given(sizes, lengths, lengths)
def test_the_centres_coincide_and_the_new_grid_covers_the_old_one(
    shape: tuple[int, int, int], old: tuple[float, float, float], new: tuple[float, float, float]
) -> None:
    given_grid = placed(TURNS["oblique"], shape, old)
    found = ResampleTo(new).grid(given_grid)
    middle = [g.matrix @ [*((np.asarray(g.shape) - 1) / 2), 1] for g in (given_grid, found)]
    np.testing.assert_allclose(middle[0], middle[1], atol=1e-9)
    for n, m, before, after in zip(shape, found.shape, given_grid.spacing, found.spacing, strict=True):
        assert m == 1 or -2e-3 * after <= m * after - n * before < after
    directions = [g.matrix[:3, :3] / np.asarray(g.spacing) for g in (given_grid, found)]
    np.testing.assert_allclose(directions[0], directions[1], atol=1e-12)


def test_rounded_spacings_add_no_voxel() -> None:
    assert ResampleTo((0.1, 0.1, 0.1)).grid(Grid((10, 10, 10), (0.3, 0.3, 0.3))).shape == (30, 30, 30)
    short = float(np.float32(0.7))
    assert ResampleTo((1.4,)).grid(Grid((200, 5, 5), (short + 1e-7, 1.0, 1.0))).shape == (100, 5, 5)


@pytest.mark.parametrize("turn", TURNS)
def test_a_ramp_in_the_world_stays_that_ramp(turn: str) -> None:
    old = placed(TURNS[turn], (9, 8, 7), (0.9, 1.3, 3.0))
    slope, offset = torch.tensor([1.7, -0.4, 0.9], dtype=torch.float64), 12.0

    def ramp(grid: Grid) -> Tensor:
        return torch.einsum("i,ixyz->xyz", slope, world(grid)) + offset

    found = ResampleTo((1.0, 1.0, 1.0)).image(image(ramp(old), old))
    back = np.linalg.inv(old.matrix)[:3] @ np.vstack([world(found.grid).reshape(3, -1), np.ones(found.value.numel())])
    inside = ((back >= 0) & (back <= np.array([[8.0], [7.0], [6.0]]))).all(0).reshape(found.grid.shape)
    assert inside.sum() > inside.size / 2
    torch.testing.assert_close(found.value[inside], ramp(found.grid)[inside], rtol=0, atol=1e-10)


@given(sizes, lengths, lengths, st.integers(-10_000, 10_000))
def test_a_constant_stays_constant(
    shape: tuple[int, int, int], old: tuple[float, float, float], new: tuple[float, float, float], level: int
) -> None:
    values = torch.full(shape, level / 7)
    for rule, within in ((Nearest(), 0.0), (Linear(), 0.0), (CubicSpline(), 1e-6 * abs(level))):
        found = ResampleTo(new, rule).image(image(values, Grid(shape, old)))
        assert float((found.value - values[0, 0, 0]).abs().max()) <= within


@pytest.mark.parametrize("rule", [Nearest(), Linear(), CubicSpline()])
def test_equal_spacing_changes_no_bit(rule: Linear) -> None:
    values = noise(4, 5, 6).float()
    given_map = image(values, Grid((4, 5, 6), (0.977, 0.977, 3.0)))
    for spacing in ((0.977, 0.977, 3.0), (0.977, 0.9770001), (0.977,)):
        found = ResampleTo(spacing, rule).image(given_map)
        assert found.value.equal(values)
        assert found.grid == given_map.grid
    box = (slice(1, 3), slice(0, 2), slice(4, 6))
    mask = values[box] > 0
    moved, where = ResampleTo((0.977,), rule).region(mask, box, given_map.grid)
    assert moved.equal(mask)
    assert where == box


def test_two_lengths_leave_the_slices_as_they_are() -> None:
    values = noise(6, 8, 3)
    together = ResampleTo((2.0, 2.0)).image(image(values))
    assert together.grid.shape == (3, 4, 3)
    for z in range(3):
        alone = ResampleTo((2.0, 2.0)).image(image(values[:, :, z : z + 1]))
        assert together.value[:, :, z : z + 1].equal(alone.value)


def test_twice_as_coarse_is_the_mean_of_the_eight_voxels() -> None:
    found = ResampleTo((2.0, 2.0, 2.0)).image(image(noise(6, 4, 8))).value
    expected = torch.nn.functional.avg_pool3d(noise(6, 4, 8)[None], 2)[0]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("rule", [Linear(), CubicSpline(), Nearest()])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mirrored_image_becomes_the_mirrored_one(rule: Linear, axis: int) -> None:
    resample = ResampleTo((0.7, 1.9, 1.3), rule)
    there = resample.image(image(noise(7, 6, 9).flip(axis))).value
    torch.testing.assert_close(there, resample.image(image(noise(7, 6, 9))).value.flip(axis), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("rule", "order", "mode"), [(Linear(), 1, "nearest"), (CubicSpline(), 3, "mirror")])
@pytest.mark.parametrize("spacing", [(2.0, 2.0, 2.0), (0.6, 1.4, 2.1)])
def test_the_whole_volume_is_that_of_scipy(
    rule: Linear, order: int, mode: str, spacing: tuple[float, float, float]
) -> None:
    old = Grid((15, 13, 9), (0.977, 0.977, 3.0))
    found = ResampleTo(spacing, rule).image(image(noise(15, 13, 9), old))
    # Scipy gets the map from new to old voxels from the two affines alone, and the outermost centres as limits.
    to_old = np.linalg.inv(old.matrix) @ found.grid.matrix
    index = np.stack([*np.indices(found.grid.shape), np.ones(found.grid.shape)])
    places = np.einsum("ij,jxyz->ixyz", to_old, index)[:3]
    limits = np.array(old.shape).reshape(3, 1, 1, 1) - 1
    expected = ndimage.map_coordinates(noise(15, 13, 9).numpy(), places.clip(0, limits), order=order, mode=mode)
    torch.testing.assert_close(found.value, torch.from_numpy(expected), rtol=0, atol=1e-11)


def test_rounding_gives_whole_numbers_and_is_asked_for() -> None:
    plain = ResampleTo((1.5, 1.5, 1.5)).image(image(noise(6, 6, 6) * 100)).value
    rounded = ResampleTo((1.5, 1.5, 1.5), rounding=RoundToUnit()).image(image(noise(6, 6, 6) * 100)).value
    assert rounded.equal(plain.round())
    assert not plain.equal(rounded)


def test_whole_numbers_become_floating_ones() -> None:
    found = ResampleTo((2.0, 1.0, 1.0)).image(image(torch.tensor([1, 2], dtype=torch.int16).view(2, 1, 1)))
    assert found.value.tolist() == [[[1.5]]]


def test_what_is_not_known_does_not_leak_in() -> None:
    known = ball(12, 4.5)
    values = torch.where(known, 3.0, 0.0)
    values[6, 6, 6] = float("nan")
    for rule in (Linear(), CubicSpline()):
        found = ResampleTo((1.4, 0.8, 2.0), rule).image(image(values, mask=known))
        assert 0 < int(found.mask.sum()) < found.mask.numel()
        torch.testing.assert_close(found.value[found.mask], torch.full((int(found.mask.sum()),), 3.0))
        assert float(found.value[~found.mask].abs().max()) == 0


@pytest.mark.parametrize("rule", [Nearest(), Linear(), CubicSpline()])
@pytest.mark.parametrize("spacing", [(2.0, 2.0, 3.0), (0.6, 1.7, 0.9), (1.0, 2.5)])
@pytest.mark.parametrize("threshold", [0.3, 0.5, 1.0])
def test_a_region_costs_its_box_and_is_that_of_the_whole_image(
    rule: Linear, spacing: tuple[float, ...], threshold: float
) -> None:
    labels = torch.zeros(60, 14, 14, dtype=torch.int64)
    labels[23:37] = ball(14, 6.2)
    labels[30, 7, 7] = 0
    box = boxes(labels)[1]
    grid = image(labels).grid
    resample = ResampleTo(spacing, rule, rule, threshold=threshold)
    mask, where = resample.region(labels[box] == 1, box, grid)
    weight = resample.image(image(labels.to(torch.float64))).value
    whole = torch.zeros(weight.shape, dtype=torch.bool)
    whole[where] = mask
    clear = (weight - threshold).abs() > 2e-4
    assert whole[clear].equal((weight >= threshold)[clear])
    assert int(whole.sum()) == int((weight >= threshold - 1e-4).sum())


@given(st.floats(4.0, 9.0), st.tuples(*[st.floats(0.5, 2.5)] * 3))
def test_a_ball_keeps_its_volume_within_a_layer_of_voxels(radius: float, spacing: tuple[float, float, float]) -> None:
    mask = ball(21, radius)
    box = boxes(mask.to(torch.int64))[1]
    moved, _ = ResampleTo(spacing).region(mask[box], box, Grid((21, 21, 21), (1.0, 1.0, 1.0)))
    volume, layer = int(mask.sum()), 4 * math.pi * radius**2 * max(*spacing, 1.0) / 2
    assert abs(float(moved.sum()) * math.prod(spacing) - volume) < layer


def test_exactly_half_belongs_to_the_region_although_spacings_are_rounded() -> None:
    mask = torch.ones(3, 1, 1, dtype=torch.bool)
    old = float(np.float32(0.7))
    moved, where = ResampleTo((1.4,)).region(
        mask, (slice(2, 5), slice(0, 1), slice(0, 1)), Grid((8, 1, 1), (old, 1, 1))
    )
    # Old voxels 2, 3, 4 of 8 lie in pairs (2, 3) and (4, 5): the second pair is half filled.
    assert [where[0].start + i for i in moved.flatten().nonzero().flatten().tolist()] == [1, 2]


def test_a_region_thinner_than_the_new_voxels_may_vanish() -> None:
    mask = torch.ones(1, 1, 1, dtype=torch.bool)
    box = (slice(4, 5), slice(4, 5), slice(4, 5))
    for rule in (Linear(), Nearest()):
        moved, _ = ResampleTo((4.0, 4.0, 4.0), mask_interpolation=rule).region(mask, box, Grid((8, 8, 8), (1.0,) * 3))
        assert not bool(moved.any())


@pytest.mark.parametrize("rule", [Linear(), CubicSpline()])
def test_the_gradient_of_the_map(rule: Linear) -> None:
    values = noise(4, 3, 5).requires_grad_()
    known = torch.ones(4, 3, 5, dtype=torch.bool)
    known[0, 0, :2] = False
    resample = ResampleTo((1.6, 0.7, 1.2), rule)
    assert torch.autograd.gradcheck(lambda x: resample.image(image(x, mask=known)).value, values)


@pytest.mark.parametrize("spacing", [(), (1.0, 1.0, 1.0, 1.0), (0.0, 1.0), (-1.0,), (math.inf, 1.0), (math.nan,)])
def test_lengths_that_are_none_are_refused(spacing: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match="GD-101"):
        ResampleTo(spacing)


@pytest.mark.parametrize("threshold", [0.0, -0.5, 1.01, math.nan])
def test_a_threshold_that_is_no_share_is_refused(threshold: float) -> None:
    with pytest.raises(UsageError, match="GD-101"):
        ResampleTo((1.0,), threshold=threshold)


def test_metres_for_millimetres_are_refused_before_the_work() -> None:
    with pytest.raises(UsageError, match="GD-133"):
        ResampleTo((0.002, 0.002, 0.002)).image(image(noise(10, 10, 10)))


@pytest.mark.gpu
@pytest.mark.parametrize("rule", [Nearest(), Linear(), CubicSpline()])
def test_a_gpu_gives_the_same_values(rule: Linear) -> None:
    known = ball(9, 4.2)
    resample = ResampleTo((0.7, 1.9, 1.3), rule)
    here = resample.image(image(noise(9, 9, 9), mask=known))
    there = resample.image(image(noise(9, 9, 9).cuda(), mask=known.cuda()))
    assert there.mask.cpu().equal(here.mask)
    torch.testing.assert_close(there.value.cpu(), here.value, rtol=0, atol=1e-12)
    box = boxes(known.to(torch.int64))[1]
    moved, where = resample.region(known[box].cuda(), box, here.grid)
    expected, expected_where = resample.region(known[box], box, here.grid)
    assert moved.cpu().equal(expected)
    assert where == expected_where
