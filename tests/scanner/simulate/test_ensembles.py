import math
from dataclasses import replace

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.scanner.simulate.ensembles import lorentzian, scatter, split
from gradatim.scanner.simulate.spins import spins_at, voxel_spins

BOX = voxel_spins(Grid((2, 1, 1), (4.0, 3.0, 5.0)), density=torch.full((2, 1, 1), 2.0))


def test_parts_of_a_box_dephase_as_dirichlets_kernel():
    k = torch.linspace(-600.0, 600.0, 41).double()
    parts = split(BOX[:1], (5, 1, 1))
    signal = (parts.density * torch.exp(-2j * math.pi * k[:, None] * (parts.position[:, 0] - BOX.position[0, 0]))).sum(
        1
    )
    edge = math.pi * 4e-3 * k
    expected = 2.0 * torch.where(k.abs() < 1e-9, 1.0, torch.sin(edge) / (5 * torch.sin(edge / 5)))
    assert torch.allclose(signal.real, expected, atol=1e-12)
    assert signal.imag.abs().max().item() < 1e-12


def test_parts_keep_the_whole_and_its_middle():
    for many in (split(BOX, (2, 3, 4)), scatter(BOX, 24, seed=3)):
        assert len(many) == 48
        assert many.density.sum().item() == pytest.approx(4.0)
        away = many.position - BOX.position.repeat_interleave(24, 0)
        assert bool((away.abs() <= 0.5 * torch.tensor([4e-3, 3e-3, 5e-3])).all())
    assert split(BOX, (2, 3, 4)).size == (0.002, 0.001, 0.00125)
    assert (split(BOX, (2, 3, 4)).position.mean(0) - BOX.position.mean(0)).abs().max().item() < 1e-15
    assert torch.equal(scatter(BOX, 24, seed=3).position, scatter(BOX, 24, seed=3).position)


@pytest.mark.parametrize(("count", "error"), [(16, 0.07), (64, 0.02), (256, 0.005), (1000, 0.0009)])
def test_offsets_dephase_as_t2_prime(count, error):
    many = lorentzian(spins_at(torch.zeros(1, 3), density=2.0, t2_prime=0.01, offset=7.0), count)
    t = torch.linspace(0, 0.03, 300).double()
    mean = 0.5 * (many.density * torch.exp(2j * math.pi * t[:, None] * (many.offset - 7.0))).sum(1)
    assert (mean - torch.exp(-t / 0.01)).abs().max().item() < error
    assert bool(many.t2_prime.isinf().all())


def test_points_cannot_be_parted():
    point = spins_at(torch.zeros(1, 3))
    with pytest.raises(UsageError, match="GD-178"):
        split(point, (2, 1, 1))
    with pytest.raises(UsageError, match="GD-178"):
        scatter(point, 4, seed=0)
    with pytest.raises(UsageError, match="GD-178"):
        lorentzian(point, 0)
    flat = replace(point, size=(0.001, 0.0, 0.0))
    assert len(split(flat, (3, 1, 1))) == 3
