"""The intensity-volume histogram against the curve computed bin by bin, its kinds of bins, and its ends."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradatim.base.errors import UsageError
from gradatim.radiomics.aggregation import WHOLE
from gradatim.radiomics.discretise import Bins, Curve, FixedBinNumber, IntensityBins, NoDiscretisation, WholeNumbers
from gradatim.radiomics.roi import NO_INTENSITIES, Roi
from gradatim.radiomics.undefined import Undefined
from gradatim.radiomics.volume_histogram import IntensityVolumeHistogram, VolumeCurve

RECORDS = {record.id: record for record in IntensityVolumeHistogram.features}


def values(bins: Bins) -> dict[str, float]:
    curve = VolumeCurve(bins)
    return {name: float(record.compute(curve)) for name, record in RECORDS.items()}


def measured(intensities: list[float], curve: Curve | None = None) -> dict[str, float] | Undefined:
    x = torch.tensor(intensities, dtype=torch.float64).view(-1, 1, 1)
    whole = torch.ones(x.shape, dtype=torch.bool)
    found = IntensityVolumeHistogram().measure(Roi(x, whole, whole, (1.0, 1.0, 1.0), NoDiscretisation(), curve), WHOLE)
    return found if isinstance(found, Undefined) else values(next(iter(found)).bins)


@given(st.lists(st.integers(0, 11), min_size=1, max_size=60), st.integers(13, 40))
def test_features_are_read_off_the_curve(number: list[int], count: int) -> None:
    found = values(Bins(torch.tensor(number), first=-3.0, width=0.5, count=count))
    at = np.arange(count)
    nu = np.array([np.mean([n >= i for n in number]) for i in at])
    gamma = at / (count - 1)
    for percent in (10, 90):
        enough = [v for v, g in zip(nu, gamma, strict=True) if g >= percent / 100 - 1e-12]
        assert found[f"volume_at_{percent}_intensity"] == pytest.approx(max(enough))
        rare = [i for i in at if nu[i] <= percent / 100 + 1e-12]
        assert found[f"intensity_at_{percent}_volume"] == -3.0 + 0.5 * min(rare)
    assert found["volume_difference_10_90_intensity"] == pytest.approx(
        found["volume_at_10_intensity"] - found["volume_at_90_intensity"]
    )
    assert found["intensity_difference_10_90_volume"] == pytest.approx(
        found["intensity_at_10_volume"] - found["intensity_at_90_volume"]
    )
    assert found["area_under_ivh_curve"] == pytest.approx(np.trapezoid(nu, gamma), abs=1e-12)


def test_a_full_last_bin_leaves_no_rarer_intensity() -> None:
    found = values(Bins(torch.tensor([0, 4, 4, 4]), first=0.0, width=1.0, count=5))
    assert math.isnan(found["intensity_at_10_volume"])
    assert found["intensity_at_90_volume"] == 1.0
    assert found["area_under_ivh_curve"] == pytest.approx(np.trapezoid([1, 0.75, 0.75, 0.75, 0.75], dx=0.25))


def test_one_intensity_has_no_range() -> None:
    found = measured([5.0, 5.0])
    assert isinstance(found, dict)
    assert all(math.isnan(value) for name, value in found.items() if name != "area_under_ivh_curve")
    assert found["area_under_ivh_curve"] == 0.0


def test_one_intensity_has_a_place_in_a_fixed_range() -> None:
    found = measured([5.0, 5.0], IntensityBins(width=1.0, low=-0.5, high=10.5))
    assert isinstance(found, dict)
    assert (found["volume_at_10_intensity"], found["volume_at_90_intensity"]) == (1.0, 0.0)
    assert found["intensity_at_10_volume"] == found["intensity_at_90_volume"] == 6.0


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=30))
def test_whole_numbers_are_bins_of_width_one_from_half_to_half(x: list[int]) -> None:
    whole = torch.tensor(x, dtype=torch.float64)
    ones, centred = WholeNumbers().bins(whole), IntensityBins(1.0, low=min(x) - 0.5, high=max(x) + 0.5).bins(whole)
    assert isinstance(ones, Bins)
    assert isinstance(centred, Bins)
    assert ones.number.equal(centred.number)
    assert (ones.first, ones.width, ones.count) == (centred.first, centred.width, centred.count)


def test_a_fixed_number_of_bins_counts_bins() -> None:
    bins = FixedBinNumber(1000).bins(torch.tensor([-7.0, 0.0, 13.0], dtype=torch.float64))
    assert bins.number.tolist() == [0, 350, 999]
    assert (bins.first, bins.width, bins.count) == (1.0, 1.0, 1000)


def test_a_range_of_its_own_ends_at_the_extremes() -> None:
    bins = IntensityBins(width=0.25).bins(torch.tensor([0.1, 0.3, 1.0], dtype=torch.float64))
    assert isinstance(bins, Bins)
    assert bins.number.tolist() == [0, 0, 3]
    assert (bins.first, bins.count) == (pytest.approx(0.225), 4)


def test_widths_that_binary_numbers_cannot_hold_make_whole_bins() -> None:
    bins = IntensityBins(width=0.1, low=0.0, high=0.3).bins(torch.tensor([0.0, 0.3], dtype=torch.float64))
    assert isinstance(bins, Bins)
    assert bins.count == 3


def test_what_cannot_be_binned_says_why() -> None:
    fraction, huge = measured([0.5, 1.5]), measured([0.0, 1e300])
    assert isinstance(fraction, Undefined)
    assert "not whole numbers" in fraction.reason
    assert isinstance(huge, Undefined)
    assert "wider" in huge.reason
    assert isinstance(measured([0.0, 1e300], IntensityBins(1e-3)), Undefined)
    for outside in ([-1.0, 5.0], [0.0, 11.0]):
        found = measured(outside, IntensityBins(width=1.0, low=0.0, high=10.0))
        assert isinstance(found, Undefined)
        assert "leave the range" in found.reason
    nothing = torch.zeros(1, 1, 1, dtype=torch.bool)
    empty = Roi(torch.zeros(1, 1, 1).double(), ~nothing, nothing, (1.0, 1.0, 1.0), NoDiscretisation())
    assert IntensityVolumeHistogram().measure(empty, WHOLE) == Undefined(NO_INTENSITIES)


@pytest.mark.parametrize(
    ("width", "low", "high"), [(0.0, 0.0, 1.0), (1.0, 1.0, 1.0), (1.0, 2.0, 1.0), (float("nan"), 0.0, 1.0)]
)
def test_impossible_bins_are_refused(width: float, low: float, high: float) -> None:
    with pytest.raises(UsageError, match="GD-101"):
        IntensityBins(width=width, low=low, high=high)
