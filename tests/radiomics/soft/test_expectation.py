"""Soft matrices against the mean of IBSI's own over every way to draw the grey levels from their shares."""

import itertools
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from gradatim.radiomics.aggregation import PLANES_MERGED, VOLUME_MERGED, ZONES_MERGED, ZONES_VOLUME, Aggregation
from gradatim.radiomics.cooccurrence import matrices
from gradatim.radiomics.discretise import NoDiscretisation
from gradatim.radiomics.neighbourhoods import dependences
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.runs import find_runs
from gradatim.radiomics.soft.assignment import SoftAssignment, SoftLevels
from gradatim.radiomics.soft.cooccurrence import soft_matrices
from gradatim.radiomics.soft.dependence import by_recursion, soft_dependence
from gradatim.radiomics.soft.region import SoftRegion
from gradatim.radiomics.soft.runs import soft_runs
from gradatim.radiomics.soft.tone import soft_tone

MASK = torch.tensor([1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 1]).view(3, 2, 2).bool()
N = 5


@pytest.fixture(scope="module")
def region() -> SoftRegion:
    generator = torch.Generator().manual_seed(3)
    values = 1.2 + 2.6 * torch.rand(3, 2, 2, dtype=torch.float64, generator=generator)
    values[0, 0, 0] = 4.3
    return SoftRegion(Roi(values, MASK, MASK, (1.0, 1.0, 1.0), NoDiscretisation()), SoftAssignment(0.9))


def levels_of(region: SoftRegion) -> SoftLevels:
    assert isinstance(region.levels, SoftLevels)
    return region.levels


def draws(region: SoftRegion) -> Iterator[tuple[float, Tensor]]:
    """Every assignment of hard levels, with its probability."""
    levels = levels_of(region)
    for raised in itertools.product((0, 1), repeat=len(levels.lower)):
        up = torch.tensor(raised)
        chance = float(torch.where(up == 1, levels.share, 1 - levels.share).prod())
        if chance > 0:
            volume = torch.zeros(MASK.shape, dtype=torch.int64)
            volume[MASK] = levels.lower + up
            yield chance, volume


@pytest.mark.parametrize("aggregation", [VOLUME_MERGED, PLANES_MERGED], ids=lambda a: a.code)
def test_cooccurrence(region: SoftRegion, aggregation: Aggregation) -> None:
    expected = sum(p * next(matrices(volume, aggregation, n_levels=N))[0].double() for p, volume in draws(region))
    assert torch.allclose(next(soft_matrices(region, levels_of(region), aggregation))[0], expected, atol=1e-12)


@pytest.mark.parametrize("aggregation", [ZONES_VOLUME, ZONES_MERGED], ids=lambda a: a.code)
def test_dependences(region: SoftRegion, aggregation: Aggregation) -> None:
    expected = sum(p * next(dependences(volume, aggregation, n_levels=N))[0].double() for p, volume in draws(region))
    around = region.around(aggregation.directions)
    found = soft_dependence(levels_of(region), around, region.groups(aggregation))[0]
    assert torch.allclose(found, expected[:, : found.shape[1]], atol=1e-12)


@pytest.mark.parametrize("aggregation", [VOLUME_MERGED, PLANES_MERGED], ids=lambda a: a.code)
def test_runs(region: SoftRegion, aggregation: Aggregation) -> None:
    expected, found = torch.zeros(2, N + 1, 4, dtype=torch.float64)
    for chance, volume in draws(region):
        runs = find_runs(volume, aggregation.directions)
        expected.index_put_((runs.level, runs.length), chance * runs.count.double(), accumulate=True)
    soft = soft_runs(region, levels_of(region), aggregation)
    found[soft.level, soft.size] = soft.count
    assert torch.allclose(found, expected, atol=1e-8)
    assert float(soft.voxels) == pytest.approx(int(MASK.sum()) * len(aggregation.directions))


def test_presence_of_a_level_is_its_chance(region: SoftRegion) -> None:
    tone = soft_tone(levels_of(region), region.around(VOLUME_MERGED.directions), region.groups(ZONES_VOLUME))
    expected = sum(p * (torch.bincount(volume[MASK], minlength=N + 1) > 0)[1:].double() for p, volume in draws(region))
    assert torch.allclose(tone.presence[0], expected, atol=1e-9)


def test_the_kernel_of_dependences_equals_its_twin_with_its_derivative(region: SoftRegion) -> None:
    around = region.around(VOLUME_MERGED.directions)
    lower = levels_of(region).lower
    share = levels_of(region).share.clone().requires_grad_()
    weights = torch.randn(N, around.shape[1] + 1, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    kernel = soft_dependence(SoftLevels(lower, share), around, torch.zeros_like(lower))[0]
    twin = by_recursion(SoftLevels(lower, share), around, lower - 1, N + 1)[:-1]
    assert torch.allclose(kernel, twin, atol=1e-13)
    (slope,) = torch.autograd.grad((kernel * weights).sum(), share)
    (other,) = torch.autograd.grad((twin * weights).sum(), share)
    assert torch.allclose(slope, other, atol=1e-12)
