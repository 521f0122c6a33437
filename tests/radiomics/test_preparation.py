"""The steps between a map and its regions: their order, the two masks, and where nothing is left."""

import json
import math
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.linop.gaussian import smooth
from gradatim.radiomics.discretise import FixedBinNumber, FixedBinSize, IntensityBins
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.interpolation import CubicSpline
from gradatim.radiomics.preparation import VANISHED, Preparation
from gradatim.radiomics.resample import ResampleTo, RoundToUnit
from gradatim.radiomics.resegment import IntensityRange, OutlierFence
from gradatim.radiomics.roi import NO_VOXELS, Roi
from gradatim.radiomics.statistics import Statistics
from gradatim.radiomics.undefined import Undefined

BINS = FixedBinNumber(8)
Spacing = tuple[float, float, float]


@dataclass(frozen=True)
class Negative:
    """A response that is easy to tell from the image."""

    def __call__(self, values: Tensor, *, spacing: Spacing) -> Tensor:
        return -values


@dataclass(frozen=True)
class Cut:
    """A response that does not keep the grid."""

    def __call__(self, values: Tensor, *, spacing: Spacing) -> Tensor:
        return values[1:]


@dataclass(frozen=True)
class Denoised:
    """How a function of elsewhere, here a blur, becomes a response that denoises before grey levels are given."""

    width_mm: float

    def __call__(self, values: Tensor, *, spacing: Spacing) -> Tensor:
        return smooth(values, tuple(self.width_mm / edge for edge in spacing))


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def grid(values: Tensor) -> Grid:
    x, y, z = values.shape
    return Grid((x, y, z), (1.0, 1.0, 1.0))


def ct(values: Tensor) -> QuantitativeMap:
    return QuantitativeMap(values, torch.ones(values.shape, dtype=torch.bool), grid(values), "CT number", "HU")


def regions(labels: Tensor, names: dict[int, str] | None = None) -> Regions:
    return Regions(labels, grid(labels), names or {})


def inner(n: int) -> Tensor:
    labels = torch.zeros(n, n, n, dtype=torch.int64)
    labels[2:-2, 2:-2, 2:-2] = 1
    return labels


def only(preparation: Preparation, image: QuantitativeMap, where: Regions) -> Roi:
    ((_, roi),) = preparation(image, where)
    assert isinstance(roi, Roi)
    return roi


def test_the_map_is_resampled_and_rounded_before_it_is_segmented_again() -> None:
    image = ct(noise(12, 12, 12) * 100)
    resample = ResampleTo((2.0, 2.0, 2.0), rounding=RoundToUnit())
    rule = IntensityRange(-20.0, 30.0)
    roi = only(Preparation(BINS, (rule,), resample), image, regions(inner(12)))
    whole = resample.image(image)
    expected = whole.value[1:5, 1:5, 1:5]
    assert roi.spacing == (2.0, 2.0, 2.0)
    assert roi.values.equal(expected)
    assert roi.shape.all()
    assert roi.intensity.equal((expected >= -20) & (expected <= 30))
    assert roi.surroundings is not None
    assert roi.surroundings.values.equal(whole.value)
    assert roi.surroundings.origin == (1, 1, 1)


def test_intensities_are_judged_before_the_filter_and_measured_after_it() -> None:
    image = ct(noise(8, 8, 8) * 100)
    plain = only(Preparation(BINS, (IntensityRange(0.0, 150.0),)), image, regions(inner(8)))
    filtered = only(Preparation(BINS, (IntensityRange(0.0, 150.0),), response=Negative()), image, regions(inner(8)))
    assert filtered.intensity.equal(plain.intensity)
    assert filtered.intensities.equal(-plain.intensities)
    assert filtered.surroundings is not None
    assert filtered.surroundings.values.equal(-image.value)


def test_rules_judge_what_those_before_them_left() -> None:
    values = torch.cat([torch.arange(10.0), torch.tensor([1000.0])]).view(11, 1, 1)
    everywhere = regions(torch.ones(11, 1, 1, dtype=torch.int64))
    fence, band = OutlierFence(1.5), IntensityRange(-1.0, 500.0)
    first_band = only(Preparation(BINS, (band, fence)), ct(values), everywhere).intensities
    first_fence = only(Preparation(BINS, (fence, band)), ct(values), everywhere).intensities
    # 0 … 9 have mean 4.5 and σ 2.87: 0 and 9 lie outside 1.5 σ; beside 1000 none of them does.
    assert first_band.tolist() == [float(v) for v in range(1, 9)]
    assert first_fence.tolist() == [float(v) for v in range(10)]


def test_a_filter_sees_nothing_of_what_is_not_known() -> None:
    values = noise(6, 6, 6)
    values[3, 3, 3] = float("nan")
    known = torch.ones(6, 6, 6, dtype=torch.bool)
    known[2, 2, 2] = False
    image = QuantitativeMap(values, known, grid(values), "susceptibility", "ppm")
    roi = only(Preparation(BINS, response=Negative()), image, regions(inner(6)))
    assert int(roi.shape.sum()) == 8
    assert int(roi.intensity.sum()) == 6
    assert roi.surroundings is not None
    assert int(roi.surroundings.known.sum()) == 6**3 - 2
    assert bool(roi.surroundings.values.isfinite().all())


