"""Standard errors from replicates against closed forms, and against repeated simulated scans."""

import math
from dataclasses import replace
from statistics import NormalDist

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.radiomics.aggregation import EVERY_AGGREGATION
from gradatim.radiomics.discretise import FixedBinSize
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.glcm import Glcm
from gradatim.radiomics.local_intensity import LocalIntensity
from gradatim.radiomics.ngtdm import Ngtdm
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.record import Family
from gradatim.radiomics.replicates import ReplicatedErrors
from gradatim.radiomics.resample import ResampleTo
from gradatim.radiomics.soft.noise import CorrelatedNoise, Noise, VoxelNoise, WhiteNoise
from gradatim.radiomics.soft.standard_error import Estimate
from gradatim.radiomics.statistics import Statistics

N = 12
GRID = Grid((N, N, N), (1.0, 1.0, 1.0))
REGIONS = Regions(torch.ones(GRID.shape, dtype=torch.int64), GRID)
PREPARATION = Preparation(FixedBinSize(width=0.25, origin=0.0))
FIRST_ORDER = Extraction(PREPARATION, (Statistics(),))
ERROR = 0.1 + 0.2 * torch.rand(GRID.shape, generator=torch.Generator().manual_seed(1))
LAGS = torch.zeros(3, 1, 1, dtype=torch.float64).index_fill(0, torch.tensor([1]), 0.04)


def image(values: Tensor) -> QuantitativeMap:
    return QuantitativeMap(values, torch.ones(GRID.shape).bool(), GRID, "signal", "")


