import math

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.base.units import hz_per_ppm
from gradatim.qsm.forward import SignalModel

GRID = Grid((6, 5, 4), (1.0, 1.2, 1.5))
ECHOES = (0.005, 0.010, 0.021)
ONE = torch.ones(GRID.shape, dtype=torch.float64)


def test_uniform_field_has_the_closed_form():
    field, offset = 0.2 * ONE, -0.4 * ONE
    scan = SignalModel(ECHOES, 3.0).of_field(
        field, grid=GRID, proton_density=2.0 * ONE, r2_star=30.0 * ONE, phase_offset=offset
    )
    for e, time in enumerate(ECHOES):
        phase = -0.4 + 2 * math.pi * 0.2 * hz_per_ppm(3.0) * time
        wrapped = math.atan2(math.sin(phase), math.cos(phase))
        torch.testing.assert_close(scan.phase[e], wrapped * ONE)
        torch.testing.assert_close(scan.magnitude[e], 2.0 * math.exp(-30.0 * time) * ONE)


def test_phase_grows_where_the_field_is_stronger_and_with_field_strength():
    field = torch.linspace(-0.02, 0.02, ONE.numel(), dtype=torch.float64).view(GRID.shape)
    three = SignalModel(ECHOES, 3.0).of_field(field, grid=GRID, proton_density=ONE, r2_star=0 * ONE)
    seven = SignalModel(ECHOES, 7.0).of_field(field, grid=GRID, proton_density=ONE, r2_star=0 * ONE)
    assert bool((three.phase.sign() == field.sign()).all())
    torch.testing.assert_close(seven.phase * 3.0, three.phase * 7.0)


def test_field_of_the_map_and_extra_field_add():
    chi = torch.rand(GRID.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    model, maps = SignalModel(ECHOES), {"grid": GRID, "proton_density": ONE, "r2_star": ONE}
    alone, silent = model(chi, **maps), model(0 * chi, **maps, extra_field=0.1 * ONE)
    both = model(chi, **maps, extra_field=0.1 * ONE)
    torch.testing.assert_close(both.complex, alone.complex * silent.complex / silent.magnitude)


def test_differentiable_in_every_map():
    def signal(chi, density, rate, offset):
        scan = SignalModel((0.004, 0.009))(chi, grid=GRID, proton_density=density, r2_star=rate, phase_offset=offset)
        return torch.view_as_real(scan.complex)

    random = torch.Generator().manual_seed(1)
    chi, density, rate, offset = (
        torch.rand(GRID.shape, dtype=torch.float64, generator=random).mul(s).requires_grad_()
        for s in (0.1, 1.0, 30.0, 1.0)
    )
    assert torch.autograd.gradcheck(signal, (chi, density, rate, offset), fast_mode=True)


def test_noise_has_its_standard_deviation_and_its_seed():
    grid = Grid((24, 24, 24), (1.0, 1.0, 1.0))
    one = torch.ones(grid.shape)
    maps = {"grid": grid, "proton_density": one, "r2_star": 0 * one}
    noisy = SignalModel((0.01,), noise_sd=0.05, seed=3).of_field(0 * one, **maps).complex - 1.0
    assert noisy.real.std().item() == pytest.approx(0.05, rel=0.03)
    assert noisy.imag.std().item() == pytest.approx(0.05, rel=0.03)
    assert abs(noisy.mean().item()) < 0.002
    again = SignalModel((0.01,), noise_sd=0.05, seed=3).of_field(0 * one, **maps).complex - 1.0
    other = SignalModel((0.01,), noise_sd=0.05, seed=4).of_field(0 * one, **maps).complex - 1.0
    assert bool((again == noisy).all())
    assert not bool((other == noisy).any())


def test_impossible_settings_are_refused():
    with pytest.raises(UsageError, match="GD-101"):
        SignalModel(ECHOES, noise_sd=-1.0)
    with pytest.raises(UsageError, match="GD-103"):
        SignalModel(ECHOES).of_field(ONE, grid=GRID, proton_density=ONE[1:], r2_star=ONE)
    with pytest.raises(UsageError, match="GD-101"):
        SignalModel((0.01, 0.01)).of_field(ONE, grid=GRID, proton_density=ONE, r2_star=ONE)
