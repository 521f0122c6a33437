"""Two simulated scanners, what their phantoms say of them, and objects that both of them see."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.linop.fft import frequencies
from gradatim.radiomics.blur.edges import CircularEdge, SlantedEdge
from gradatim.radiomics.blur.noise_power import NoisePower, NoiseSpectrum, coloured_noise
from gradatim.radiomics.blur.transfer import GaussianPsf, SeparableTransfer, blurred, blurring
from gradatim.radiomics.discretise import FixedBinSize
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.glcm import Glcm
from gradatim.radiomics.harmonise import ImageQuality, MatchResolution, common_quality
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


@dataclass(frozen=True)
class Agreement:
    """One feature of a cohort on two scanners, before and after.

    Args:
        feature: its name.
        apart: mean difference between the scanners, before and after.
        icc: ICC(2,1), before and after.
    """

    feature: str
    apart: tuple[float, float]
    icc: tuple[float, float]

    @property
    def shrunk(self) -> float:
        return self.apart[0] / self.apart[1]


def agreements(count: int) -> list[Agreement]:
    """Objects on both scanners; MTF and noise come from phantoms, nothing is known beforehand."""
    regions, objects = cohort(count)
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
    found = []
    for feature in dict.fromkeys(feature for _, feature in table):
        pair = [torch.tensor(table[name, feature], dtype=torch.float64).T for name in ("before", "after")]
        apart = tuple(float(x.diff().abs().mean()) for x in pair)
        icc = tuple(icc_agreement(x) for x in pair)
        found.append(Agreement(feature, (apart[0], apart[1]), (icc[0], icc[1])))
    return found
