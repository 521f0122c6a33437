"""PSF models against closed forms, against PSFGenerator, and against finite differences."""

import math
from pathlib import Path

import numpy as np
import pytest
import scipy.special
import tifffile
import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.restore.microscopy.bessel import bessel_j0, bessel_j1
from gradatim.restore.microscopy.born_wolf import BornWolf
from gradatim.restore.microscopy.gaussian_psf import GaussianPsf
from gradatim.restore.microscopy.gibson_lanni import GibsonLanni, Layers
from gradatim.restore.microscopy.radial_psf import PixelIntegrated

NA, LENGTH, INDEX = 1.2, 520e-9, 1.515
WAVENUMBER = 2 * math.pi / LENGTH
MODEL = BornWolf(NA, LENGTH, INDEX)
ZERO = torch.zeros(1, dtype=torch.float64)


def line(end: float, count: int) -> Tensor:
    return torch.linspace(0, end, count, dtype=torch.float64)


def test_in_focus_it_is_the_airy_pattern() -> None:
    r = line(3e-6, 500)
    v = (WAVENUMBER * NA * r).numpy()
    with pytest.warns(RuntimeWarning, match="invalid value"):
        airy = (2 * scipy.special.j1(v) / v) ** 2
    airy[0] = 1.0
    found = MODEL.intensity(r, ZERO)[:, 0]
    torch.testing.assert_close(found / found[0], torch.from_numpy(airy), rtol=0, atol=1e-13)


def test_on_the_axis_it_is_a_squared_sinc() -> None:
    z = line(20e-6, 700)
    u = WAVENUMBER * NA**2 / INDEX * z
    found = MODEL.intensity(ZERO, z)[0]
    torch.testing.assert_close(found / found[0], torch.sinc(u / (4 * math.pi)).square(), rtol=0, atol=1e-12)


def test_it_is_dark_first_where_the_textbook_says() -> None:
    ring, pole = 0.609835 * LENGTH / NA, 2 * INDEX * LENGTH / NA**2
    peak = float(MODEL.intensity(ZERO, ZERO))
    near = torch.tensor([ring], dtype=torch.float64)
    assert float(MODEL.intensity(near, ZERO)) < 1e-10 * peak
    assert float(MODEL.intensity(ZERO, torch.tensor([pole], dtype=torch.float64))) < 1e-20 * peak
    assert float(MODEL.intensity(0.99 * near, ZERO)) > 1e-6 * peak


def test_the_light_within_a_radius_is_rayleighs() -> None:
    """1 − J₀² − J₁² of the light lies within v, so that all planes together hold 1."""
    nodes, weights = (torch.from_numpy(a) for a in scipy.special.roots_legendre(400))
    reach = 4e-6
    r = reach * (nodes + 1) / 2
    inside = float((MODEL.intensity(r, ZERO)[:, 0] * 2 * math.pi * r * weights).sum() * reach / 2)
    v = WAVENUMBER * NA * reach
    assert inside == pytest.approx(1 - scipy.special.j0(v) ** 2 - scipy.special.j1(v) ** 2, abs=1e-10)


@pytest.mark.parametrize("model", [MODEL, GibsonLanni(NA, LENGTH, 1.33, 3e-6)])
def test_every_plane_holds_the_same_light(model) -> None:
    nodes, weights = (torch.from_numpy(a) for a in scipy.special.roots_legendre(3000))
    reach = 60e-6
    r = reach * (nodes + 1) / 2
    z = torch.tensor([-4e-6, -1e-6, 0.0, 2e-6, 5e-6], dtype=torch.float64)
    light = (model.intensity(r, z) * (2 * math.pi * r * weights)[:, None]).sum(0) * reach / 2
    torch.testing.assert_close(light, torch.ones(5, dtype=torch.float64), rtol=0, atol=5e-3)


def test_layers_as_designed_are_debyes_integral_and_for_small_apertures_born_and_wolf() -> None:
    r, z = line(8e-6, 60), torch.linspace(-2e-5, 2e-5, 9, dtype=torch.float64)
    full = GibsonLanni(0.2, LENGTH, sample_index=INDEX).intensity(r, z)
    simple = BornWolf(0.2, LENGTH, INDEX).intensity(r, z)
    assert float((full - simple).abs().max() / simple.max()) < 0.01
    shifted = GibsonLanni(1.2, LENGTH, sample_index=INDEX, depth=1e-6).intensity(r, z)
    torch.testing.assert_close(shifted, GibsonLanni(1.2, LENGTH, sample_index=INDEX).intensity(r, z + 1e-6))


