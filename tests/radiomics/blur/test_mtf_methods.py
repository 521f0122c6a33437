"""MTF from edges, wires and beads against the closed form, voxel aperture included: 1 % asked, 0.5 % kept."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from gradatim.base.errors import InputError, UsageError
from gradatim.radiomics.blur.bead import Bead
from gradatim.radiomics.blur.edges import CircularEdge, SlantedEdge
from gradatim.radiomics.blur.mtf import MeasuredMtf
from gradatim.radiomics.blur.wire import Wire
from tests.radiomics.blur.seen import aperture, crossing, gaussian_mtf, mean_aperture, slices, voxel_means

EDGE = 0.8
SPACING = (EDGE, EDGE, 2.0)
NYQUIST = 0.5 / EDGE


def agrees(found: MeasuredMtf, true, *, within: float) -> None:
    """MTF up to Nyquist, MTF50 and MTF10 against a closed form."""
    f = found.frequencies.numpy()
    mtf = true(f)
    known = f <= NYQUIST
    assert np.abs(found.values.numpy() - mtf)[known].max() < within
    fine = np.linspace(0, 2 * NYQUIST, 4001)
    falling = np.argmax(true(fine) < 0.05) or len(fine)
    for level in (0.5, 0.1):
        expected = crossing(fine[:falling], true(fine)[:falling], level)
        assert found.frequency_at(level) == pytest.approx(expected, rel=within)


def slanted(sigma: float, degrees: float, shape: tuple[int, int] = (48, 48)) -> tuple[torch.Tensor, torch.Tensor]:
    angle = math.radians(degrees)

    def seen(x, y):
        t = (x - 24.3 * EDGE) * math.cos(angle) + (y - 24 * EDGE) * math.sin(angle)
        return -1000 + 1000 * stats.norm.cdf(t / sigma)

    return slices(voxel_means(seen, shape, EDGE))


@pytest.mark.parametrize("sigma", [0.4, 0.8, 1.5])
@pytest.mark.parametrize("degrees", [3, 11, 93])
def test_a_slanted_edge_gives_the_analytic_mtf(sigma: float, degrees: float) -> None:
    image, mask = slanted(sigma, degrees)
    found = SlantedEdge()(image, mask=mask, spacing=SPACING)
    angle = math.radians(degrees)
    agrees(found, lambda f: gaussian_mtf(f, sigma) * aperture(f, EDGE, angle), within=0.001)


def test_an_edge_across_the_slices_gives_the_axial_mtf() -> None:
    sigma, angle = 2.0, math.radians(6)
    z, y = np.meshgrid(np.arange(24) * 3.0, np.arange(40) * EDGE, indexing="ij")
    seen = stats.norm.cdf(((z - 36) * math.cos(angle) + (y - 16) * math.sin(angle)) / sigma)
    image = torch.from_numpy(np.repeat(seen.T[None], 4, axis=0))
    found = SlantedEdge()(image, mask=torch.ones_like(image, dtype=torch.bool), spacing=(EDGE, EDGE, 3.0))
    f = found.frequencies.numpy()
    assert f[-1] == pytest.approx(1 / 3)
    assert found.values.numpy() == pytest.approx(gaussian_mtf(f, sigma), abs=0.001)


@pytest.mark.parametrize("sigma", [0.5, 0.9, 1.5])
def test_the_rim_of_a_round_insert_gives_the_analytic_mtf(sigma: float) -> None:
    radius = 20 * EDGE

    def seen(x, y):  # a disc through a Gaussian is a non-central χ² of two degrees of freedom
        r = ((x - 31.6 * EDGE) ** 2 + (y - 31.1 * EDGE) ** 2) / sigma**2
        return 120 * stats.ncx2.cdf(radius**2 / sigma**2, 2, r)

    image, mask = slices(voxel_means(seen, (64, 64), EDGE))
    found = CircularEdge()(image, mask=mask, spacing=SPACING)
    agrees(found, lambda f: gaussian_mtf(f, sigma) * mean_aperture(f, EDGE), within=0.003)


def point(sigma: float, place: tuple[float, float], size: int = 31):
    x0, y0 = place
    return voxel_means(lambda x, y: np.exp(-((x - x0) ** 2 + (y - y0) ** 2) / (2 * sigma**2)), (size, size), EDGE)


@pytest.mark.parametrize("sigma", [0.45, 0.8, 1.3])
@pytest.mark.parametrize("tilt", [0.0, 0.05])
def test_a_wire_gives_the_analytic_mtf(sigma: float, tilt: float) -> None:
    planes = [point(sigma, (12.3 + tilt * k, 11.9 - 0.4 * tilt * k)) for k in range(6 if tilt else 1)]
    image, mask = slices(*planes)
    found = Wire()(1000 * image - 50, mask=mask, spacing=SPACING)
    agrees(found, lambda f: gaussian_mtf(f, sigma) * mean_aperture(f, EDGE), within=0.005)


def test_a_dark_wire_has_the_mtf_of_a_bright_one() -> None:
    image, mask = slices(point(0.8, (12.3, 11.9)))
    bright, dark = (Wire()(sign * image, mask=mask, spacing=SPACING) for sign in (1.0, -1.0))
    assert torch.allclose(bright.values, dark.values, atol=1e-9)


def test_the_thickness_of_a_wire_is_taken_out() -> None:
    sigma, radius = 0.8, 0.6

    def seen(x, y):
        return stats.ncx2.cdf(radius**2 / sigma**2, 2, ((x - 12.3) ** 2 + (y - 11.9) ** 2) / sigma**2)

    image, mask = slices(voxel_means(seen, (31, 31), EDGE))
    found = Wire(diameter_mm=2 * radius)(image, mask=mask, spacing=SPACING)
    agrees(found, lambda f: gaussian_mtf(f, sigma) * mean_aperture(f, EDGE), within=0.003)
    thick = Wire(diameter_mm=2.0)(image, mask=mask, spacing=SPACING)
    assert thick.frequencies[-1] < 1.22 / 2.0  # its own spectrum is 0 there and says nothing


def test_a_bead_gives_the_mtf_in_the_plane_and_across_it() -> None:
    sigma, axial = 0.8, 1.6
    z = np.arange(21) * 1.0
    profile = np.exp(-((z - 9.7) ** 2) / (2 * axial**2))
    image = torch.from_numpy(point(sigma, (12.3, 11.9))[..., None] * profile)
    plane, across = Bead()(image, mask=torch.ones_like(image, dtype=torch.bool), spacing=(EDGE, EDGE, 1.0))
    agrees(plane, lambda f: gaussian_mtf(f, sigma) * mean_aperture(f, EDGE), within=0.003)
    assert across.values.numpy() == pytest.approx(gaussian_mtf(across.frequencies.numpy(), axial), abs=0.003)


def test_the_size_of_a_bead_is_taken_out() -> None:
    curve = MeasuredMtf(torch.linspace(0, 0.5, 51, dtype=torch.float64), torch.ones(51, dtype=torch.float64))
    u = math.pi * 2.0 * 0.5
    ball = 3 * (math.sin(u) - u * math.cos(u)) / u**3
    assert float(Bead(diameter_mm=2.0)._without_ball(curve).values[-1]) == pytest.approx(1 / ball)


def test_the_methods_agree_with_one_another() -> None:
    sigma = 0.7
    tilted, everywhere = slanted(sigma, 5)
    edge = SlantedEdge()(tilted, mask=everywhere, spacing=SPACING)
    image, mask = slices(point(sigma, (12.3, 11.9)))
    wire = Wire()(image, mask=mask, spacing=SPACING)
    # they look in different directions at the square voxel, which changes MTF50 by less than 0.5 %
    assert edge.frequency_at(0.5) == pytest.approx(wire.frequency_at(0.5), rel=0.01)


@pytest.mark.parametrize("method", ["edge", "wire"])
def test_the_standard_errors_are_the_scatter_of_repeated_measurements(method: str) -> None:
    tilted = [point(0.8, (12.3 + 0.05 * k, 11.9)) for k in range(6)]
    image, mask = slanted(0.8, 5) if method == "edge" else slices(*tilted)
    measure, noise = (SlantedEdge(), 20.0) if method == "edge" else (Wire(), 0.004)
    generator = torch.Generator().manual_seed(0)
    scans = [image + noise * torch.randn(image.shape, dtype=torch.float64, generator=generator) for _ in range(25)]
    curves = [measure(scan, mask=mask, spacing=SPACING) for scan in scans]
    scatter = torch.stack([curve.values for curve in curves]).std(0)
    claimed = torch.stack([curve.errors for curve in curves]).square().mean(0).sqrt()
    inner = slice(5, 35)
    # a standard deviation of 25 is known to 14 % at one frequency
    assert float((claimed[inner] / scatter[inner]).mean()) == pytest.approx(1.0, abs=0.35)
    found = torch.tensor([curve.frequency_at(0.5) for curve in curves])
    errors = torch.tensor([curve.error_at(0.5) for curve in curves])
    assert float(errors.mean()) == pytest.approx(float(found.std()), rel=0.5)


def test_what_is_no_edge_or_wire_is_refused() -> None:
    noise = torch.randn(24, 24, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    everywhere = torch.ones_like(noise, dtype=torch.bool)
    for method in (SlantedEdge(), CircularEdge(), Wire()):
        with pytest.raises(InputError, match="GD-724"):
            method(noise, mask=everywhere, spacing=SPACING)
    few = torch.zeros_like(everywhere)
    few[:3, :3] = True
    with pytest.raises(InputError, match="GD-724"):
        SlantedEdge()(noise, mask=few, spacing=SPACING)
    upright, mask = slanted(0.5, 0)
    with pytest.raises(InputError, match="GD-724"):
        SlantedEdge()(upright, mask=mask, spacing=SPACING)


def test_a_negative_diameter_is_refused() -> None:
    for method in (Wire, Bead):
        with pytest.raises(UsageError, match="GD-101"):
            method(diameter_mm=-1.0)


def test_a_bead_at_the_border_is_refused() -> None:
    image = torch.from_numpy(point(0.8, (12.3, 11.9))[..., None] * np.exp(-np.arange(5.0)))
    with pytest.raises(InputError, match="GD-724"):
        Bead()(image, mask=torch.ones_like(image, dtype=torch.bool), spacing=SPACING)


@pytest.mark.parametrize("method", ["edge", "circle", "wire"])
def test_gain_offset_mirrors_and_quarter_turns_change_nothing(method: str) -> None:
    if method == "edge":
        (image, mask), measure = slanted(0.8, 5), SlantedEdge()
    elif method == "wire":
        (image, mask), measure = slices(point(0.8, (12.3, 11.9))), Wire()
    else:
        x, y = np.meshgrid(np.arange(40) * EDGE, np.arange(40) * EDGE, indexing="ij")
        r = ((x - 15.7) ** 2 + (y - 15.2) ** 2) / 0.8**2
        (image, mask), measure = slices(stats.ncx2.cdf((9.6 / 0.8) ** 2, 2, r)), CircularEdge()
    expected = measure(image, mask=mask, spacing=SPACING).values
    for changed in (-3 * image + 70, image.flip(0), image.flip(1), image.rot90(1, (0, 1))):
        # the fit of the place ends within 1e-8 of a voxel, whichever way it comes from
        assert torch.allclose(measure(changed, mask=mask, spacing=SPACING).values, expected, atol=1e-5)
