"""The noise power spectrum: Parseval's law, white noise flat, coloured noise recovered."""

import pytest
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.linop.fft import frequencies
from gradatim.radiomics.blur.noise_power import NoisePower, NoiseSpectrum, coloured_noise

SPACING = (0.7, 0.8, 2.0)


def everywhere(image: torch.Tensor) -> torch.Tensor:
    return torch.ones_like(image, dtype=torch.bool)


@pytest.mark.parametrize("size", [(8, 8), (8, 6, 4)])
@pytest.mark.parametrize("degree", [0, 1, 2])
def test_its_integral_is_the_mean_square_of_what_the_trend_leaves(size: tuple[int, ...], degree: int) -> None:
    whole = torch.randn(
        *size, *([1] * (3 - len(size))), dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    found = NoisePower(size, degree)(whole, mask=everywhere(whole), spacing=SPACING)
    axes = torch.meshgrid(*(torch.linspace(-1, 1, n, dtype=torch.float64) for n in size), indexing="ij")
    terms = [torch.ones(size, dtype=torch.float64), *(axes if degree > 0 else ())]
    if degree == 2:
        terms += [a * b for i, a in enumerate(axes) for b in axes[i:]]
    design = torch.stack([term.flatten() for term in terms], 1)
    rest = whole.flatten() - design @ torch.linalg.lstsq(design, whole.flatten()[:, None]).solution[:, 0]
    assert found.variance == pytest.approx(float(rest.square().mean()), rel=1e-10)
    assert found.blocks == 1


def test_a_trend_of_its_degree_leaves_nothing() -> None:
    x, y, _ = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in (16, 16, 2)), indexing="ij")
    cupping = 3 + 0.2 * x - 0.1 * y + 0.03 * x**2 + 0.02 * x * y
    assert NoisePower((16, 16), 2)(cupping, mask=everywhere(cupping), spacing=SPACING).variance < 1e-18
    assert NoisePower((16, 16), 1)(cupping, mask=everywhere(cupping), spacing=SPACING).variance > 0.1


def test_white_noise_is_flat() -> None:
    noise = 5 * torch.randn(64, 64, 48, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = NoisePower((16, 16))(noise, mask=everywhere(noise), spacing=SPACING)
    # 3 of 256 coefficients of a block go with its plane
    assert found.variance == pytest.approx(25 * (1 - 3 / 256), rel=0.01)
    flat = 25 * 0.7 * 0.8
    high = found.power[2:15, 2:15] / flat
    assert float(high.mean()) == pytest.approx(1, rel=0.01)
    assert float(high.std()) < 2 * found.relative_error


def test_coloured_noise_is_recovered() -> None:
    """A smooth spectrum with a maximum off zero, as filtered back-projection has; bands of it to 2 %."""
    shape = (96, 96, 40)
    spacing = (1.0, 1.0, 1.0)

    def truth(f):
        radius = f[0] ** 2 + f[1] ** 2
        return 40 * (0.3 + 40 * radius) * torch.exp(-radius / 0.08)

    at = frequencies(shape[:2], spacing[:2])
    planes = [coloured_noise(truth(at), shape[:2], spacing[:2], seed=k) for k in range(shape[2])]
    noise = torch.stack(planes, -1)
    found = NoisePower((32, 32))(noise, mask=everywhere(noise), spacing=spacing)
    grid = torch.meshgrid(*(torch.fft.fftfreq(32, dtype=torch.float64),) * 2, indexing="ij")
    radius = torch.hypot(*grid)
    for low, high in ((0.1, 0.2), (0.2, 0.3), (0.3, 0.4)):
        band = (radius >= low) & (radius < high)
        assert float(found.power[band].mean()) == pytest.approx(float(truth(grid)[band].mean()), rel=0.02)
    assert found.variance == pytest.approx(float(truth(grid).mean()), rel=0.02)


def test_noise_made_of_a_spectrum_has_its_variance_and_repeats() -> None:
    spectrum = torch.full((32, 32, 17), 9.0 * 0.7 * 0.8 * 2.0)
    a, b, c = (coloured_noise(spectrum, (32, 32, 32), SPACING, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
    assert float(a.var()) == pytest.approx(9.0, rel=0.03)


def test_a_spectrum_between_its_frequencies_is_linear_and_periodic() -> None:
    power = torch.rand(8, 6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    spectrum = NoiseSpectrum(power, SPACING)
    own = frequencies((8, 6, 4), SPACING)
    assert torch.allclose(spectrum.at(own), power[:, :, :3])
    half = 0.5 / (8 * 0.7)
    between = spectrum.at((torch.tensor([half]), torch.zeros(1), torch.zeros(1)))
    assert float(between) == pytest.approx(float(power[0, 0, 0] + power[1, 0, 0]) / 2)
    turned = spectrum.at((torch.tensor([half + 1 / 0.7]), torch.zeros(1), torch.zeros(1)))
    assert float(turned) == pytest.approx(float(between))


def test_only_blocks_inside_the_region_count() -> None:
    noise = torch.randn(24, 24, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    noise[8:10], noise[22:] = 1e6, float("nan")
    mask = everywhere(noise)
    mask[8:10] = False
    assert NoisePower((8, 8))(noise, mask=mask, spacing=SPACING).variance < 2
    mask[4:20] = False
    with pytest.raises(InputError, match="GD-724"):
        NoisePower((8, 8))(noise, mask=mask, spacing=SPACING)


def test_impossible_blocks_and_spectra_are_refused() -> None:
    for size, degree in (((8,), 1), ((2, 2), 1), ((8, 8), 3)):
        with pytest.raises(UsageError, match="GD-101"):
            NoisePower(size, degree)
    with pytest.raises(UsageError, match="GD-103"):
        NoiseSpectrum(torch.ones(4, 4), SPACING)
