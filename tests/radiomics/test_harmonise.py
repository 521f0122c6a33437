"""Two scanners brought to one quality: what it does to an image, and to features of a cohort on both."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.linop.fft import frequencies
from gradatim.radiomics.blur.edges import CircularEdge, SlantedEdge
from gradatim.radiomics.blur.noise_power import NoisePower, NoiseSpectrum, coloured_noise
from gradatim.radiomics.blur.transfer import GaussianPsf, SeparableTransfer, blurred, blurring
from gradatim.radiomics.discretise import FixedBinSize
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.glcm import Glcm
from gradatim.radiomics.harmonise import ImageQuality, MatchResolution, Ratio, common_quality
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.statistics import Statistics

UNIT = (1.0, 1.0, 1.0)
SIZE = 20
GRID = Grid((SIZE,) * 3, UNIT)


@dataclass(frozen=True)
class Scanner:
    """A simulated CT: a Gaussian point spread and noise whose power has a maximum off zero."""

    sigma: float
    noise: float
    peak: float

    def transfer(self) -> GaussianPsf:
        return GaussianPsf((self.sigma,) * 3)

    def spectrum(self) -> NoiseSpectrum:
        axes = torch.meshgrid(*(torch.fft.fftfreq(32, dtype=torch.float64),) * 3, indexing="ij")
        f = sum(a.square() for a in axes).sqrt()
        power = (0.02 + f) * torch.exp(-((f / self.peak) ** 2))
        return NoiseSpectrum(power * self.noise**2 / power.mean(), UNIT)

    def quality(self) -> ImageQuality:
        """What it is."""
        return ImageQuality(self.transfer(), self.spectrum())

    def noise_image(self, shape: tuple[int, int, int], seed: int | torch.Generator) -> Tensor:
        at = frequencies(shape, UNIT)
        return coloured_noise(self.spectrum().at(at).expand(*shape[:-1], shape[-1] // 2 + 1), shape, UNIT, seed=seed)

    def measured(self) -> ImageQuality:
        """What its phantom says: a rod for the plane, a slanted edge for the slices, water for the noise."""
        x, y = np.meshgrid(np.arange(48.0), np.arange(48.0), indexing="ij")
        rod = stats.ncx2.cdf((15 / self.sigma) ** 2, 2, ((x - 23.3) ** 2 + (y - 23.8) ** 2) / self.sigma**2)
        rods = torch.from_numpy(1000 * np.repeat(rod[..., None], 4, 2)) + self.noise_image((48, 48, 4), 1)
        angle = math.radians(7)
        across = (x - 24) * math.cos(angle) + (y - 24) * math.sin(angle)
        step = torch.from_numpy(1000 * stats.norm.cdf(across / self.sigma)).T.expand(4, 48, 48)
        slab = step + self.noise_image((4, 48, 48), 2)
        plane, axial = (
            method(image, mask=torch.ones_like(image, dtype=torch.bool), spacing=UNIT)
            for method, image in ((CircularEdge(), rods), (SlantedEdge(), slab))
        )
        water = self.noise_image((64, 64, 32), 3)
        noise = NoisePower((16, 16, 16))(water, mask=torch.ones_like(water, dtype=torch.bool), spacing=UNIT)
        return ImageQuality(SeparableTransfer(plane, axial), noise)


SHARP, SOFT = Scanner(0.5, 12.0, 0.35), Scanner(1.0, 6.0, 0.2)


def as_map(values: Tensor) -> QuantitativeMap:
    return QuantitativeMap(
        values, torch.ones(values.shape, dtype=torch.bool), Grid(tuple(values.shape), UNIT), "CT", "HU"
    )


def icc_agreement(x: Tensor) -> float:
    """ICC(2,1) of (object, scanner), Shrout and Fleiss 1979: two-way random effects, absolute agreement."""
    n, k = x.shape
    rows, columns, all_of_them = x.mean(1, keepdim=True), x.mean(0, keepdim=True), x.mean()
    between = k * (rows - all_of_them).square().sum() / (n - 1)
    judges = n * (columns - all_of_them).square().sum() / (k - 1)
    rest = (x - rows - columns + all_of_them).square().sum() / ((n - 1) * (k - 1))
    return float((between - rest) / (between + (k - 1) * rest + k * (judges - rest) / n))


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


def cohort(count: int) -> tuple[Regions, list[Tensor]]:
    """Balls of a texture with its own grain, contrast and mean, in a uniform surrounding."""
    axes = torch.meshgrid(*(torch.arange(SIZE) - SIZE / 2 + 0.5,) * 3, indexing="ij")
    ball = sum(a.square() for a in axes) < 8**2
    generator = torch.Generator().manual_seed(3)
    objects = []
    for _ in range(count):
        grain, contrast, mean = torch.rand(3, generator=generator).tolist()
        white = torch.randn(GRID.shape, generator=generator, dtype=torch.float64)
        texture = blurring(GaussianPsf((0.6 + 1.6 * grain,) * 3), GRID.shape, UNIT).apply(white)
        objects.append(torch.where(ball, texture / texture.std() * (25 + 35 * contrast) + 20 + 80 * mean, -50.0))
    return Regions(ball.long(), GRID), objects


def test_features_of_two_scanners_agree_after_their_measured_quality_is_matched() -> None:
    """Eight objects on both scanners; MTF and noise come from phantoms, nothing is known beforehand."""
    regions, objects = cohort(8)
    extraction = Extraction(Preparation(FixedBinSize(10.0, -1000.0)), families=(Statistics(), Glcm()))
    qualities = [scanner.measured() for scanner in (SHARP, SOFT)]
    target = common_quality((qualities[0], qualities[1]))
    table: dict[tuple[str, str], list[list[float]]] = {}
    for k, thing in enumerate(objects):
        for s, (scanner, quality) in enumerate(zip((SHARP, SOFT), qualities, strict=True)):
            seen = as_map(blurred(thing, scanner.transfer(), UNIT) + scanner.noise_image(GRID.shape, 100 * k + s))
            matched = MatchResolution(quality, target, seed=5000 + 100 * k + s)(seen)
            for name, image in (("before", seen), ("after", matched)):
                for row in extraction(image, regions):
                    table.setdefault((name, f"{row.family}.{row.feature}"), [[], []])[s].append(row.value)
    features = sorted({feature for _, feature in table})
    before, after = (
        {f: torch.tensor(table[name, f], dtype=torch.float64).T for f in features} for name in ("before", "after")
    )
    shrunk = [float(before[f].diff().abs().mean() / after[f].diff().abs().mean()) for f in features]
    assert float(np.median(shrunk)) > 3
    low = [f for f in features if icc_agreement(before[f]) < 0.9]
    assert len(low) > len(features) / 2
    risen = [f for f in low if icc_agreement(after[f]) > 0.9]
    assert len(risen) >= 0.9 * len(low), set(low) - set(risen)
    assert float(np.median([icc_agreement(after[f]) for f in features])) > 0.95
