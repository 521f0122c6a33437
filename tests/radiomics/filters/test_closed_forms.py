"""Filters against what theory says of impulses, flat images, blobs and plane waves."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from gradatim.radiomics.filters.boundary import Boundary, Mirror, Nearest, Periodic, Zero
from gradatim.radiomics.filters.energy_map import EnergyMap
from gradatim.radiomics.filters.gabor import Gabor, evenly
from gradatim.radiomics.filters.laplacian_of_gaussian import LaplacianOfGaussian
from gradatim.radiomics.filters.laws import KERNELS, LawsKernels
from gradatim.radiomics.filters.mean import MeanFilter
from gradatim.radiomics.filters.orthogonal_planes import OrthogonalPlanes
from gradatim.radiomics.filters.pooling import Average
from gradatim.radiomics.preparation import Response

CUBES = (1.0, 1.0, 1.0)


def impulse(*shape: int) -> Tensor:
    x = torch.zeros(shape, dtype=torch.float64)
    x[tuple(n // 2 for n in shape)] = 1.0
    return x


def places(shape: tuple[int, ...], spacing: tuple[float, ...]) -> tuple[Tensor, ...]:
    """Distance from the middle voxel along each axis, mm."""
    axes = [(torch.arange(n, dtype=torch.float64) - n // 2) * edge for n, edge in zip(shape, spacing, strict=True)]
    return torch.meshgrid(*axes, indexing="ij")


@pytest.mark.parametrize("boundary", [Nearest(), Periodic(), Mirror()])
@pytest.mark.parametrize(
    ("make", "value"),
    [
        (lambda b: MeanFilter(7, boundary=b), 1.0),
        (lambda b: LawsKernels("L5L3L5", b), 16 / math.sqrt(70) * 4 / math.sqrt(6) * 16 / math.sqrt(70)),
        (lambda b: LawsKernels("E5L5L5", b), 0.0),
        (lambda b: LawsKernels("L5W5", b), 0.0),
        (lambda b: EnergyMap(LawsKernels("L3L3", b), 2, 2, b), 16 / 6),
    ],
)
def test_a_flat_image(make, value: float, boundary: Boundary) -> None:
    response = make(boundary)(torch.full((5, 6, 7), 3.0).double(), spacing=CUBES)
    assert torch.allclose(response, torch.full_like(response, 3.0 * value), atol=1e-12)


def test_the_mean_of_an_impulse_is_a_cube() -> None:
    response = MeanFilter(3, boundary=Zero())(impulse(7, 7, 7), spacing=CUBES)
    expected = torch.zeros(7, 7, 7).double()
    expected[2:5, 2:5, 2:5] = 1 / 27
    assert torch.allclose(response, expected, atol=1e-15)


@pytest.mark.parametrize("names", ["E5L5S5", "W5R5E3", "S3L3"])
def test_an_impulse_becomes_the_product_of_laws_kernels(names: str) -> None:
    response = LawsKernels(names, boundary=Zero())(impulse(9, 9, 9 if len(names) == 6 else 1), spacing=CUBES)
    expected = np.ones((1,))
    kernels = [np.array(KERNELS[names[i : i + 2]], float) for i in range(0, len(names), 2)]
    expected = np.ones(()) if len(kernels) == 3 else np.ones((1,))
    for kernel in reversed(kernels):
        whole = np.zeros(9)
        whole[4 - len(kernel) // 2 : 5 + len(kernel) // 2] = kernel / np.linalg.norm(kernel)
        expected = np.multiply.outer(whole, expected)
    assert np.allclose(response.numpy(), expected, atol=1e-15)


def test_laws_kernels_have_unit_energy_and_vanishing_moments() -> None:
    assert {name: sum(kernel) for name, kernel in KERNELS.items() if sum(kernel)} == {"L5": 16, "L3": 4}
    for names in ("E5L5S5", "L3S3W5"):
        response = LawsKernels(names, boundary=Zero())(impulse(9, 9, 9), spacing=CUBES)
        assert float(response.square().sum()) == pytest.approx(1.0, abs=1e-12)


def test_energy_is_the_mean_of_absolute_values() -> None:
    x = torch.randn(6, 6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    laws = LawsKernels("E3E3E3", boundary=Zero())
    energy = EnergyMap(laws, distance=1, boundary=Zero())(x, spacing=CUBES)
    assert float(energy[3, 3, 3]) == pytest.approx(float(laws(x, spacing=CUBES).abs()[2:5, 2:5, 2:5].mean()))


@pytest.mark.parametrize(("dimensions", "sigma"), [(2, 1.5), (3, 1.5), (3, 2.3)])
def test_an_impulse_becomes_the_laplacian_of_gaussian(dimensions: int, sigma: float) -> None:
    shape = (31, 31, 31 if dimensions == 3 else 1)
    log = LaplacianOfGaussian(sigma, dimensions=dimensions, boundary=Zero())
    response = log(impulse(*shape), spacing=CUBES)
    k = places(shape, CUBES)
    r2 = sum(axis.square() for axis in k)
    gauss = torch.exp(-r2 / (2 * sigma**2)) / (math.sqrt(2 * math.pi) * sigma) ** dimensions
    expected = gauss * (r2 / sigma**4 - dimensions / sigma**2)
    reach = math.floor(4 * sigma + 0.5)
    inside = torch.stack([axis.abs() for axis in k]).amax(0) <= reach
    assert torch.allclose(response, expected * inside, atol=1e-15)
    assert abs(float(response.sum())) < 1e-3 * float(response.abs().sum())


@pytest.mark.parametrize("spacing", [CUBES, (2.0, 2.0, 2.0), (1.0, 1.5, 2.5)])
def test_a_blob_responds_as_a_wider_one_is_bent(spacing: tuple[float, float, float]) -> None:
    shape, sigma, blob = (41, 31, 21), 4.0, 5.0
    r2 = sum(axis.square() for axis in places(shape, spacing))
    both = sigma**2 + blob**2
    image = torch.exp(-r2 / (2 * blob**2))
    response = LaplacianOfGaussian(sigma, truncate=7.0, boundary=Zero())(image, spacing=spacing)
    expected = (blob**2 / both) ** 1.5 * (r2 / both**2 - 3 / both) * torch.exp(-r2 / (2 * both))
    unit = math.prod(spacing) ** (2 / 3)
    middle = tuple(slice(n // 2 - 2, n // 2 + 3) for n in shape)
    assert torch.allclose(response[middle], unit * expected[middle], rtol=0.02, atol=0)


@pytest.mark.parametrize("angle", [0.0, 0.4, math.pi / 2, 5 * math.pi / 4])
def test_an_impulse_becomes_the_envelope_of_a_gabor_filter(angle: float) -> None:
    shape, spacing = (41, 51, 2), (1.0, 0.8, 3.0)
    x = impulse(*shape)
    response = Gabor(3.0, 5.0, 0.6, angles=(angle,), boundary=Zero())(x, spacing=spacing)
    first, second, _ = places(shape, spacing)
    along = first * math.cos(angle) + second * math.sin(angle)
    across = second * math.cos(angle) - first * math.sin(angle)
    expected = torch.exp(-(along.square() + (0.6 * across).square()) / (2 * 3.0**2))
    expected[..., 0] = 0.0
    assert torch.allclose(response, expected, atol=1e-7)


@pytest.mark.parametrize("angle", [0.0, 0.7, 2.0])
def test_a_gabor_filter_picks_its_wave(angle: float) -> None:
    shape, sigma, length, gamma = (64, 64, 1), 4.0, 6.0, 1.3
    first, second, _ = places(shape, CUBES)

    def response(wave_angle: float, wave_length: float) -> float:
        wave = torch.cos(2 * math.pi / wave_length * (first * math.cos(wave_angle) + second * math.sin(wave_angle)))
        return float(Gabor(sigma, length, gamma, angles=(angle,))(wave, spacing=CUBES)[32, 32, 0])

    # Of a cosine half the amplitude lies at the filter's own frequency: |ĝ| = 2πσ²/γ there.
    assert response(angle, length) == pytest.approx(math.pi * sigma**2 / gamma, rel=1e-3)
    off = 2 * math.pi * sigma * (1 / length - 1 / 9.0)
    assert response(angle, 9.0) == pytest.approx(math.pi * sigma**2 / gamma * math.exp(-(off**2) / 2), rel=0.02)
    assert response(angle + math.pi / 2, length) < 1e-3 * response(angle, length)
    assert response(angle + math.pi, length) == pytest.approx(response(angle, length))


def test_gabor_angles_are_pooled_and_come_again_after_pi() -> None:
    x = torch.randn(12, 13, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    angles = evenly(math.pi / 4)
    each = [Gabor(2.0, 4.0, 0.8, angles=(angle,))(x, spacing=CUBES) for angle in angles]
    around = (*angles, *(angle + math.pi for angle in angles))
    assert torch.allclose(Gabor(2.0, 4.0, 0.8, angles=angles)(x, spacing=CUBES), Average()(each), atol=1e-12)
    assert torch.allclose(Gabor(2.0, 4.0, 0.8, angles=around)(x, spacing=CUBES), Average()(each), atol=1e-12)


@pytest.mark.parametrize("filter_", [MeanFilter(3, dimensions=2), Gabor(2.0, 4.0, angles=evenly(math.pi / 4))])
def test_three_planes_are_three_turned_volumes(filter_: Response) -> None:
    x = torch.randn(6, 7, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    spacing = (1.0, 2.0, 1.5)
    axial = filter_(x, spacing=spacing)
    coronal = filter_(x.permute(0, 2, 1), spacing=(1.0, 1.5, 2.0)).permute(0, 2, 1)
    sagittal = filter_(x.permute(2, 1, 0), spacing=(1.5, 2.0, 1.0)).permute(2, 1, 0)
    expected = (axial + coronal + sagittal) / 3
    assert torch.allclose(OrthogonalPlanes(filter_)(x, spacing=spacing), expected, atol=1e-12)
