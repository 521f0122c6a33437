"""What a blur does to texture: predicted from covariance and MTF, measured with the features."""

import gzip
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.linop.fft import frequencies
from gradatim.radiomics.aggregation import PLANE, PLANES_MERGED, VOLUME_MERGED, Aggregation
from gradatim.radiomics.blur.covariance import Covariance, covariance_of_noise, covariance_of_region
from gradatim.radiomics.blur.noise_power import NoiseSpectrum, coloured_noise
from gradatim.radiomics.blur.normal_texture import NormalTexture
from gradatim.radiomics.blur.transfer import GaussianPsf, blurred, blurring
from gradatim.radiomics.discretise import FixedBinSize
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.glcm import Glcm
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.statistics import Statistics

RECORDS = {record.id: record for record in Glcm.features}
NAMES = ("contrast", "inverse_difference_moment", "angular_second_moment")


def measured(image: torch.Tensor, mask: torch.Tensor, bins: FixedBinSize, aggregation: Aggregation) -> dict[str, float]:
    grid = Grid(tuple(image.shape), (1.0, 1.0, 1.0))
    extraction = Extraction(Preparation(bins), families=(Statistics(), Glcm()), aggregations=(aggregation,))
    whole = QuantitativeMap(image, torch.ones_like(mask), grid, "image", "")
    return {row.feature: row.value for row in extraction(whole, Regions(mask.long(), grid))}


def predicted(texture: NormalTexture, covariance: Covariance) -> dict[str, float]:
    matrix = texture(covariance)
    return {name: float(RECORDS[name].compute(matrix)) for name in NAMES}


def test_the_covariance_is_the_mean_over_all_pairs() -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(4, 3, 5, dtype=torch.float64, generator=generator)
    mask = torch.rand(4, 3, 5, generator=generator) > 0.3
    holes = torch.where(mask, values, 7.0)
    holes[0, 0, 0] = float("nan")
    found = covariance_of_region(holes, mask | holes.isnan(), (1.0, 1.0, 1.0))
    mask[0, 0, 0] = False
    places = [tuple(place) for place in mask.nonzero().tolist()]
    for lag in ((0, 0, 0), (1, 0, 0), (1, -1, 2), (0, 2, -3)):
        pairs = [(a, b) for a in places if (b := tuple(i + d for i, d in zip(a, lag, strict=True))) in places]
        gamma = sum(float(values[a] - values[b]) ** 2 for a, b in pairs) / (2 * len(pairs))
        assert float(found.count(lag)) == len(pairs)
        assert float(found.at(lag)) == pytest.approx(float(values[mask].var(correction=0)) - gamma)


def test_the_variance_through_a_blur_is_the_integral_of_power_times_mtf_squared() -> None:
    """On a periodic image this is Parseval's law; a region that is the whole image sees its border less."""
    spectrum = NoiseSpectrum(torch.rand(16, 16, 16, dtype=torch.float64).new_full((16, 16, 16), 4.0), (1.0, 1.0, 1.0))
    lags = covariance_of_region(torch.randn(16, 16, 16), torch.ones(16, 16, 16, dtype=torch.bool), (1.0, 1.0, 1.0))
    psf = GaussianPsf((0.7, 0.9, 0.5))
    found = covariance_of_noise(spectrum, lags).through(psf).at((0, 0, 0))
    axes = torch.meshgrid(*(torch.fft.fftfreq(4096, dtype=torch.float64)[::64],) * 3, indexing="ij")
    integral = 4.0 * float(psf.at(axes).square().mean())
    assert float(found) == pytest.approx(integral, rel=1e-3)


def test_a_bivariate_normal_gives_the_matrix() -> None:
    lags = torch.zeros(3, 3, 3, dtype=torch.float64)
    lags[1, 1, 1], lags[1, 1, 2], lags[1, 1, 0] = 9.0, 6.0, 6.0
    model = Covariance(lags, torch.ones_like(lags), torch.tensor(20.0, dtype=torch.float64), (1.0, 1.0, 1.0))
    matrix = NormalTexture(FixedBinSize(2.0, 0.0), ((0, 0, 1),))(model).p[0]
    pair = stats.multivariate_normal([20, 20], [[9, 6], [6, 9]])
    for i, j in ((10, 10), (9, 11), (7, 12)):
        low, high = np.array([2.0 * i, 2.0 * j]), np.array([2.0 * i + 2, 2.0 * j + 2])
        assert float(matrix[i, j]) == pytest.approx(float(pair.cdf(high, lower_limit=low)), abs=1e-6)
    assert float(matrix.sum()) == pytest.approx(1)


