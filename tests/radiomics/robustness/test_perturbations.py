"""Perturbations: known transforms of known images, volumes, statistics of the random ones, and their laws."""

import math

import numpy as np
import pytest
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.radiomics.interpolation import CubicSpline, Linear
from gradatim.radiomics.robustness.level_sets import border_distance
from gradatim.radiomics.robustness.move import Rotate, Shift
from gradatim.radiomics.robustness.noise import AddNoise
from gradatim.radiomics.robustness.outline import ChangeVolume, Dilate, Erode, RandomiseContour
from gradatim.radiomics.robustness.perturbation import every_chain

GRID = Grid((24, 22, 12), (1.0, 1.0, 2.0), ((0, -1, 0, 7), (1, 0, 0, 3), (0, 0, 2, -5), (0, 0, 0, 1)))


def scene(values=None, *, grid: Grid = GRID, radius: float = 6.0) -> tuple[QuantitativeMap, Regions]:
    """A smooth map and a ball of the given radius in mm about the grid's centre."""
    axes = [
        (torch.arange(n, dtype=torch.float64) - (n - 1) / 2) * s for n, s in zip(grid.shape, grid.spacing, strict=True)
    ]
    x, y, z = torch.meshgrid(*axes, indexing="ij")
    values = torch.sin(x / 5) * torch.cos(y / 7) + z / 20 if values is None else values
    image = QuantitativeMap(values, torch.ones(grid.shape, dtype=torch.bool), grid, "CT", "HU")
    return image, Regions((x**2 + y**2 + z**2 <= radius**2).to(torch.int32) * 5, grid, {5: "ball"})


def world(grid: Grid, mask: torch.Tensor) -> np.ndarray:
    """Mean position of a mask, RAS mm."""
    return grid.matrix[:3, :3] @ mask.nonzero().double().mean(0).numpy() + grid.matrix[:3, 3]


@pytest.mark.parametrize(("angle", "turns"), [(90.0, 1), (180.0, 2), (-90.0, -1), (360.0, 0)])
@pytest.mark.parametrize("interpolation", [Linear(), CubicSpline()])
def test_right_angles_only_permute_voxels(angle: float, turns: int, interpolation) -> None:
    image, regions = scene()
    turned, redrawn = Rotate(angle, interpolation)(image, regions)
    assert torch.allclose(turned.value, torch.rot90(image.value, -turns, (0, 1)), atol=1e-9)
    assert torch.equal(redrawn.labels, torch.rot90(regions.labels, -turns, (0, 1)))
    assert bool(turned.mask.all())


@pytest.mark.parametrize("angle", [7.0, -33.0, 135.0])
def test_a_rotation_samples_the_same_world(angle: float) -> None:
    """A linear field is interpolated exactly, so each known voxel has the field's value at its place in the world."""
    slope = np.array([0.3, -0.7, 0.2])
    index = np.stack(np.indices(GRID.shape), -1)
    image, regions = scene(torch.from_numpy((index @ GRID.matrix[:3, :3].T + GRID.matrix[:3, 3]) @ slope))
    turned, redrawn = Rotate(angle)(image, regions)
    there = np.stack(np.indices(turned.grid.shape), -1) @ turned.grid.matrix[:3, :3].T + turned.grid.matrix[:3, 3]
    inner = redrawn.labels.numpy() > 0
    assert np.allclose(turned.value.numpy()[inner], (there @ slope)[inner])
    assert turned.grid.spacing == pytest.approx(GRID.spacing)
    assert world(turned.grid, redrawn.labels > 0) == pytest.approx(world(GRID, regions.labels > 0), abs=0.05)
    r = np.linalg.norm(there - world(GRID, regions.labels > 0), axis=-1)
    assert inner[r < 6 - 1].all()
    assert not inner[r > 6 + 1].any()
    assert bool(turned.mask[redrawn.labels > 0].all())


def test_a_shift_moves_the_grid_and_not_the_world() -> None:
    image, regions = scene()
    moved, _ = Shift((1.0, -2.0, 0.0))(image, regions)
    assert torch.allclose(moved.value[:-1, 2:], image.value[1:, :-2])
    assert not bool(moved.mask[-1].any())
    assert not bool(moved.mask[:, :2].any())
    assert moved.grid.matrix[:3, 3] == pytest.approx(GRID.matrix[:3, 3] + GRID.matrix[:3, :3] @ [1, -2, 0])
    half, there = Shift((0.5, 0.0, 0.0))(image, regions)
    assert torch.allclose(half.value[:-1], (image.value[1:] + image.value[:-1]) / 2)
    assert world(half.grid, there.labels > 0) == pytest.approx(world(GRID, regions.labels > 0), abs=0.6)


