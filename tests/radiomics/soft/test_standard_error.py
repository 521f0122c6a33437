"""Standard errors against closed forms, and against repeated simulated scans."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.radiomics.discretise import FixedBinSize
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.glcm import Glcm
from gradatim.radiomics.ngtdm import Ngtdm
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.soft.extraction import SoftExtraction
from gradatim.radiomics.soft.noise import CorrelatedNoise, Noise, VoxelNoise, WhiteNoise
from gradatim.radiomics.soft.standard_error import StandardErrors
from gradatim.radiomics.statistics import Statistics

N = 8
GRID = Grid((N, N, N), (1.0, 1.0, 1.0))
REGIONS = Regions(torch.ones(GRID.shape, dtype=torch.int64), GRID)
PREPARATION = Preparation(FixedBinSize(width=0.25, origin=0.0))
FIRST_ORDER = SoftExtraction(families=(Statistics(),))


def image(values: Tensor) -> QuantitativeMap:
    return QuantitativeMap(values, torch.ones(GRID.shape).bool(), GRID, "signal", "")


def texture() -> Tensor:
    """A smooth random field of mean 10 and standard deviation 1."""
    k = torch.fft.fftfreq(N, dtype=torch.float64)
    square = k[:, None, None] ** 2 + k[:, None] ** 2 + k**2
    white = torch.randn(GRID.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(7))
    smooth = torch.fft.ifftn(torch.fft.fftn(white) * torch.exp(-28.0 * square)).real
    return 10 + (smooth - smooth.mean()) / smooth.std()


LAGS = torch.zeros(3, 1, 1, dtype=torch.float64).index_fill(0, torch.tensor([1]), 0.04)
ERROR = 0.1 + 0.2 * torch.rand(GRID.shape, generator=torch.Generator().manual_seed(1))


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
    found = StandardErrors(PREPARATION, noise, FIRST_ORDER, draws=1)(image(texture()), REGIONS)[1]["statistics.mean"]
    assert found.standard_error == pytest.approx(math.sqrt(variance), rel=1e-6)
    assert found.bias == pytest.approx(0.0, abs=1e-9)


def test_the_variance_of_noise_alone_has_its_error_and_its_bias() -> None:
    # Var(s²) = 2σ⁴/n; the first order alone is √2 too large there.
    sigma = 0.5
    noise = WhiteNoise(sigma)
    scan = 10 + noise.sample(GRID.shape, torch.Generator().manual_seed(4))
    found = StandardErrors(PREPARATION, noise, FIRST_ORDER, draws=4)(image(scan), REGIONS)[1]["statistics.variance"]
    assert found.standard_error == pytest.approx(sigma**2 * math.sqrt(2 / N**3), rel=0.1)
    assert found.bias == pytest.approx(sigma**2, rel=0.05)
    first = StandardErrors(PREPARATION, noise, FIRST_ORDER, draws=0)(image(scan), REGIONS)[1]["statistics.variance"]
    assert first.standard_error == pytest.approx(sigma**2 * math.sqrt(4 / N**3), rel=0.1)
    assert math.isnan(first.bias)


TESTED = (
    *("statistics.mean", "statistics.variance", "statistics.skewness", "statistics.excess_kurtosis"),
    *("statistics.mean_absolute_deviation", "statistics.coefficient_of_variation", "statistics.root_mean_square"),
    *("glcm.contrast", "glcm.dissimilarity", "glcm.joint_entropy", "glcm.joint_variance", "glcm.correlation"),
    *("glcm.cluster_tendency", "glcm.sum_entropy", "glcm.difference_entropy", "ngtdm.complexity", "ngtdm.strength"),
)


@pytest.fixture(scope="module")
def repeats() -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
    """Soft values, hard values and standard errors of 40 scans of one object, noise of one bin width."""
    families = (Statistics(), Glcm(), Ngtdm())
    noise, truth, generator = WhiteNoise(0.25), texture(), torch.Generator().manual_seed(5)
    hard = Extraction(PREPARATION, families)
    measure = StandardErrors(PREPARATION, noise, SoftExtraction(families=families), draws=1)
    rows = []
    for scan in range(40):
        one = image(truth + noise.sample(GRID.shape, generator))
        soft = replace(measure, seed=scan)(one, REGIONS)[1]
        known = {f"{f.family}.{f.feature}": f.value for f in hard(one, REGIONS)}
        rows.append([(soft[name].value, known[name], soft[name].standard_error) for name in TESTED])
    table = torch.tensor(rows, dtype=torch.float64)
    first, second, third = ({name: table[:, i, k] for i, name in enumerate(TESTED)} for k in range(3))
    return first, second, third


@pytest.mark.parametrize("name", TESTED)
def test_the_standard_error_is_the_spread_of_repeated_scans(
    name: str, repeats: tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]
) -> None:
    # 40 scans know their spread to 11 %; three of these, and as much again for what the second order leaves out.
    soft, hard, error = (part[name] for part in repeats)
    assert 0.7 < float(error.mean() / soft.std()) < 1.45
    assert 0.7 < float(error.mean() / hard.std()) < 1.45


def test_68_percent_of_repeated_scans_lie_within_one_error_of_their_mean(
    repeats: tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]],
) -> None:
    soft, hard, error = repeats
    for values in (soft, hard):
        coverage = [float(((values[n] - values[n].mean()).abs() <= error[n]).double().mean()) for n in TESTED]
        assert 0.60 < sum(coverage) / len(coverage) < 0.76


def test_what_moves_in_steps_has_no_standard_error() -> None:
    found = StandardErrors(PREPARATION, WhiteNoise(0.1), draws=0)(image(texture()), REGIONS)[1]
    assert math.isnan(found["intensity_histogram.median"].standard_error)
    assert found["intensity_histogram.mean"].standard_error > 0


def test_only_the_region_counts() -> None:
    labels = torch.zeros(GRID.shape, dtype=torch.int64)
    labels[2:6, 3:8, 1:5] = 4
    scan = texture()
    small = StandardErrors(PREPARATION, VoxelNoise(ERROR), FIRST_ORDER)(image(scan), Regions(labels, GRID))
    assert small.keys() == {4}
    expected = math.sqrt(float((ERROR.double()[labels == 4] ** 2).sum())) / int((labels == 4).sum())
    assert small[4]["statistics.mean"].standard_error == pytest.approx(expected, rel=1e-6)


def test_what_does_not_fit_is_refused() -> None:
    elsewhere = Regions(REGIONS.labels, Grid((N, N, N), (2.0, 1.0, 1.0)))
    with pytest.raises(UsageError, match="GD-103"):
        StandardErrors(PREPARATION, WhiteNoise(0.1), FIRST_ORDER)(image(texture()), elsewhere)
    with pytest.raises(InputError, match="GD-726"):
        StandardErrors(PREPARATION, VoxelNoise(ERROR[:3]), FIRST_ORDER)(image(texture()), REGIONS)
