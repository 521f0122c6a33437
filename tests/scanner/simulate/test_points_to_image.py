"""Points at voxels' places, an echo-planar sequence, and the Fourier transform: the maps come back exactly."""

import math

import pytest
import torch

from gradatim.base.grid import Grid
from gradatim.base.sequence import Block, Readout, trapezoid
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.reconstruct.cartesian import Cartesian
from gradatim.scanner.simulate.isochromats import Isochromats
from gradatim.scanner.simulate.spins import voxel_spins
from tests.scanner.simulate.scans import RIGHT, US, hard, play, sequence

N, FOV = 16, 0.192
STEP = 1.0 / (FOV * PROTON_GAMMA_BAR_HZ_PER_T)
LINE = 460_000


def _lobe(area: float, rise: int, flat: int):
    return trapezoid(0, rise, flat, rise, amplitude=area * 1e9 / (rise + flat))


def _echo_planar():
    """Lines of 16 samples on flat tops, alternating, blips between them."""
    prephase = Block(
        200 * US, lobes=(_lobe(-0.5 * N * STEP * 1.25, 50_000, 0), _lobe(-0.5 * N * STEP, 50_000, 0), None)
    )
    blocks = [play(hard(RIGHT, duration=2)), prephase]
    for i in range(N):
        line = _lobe((-1) ** i * N * STEP * 1.25, 80_000, 320_000)
        read = Readout(80_000, 20_000, N, labels={"LIN": i})
        blocks += [Block(480_000, lobes=(line, None, None), readout=read)]
        blocks += [Block(40_000, lobes=(None, _lobe(STEP, 20_000, 0), None))]
    return sequence(blocks)


def _density() -> torch.Tensor:
    return torch.rand(N, N, 1, generator=torch.Generator().manual_seed(5), dtype=torch.float64) + 0.1


GRID = Grid((N, N, 1), (12.0, 12.0, 12.0))


def test_density_comes_back_at_its_place():
    raw = Isochromats()(_echo_planar(), voxel_spins(GRID, density=_density()))
    found = Cartesian((N, N, 1), (FOV, FOV, 0.012))(raw)
    image = found.image[0] * math.prod(edge / 1e3 for edge in found.grid.spacing)
    assert torch.allclose(image, -1j * _density(), atol=1e-8)
    assert found.grid.spacing == pytest.approx(GRID.spacing)


def test_an_offset_moves_the_image_up_the_blips_and_turns_it_forward():
    """One pixel is 1/(N·ESP); phases grow with the time of the line through k = 0."""
    echo_spacing = 520e-6
    offset = 2.0 / (N * echo_spacing)
    density = torch.zeros(N, N, 1, dtype=torch.float64)
    density[8, 5, 0] = 1.0
    raw = Isochromats()(_echo_planar(), voxel_spins(GRID, density=density, offset=offset))
    image = Cartesian((N, N, 1), (FOV, FOV, 0.012))(raw).image[0, :, :, 0]
    assert divmod(int(image.abs().argmax()), N) == (8, 7)
    middle = float(raw.times[N * (N // 2) :][:N].mean())
    phase = complex(image[8, 7] / -1j)
    assert math.atan2(phase.imag, phase.real) == pytest.approx(
        math.remainder(2 * math.pi * offset * middle, 2 * math.pi), abs=0.05
    )