def test_unknown_voxels_never_leak_into_the_map() -> None:
    _, regions = scene()
    known = torch.ones(GRID.shape, dtype=torch.bool)
    known[:8] = False
    spoilt = QuantitativeMap(torch.where(known, 3.0, math.nan), known, GRID, "CT", "HU")
    for perturbation in (Rotate(20.0), Shift((0.4, 0.3, 0.0)), Rotate(20.0, CubicSpline())):
        moved, _ = perturbation(spoilt, regions)
        assert torch.allclose(moved.value[moved.mask], torch.tensor(3.0).to(moved.value))
        assert not bool(moved.value[~moved.mask].any())


def test_two_regions_that_touch_stay_whole_and_apart() -> None:
    image, regions = scene()
    halves = torch.where(torch.arange(24).view(-1, 1, 1) < 12, regions.labels, regions.labels * 2)
    _, redrawn = Rotate(25.0)(image, Regions(halves, GRID))
    assert redrawn.present == (5, 10)
    _, alone = Rotate(25.0)(image, regions)
    lost = (alone.labels > 0) & (redrawn.labels == 0)
    assert int(lost.sum()) <= 0.05 * int((alone.labels > 0).sum())


def test_grids_that_differ_are_refused() -> None:
    image, _ = scene()
    with pytest.raises(UsageError, match="GD-103"):
        Rotate(5.0)(image, scene(grid=Grid(GRID.shape, GRID.spacing))[1])


def test_noise_has_its_deviation_and_depends_on_seed_and_image() -> None:
    image, regions = scene()
    first = AddNoise(seed=3, sigma=2.0)(image, regions)[0].value - image.value
    assert float(first.std()) == pytest.approx(2.0, rel=0.05)
    assert float(first.mean()) == pytest.approx(0.0, abs=0.1)
    again = AddNoise(seed=3, sigma=2.0)(image, regions)[0].value - image.value
    assert torch.equal(first, again)
    second = scene(image.value + 1)[0]
    for noise in (
        AddNoise(seed=4, sigma=2.0)(image, regions)[0].value - image.value,
        AddNoise(seed=3, sigma=2.0)(second, regions)[0].value - second.value,
    ):
        assert abs(float(torch.corrcoef(torch.stack([first.flatten(), noise.flatten()]))[0, 1])) < 0.05


