"""Real volumes beside DIPY's fits, and water: published diffusivities from a simulated pulsed-gradient series."""

from pathlib import Path

import numpy as np
import pytest
import torch

from gradatim.base.diffusion_series import DiffusionSeries
from gradatim.diffusion.gradient_pairs import RectangularPair
from gradatim.diffusion.kurtosis import WeightedKurtosis
from gradatim.diffusion.kurtosis_maps import KurtosisMaps
from gradatim.diffusion.log_linear import LogLinearDiffusion
from gradatim.diffusion.mono_exponential import MonoExponentialDiffusion
from gradatim.diffusion.noise_models import GaussianNoise
from gradatim.diffusion.tensor import WeightedTensor
from gradatim.diffusion.tensor_maps import TensorMaps
from gradatim.diffusion.tensor_positive import PositiveTensor
from gradatim.diffusion.water import WaterDiffusivity
from gradatim.io.diffusion import read_diffusion

PER_SQUARE_MM = 1e-6


@pytest.mark.parametrize(("celsius", "published"), [(20.0, 2.023e-9), (25.0, 2.2995e-9), (37.0, 3.037e-9)])
def test_water_after_holz(celsius: float, published: float) -> None:
    """Holz, Heil & Sacco, Phys Chem Chem Phys 2:4740 (2000): D = 1.635e-8·(T/215.05 − 1)^2.063."""
    found = WaterDiffusivity()(torch.tensor(celsius + 273.15, dtype=torch.float64))
    assert found.item() == pytest.approx(published, rel=3e-4)


def test_a_pulsed_gradient_series_of_water_gives_its_diffusivity() -> None:
    """0.5 T/m, δ 2 ms, Δ 50 ms: b = 3.5307e9 s/m², signal 2.98e-4, 1/e at 0.1755 T/m; D within its interval."""
    times = {"duration": 0.002, "separation": 0.05}
    water = WaterDiffusivity()(torch.tensor(298.15, dtype=torch.float64))
    most = RectangularPair().b(0.5, **times)
    assert most.item() == pytest.approx(3.5307e9, rel=2e-5)
    assert torch.exp(-most * water).item() == pytest.approx(2.98e-4, rel=2e-3)
    assert (RectangularPair().b(0.1755, **times) * water).item() == pytest.approx(1.0, rel=2e-3)

    b = RectangularPair().b(torch.linspace(0.01, 0.5, 24, dtype=torch.float64), **times)
    random = torch.Generator().manual_seed(25)
    noise = 0.005 * torch.randn(24, 400, generator=random, dtype=torch.float64)
    data = torch.exp(-b * water)[:, None] + noise
    for fit in (MonoExponentialDiffusion(), MonoExponentialDiffusion(GaussianNoise(0.005))):
        found = fit(data, b=b)["diffusivity"]
        assert found.low[0].item() <= 2.2995e-9 <= found.high[0].item()
        assert found.error[0].item() < 0.02 * 2.2995e-9
        held = ((found.low <= 2.2995e-9) & (found.high >= 2.2995e-9)).double().mean()
        assert float(held) == pytest.approx(0.95, abs=0.033)  # three binomial σ of 400
    line = LogLinearDiffusion()(data[:12], b=b[:12])["diffusivity"]
    assert line.low[0].item() <= 2.2995e-9 <= line.high[0].item()


def load(shared: Path, name: str, ending: str = ".nii.gz") -> tuple[DiffusionSeries, np.ndarray, np.ndarray]:
    """A series, with its b-values (s/mm²) and directions as DIPY takes them."""
    place = shared / "data" / "scanner" / "dipy"
    series = read_diffusion(place / f"{name}{ending}", place / f"{name}.bval", place / f"{name}.bvec")
    values, vectors = np.linalg.eigh(series.b.numpy())
    g = vectors[:, :, 2] * (values[:, 2:] > 0)
    everywhere = torch.ones_like(series.mask)
    return DiffusionSeries(series.signal, series.b, everywhere, series.grid), values[:, 2] * PER_SQUARE_MM, g