def test_a_denoiser_takes_the_place_of_a_filter() -> None:
    image = ct(50.0 + 10.0 * noise(12, 12, 12))
    preparation = Preparation(BINS, response=Denoised(width_mm=1.0))
    raw, roi = (only(way, image, regions(inner(12))) for way in (Preparation(BINS), preparation))
    # White noise through a Gaussian of σ voxels keeps 1/(4 π σ²)^(3/2) of its variance: 0.15 of its deviation.
    assert float(roi.intensities.std() / raw.intensities.std()) == pytest.approx((4 * math.pi) ** -0.75, rel=0.5)
    assert preparation.parameters["response"] == {"method": "Denoised", "width_mm": 1.0}


def test_a_response_on_another_grid_is_refused() -> None:
    with pytest.raises(UsageError, match="GD-103"):
        only(Preparation(BINS, response=Cut()), ct(noise(6, 6, 6)), regions(inner(6)))


def test_each_region_has_its_own_tight_box() -> None:
    labels = torch.zeros(20, 10, 10, dtype=torch.int64)
    labels[1:9, 2:8, 2:8], labels[11:19, 1:9, 3:7] = 3, 8
    preparation = Preparation(BINS, resampling=ResampleTo((0.7, 1.6, 2.3)))
    for label, roi in preparation(ct(noise(20, 10, 10)), regions(labels)):
        alone = only(preparation, ct(noise(20, 10, 10)), regions(torch.where(labels == label, label, 0)))
        assert isinstance(roi, Roi)
        assert roi.values.equal(alone.values)
        assert roi.shape.equal(alone.shape)
        for axis in range(3):
            ends = roi.shape.movedim(axis, 0)[[0, -1]]
            assert ends.flatten(1).any(1).all()


def test_a_region_that_vanishes_on_the_new_grid_says_so() -> None:
    labels = inner(12)
    labels[0, 0, 0] = 2
    found = dict(Preparation(BINS, resampling=ResampleTo((4.0, 4.0, 4.0)))(ct(noise(12, 12, 12)), regions(labels)))
    assert isinstance(found[1], Roi)
    assert found[2] == Undefined(VANISHED)
    rows = Extraction(Preparation(BINS, resampling=ResampleTo((4.0,) * 3)), families=(Statistics(),))(
        ct(noise(12, 12, 12)), regions(labels)
    )
    assert {row.reason for row in rows if row.region == "2"} == {f"GD-750 {VANISHED}"}


def test_a_named_region_without_voxels_is_undefined_on_any_grid() -> None:
    found = dict(Preparation(BINS, resampling=ResampleTo((2.0,)))(ct(noise(6, 6, 6)), regions(inner(6), {4: "none"})))
    assert found[4] == Undefined(NO_VOXELS)


def test_the_gradient_reaches_the_image_through_every_step() -> None:
    values = noise(10, 10, 10).requires_grad_()
    preparation = Preparation(BINS, resampling=ResampleTo((1.7, 1.7, 1.7), CubicSpline()), response=Negative())
    only(preparation, ct(values), regions(inner(10))).intensities.square().sum().backward()
    assert values.grad is not None
    assert int((values.grad != 0).sum()) > 50


def test_every_step_stands_in_the_parameters() -> None:
    preparation = Preparation(
        BINS,
        (IntensityRange(-1000.0, 400.0), OutlierFence(3.0)),
        ResampleTo((2.0, 2.0), CubicSpline(), rounding=RoundToUnit()),
        Negative(),
    )
    said = json.loads(json.dumps(preparation.parameters))
    assert [step["method"] for step in said["resegmentation"]] == ["IntensityRange", "OutlierFence"]
    assert said["resampling"]["interpolation"] == {"method": "CubicSpline"}
    assert said["resampling"]["mask_interpolation"] == {"method": "Linear"}
    assert said["resampling"]["rounding"] == {"method": "RoundToUnit"}
    assert said["resampling"]["spacing"] == [2.0, 2.0]
    assert said["response"] == {"method": "Negative"}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_map_that_was_clipped_keeps_what_lies_at_the_ends_of_its_range(dtype: torch.dtype) -> None:
    values = torch.linspace(-1, 1, 1000, dtype=dtype).clamp(-0.2, 0.2).view(10, 10, 10)
    assert values.dtype == torch.float64 or float(values.min()) < -0.2  # which float32 does not hold
    curve = IntensityBins(width=0.01, low=-0.2, high=0.2)
    preparation = Preparation(FixedBinSize(0.01, origin=-0.2), (IntensityRange(-0.2, 0.2),), curve=curve)
    roi = only(preparation, ct(values), regions(torch.ones(10, 10, 10, dtype=torch.bool)))
    assert roi.intensities.numel() == 1000
    assert isinstance(roi.levels, Tensor)
    assert int(roi.levels.min()) == 1
    bins = curve.bins(roi.intensities)
    assert not isinstance(bins, Undefined)
    assert (int(bins.number.min()), int(bins.number.max()), bins.count) == (0, 39, 40)