def test_noise_that_is_not_given_is_the_images_own() -> None:
    noise = torch.randn(GRID.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    image, regions = scene(-1000 + 12 * noise)
    louder = AddNoise(seed=1)(image, regions)[0].value
    assert float((louder - image.value).std()) == pytest.approx(12.0, rel=0.05)
    with pytest.raises(InputError, match="GD-640"):
        AddNoise(seed=1)(scene(torch.zeros(GRID.shape))[0], regions)
    half = QuantitativeMap(image.value, regions.labels > 0, GRID, "CT", "HU")
    assert torch.equal(AddNoise(seed=1, sigma=1.0)(half, regions)[0].value[~half.mask], image.value[~half.mask])


def test_the_signed_distance_of_a_ball_is_its_radius_less_r() -> None:
    grid = Grid((31, 31, 31), (1.0, 1.0, 1.0))
    _, regions = scene(grid=grid, radius=9.0)
    distance = border_distance(regions.labels.numpy() > 0, grid.spacing)
    r = np.sqrt(sum((axis - 15.0) ** 2 for axis in np.indices(grid.shape)))
    assert np.abs(distance - (9.0 - r))[r < 14].max() < 1.0


@pytest.mark.parametrize("distance", [1.0, 2.0, 3.5])
def test_balls_grow_and_shrink_by_the_distance(distance: float) -> None:
    """By the triangle inequality nothing reaches further; a sphere's centres lie within half a diagonal of it."""
    grid = Grid((33, 33, 33), (1.0, 1.0, 1.0))
    image, regions = scene(grid=grid, radius=10.0)
    r = np.sqrt(sum((axis - 16.0) ** 2 for axis in np.indices(grid.shape)))
    grown = Dilate(distance)(image, regions)[1].labels.numpy() > 0
    assert not grown[r > 10 + distance + 1e-9].any()
    assert grown[r < 10 + distance - math.sqrt(3) / 2 - 0.1].all()
    left = Erode(distance)(image, regions)[1].labels.numpy() > 0
    assert left[r <= 10 - distance - 1e-9].all()
    assert not left[r > 10 - distance + math.sqrt(3) / 2 + 0.1].any()


@pytest.mark.parametrize("distance", [1.0, 2.0, 2.3])
def test_distances_are_between_centres_whatever_the_spacing(distance: float) -> None:
    """Against every pair of voxels."""
    image, regions = scene(radius=4.5)
    inside = regions.labels.numpy() > 0
    edges = np.array(GRID.spacing)
    every = np.argwhere(np.ones(GRID.shape)) * edges

    def nearest(mask: np.ndarray) -> np.ndarray:
        near = np.full(len(every), np.inf)
        for place in np.argwhere(mask) * edges:
            near = np.minimum(near, ((every - place) ** 2).sum(-1))
        return np.sqrt(near).reshape(GRID.shape)

    assert np.array_equal(Dilate(distance)(image, regions)[1].labels.numpy() > 0, nearest(inside) <= distance)
    assert np.array_equal(Erode(distance)(image, regions)[1].labels.numpy() > 0, nearest(~inside) > distance)


@pytest.mark.parametrize("share", [-0.5, -0.1, 0.1, 0.5, 2.0])
def test_volumes_change_by_the_share(share: float) -> None:
    image, regions = scene()
    before = int((regions.labels > 0).sum())
    changed = ChangeVolume(share)(image, regions)[1].labels > 0
    assert int(changed.sum()) == round((1 + share) * before)
    inside = regions.labels > 0
    assert bool((changed[inside]).all()) if share > 0 else not bool((changed & ~inside).any())


def test_neighbours_share_what_both_reach_and_a_lost_region_keeps_its_name() -> None:
    image, regions = scene()
    halves = torch.where(torch.arange(24).view(-1, 1, 1) < 12, regions.labels, regions.labels * 2)
    grown = Dilate(2.0)(image, Regions(halves, GRID))[1]
    both = Dilate(2.0)(image, regions)[1]
    assert torch.equal(grown.labels > 0, both.labels > 0)
    assert torch.equal(grown.labels[halves > 0], halves[halves > 0])
    lost = Erode(20.0)(image, regions)[1]
    assert (lost.present, dict(lost.names)) == ((), {5: "ball"})


def test_another_drawing_moves_the_border_by_its_deviation() -> None:
    """The share of drawings that hold a voxel at signed distance d is Φ(d/σ)."""
    image, regions = scene()
    distance = border_distance(regions.labels.numpy() > 0, GRID.spacing)
    drawings = [RandomiseContour(1.5, 3.0, seed)(image, regions)[1].labels.numpy() > 0 for seed in range(60)]
    share = np.mean(drawings, axis=0)
    for level in (-2.0, -1.0, 0.5, 1.5):
        shell = np.abs(distance - level) < 0.3
        assert shell.sum() > 20
        expected = 0.5 * (1 + math.erf(distance[shell].mean() / 1.5 / math.sqrt(2)))
        assert share[shell].mean() == pytest.approx(expected, abs=0.06)
    assert np.array_equal(drawings[0], RandomiseContour(1.5, 3.0, 0)(image, regions)[1].labels.numpy() > 0)
    assert not np.array_equal(drawings[0], drawings[1])


def test_across_thick_slices_the_border_moves_as_far_as_along_them() -> None:
    """Flat faces half-way between centres 4 mm apart: a voxel beside one is held by Φ(±2/σ) of the drawings."""
    grid = Grid((16, 16, 8), (1.0, 1.0, 4.0))
    labels = torch.zeros(grid.shape, dtype=torch.int32)
    labels[:, :, 2:6] = 1
    image = QuantitativeMap(torch.zeros(grid.shape), torch.ones(grid.shape).bool(), grid, "CT", "HU")
    drawings = [
        RandomiseContour(2.0, 1.0, seed)(image, Regions(labels, grid))[1].labels[4:12, 4:12].bool()
        for seed in range(60)
    ]
    shares = torch.stack(drawings).double().mean((0, 1, 2))
    inside = 0.5 * (1 + math.erf(2 / 2.0 / math.sqrt(2)))
    assert shares[[1, 6]].mean() == pytest.approx(1 - inside, abs=0.02)
    assert shares[[2, 5]].mean() == pytest.approx(inside, abs=0.02)


def test_smoother_drawings_have_fewer_corners() -> None:
    image, regions = scene()

    def faces(smoothness: float) -> float:
        masks = [RandomiseContour(1.5, smoothness, seed)(image, regions)[1].labels > 0 for seed in range(8)]
        return float(np.mean([sum(int(m.int().diff(dim=axis).abs().sum()) for axis in range(3)) for m in masks]))

    assert faces(4.0) < faces(0.5)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Rotate(math.nan),
        lambda: Shift((math.inf, 0.0, 0.0)),
        lambda: AddNoise(seed=1, sigma=-1.0),
        lambda: Dilate(0.0),
        lambda: Erode(-1.0),
        lambda: ChangeVolume(-1.0),
        lambda: ChangeVolume(math.nan),
        lambda: RandomiseContour(0.0, 1.0, 1),
        lambda: RandomiseContour(1.0, math.inf, 1),
        lambda: every_chain(),
        lambda: every_chain((Rotate(1.0),), ()),
    ],
)
def test_impossible_perturbations(wrong) -> None:
    with pytest.raises(UsageError, match="GD-147"):
        wrong()
