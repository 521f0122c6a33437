"""Clusters on maps whose clusters are known: spheres, on isotropic and anisotropic voxels."""

import math

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.segment.clusters import OutstandingClusters

Point = tuple[float, float, float]

FIELD_OF_VIEW = 48.0
SPACINGS: list[Point] = [(1.0, 1.0, 1.0), (0.8, 1.2, 2.0)]
LARGE, SMALL, NEGATIVE = (14.0, 14.0, 14.0), (34.0, 30.0, 12.0), (20.0, 34.0, 34.0)


def places(grid: Grid) -> Tensor:
    """Voxel centres (3, x, y, z), mm."""
    axes = [torch.arange(n) * s for n, s in zip(grid.shape, grid.spacing, strict=True)]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"))


def ball(grid: Grid, centre: Point, radius: float) -> Tensor:
    return (places(grid) - torch.tensor(centre).view(3, 1, 1, 1)).norm(dim=0) <= radius


def scene(spacing: Point, *, noise: float = 0.02) -> QuantitativeMap:
    """Two paramagnetic balls and a diamagnetic one in noise, ppm."""
    x, y, z = (round(FIELD_OF_VIEW / s) for s in spacing)
    grid = Grid((x, y, z), spacing)
    value = noise * torch.randn(grid.shape, generator=torch.Generator().manual_seed(3))
    value[ball(grid, LARGE, 7.0)] += 0.3
    value[ball(grid, SMALL, 4.0)] += 0.3
    value[ball(grid, NEGATIVE, 5.0)] -= 0.3
    return QuantitativeMap(value, torch.ones(grid.shape, dtype=torch.bool), grid, "susceptibility", "ppm")


def fits(cluster: Tensor, grid: Grid, centre: Point, radius: float) -> bool:
    """Whether a cluster is the ball up to the blur of its edge: the smoothing and half a voxel's diagonal."""
    blur = OutstandingClusters().smoothing_mm + math.hypot(*grid.spacing) / 2
    core, hull = ball(grid, centre, radius - blur), ball(grid, centre, radius + blur)
    return bool((cluster | ~core).all() and (hull | ~cluster).all())


@pytest.mark.parametrize("spacing", SPACINGS)
def test_spheres_are_found_with_their_size_sign_and_order(spacing: Point) -> None:
    chi = scene(spacing)
    regions = OutstandingClusters()(chi)
    assert [regions.name(label) for label in regions.present] == ["paramagnetic-1", "paramagnetic-2", "diamagnetic-1"]
    for label, (centre, radius) in enumerate([(LARGE, 7.0), (SMALL, 4.0), (NEGATIVE, 5.0)], start=1):
        assert fits(regions.labels == label, chi.grid, centre, radius)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_the_least_volume_is_a_volume_and_not_a_count(spacing: Point) -> None:
    chi = scene(spacing)
    volumes = volumes_mm3(OutstandingClusters()(chi))
    between = (volumes["paramagnetic-2"] + volumes["diamagnetic-1"]) / 2
    assert volumes_mm3(OutstandingClusters(least_volume_mm3=between)(chi)).keys() == {"paramagnetic-1", "diamagnetic-1"}


def volumes_mm3(regions: Regions) -> dict[str, float]:
    return {
        regions.name(label): float((regions.labels == label).sum()) * regions.grid.voxel_volume_mm3
        for label in regions.present
    }


def test_noise_alone_gives_no_cluster() -> None:
    chi = scene((1.0, 1.0, 1.0))
    quiet = 0.02 * torch.randn(chi.grid.shape, generator=torch.Generator().manual_seed(4))
    still = QuantitativeMap(quiet, chi.mask, chi.grid, "susceptibility", "ppm")
    assert OutstandingClusters()(still).present == ()


def test_offset_and_sign_only_rename() -> None:
    chi = scene((1.0, 1.0, 1.0))
    turned = QuantitativeMap(0.7 - chi.value, chi.mask, chi.grid, "susceptibility", "ppm")
    before, after = (OutstandingClusters()(image) for image in (chi, turned))
    for kind, other in (("paramagnetic", "diamagnetic"), ("diamagnetic", "paramagnetic")):
        assert union(before, kind).equal(union(after, other))


def union(regions: Regions, kind: str) -> Tensor:
    chosen = [label for label in regions.present if regions.name(label).startswith(kind)]
    return torch.isin(regions.labels, torch.tensor(chosen))


def test_a_map_without_noise_needs_no_spread() -> None:
    regions = OutstandingClusters()(scene((1.0, 1.0, 1.0), noise=0.0))
    assert len(regions.present) == 3


def test_outside_the_mask_and_where_undefined_there_is_no_cluster() -> None:
    chi = scene((1.0, 1.0, 1.0))
    value = chi.value.clone()
    value[ball(chi.grid, SMALL, 4.0)] = math.nan
    mask = ~ball(chi.grid, NEGATIVE, 9.0)
    value[~mask] = 0
    regions = OutstandingClusters()(QuantitativeMap(value, mask, chi.grid, "susceptibility", "ppm"))
    assert list(regions.names.values()) == ["paramagnetic-1"]
    assert not bool((regions.labels[~mask] > 0).any())
    assert fits(regions.labels == 1, chi.grid, LARGE, 7.0)


def test_the_edge_of_the_mask_does_not_pull_values_down() -> None:
    chi = scene((1.0, 1.0, 1.0))
    inside = ball(chi.grid, LARGE, 7.0)
    narrow = QuantitativeMap(chi.value * inside, inside | (places(chi.grid)[0] > 24), chi.grid, "susceptibility", "ppm")
    assert (OutstandingClusters()(narrow).labels == 1).equal(inside)


def test_a_map_without_values_is_refused() -> None:
    grid = Grid((2, 2, 2), (1.0, 1.0, 1.0))
    empty = QuantitativeMap(torch.full((2, 2, 2), math.nan), torch.ones(2, 2, 2).bool(), grid, "susceptibility", "ppm")
    with pytest.raises(InputError, match="GD-601"):
        OutstandingClusters()(empty)


@pytest.mark.parametrize("wrong", [{"strength": 0.0}, {"smoothing_mm": -1.0}, {"least_volume_mm3": math.nan}])
def test_impossible_parameters_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="GD-101"):
        OutstandingClusters(**wrong)