def test_psf_generator_makes_the_same(shared: Path) -> None:
    """psfgen1.tif: PSFGenerator's Gibson & Lanni, NA 1.4, 610 nm, 16×16×8 voxels of 100×100×250 nm, its defaults.

    It computes every half pixel of radius and draws lines between; so does the test, for the model has no such error.
    """
    reference = tifffile.imread(shared / "data/learn/flowdec/psfgen1.tif").astype(float)
    layers = Layers(immersion_index=1.5, coverslip_index=1.5)
    model = GibsonLanni(1.4, 610e-9, sample_index=1.33, design=layers)
    depth = (torch.arange(8, dtype=torch.float64) - 3.5) * 250e-9
    profile = model.intensity(torch.arange(26, dtype=torch.float64) * 50e-9, depth).numpy()
    y, x = np.indices((16, 16)) - 7.5
    found = np.stack([np.interp(2 * np.hypot(x, y), np.arange(26), plane) for plane in profile.T])
    np.testing.assert_allclose(found / found.max(), reference, atol=1e-4)


def test_the_gaussian_has_the_curvature_of_the_peak() -> None:
    gaussian, step = GaussianPsf.widefield(NA, LENGTH, INDEX), 1e-9
    for radius, depth in ((torch.tensor([0.0, step]).double(), ZERO), (ZERO, torch.tensor([0.0, 5 * step]).double())):
        falls = [1 - m.flatten()[1] / m.flatten()[0] for m in (x.intensity(radius, depth) for x in (gaussian, MODEL))]
        assert float(falls[0]) == pytest.approx(float(falls[1]), rel=1e-3)


def test_sampled_it_sums_to_one_and_peaks_at_its_centre() -> None:
    grid = Grid((16, 15, 8), (1e-4, 1e-4, 2.5e-4))
    psf = MODEL(grid)
    assert float(psf.sum()) == pytest.approx(1.0, abs=1e-12)
    assert psf[8, 7, 4] == psf.max()
    torch.testing.assert_close(psf[1:], psf[1:].flip(0))
    torch.testing.assert_close(psf[..., 1:], psf[..., 1:].flip(2))


def test_a_pixel_collects_what_a_fine_grid_says() -> None:
    coarse = PixelIntegrated(MODEL)(Grid((9, 9, 3), (1e-4, 1e-4, 2.5e-4)))
    fine = MODEL(Grid((9 * 15, 9 * 15, 3), (1e-4 / 15, 1e-4 / 15, 2.5e-4)))
    summed = fine.view(9, 15, 9, 15, 3).sum(dim=(1, 3))
    torch.testing.assert_close(coarse, summed, rtol=0, atol=2e-5)
    assert float(coarse[4, 4, 1]) < float(MODEL(Grid((9, 9, 3), (1e-4, 1e-4, 2.5e-4)))[4, 4, 1])


def test_gradients_with_respect_to_the_microscope() -> None:
    """Lengths in units of 100 nm, so that finite differences are well scaled."""
    grid = Grid((5, 4, 3), (1e-4, 1e-4, 3e-4))
    given = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (1.2, 5.2, 1.4, 8.0, 1.5)]
    assert torch.autograd.gradcheck(
        lambda na, length, index, depth, oil: 100 * GibsonLanni(
            na, 1e-7 * length, index, 1e-7 * depth, actual=Layers(immersion_index=oil)
        )(grid),
        given, eps=1e-7, atol=1e-4,
    )  # fmt: skip
    assert torch.autograd.gradcheck(
        lambda na, length, index: 100 * BornWolf(na, 1e-7 * length, index)(grid), given[:3], eps=1e-6, atol=1e-6
    )


def test_bessel_functions_can_be_derived_twice() -> None:
    x = torch.tensor([0.0, 1e-6, 0.3, 5.0, 30.0], dtype=torch.float64, requires_grad=True)
    for function in (bessel_j0, bessel_j1):
        assert torch.autograd.gradcheck(function, x)
        assert torch.autograd.gradgradcheck(function, x)


@pytest.mark.parametrize(
    "make",
    [
        lambda: BornWolf(1.6, LENGTH, INDEX),
        lambda: BornWolf(0.0, LENGTH, INDEX),
        lambda: BornWolf(NA, 520.0, INDEX),
        lambda: BornWolf(NA, LENGTH, 0.5),
        lambda: BornWolf(float("nan"), LENGTH, INDEX),
        lambda: GibsonLanni(1.52, LENGTH),
        lambda: GaussianPsf(0.0, 1e-7),
        lambda: PixelIntegrated(MODEL, 0),
    ],
)
def test_numbers_that_no_microscope_has_are_refused(make) -> None:
    with pytest.raises(UsageError) as caught:
        make()
    assert caught.value.code == "GD-101"