@pytest.mark.parametrize(("name", "ending"), [("small_64D", ".nii"), ("small_101D", ".nii.gz")])
def test_fa_and_md_are_those_of_dipy(name: str, ending: str, shared: Path) -> None:
    """DIPY 1.12.1, weighted least squares, values ≤ 0 raised to the least positive one as here."""
    dti = pytest.importorskip("dipy.reconst.dti")
    from dipy.core.gradients import gradient_table

    series, b, g = load(shared, name, ending)
    data = np.moveaxis(series.signal.numpy().astype(float), 0, -1)
    peer = dti.TensorModel(gradient_table(b, bvecs=g), min_signal=data[data > 0].min()).fit(data)
    fit = WeightedTensor()(series)
    maps = TensorMaps()(fit)
    # DIPY raises eigenvalues below zero to a small diffusivity, we to 0
    np.testing.assert_allclose(maps["FA"].value.numpy(), peer.fa, atol=1e-4)
    np.testing.assert_allclose(maps["MD"].value.numpy(), peer.md * PER_SQUARE_MM, rtol=0, atol=2e-15)
    positive = (fit.verdict == 0).reshape(peer.fa.shape).numpy()
    assert positive.sum() >= 0.97 * positive.size
    for ours, theirs in ((maps["FA"], peer.fa), (maps["MD"], 1e-6 * peer.md), (maps["AD"], 1e-6 * peer.ad)):
        np.testing.assert_allclose(ours.value.numpy()[positive], theirs[positive], rtol=1e-6)


def test_the_figures_of_small_64d(shared: Path) -> None:
    """Mean FA 0.3931 and mean MD 1.2787e-3 mm²/s with DIPY 1.12.1's defaults, which raise the four zeros to 1e-4."""
    maps = TensorMaps()(WeightedTensor()(load(shared, "small_64D", ".nii")[0]))
    assert float(maps["FA"].value.mean()) == pytest.approx(0.3931, abs=1e-3)
    assert float(maps["MD"].value.mean()) / PER_SQUARE_MM == pytest.approx(1.2787e-3, rel=1e-3)


def test_the_fit_of_the_signal_is_that_of_dipy(shared: Path) -> None:
    dti = pytest.importorskip("dipy.reconst.dti")
    from dipy.core.gradients import gradient_table

    series, b, g = load(shared, "small_101D")
    peer = dti.TensorModel(gradient_table(b, bvecs=g), fit_method="NLLS").fit(
        np.moveaxis(series.signal.numpy().astype(float), 0, -1)[:2, :4, :4]
    )
    part = DiffusionSeries(series.signal, series.b, torch.zeros_like(series.mask), series.grid)
    part.mask[:2, :4, :4] = True
    maps = TensorMaps()(PositiveTensor()(part))
    np.testing.assert_allclose(maps["FA"].value[:2, :4, :4].numpy(), peer.fa, atol=2e-4)
    np.testing.assert_allclose(maps["MD"].value[:2, :4, :4].numpy(), peer.md * 1e-6, rtol=2e-4)


def test_kurtosis_is_that_of_dipy(shared: Path) -> None:
    """AK to rounding; MK and RK to what DIPY's rational approximations near equal eigenvalues leave (2.5 %)."""
    dki = pytest.importorskip("dipy.reconst.dki")
    from dipy.core.gradients import gradient_table

    series, b, g = load(shared, "small_101D")
    least = float(series.signal[series.signal > 0].min())
    data = np.moveaxis(series.signal.clamp_min(least).numpy().astype(float), 0, -1)
    peer = dki.DiffusionKurtosisModel(gradient_table(b, bvecs=g)).fit(data)
    maps = KurtosisMaps()(WeightedKurtosis()(series))
    for name, theirs, most, middle in (
        ("AK", peer.ak(), 1e-6, 1e-7),
        ("MK", peer.mk(), 0.02, 1e-4),
        ("RK", peer.rk(), 0.02, 1e-4),
    ):
        within = (theirs > -3 / 7 + 1e-6) & (theirs < 10 - 1e-6)  # what DIPY clips
        apart = np.abs(maps[name].value.numpy() - theirs)[within]
        assert within.sum() > 590
        assert apart.max() < most
        assert np.median(apart) < middle
