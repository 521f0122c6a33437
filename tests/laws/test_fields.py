"""Closed forms that the dipole operator must reproduce, with the error of the voxel grid stated."""

import math

import pytest
import torch
from torch import Tensor

from gradatim.linop.dipole import Dipole, dipole_symbol
from gradatim.linop.multiplier import FourierMultiplier

OBLIQUE = (0.36, -0.48, 0.8)


def _positions(shape, spacing, centre) -> tuple[Tensor, ...]:
    axes = [(torch.arange(n, dtype=torch.float64) - c) * s for n, s, c in zip(shape, spacing, centre, strict=True)]
    return torch.meshgrid(*axes, indexing="ij")


def _partial_volume(inside, shape, spacing, centre, sub=4) -> Tensor:
    """Fraction of each voxel for which ``inside(x, y, z)`` holds, from sub³ points."""
    steps = [(i + 0.5) / sub - 0.5 for i in range(sub)]
    total = torch.zeros(shape, dtype=torch.float64)
    for a in steps:
        for b in steps:
            for c in steps:
                shifted = (centre[0] - a, centre[1] - b, centre[2] - c)
                total += inside(*_positions(shape, spacing, shifted))
    return total / sub**3


@pytest.mark.parametrize(("b0", "ripple"), [((0.0, 0.0, 1.0), 0.01), ((1.0, 0.0, 0.0), 0.01), (OBLIQUE, 0.065)])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (1.0, 0.8, 1.6)])
def test_sphere(spacing, b0, ripple):
    """Outside Δχ/3·(a/r)³·(3cos²θ − 1), inside 0.

    The sampled kernel is band-limited, so a sharp edge rings: the worst voxel, 2.5 voxels from the edge, is
    off by 1 % of Δχ/3 where B0 is along an axis and by 6 % where it is oblique (D then jumps across
    the Nyquist planes). The root mean square over all voxels outside stays below 0.4 %.
    """
    shape, radius, chi = tuple(round(64 / s) for s in spacing), 10.0, 0.3
    centre = tuple(n / 2 + 0.2 for n in shape)
    source = chi * _partial_volume(
        lambda x, y, z: (x * x + y * y + z * z <= radius**2).double(), shape, spacing, centre
    )
    field = Dipole(shape, spacing, b0, padding=2.0).apply(source)
    x, y, z = _positions(shape, spacing, centre)
    r = torch.sqrt(x * x + y * y + z * z)
    cosine = (x * b0[0] + y * b0[1] + z * b0[2]) / r
    outside = chi / 3 * (radius / r) ** 3 * (3 * cosine**2 - 1)
    far, deep = r > radius + 2.5 * max(spacing), r < radius - 2.5 * max(spacing)
    assert float((field - outside)[far].abs().max()) < ripple * chi / 3
    assert float((field - outside)[far].square().mean().sqrt()) < 0.004 * chi / 3
    assert float(field[deep].abs().mean()) < 0.015 * chi / 3


@pytest.mark.parametrize("angle", [0.0, 0.5, 1.0, math.pi / 2])
def test_infinite_cylinder(angle):
    """Inside Δχ/6·(3cos²θ − 1), outside Δχ/2·sin²θ·(a/r)²·cos 2φ, θ between axis (y) and B0.

    One periodic slice makes the cylinder infinite. D(0) = 0 takes the mean field of the slice away; in two
    dimensions that is Δχ̄/6·(3cos²θ − 1), by the symmetry of the square, and the test puts it back.
    """
    size, radius, chi, turn = 384, 12.0, 0.3, 0.6
    shape, spacing = (size, 1, size), (1.0, 3.0, 1.0)
    b0 = (math.sin(angle) * math.cos(turn), math.cos(angle), math.sin(angle) * math.sin(turn))
    centre = (size / 2, 0.0, size / 2)
    source = chi * _partial_volume(lambda x, y, z: (x * x + z * z <= radius**2).double(), shape, spacing, centre)
    symbol = dipole_symbol(shape, spacing, b0_direction=b0, dtype=torch.float64)
    field = FourierMultiplier(symbol, shape).apply(source)
    x, _, z = _positions(shape, spacing, centre)
    r, phi = torch.hypot(x, z), torch.atan2(z, x) - turn
    field = field + source.mean() / 6 * (3 * math.cos(angle) ** 2 - 1)
    outside = chi / 2 * math.sin(angle) ** 2 * (radius / r) ** 2 * torch.cos(2 * phi)
    inside = chi / 6 * (3 * math.cos(angle) ** 2 - 1)
    far, deep = (r > radius + 3) & (r < size / 4), r < radius - 3
    assert float((field - outside)[far].abs().max()) < 0.03 * chi / 2
    assert float((field - outside)[far].square().mean().sqrt()) < 0.002 * chi / 2
    assert float((field - inside)[deep].abs().mean()) < 0.01 * chi / 2


