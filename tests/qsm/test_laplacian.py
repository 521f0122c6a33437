"""Laplacian unwrapping does what its formula says, and no more."""

import math

import pytest
import torch

from gradatim.base.errors import InputError
from gradatim.base.grid import Grid
from gradatim.base.nouns import MultiEcho
from gradatim.qsm.laplacian import Laplacian
from gradatim.qsm.unwrap import Romeo
from gradatim.qsm.wrapping import wrap


def periodic(amplitude: float, spacing: tuple[float, float, float]) -> MultiEcho:
    """A smooth periodic phase, wrapped, on an anisotropic grid."""
    axes = [torch.arange(n, dtype=torch.float64) * (2 * math.pi / n) for n in (32, 28, 24)]
    x, y, z = torch.meshgrid(*axes, indexing="ij")
    true = amplitude * (x.cos() + 0.5 * (y + z).sin())[None]
    return MultiEcho(torch.ones_like(true), true, (0.02,), 3.0, Grid((32, 28, 24), spacing))


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.5, 0.5, 2.0)])
def test_a_smooth_periodic_phase_comes_back(spacing: tuple[float, float, float]) -> None:
    scan = periodic(4.0, spacing)
    wrapped = MultiEcho(scan.magnitude, wrap(scan.phase), scan.echo_times, 3.0, scan.grid)
    assert float(wrapped.phase.sub(scan.phase).abs().max()) > 6
    assert float((Laplacian()(wrapped).phase - scan.phase).abs().max()) < 1e-3


def test_it_is_not_exact_where_region_growing_is() -> None:
    """A plain ramp is harmonic: nothing of it is left."""
    true = torch.linspace(0, 12, 32).view(1, -1, 1, 1).repeat(1, 1, 16, 16)
    scan = MultiEcho(torch.ones_like(true), wrap(true), (0.02,), 3.0, Grid((32, 16, 16), (1.0, 1.0, 1.0)))
    step = torch.diff(true, dim=1)
    assert torch.allclose(torch.diff(Romeo()(scan).phase, dim=1), step, atol=1e-5)
    assert float(torch.diff(Laplacian()(scan).phase, dim=1).abs().max()) < 0.1 * float(step.min())


def test_it_is_differentiable() -> None:
    scan = periodic(1.0, (1.0, 1.0, 1.0))
    phase = scan.phase[:, :4, :4, :3].clone().requires_grad_()

    def unwrapped(values: torch.Tensor) -> torch.Tensor:
        grid = Grid((4, 4, 3), (1.0, 1.0, 1.0))
        return Laplacian()(MultiEcho(torch.ones_like(values), values, (0.02,), 3.0, grid)).phase

    assert torch.autograd.gradcheck(unwrapped, (phase,))


def test_holes_anywhere_are_refused() -> None:
    phase = torch.zeros(1, 4, 4, 4)
    phase[0, 0, 0, 0] = torch.nan
    scan = MultiEcho(torch.ones(1, 4, 4, 4), phase, (0.02,), 3.0, Grid((4, 4, 4), (1.0, 1.0, 1.0)))
    mask = torch.ones(4, 4, 4, dtype=torch.bool)
    mask[0, 0, 0] = False
    with pytest.raises(InputError, match="GD-603"):
        Laplacian()(scan, mask=mask)
