"""Two scanners brought to one quality: what it does to an image, and to features of a cohort on both."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap
from gradatim.linop.fft import frequencies
from gradatim.radiomics.blur.edges import SlantedEdge
from gradatim.radiomics.blur.noise_power import NoiseSpectrum
from gradatim.radiomics.blur.transfer import GaussianPsf, blurred, blurring
from gradatim.radiomics.harmonise import ImageQuality, MatchResolution, Ratio, common_quality
from tests.radiomics.two_scanners import GRID, SHARP, SOFT, UNIT, Scanner, agreements, as_map


def test_a_filter_to_a_lower_mtf_is_the_difference_of_the_blurs() -> None:
    image = torch.randn(GRID.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    sharp, soft = GaussianPsf((0.5,) * 3), GaussianPsf((1.3,) * 3)
    once = blurred(image, soft, UNIT)
    twice = blurring(Ratio(soft, sharp), GRID.shape, UNIT).apply(blurring(sharp, GRID.shape, UNIT).apply(image))
    inner = (slice(8, 12),) * 3
    assert torch.allclose(once[inner], twice[inner], atol=1e-3)
    assert float(Ratio(sharp, soft).at(frequencies(GRID.shape, UNIT)).max()) <= 1


@pytest.mark.parametrize("scanner", [SHARP, SOFT])
def test_matched_noise_has_the_spectrum_of_the_target(scanner: Scanner) -> None:
    target = common_quality((SHARP.quality(), SOFT.quality()))
    shape = (32, 32, 32)
    powers = []
    for seed in range(8):
        noise = as_map(scanner.noise_image(shape, seed))
        matched = MatchResolution(scanner.quality(), target, seed=1000 + seed)(noise).value
        powers.append(torch.fft.fftn(matched).abs().square() / matched.numel())
    found = torch.stack(powers).mean(0)
    axes = torch.meshgrid(*(torch.fft.fftfreq(32, dtype=torch.float64),) * 3, indexing="ij")
    f = sum(a.square() for a in axes).sqrt()
    expected = target.noise.at(axes)
    for low, high in ((0.05, 0.15), (0.15, 0.25), (0.25, 0.35)):
        band = (f >= low) & (f < high)
        # the mirrored border of a noise image is not noise of the spectrum, which costs some per cent
        assert float(found[band].mean()) == pytest.approx(float(expected[band].mean()), rel=0.06)


def test_matched_edges_have_the_mtf_of_the_target() -> None:
    x, y = np.meshgrid(np.arange(48.0), np.arange(48.0), indexing="ij")
    across = (x - 24) * math.cos(0.1) + (y - 24) * math.sin(0.1)
    target = common_quality((SHARP.quality(), SOFT.quality()))
    quiet = ImageQuality(SHARP.transfer(), NoiseSpectrum(torch.zeros(8, 8, 8), UNIT))
    wanted = ImageQuality(target.transfer, quiet.noise)
    edge = torch.from_numpy(1000 * stats.norm.cdf(across / SHARP.sigma)).unsqueeze(-1).repeat(1, 1, 4)
    matched = MatchResolution(quiet, wanted)(as_map(edge)).value
    inner = torch.zeros_like(matched, dtype=torch.bool)
    inner[6:-6, 6:-6] = True
    found = SlantedEdge()(matched, mask=inner, spacing=UNIT)
    (mtf50,) = GaussianPsf((SOFT.sigma,)).frequency_at(0.5)
    assert found.frequency_at(0.5) == pytest.approx(mtf50, rel=0.01)


def test_a_scanner_of_the_target_quality_is_left_alone() -> None:
    image = as_map(torch.randn(GRID.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    same = MatchResolution(SOFT.quality(), SOFT.quality())(image)
    assert torch.allclose(same.value, image.value, atol=1e-10)


def test_the_seed_decides_the_noise_and_the_mask_stays() -> None:
    target = common_quality((SHARP.quality(), SOFT.quality()))
    image = as_map(torch.zeros(GRID.shape))
    image = QuantitativeMap(image.value, torch.rand(GRID.shape) > 0.5, GRID, "CT", "HU", error=torch.ones(GRID.shape))
    a, b, c = (MatchResolution(SHARP.quality(), target, seed=seed)(image) for seed in (1, 1, 2))
    assert torch.equal(a.value, b.value)
    assert not torch.equal(a.value, c.value)
    assert bool((a.value[~image.mask] == 0).all())
    assert a.error is None


def test_a_target_out_of_reach_is_refused() -> None:
    image = as_map(torch.zeros(GRID.shape))
    with pytest.raises(UsageError, match="GD-141"):
        MatchResolution(SOFT.quality(), SHARP.quality())(image)
    quiet = ImageQuality(SOFT.transfer(), NoiseSpectrum(torch.zeros(8, 8, 8), UNIT))
    with pytest.raises(UsageError, match="GD-142"):
        MatchResolution(SOFT.quality(), quiet)(image)


def test_features_of_two_scanners_agree_after_their_measured_quality_is_matched() -> None:
    found = agreements(8)
    assert float(np.median([each.shrunk for each in found])) > 3
    low = [each for each in found if each.icc[0] < 0.9]
    assert len(low) > len(found) / 2
    assert sum(each.icc[1] > 0.9 for each in low) >= 0.9 * len(low)
    assert float(np.median([each.icc[1] for each in found])) > 0.95


@pytest.mark.parametrize("beyond", [math.nan, math.inf, -5000.0])
def test_what_lies_outside_the_mask_does_not_count(beyond: float) -> None:
    target = common_quality((SHARP.quality(), SOFT.quality()))
    mask = torch.ones(GRID.shape, dtype=torch.bool)
    mask[:3] = False
    value = torch.full(GRID.shape, 40.0)
    zero, other = (QuantitativeMap(torch.where(mask, value, v), mask, GRID, "CT", "HU") for v in (0.0, beyond))
    match = MatchResolution(SHARP.quality(), target, seed=1)
    assert torch.equal(match(other).value, match(zero).value)


def test_a_value_that_is_not_finite_stays_alone() -> None:
    value = torch.full(GRID.shape, 40.0)
    value[2, 3, 4] = math.nan
    whole = torch.ones(GRID.shape, dtype=torch.bool)
    found = MatchResolution(SHARP.quality(), SOFT.quality())(QuantitativeMap(value, whole, GRID, "CT", "HU"))
    assert bool(found.value.isfinite().all())
    assert int((~found.mask).sum()) == 1


@pytest.mark.parametrize("power", [torch.ones(8, 8, 8), torch.ones(8, 8)])
@pytest.mark.parametrize("edge", [0.5, 2.0])
def test_noise_of_other_voxels_is_refused(power: torch.Tensor, edge: float) -> None:
    noise = NoiseSpectrum(power, (1.0,) * power.ndim)
    a, b = (ImageQuality(GaussianPsf((s,) * 3), noise) for s in (0.5, 1.0))
    grid = Grid((8, 8, 8), (edge,) * 3)
    image = QuantitativeMap(torch.zeros(grid.shape), torch.ones(grid.shape).bool(), grid, "CT", "HU")
    with pytest.raises(UsageError, match="GD-103"):
        MatchResolution(a, common_quality((a, b)))(image)