@pytest.mark.parametrize("shape", [(12, 10, 8), (11, 10, 9)])
def test_turning_the_array_and_b0_together_turns_the_field(shape):
    chi = torch.rand(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    spacing = (1.0, 1.5, 0.7)
    field = Dipole(shape, spacing, OBLIQUE).apply(chi)
    order = (2, 0, 1)
    turned = Dipole(
        tuple(shape[i] for i in order), tuple(spacing[i] for i in order), tuple(OBLIQUE[i] for i in order)
    ).apply(chi.permute(order))
    torch.testing.assert_close(turned, field.permute(order), rtol=0, atol=1e-12)
    flipped = Dipole(shape, spacing, (-OBLIQUE[0], OBLIQUE[1], OBLIQUE[2])).apply(chi.flip(0))
    torch.testing.assert_close(flipped, field.flip(0), rtol=0, atol=1e-12)
    torch.testing.assert_close(Dipole(shape, spacing, tuple(-c for c in OBLIQUE)).apply(chi), field, rtol=0, atol=1e-12)


def test_moving_the_source_moves_the_field():
    chi = torch.zeros(24, 24, 24, dtype=torch.float64)
    chi[8:12, 9:12, 7:11] = 1.0
    dipole = Dipole((24, 24, 24), (1.0, 1.0, 2.0), OBLIQUE)
    shifted = dipole.apply(torch.roll(chi, (3, 2, 4), (0, 1, 2)))
    expected = torch.roll(dipole.apply(chi), (3, 2, 4), (0, 1, 2))
    torch.testing.assert_close(shifted[4:, 4:, 5:], expected[4:, 4:, 5:], rtol=0, atol=1e-12)


def test_only_ratios_of_lengths_matter():
    chi = torch.rand(9, 8, 10, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    millimetres = Dipole((9, 8, 10), (1.0, 1.5, 0.7), OBLIQUE).apply(chi)
    tenths = Dipole((9, 8, 10), (0.1, 0.15, 0.07), OBLIQUE).apply(chi)
    torch.testing.assert_close(tenths, millimetres, rtol=0, atol=1e-13)


def test_without_padding_the_field_wraps_round_and_with_it_does_not():
    shape, spacing = (32, 32, 32), (1.0, 1.0, 1.0)
    chi = torch.zeros(shape, dtype=torch.float64)
    chi[14:18, 14:18, 1:4] = 1.0
    exact = Dipole((32, 32, 128), spacing, padding=4.0).apply(torch.nn.functional.pad(chi, (0, 96)))[..., :32]
    error = [float((Dipole(shape, spacing, padding=p).apply(chi) - exact).abs().max()) for p in (1.0, 2.0)]
    assert error[1] < 0.02 * error[0]


def test_oblique_symbol_on_an_even_grid_is_that_of_a_real_kernel():
    """The naive symbol is not: its Nyquist planes lack the mirror symmetry."""
    shape = (6, 8, 4)
    symbol = dipole_symbol(shape, (1.0, 1.0, 1.0), b0_direction=OBLIQUE, dtype=torch.float64)
    full = torch.fft.fftn(torch.fft.irfftn(symbol, s=shape))
    assert float(full.imag.abs().max()) < 1e-15
    torch.testing.assert_close(full.real[..., :3], symbol, rtol=0, atol=1e-15)
    assert float(symbol.max()) <= 1 / 3 + 1e-15
    assert float(symbol.min()) >= -2 / 3 - 1e-15
