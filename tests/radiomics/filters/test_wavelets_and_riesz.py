"""Wavelets and the Riesz transform: orthonormal taps, energies that add up, waves that keep their place in theory."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from gradatim.linop.wavelet_filter import high_pass
from gradatim.radiomics.filters.boundary import Mirror, Periodic, Zero, extended
from gradatim.radiomics.filters.frequencies import EndpointFrequencies, FourierFrequencies
from gradatim.radiomics.filters.mean import MeanFilter
from gradatim.radiomics.filters.nonseparable_wavelet import NonseparableWavelet
from gradatim.radiomics.filters.riesz import Riesz
from gradatim.radiomics.filters.separable_wavelet import WAVELETS, SeparableWavelet

CUBES = (1.0, 1.0, 1.0)
NAMED = {
    "haar": (0.7071067811865476, 0.7071067811865476),
    "db2": (0.4829629131445341, 0.8365163037378079, 0.2241438680420134, -0.1294095225512604),
    "db3": (0.3326705529500826, 0.8068915093110926, 0.4598775021184916, -0.1350110200102546, -0.0854412738820267,
            0.0352262918857095),
    "coif1": (-0.0727326195128539, 0.3378976624578092, 0.8525720202122554, 0.3848648468642029, -0.0727326195128539,
              -0.0156557281354645),
}  # fmt: skip
"""As printed in Daubechies, Ten Lectures on Wavelets, tables 6.1 and 8.1 (coiflets there are divided by √2)."""


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def energy(x: Tensor) -> float:
    return float(x.square().sum())


@pytest.mark.parametrize("name", WAVELETS)
def test_taps_are_those_of_the_literature_and_orthonormal(name: str) -> None:
    taps = np.array(WAVELETS[name])
    assert taps == pytest.approx(NAMED[name], abs=1e-9)
    assert taps.sum() == pytest.approx(math.sqrt(2.0), abs=1e-12)
    wavelet = np.array(high_pass(WAVELETS[name]))
    for shift in range(0, len(taps), 2):
        kept = slice(shift, None), slice(None, len(taps) - shift)
        assert taps[kept[0]] @ taps[kept[1]] == pytest.approx(float(shift == 0), abs=1e-12)
        assert taps[kept[0]] @ wavelet[kept[1]] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("name", "moments"), [("haar", 1), ("db2", 2), ("db3", 3), ("coif1", 2)])
def test_wavelets_are_blind_to_polynomials(name: str, moments: int) -> None:
    place = torch.arange(30, dtype=torch.float64).view(30, 1, 1) / 10
    wavelet = SeparableWavelet(WAVELETS[name], "HL")
    for power in range(moments + 1):
        response = wavelet(place**power, spacing=CUBES)[8:-8].abs().max()
        assert (float(response) < 1e-12) == (power < moments)


@pytest.mark.parametrize("name", WAVELETS)
def test_all_bands_of_one_level_keep_the_energy(name: str) -> None:
    x = noise(8, 10, 12)
    bands = ["".join(letters) for letters in itertools.product("LH", repeat=3)]
    found = [SeparableWavelet(WAVELETS[name], band, boundary=Periodic())(x, spacing=CUBES) for band in bands]
    assert sum(map(energy, found)) == pytest.approx(8 * energy(x))


@pytest.mark.parametrize("name", WAVELETS)
def test_two_levels_are_one_after_the_other_with_holes(name: str) -> None:
    x = noise(16, 12, 1)
    first = SeparableWavelet(WAVELETS[name], "LL", boundary=Periodic())(x, spacing=CUBES)
    second = torch.empty_like(x)
    for a, b in itertools.product((0, 1), repeat=2):  # Every second voxel is an image of its own for level 2.
        band = SeparableWavelet(WAVELETS[name], "HL", boundary=Periodic())
        second[a::2, b::2] = band(first[a::2, b::2], spacing=CUBES)
    whole = SeparableWavelet(WAVELETS[name], "HL", level=2, boundary=Periodic())(x, spacing=CUBES)
    assert torch.allclose(whole, second, atol=1e-12)


def test_an_impulse_becomes_the_taps_around_it() -> None:
    x = torch.zeros(9, 9, 1, dtype=torch.float64)
    x[4, 4] = 1.0
    response = SeparableWavelet(WAVELETS["db2"], "LH", boundary=Zero())(x, spacing=CUBES)[..., 0]
    low, high = np.zeros(9), np.zeros(9)
    low[2:6] = NAMED["db2"][::-1]
    high[2:6] = high_pass(NAMED["db2"])[::-1]
    assert np.allclose(response.numpy(), np.outer(low, high), atol=1e-12)


def octaves(*shape: int) -> Tensor:
    """Noise without mean whose frequencies are at most ¼ cycle/voxel: where the bands are complete."""
    spectrum = torch.fft.fftn(noise(*shape))
    axes = torch.meshgrid(*(torch.fft.fftfreq(n).double() for n in shape), indexing="ij")
    length = sum(axis.square() for axis in axes).sqrt()
    return torch.fft.ifftn(spectrum * ((length <= 0.25) & (length > 0))).real


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("boundary", [Periodic(), Mirror()])
def test_the_bands_of_simoncelli_keep_the_energy(dimensions: int, boundary: Periodic | Mirror) -> None:
    x = octaves(16, 15, 16)
    if dimensions == 2:
        x = torch.stack([octaves(16, 15) for _ in range(2)], dim=2)
    if isinstance(boundary, Mirror):  # Cosines of at most ¼ cycle/voxel along each diagonal.
        place = torch.arange(16, dtype=torch.float64) + 0.5
        wave = torch.cos(math.pi * 3 / 16 * place)
        x = wave.view(16, 1, 1) * wave.view(1, 16, 1) * (wave if dimensions == 3 else torch.ones(1).double())
    bands = [
        NonseparableWavelet(level, dimensions, boundary, FourierFrequencies())(x, spacing=CUBES)
        for level in range(1, 7)
    ]
    assert sum(map(energy, bands)) == pytest.approx(energy(x))


@pytest.mark.parametrize("level", [1, 2, 3])
def test_the_middle_and_the_ends_of_an_octave(level: int) -> None:
    place = torch.arange(32, dtype=torch.float64).view(32, 1, 1).expand(32, 4, 4)
    wavelet = NonseparableWavelet(level, frequencies=FourierFrequencies())
    for octave, gain in ((0, 1.0), (1, 0.0), (-1, 0.0)):
        wave = torch.cos(2 * math.pi * 2.0 ** (octave - level - 1) * place)
        assert torch.allclose(wavelet(wave, spacing=CUBES), gain * wave, atol=1e-12)


def test_both_grids_of_frequencies_meet_on_large_images() -> None:
    place = torch.arange(128, dtype=torch.float64)
    differences = []
    for n in (32, 64, 128):
        wave = torch.cos(2 * math.pi * 3 / 16 * place[:n]).view(n, 1, 1).expand(n, n, 1)
        one, other = (
            NonseparableWavelet(1, 2, frequencies=f())(wave, spacing=CUBES)
            for f in (EndpointFrequencies, FourierFrequencies)
        )
        differences.append(float((one - other).abs().max()))
    assert differences[0] > differences[1] > differences[2]
    assert differences[2] < 0.5 * differences[0]


@pytest.mark.parametrize("shape", [(9, 11, 7), (5, 5, 1)])
@pytest.mark.parametrize("total", [1, 2, 3])
def test_all_riesz_transforms_of_one_order_keep_the_energy(shape: tuple[int, int, int], total: int) -> None:
    x = noise(*shape)
    dimensions = 2 if shape[2] == 1 else 3
    x = x - x.mean(dim=(0, 1) if dimensions == 2 else (0, 1, 2), keepdim=True)
    orders = [order for order in itertools.product(range(total + 1), repeat=dimensions) if sum(order) == total]
    found = [Riesz(MeanFilter(1), order=order)(x, spacing=(1.0, 1.5, 2.0)) for order in orders]
    assert sum(map(energy, found)) == pytest.approx(energy(x))


def test_riesz_turns_a_cosine_into_a_sine_of_its_direction() -> None:
    spacing = (1.0, 2.0, 0.5)
    x, y, z = torch.meshgrid(*(torch.arange(8, dtype=torch.float64),) * 3, indexing="ij")
    phase = 2 * math.pi * (x + 2 * y + z) / 8
    nu = (1 / 8 / 1.0, 2 / 8 / 2.0, 1 / 8 / 0.5)
    for axis in range(3):
        order = tuple(int(axis == other) for other in range(3))
        response = Riesz(MeanFilter(1), order=order)(phase.cos(), spacing=spacing)
        assert torch.allclose(response, nu[axis] / math.hypot(*nu) * phase.sin(), atol=1e-12)


def test_riesz_twice_along_every_axis_is_minus_the_image() -> None:
    x = noise(7, 9, 5)
    x = x - x.mean()
    total = torch.zeros_like(x)
    for axis in range(3):
        order = tuple(int(axis == other) for other in range(3))
        total += Riesz(Riesz(MeanFilter(1), order=order), order=order)(x, spacing=CUBES)
    assert torch.allclose(total, -x, atol=1e-12)


@pytest.mark.parametrize("order", [(1, 0, 0), (0, 1, 1), (1, 1, 1), (0, 2, 1), (3, 0, 0), (1, 2), (0, 1)])
def test_a_mirrored_image_is_filtered_as_its_periodic_double(order: tuple[int, ...]) -> None:
    x, spacing = noise(5, 6, 4), (1.0, 1.5, 2.0)
    doubled = extended(x, Mirror(), tuple((0, n) if axis < len(order) else (0, 0) for axis, n in enumerate(x.shape)))
    mirrored = Riesz(MeanFilter(1), order=order, boundary=Mirror())(x, spacing=spacing)
    periodic = Riesz(MeanFilter(1), order=order, boundary=Periodic())(doubled, spacing=spacing)
    assert torch.allclose(mirrored, periodic[:5, :6, :4], atol=1e-12)


def test_zeros_beyond_the_edge_are_an_image_in_the_middle_of_zeros() -> None:
    x = noise(6, 4, 8)
    wide = extended(x, Zero(), ((3, 3), (2, 2), (4, 4)))
    for make in (
        lambda b: NonseparableWavelet(1, 3, b, FourierFrequencies()),
        lambda b: Riesz(MeanFilter(1), order=(1, 0, 1), boundary=b),
    ):
        inside = make(Periodic())(wide, spacing=CUBES)[3:9, 2:6, 4:12]
        assert torch.allclose(make(Zero())(x, spacing=CUBES), inside, atol=1e-12)
