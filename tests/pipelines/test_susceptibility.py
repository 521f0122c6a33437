"""The whole route on a small simulated head: units, masks within masks, intervals that hold, and what is refused."""

import math
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import Regions
from gradatim.pipelines.susceptibility import SusceptibilityResult, SusceptibilityRoute
from gradatim.qsm.phantom import Head, HeadPhantom
from gradatim.qsm.reference import RegionMean
from gradatim.qsm.scan import HeadScan, SimulatedScan
from gradatim.qsm.score import ChallengeScore
from gradatim.qsm.two_pass import OnePass
from gradatim.qsm.vsharp import VSharp

GRID = Grid((50, 50, 38), (4.0, 4.0, 4.0))
FAST = SusceptibilityRoute(sources=OnePass(VSharp(radii_mm=(12.0, 8.0, 4.0))))


@dataclass(frozen=True, eq=False)
class Case:
    head: Head
    scan: SimulatedScan
    result: SusceptibilityResult
    heard: list[tuple[str, float]]


@pytest.fixture(scope="module")
def case() -> Case:
    """The default route with the mask and the regions of the head."""
    head = HeadPhantom(GRID)()
    scan = HeadScan()(head)
    heard: list[tuple[str, float]] = []
    result = SusceptibilityRoute()(
        scan.signal,
        mask=head.mask,
        regions=head.regions,
        case="sub-01",
        progress=lambda name, done: heard.append((name, done)),
    )
    return Case(head, scan, result, heard)


def silent(_name: str, _done: float) -> None:
    """A listener."""


def test_masks_lie_within_masks_and_their_sizes_are_told(case: Case) -> None:
    brain, quality, local = case.result.unwrapped.mask, case.result.total.mask, case.result.local.mask
    assert bool((brain == case.head.mask).all())
    for inner, outer in ((quality, brain), (local, quality), (case.result.relaxation.r2star.mask, brain)):
        assert not bool((inner & ~outer).any())
    assert bool((case.result.susceptibility.mask == local).all())
    assert [stage.voxels for stage in case.result.stages] == [int(m.sum()) for m in (brain, quality, local)]
    lost = [int(word) for word in case.result.stages[1].reason.replace(",", "").split() if word.isdigit()]
    assert sum(lost) == int(brain.sum()) - int(quality.sum())


def test_units_and_the_reference_are_stated(case: Case) -> None:
    chi, r2star = case.result.susceptibility, case.result.relaxation.r2star
    assert (chi.quantity, chi.unit, chi.reference) == ("susceptibility", "ppm", "mean of the mask")
    assert abs(float(chi.value[chi.mask].double().mean())) < 1e-6
    assert r2star.unit == "1/s"
    assert {answer.unit for answer in case.result.answers} == {"1/s"}
    assert {feature.case for feature in case.result.features} == {"sub-01"}


def test_maps_are_zero_outside_their_masks_and_finite_inside(case: Case) -> None:
    result = case.result
    pairs = [(result.total.field, result.total.mask), (result.total.error, result.total.mask)]
    pairs += [(result.local.field, result.local.mask), (result.local.error, result.local.mask)]
    maps = (result.susceptibility, result.relaxation.r2star, result.relaxation.t2star, result.relaxation.s0)
    pairs += [(each.value, each.mask) for each in maps]
    for values, mask in pairs:
        assert values.dtype is torch.float32
        assert not bool(values[~mask].any())
        assert bool(torch.isfinite(values[mask]).all())


def test_fields_and_map_are_those_of_the_head(case: Case) -> None:
    """Voxels of 4 mm hold too much of the cortex for a good map; this says that nothing is upside down."""
    total = case.result.total
    away = (total.field - case.scan.total.field)[total.mask]
    assert float((away - away.median()).abs().median()) < 1.5 * float(total.error[total.mask].median())
    chi = case.result.susceptibility
    assert ChallengeScore()(chi.value, truth=case.scan.susceptibility.value, mask=chi.mask).nrmse < 50.0


def test_intervals_of_r2star_cover_the_truth(case: Case) -> None:
    """95 % each: of about twenty regions, three misses have a chance of 7 %, four of 2 %."""
    by_name = {case.head.regions.name(label): label for label in case.head.regions.present}
    misses = 0
    for answer in case.result.answers:
        label = by_name[answer.question.removeprefix("mean R2* of ")]
        inside = (case.head.regions.labels == label) & case.result.relaxation.r2star.mask
        true = float(case.head.r2_star[inside].double().mean())
        assert answer.low < answer.estimate < answer.high
        assert answer.level == 0.95
        misses += not answer.low <= true <= answer.high
    assert len(case.result.answers) >= 15
    assert misses <= 3