def test_a_gaussian_texture_is_predicted_before_and_after_a_blur() -> None:
    """Coloured noise of a known spectrum, no fit.

    The widest blur leaves about 1000 independent patches, whose variance is known to 4 % at best.
    """
    shape, spacing = (48, 48, 48), (1.0, 1.0, 1.0)
    bins, mask = FixedBinSize(4.0, -200.0), torch.zeros(shape, dtype=torch.bool)
    mask[4:-4, 4:-4, 4:-4] = True
    power = 2000.0 * GaussianPsf((0.5, 0.5, 0.5)).at(frequencies(shape, spacing))
    image = coloured_noise(power, shape, spacing, seed=0)
    whole = [torch.fft.fftfreq(n, dtype=torch.float64) for n in shape]
    spectrum = NoiseSpectrum(2000.0 * GaussianPsf((0.5,) * 3).at(torch.meshgrid(*whole, indexing="ij")), spacing)
    lags = covariance_of_noise(spectrum, covariance_of_region(image, mask, spacing))
    for sigma in (0.0, 0.6, 1.0):
        psf = GaussianPsf((sigma,) * 3)
        seen = measured(blurring(psf, shape, spacing).apply(image), mask, bins, VOLUME_MERGED)
        blurred_lags = lags.through(psf)
        assert float(blurred_lags.at((0, 0, 0))) == pytest.approx(seen["variance"], rel=0.05)
        foreseen = predicted(NormalTexture(bins), blurred_lags)
        for name in NAMES:
            assert foreseen[name] == pytest.approx(seen[name], rel=0.06), (sigma, name)
        assert float(NormalTexture(bins).contrast(blurred_lags)) == pytest.approx(foreseen["contrast"], rel=1e-3)


def test_the_prediction_is_differentiable() -> None:
    values = torch.randn(5, 4, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    mask = torch.ones(5, 4, 1, dtype=torch.bool)
    texture = NormalTexture(FixedBinSize(2.0, -8.0), PLANE)

    def features(x):
        lags = covariance_of_region(x, mask, (1.0, 1.0, 1.0)).through(GaussianPsf((0.5, 0.5, 0.0)))
        return texture.contrast(lags), RECORDS["angular_second_moment"].compute(texture(lags))

    assert torch.autograd.gradcheck(features, (values,), fast_mode=True)


def nrrd(path: Path) -> torch.Tensor:
    """A gzipped three-dimensional NRRD file of integers, (x, y, z)."""
    head, packed = path.read_bytes().split(b"\n\n", 1)
    fields = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line and line[0] != "#")
    kind = {"short": "<i2", "int": "<i4"}[fields["type"]]
    data = np.frombuffer(gzip.decompress(packed), kind).reshape([int(n) for n in fields["sizes"].split()], order="F")
    return torch.from_numpy(data.astype(np.float64))


@pytest.fixture(scope="module")
def brain(shared: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """A brain and its tumour, cropped: MR, 0.78 × 0.78 × 6.5 mm."""
    folder = shared / "data/radiomics"
    crop = (slice(130, 236), slice(50, 190), slice(10, 19))
    image, label = (nrrd(folder / "pyradiomics" / f"brain1_{name}.nrrd")[crop] for name in ("image", "label"))
    return image, label > 0


def test_on_a_real_image_contrast_falls_and_homogeneity_and_energy_rise_as_predicted(brain) -> None:
    """Inside a tumour, two voxels clear of its border, where the blur does not reach what lies around it."""
    image, tumour = brain
    spacing = (0.78125, 0.78125, 6.5)
    inside = torch.from_numpy(ndimage.binary_erosion(tumour.numpy(), np.ones((5, 5, 1))))
    assert int(inside.sum()) == 2293
    bins = FixedBinSize(10.0, -500.0)
    lags, texture = covariance_of_region(image, inside, spacing), NormalTexture(bins, PLANE)
    rows = []
    for sigma in (0.0, 0.4, 0.8, 1.2):
        psf = GaussianPsf((sigma, sigma, 0.0))
        seen = measured(blurred(image, psf, spacing), inside, bins, PLANES_MERGED)
        foreseen = predicted(texture, lags.through(psf))
        assert float(lags.through(psf).at((0, 0, 0))) == pytest.approx(seen["variance"], rel=0.01)
        assert foreseen["contrast"] == pytest.approx(seen["contrast"], rel=0.03)
        rows.append((seen, foreseen))
    for before, after in itertools.pairwise(rows):
        for kind in (0, 1):
            assert after[kind]["contrast"] < before[kind]["contrast"]
            assert after[kind]["inverse_difference_moment"] > before[kind]["inverse_difference_moment"]
            assert after[kind]["angular_second_moment"] > before[kind]["angular_second_moment"]
    for name, within in (("contrast", 0.03), ("inverse_difference_moment", 0.15), ("angular_second_moment", 0.2)):
        change = [rows[-1][kind][name] / rows[0][kind][name] for kind in (0, 1)]
        assert change[1] == pytest.approx(change[0], rel=within), name


def test_a_texture_without_variance_or_room_is_refused() -> None:
    lags = torch.zeros(3, 3, 3, dtype=torch.float64)
    flat = Covariance(lags, torch.ones_like(lags), torch.tensor(20.0), (1.0, 1.0, 1.0))
    with pytest.raises(UsageError, match="GD-101"):
        NormalTexture(FixedBinSize(1.0, 0.0))(flat)
    lags[1, 1, 1] = 1e8
    with pytest.raises(UsageError, match="GD-101"):
        NormalTexture(FixedBinSize(1.0, 0.0))(flat)
    with pytest.raises(InputError, match="GD-723"):
        covariance_of_region(torch.zeros(3, 3, 3), torch.zeros(3, 3, 3, dtype=torch.bool), (1.0, 1.0, 1.0))


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 2.0), (1.0, 1.0)])
def test_noise_of_other_voxels_is_refused(spacing: tuple[float, ...]) -> None:
    lags = Covariance(torch.zeros(3, 3, 3), torch.ones(3, 3, 3), torch.tensor(0.0), (1.0, 1.0, 1.0))
    with pytest.raises(UsageError, match="GD-103"):
        covariance_of_noise(NoiseSpectrum(torch.ones((8,) * len(spacing)), spacing), lags)
