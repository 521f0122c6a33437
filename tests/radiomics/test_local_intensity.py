"""Local peaks against the mean over every voxel by its distance, at borders, gaps and with unequal voxels."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gradatim.radiomics.aggregation import WHOLE
from gradatim.radiomics.discretise import FixedBinNumber
from gradatim.radiomics.local_intensity import RADIUS_MM, LocalIntensity, _sums, sphere_bars, sphere_means, sphere_sums
from gradatim.radiomics.roi import NO_INTENSITIES, Roi, Surroundings
from gradatim.radiomics.undefined import Undefined

spacings = st.tuples(*[st.sampled_from([1.5, 2.0, 3.1, 6.0, 7.0])] * 3)


def region(
    *, spacing: tuple[float, float, float], seed: int = 0, gaps: bool = True, intensities: Tensor | None = None
) -> Roi:
    """A box (4, 3, 5) at (2, 1, 3) of a map (9, 8, 10), some of whose voxels are unknown."""
    draw = torch.Generator().manual_seed(seed)
    values = torch.randn(9, 8, 10, generator=draw, dtype=torch.float64) if intensities is None else intensities
    known = torch.rand(9, 8, 10, generator=draw) > (0.2 if gaps else -1.0)
    box = (slice(2, 6), slice(1, 4), slice(3, 8))
    if gaps:
        values[0, 0, 0] = torch.nan
    shape = torch.rand(4, 3, 5, generator=draw) > 0.3
    inside = shape & known[box]
    return Roi(
        values[box], shape, inside, spacing, FixedBinNumber(4), surroundings=Surroundings(values, known, (2, 1, 3))
    )


def by_distance(roi: Roi) -> list[float]:
    """The mean over every known voxel of the map that lies within the radius, one centre after the other."""
    around = roi.surroundings
    assert around is not None
    places = np.argwhere(np.ones(around.values.shape)) * np.array(roi.spacing)
    known = (around.known & around.values.isfinite()).numpy().ravel()
    values = around.values.numpy().ravel()
    centres = (roi.intensity.nonzero().numpy() + np.array(around.origin)) * np.array(roi.spacing)
    return [values[known & (((places - centre) ** 2).sum(1) <= RADIUS_MM**2)].mean() for centre in centres]


def test_the_sphere_has_one_cubic_centimetre() -> None:
    assert 4 / 3 * math.pi * RADIUS_MM**3 == pytest.approx(1000)


@settings(max_examples=25)
@given(spacings, st.integers(0, 9))
def test_means_are_those_by_distance(spacing: tuple[float, float, float], seed: int) -> None:
    for roi in (region(spacing=spacing, seed=seed), region(spacing=spacing, seed=seed, gaps=False)):
        assert roi.surroundings is not None
        assert sphere_means(roi, roi.surroundings).tolist() == pytest.approx(by_distance(roi), rel=1e-9, abs=1e-12)


@settings(max_examples=25)
@given(spacings)
def test_the_kernel_and_its_twin_agree(spacing: tuple[float, float, float]) -> None:
    bars = sphere_bars(spacing, radius_mm=RADIUS_MM)
    margins = (2 * (bars.shape[0] - 1), 2 * int(bars.max()), 2 * (bars.shape[1] - 1))
    shape = [size + margin for size, margin in zip((3, 4, 5), margins, strict=True)]
    volume = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(_sums(volume, bars), sphere_sums(volume, bars), rtol=1e-12, atol=1e-12)


def test_far_from_the_border_no_voxel_is_missing() -> None:
    values = torch.randn(20, 20, 20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    one, whole = torch.ones(1, 1, 1, dtype=torch.bool), torch.ones(20, 20, 20, dtype=torch.bool)
    around = Surroundings(values, whole, (9, 9, 9))
    roi = Roi(values[9:10, 9:10, 9:10], one, one, (1.0, 1.0, 1.0), FixedBinNumber(4), surroundings=around)
    assert sphere_means(roi, around).tolist() == pytest.approx(by_distance(roi), rel=1e-9)


def test_the_local_peak_is_the_best_of_several_maxima() -> None:
    values = torch.zeros(9, 8, 10, dtype=torch.float64)
    values[2, 1, 3] = values[5, 3, 7] = 9.0
    values[7, 3, 7] = 5.0  # beside the second one, outside the region
    roi = region(spacing=(3.0, 3.0, 3.0), gaps=False, intensities=values)
    everywhere = torch.ones(4, 3, 5, dtype=torch.bool)
    roi = Roi(roi.values, everywhere, everywhere, roi.spacing, roi.discretisation, surroundings=roi.surroundings)
    [peaks] = LocalIntensity().measure(roi, WHOLE)  # type: ignore[misc]
    local, best = (float(record.compute(peaks)) for record in LocalIntensity.features)
    means = dict(zip(map(tuple, everywhere.nonzero().tolist()), by_distance(roi), strict=True))
    assert local == pytest.approx(max(means[0, 0, 0], means[3, 2, 4]))
    assert best == pytest.approx(max(means.values()))
    assert best >= local


def test_means_are_differentiable_in_the_map() -> None:
    roi = region(spacing=(3.1, 3.1, 6.0), gaps=False)
    known = torch.ones(9, 8, 10, dtype=torch.bool)
    values = torch.randn(9, 8, 10, dtype=torch.float64, generator=torch.Generator().manual_seed(4)).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: sphere_means(roi, Surroundings(v, known, (2, 1, 3))), (values,))


def test_without_map_or_intensities_it_says_why() -> None:
    one = torch.ones(1, 1, 1, dtype=torch.bool)
    alone = Roi(torch.ones(1, 1, 1).double(), one, one, (1.0, 1.0, 1.0), FixedBinNumber(4))
    assert LocalIntensity().measure(alone, WHOLE) == Undefined("the map around the region is not known")
    empty = Roi(torch.ones(1, 1, 1).double(), one, ~one, (1.0, 1.0, 1.0), FixedBinNumber(4))
    assert LocalIntensity().measure(empty, WHOLE) == Undefined(NO_INTENSITIES)


def test_voxels_so_small_that_a_sphere_would_fill_the_memory_say_why() -> None:
    found = LocalIntensity().measure(region(spacing=(0.01, 1.0, 1.0)), WHOLE)
    assert isinstance(found, Undefined)
    assert "620 voxels" in found.reason
    assert not isinstance(LocalIntensity().measure(region(spacing=(0.1, 5.0, 5.0)), WHOLE), Undefined)