def texture(seed: int = 7) -> Tensor:
    """A smooth random field of mean 10 and standard deviation 1."""
    k = torch.fft.fftfreq(N, dtype=torch.float64)
    square = k[:, None, None] ** 2 + k[:, None] ** 2 + k**2
    white = torch.randn(GRID.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    smooth = torch.fft.ifftn(torch.fft.fftn(white) * torch.exp(-28.0 * square)).real
    return 10 + (smooth - smooth.mean()) / smooth.std()


def measured(noise: Noise, values: Tensor, extraction: Extraction, replicates: int = 40) -> dict[str, Estimate]:
    return ReplicatedErrors(extraction, noise, replicates)(image(values), REGIONS)[1]


@pytest.mark.parametrize(
    ("noise", "variance"),
    [
        (WhiteNoise(0.2), 0.04 / N**3),
        (VoxelNoise(ERROR), float((ERROR.double() ** 2).sum()) / N**6),
        (CorrelatedNoise(LAGS), 0.04 / N**3),
    ],
    ids=["white", "voxel", "correlated"],
)
def test_the_mean_of_voxels(noise: Noise, variance: float) -> None:
    found = measured(noise, texture(), FIRST_ORDER, 200)["statistics.mean"]
    assert found.standard_error == pytest.approx(math.sqrt(variance), rel=0.15)  # 200 replicates know it to 5 %
    assert found.bias == pytest.approx(0.0, abs=3 * math.sqrt(variance / 200))


@pytest.fixture(scope="module")
def flat() -> dict[str, Estimate]:
    """Of white noise of σ = 0.5, two bins, on nothing, at the middle of a bin."""
    noise = WhiteNoise(0.5)
    scan = 10.125 + noise.sample(GRID.shape, torch.Generator().manual_seed(4))
    return measured(noise, scan, Extraction(PREPARATION, (Statistics(), Glcm())), 200)


def test_the_variance_of_noise_alone_has_its_error_and_its_bias(flat: dict[str, Estimate]) -> None:
    # Var(s²) = 2σ⁴/n, a third of what noise added to the scan itself would give.
    found = flat["statistics.variance"]
    assert found.standard_error == pytest.approx(0.25 * math.sqrt(2 / N**3), rel=0.15)
    assert found.bias == pytest.approx(0.25, rel=0.05)


@pytest.mark.parametrize(("name", "share"), [("percentile_10", 0.1), ("median", 0.5), ("percentile_90", 0.9)])
def test_percentiles_of_noise_alone(name: str, share: float, flat: dict[str, Estimate]) -> None:
    # √(p(1 − p)/n) / density, Cramér 1946, chapter 28.5.
    normal = NormalDist(0.0, 0.5)
    expected = math.sqrt(share * (1 - share) / N**3) / normal.pdf(normal.inv_cdf(share))
    assert flat[f"statistics.{name}"].standard_error == pytest.approx(expected, rel=0.2)
    # A texture of a tenth of σ cannot be told from none, and stays.
    assert flat[f"statistics.{name}"].bias == pytest.approx(normal.inv_cdf(share), rel=0.2, abs=0.02)


def test_the_maximum_of_noise_alone(flat: dict[str, Estimate]) -> None:
    # Mean and spread of the largest of n, by integrating its distribution Φⁿ.
    steps = torch.linspace(0, 7, 7001, dtype=torch.float64)
    upper = 1 - torch.special.ndtr(steps) ** (N**3)
    mean = float(torch.trapezoid(upper, steps))
    spread = math.sqrt(2 * float(torch.trapezoid(steps * upper, steps)) - mean**2)
    assert flat["statistics.maximum"].standard_error == pytest.approx(0.5 * spread, rel=0.2)
    assert flat["statistics.maximum"].bias == pytest.approx(0.5 * mean, rel=0.2)


def test_contrast_of_noise_alone(flat: dict[str, Estimate]) -> None:
    # A quadratic form σ²·eᵀLe/P of the graph of neighbours: mean 2σ², variance 2σ⁴·tr(L²)/P²; in bins, each level
    # with 1/12 from rounding (Sheppard).
    kernel = torch.ones(1, 1, 3, 3, 3, dtype=torch.float64)
    neighbours = torch.nn.functional.conv3d(torch.ones(1, 1, N, N, N, dtype=torch.float64), kernel, padding=1) - 1
    pairs = float(neighbours.sum()) / 2
    level = 0.25 / 0.25**2 + 1 / 12
    expected = level * math.sqrt(2 * float((neighbours**2 + neighbours).sum())) / pairs
    assert flat["glcm.contrast"].standard_error == pytest.approx(expected, rel=0.15)
    assert flat["glcm.contrast"].bias == pytest.approx(2 * level, rel=0.1)


def test_through_resampling_the_noise_is_that_of_the_map() -> None:
    # The weights of the voxels in the mean of the new grid are its gradient.
    preparation = replace(PREPARATION, resampling=ResampleTo((1.5, 1.5, 1.5)))
    leaf = texture().requires_grad_()
    _, roi = next(iter(preparation(image(leaf), REGIONS)))
    (weights,) = torch.autograd.grad(roi.intensities.mean(), leaf)  # type: ignore[union-attr]
    expected = 0.2 * float(weights.square().sum().sqrt())
    found = measured(WhiteNoise(0.2), texture(), Extraction(preparation, (Statistics(),)), 200)["statistics.mean"]
    assert found.standard_error == pytest.approx(expected, rel=0.15)


def test_the_value_is_that_of_the_table_and_the_seed_decides_the_rest() -> None:
    measure = ReplicatedErrors(FIRST_ORDER, WhiteNoise(0.2), 3)
    scan = image(texture().to(torch.float32))
    once, again = measure(scan, REGIONS)[1], measure(scan, REGIONS)[1]
    other = replace(measure, seed=1)(scan, REGIONS)[1]
    assert {n: e.value for n, e in once.items()} == {
        f"statistics.{f.feature}": f.value for f in FIRST_ORDER(scan, REGIONS)
    }
    assert once == again
    assert once["statistics.median"].value == other["statistics.median"].value
    assert once["statistics.median"].standard_error != other["statistics.median"].standard_error


def test_several_aggregations_are_named() -> None:
    extraction = Extraction(PREPARATION, (Statistics(), Glcm()), EVERY_AGGREGATION)
    found = measured(WhiteNoise(0.2), texture(), extraction, 2)
    assert "statistics.mean" in found
    assert {name.split(".")[2] for name in found if name.startswith("glcm.contrast")} == {
        aggregation.code for aggregation in Glcm.aggregations
    }


@pytest.mark.parametrize("family", [Statistics(), LocalIntensity(), Glcm()], ids=lambda family: family.id)
def test_what_is_far_away_does_not_count(family: Family) -> None:
    grid = Grid((40, 6, 6), (1.0, 1.0, 1.0))
    labels = torch.zeros(grid.shape, dtype=torch.int64)
    labels[2:6, 1:5, 1:5] = 4
    values = 10 + torch.rand(grid.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    changed = values.clone()
    changed[20:] *= 100
    measure = ReplicatedErrors(Extraction(PREPARATION, (family,)), WhiteNoise(0.1), 3)
    one, two = (
        measure(QuantitativeMap(v, torch.ones(grid.shape).bool(), grid, "signal", ""), Regions(labels, grid))
        for v in (values, changed)
    )
    assert one.keys() == {4}
    assert repr(one) == repr(two)


def test_what_is_undefined_has_no_error() -> None:
    labels = torch.zeros(GRID.shape, dtype=torch.int64)
    labels[3, 3, 3] = 2
    found = ReplicatedErrors(Extraction(PREPARATION, (Statistics(), Glcm())), WhiteNoise(0.1), 3)(
        image(texture()), Regions(labels, GRID, {2: "spot", 5: "nowhere"})
    )
    assert found.keys() == {2}
    assert math.isnan(found[2]["glcm.contrast"].value)
    assert math.isnan(found[2]["glcm.contrast"].standard_error)
    assert found[2]["statistics.mean"].standard_error > 0


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UsageError, match="GD-101"):
        ReplicatedErrors(FIRST_ORDER, WhiteNoise(0.1), 1)
    elsewhere = Regions(REGIONS.labels, Grid((N, N, N), (2.0, 1.0, 1.0)))
    with pytest.raises(UsageError, match="GD-103"):
        ReplicatedErrors(FIRST_ORDER, WhiteNoise(0.1))(image(texture()), elsewhere)
    with pytest.raises(InputError, match="GD-726"):
        ReplicatedErrors(FIRST_ORDER, VoxelNoise(ERROR[:3]))(image(texture()), REGIONS)


TESTED = (
    *("statistics.mean", "statistics.variance", "statistics.median", "statistics.percentile_10"),
    *("statistics.percentile_90", "statistics.interquartile_range", "statistics.maximum", "statistics.energy"),
    *("glcm.contrast", "glcm.joint_maximum", "glcm.joint_entropy", "glcm.angular_second_moment"),
    *("glcm.inverse_variance", "glcm.normalised_inverse_difference", "ngtdm.coarseness", "ngtdm.contrast"),
    *("ngtdm.busyness", "ngtdm.complexity"),
)


@pytest.mark.slow
def test_68_percent_of_repeated_scans_lie_within_one_error_of_their_mean() -> None:
    extraction = Extraction(PREPARATION, (Statistics(), Glcm(), Ngtdm()))
    noise, generator, objects, scans = WhiteNoise(0.5), torch.Generator().manual_seed(5), 4, 30
    hits = torch.zeros(len(TESTED), dtype=torch.float64)
    for seed in range(objects):
        truth, rows = texture(seed), []
        for scan in range(scans):
            one = image(truth + noise.sample(GRID.shape, generator))
            found = ReplicatedErrors(extraction, noise, seed=scan)(one, REGIONS)[1]
            rows.append([(found[name].value, found[name].standard_error) for name in TESTED])
        value, error = torch.tensor(rows, dtype=torch.float64).unbind(-1)
        hits += ((value - value.mean(0)).abs() <= error).sum(0)
    coverage = 100 * hits / (objects * scans)
    known = 100 * math.sqrt(0.68 * 0.32 / (objects * scans))  # 4.3 %
    assert 60 < float(coverage.mean()) < 76
    assert float((coverage - 68).abs().max()) < 3 * known