def test_stages_are_announced_in_order(case: Case) -> None:
    done = [fraction for _, fraction in case.heard]
    assert done == sorted(done)
    assert done[0] > 0.0
    assert done[-1] < 1.0
    assert len({name for name, _ in case.heard}) == len(case.heard)


def test_what_iterated_says_why_it_stopped(case: Case) -> None:
    assert [name for name, _, _ in case.result.solutions] == ["background removal", "inversion"]
    assert all(count > 0 and reason for _, reason, count in case.result.solutions)


def test_without_mask_and_regions_both_are_found(case: Case) -> None:
    result = FAST(case.scan.signal, progress=silent)
    found = result.unwrapped.mask
    assert float((found & case.head.mask).sum() / case.head.mask.sum()) > 0.98
    assert result.stages[0].reason == "found in the magnitude"
    assert result.regions.present
    assert result.solutions == ()
    assert {f.region for f in result.features} <= {result.regions.name(label) for label in result.regions.present}


def test_a_region_may_be_the_reference(case: Case) -> None:
    label = 23
    assert case.head.regions.name(label) == "cerebrospinal fluid"
    route = replace(FAST, reference=RegionMean(case.head.regions, label))
    chi = route(case.scan.signal, mask=case.head.mask, regions=case.head.regions, progress=silent).susceptibility
    inside = (case.head.regions.labels == label) & chi.mask
    assert abs(float(chi.value[inside].double().mean())) < 1e-6
    assert case.head.regions.name(label) in chi.reference


def test_a_mask_cut_by_the_border_is_noted(case: Case) -> None:
    mask = case.head.mask.clone()
    mask[:, :, :3] = mask[:, :, 16:19]
    result = FAST(case.scan.signal, mask=mask, regions=case.head.regions, progress=silent)
    assert any("touches the edge" in note for note in result.notes)
    assert not any("touches the edge" in note for note in case.result.notes)


def test_a_mask_that_fills_the_image_is_refused(case: Case) -> None:
    with pytest.raises(InputError, match="GD-602"):
        FAST(case.scan.signal, mask=torch.ones(GRID.shape, dtype=torch.bool), progress=silent)


def test_an_empty_mask_is_refused(case: Case) -> None:
    with pytest.raises(InputError, match="GD-601"):
        FAST(case.scan.signal, mask=torch.zeros(GRID.shape, dtype=torch.bool), progress=silent)


@pytest.mark.parametrize("shape", [(50, 50, 37), (38, 50, 50), (1, 50, 50, 38)])
def test_a_mask_of_another_shape_is_refused(case: Case, shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="GD-103"):
        FAST(case.scan.signal, mask=torch.zeros(shape, dtype=torch.bool), progress=silent)


def test_regions_of_another_grid_are_refused_before_the_work(case: Case) -> None:
    heard: list[str] = []
    other = Regions(case.head.regions.labels, Grid(GRID.shape, (4.0, 4.0, 4.1)))
    with pytest.raises(UsageError, match="GD-103"):
        FAST(case.scan.signal, mask=case.head.mask, regions=other, progress=lambda name, _done: heard.append(name))
    assert "unwrapping" not in heard


@pytest.mark.parametrize("part", ["phase", "magnitude"])
def test_holes_in_the_scan_are_refused(case: Case, part: str) -> None:
    signal = case.scan.signal
    index = torch.nonzero(case.head.mask)[100].tolist()
    holes: Tensor = getattr(signal, part).clone()
    holes[1, index[0], index[1], index[2]] = math.nan
    with pytest.raises(InputError, match="GD-603"):
        FAST(replace(signal, **{part: holes}), mask=case.head.mask, progress=silent)


@pytest.mark.gpu
def test_it_runs_where_the_scan_lies(case: Case) -> None:
    signal = replace(case.scan.signal, magnitude=case.scan.signal.magnitude.cuda(), phase=case.scan.signal.phase.cuda())
    regions = replace(case.head.regions, labels=case.head.regions.labels.cuda())
    result = SusceptibilityRoute()(signal, mask=case.head.mask.cuda(), regions=regions, progress=silent)
    for values in (result.total.field, result.local.field, result.susceptibility.value, result.relaxation.r2star.value):
        assert values.device.type == "cuda"
    both = result.susceptibility.mask.cpu() & case.result.susceptibility.mask
    assert int(both.sum()) > 0.99 * int(case.result.susceptibility.mask.sum())
    difference = (result.susceptibility.value.cpu() - case.result.susceptibility.value)[both]
    assert float(difference.std()) < 0.05 * float(case.result.susceptibility.value[both].std())
