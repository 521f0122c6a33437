"""The first echo repairs turns beside steep fields, and keeps out where it knows no better."""

import math

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import MultiEcho
from gradatim.qsm.first_echo import FirstEcho
from gradatim.qsm.unwrap import Romeo
from gradatim.qsm.wrapping import wrap

TIMES = (0.004, 0.012, 0.020)
SHAPE = (40, 36, 32)


def coordinates() -> tuple[Tensor, ...]:
    return torch.meshgrid(*[torch.arange(n, dtype=torch.float64) - n / 2 for n in SHAPE], indexing="ij")


def beside_air() -> tuple[Tensor, Tensor]:
    """Phase of 8 ms outside an air-filled ball of 9.4 ppm at 3 T, over 7 rad a voxel at its surface; and the mask."""
    x, y, z = coordinates()
    z = z + 14.2
    distance = (x**2 + y**2 + z**2).sqrt().clamp(min=1e-3)
    radius = 7.0
    shape = (3 * z**2 / distance**2 - 1) * (radius / distance) ** 3
    return 20.0 * shape, distance > radius


def scan(field: Tensor, offset: Tensor, noise: float, seed: int = 0) -> MultiEcho:
    """Echoes of a field (rad in 8 ms) and an offset, unit magnitude, complex noise."""
    generator = torch.Generator().manual_seed(seed)
    phase = torch.stack([offset + field * (time / 0.008) for time in TIMES])
    signal = torch.polar(torch.ones_like(phase), phase)
    signal = signal + noise * torch.view_as_complex(torch.randn(*phase.shape, 2, generator=generator).double())
    return MultiEcho(signal.abs(), signal.angle(), TIMES, 3.0, Grid(SHAPE, (1.5, 1.5, 1.5)))


def off_by_turns(method: Romeo, signal: MultiEcho, field: Tensor, mask: Tensor) -> int:
    found = method(signal, mask=mask).phase
    difference = (found[1] - found[0] - field)[mask]
    return int(((difference - difference.median()).abs() > math.pi).sum())


def smooth_offset() -> Tensor:
    x, y, z = coordinates()
    return 0.4 + 0.001 * (x**2 + y**2) + 0.02 * z


def test_turns_beside_air_are_repaired() -> None:
    field, mask = beside_air()
    steps = torch.diff(field, dim=2).abs()[mask[:, :, 1:] & mask[:, :, :-1]]
    assert float(steps.max()) > math.pi
    signal = scan(field, smooth_offset(), noise=0.01)
    without = off_by_turns(Romeo(first_echo=None), signal, field, mask)
    assert without >= 20
    assert off_by_turns(Romeo(), signal, field, mask) <= without // 3


@pytest.mark.parametrize("noise", [0.2, 0.3])
def test_noise_is_not_mistaken_for_turns(noise: float) -> None:
    field, mask = beside_air()
    signal = scan(0.2 * field, smooth_offset(), noise=noise)
    without = off_by_turns(Romeo(first_echo=None), signal, 0.2 * field, mask)
    assert off_by_turns(Romeo(), signal, 0.2 * field, mask) <= without + 2


def test_an_offset_with_a_pole_or_a_steep_slope_does_no_harm() -> None:
    field, mask = beside_air()
    x, y, z = coordinates()
    for offset in (torch.atan2(y - 3.5, x + 6.5), 0.7 * x - 0.4 * z):
        signal = scan(0.2 * field, offset, noise=0.02)
        assert off_by_turns(Romeo(), signal, 0.2 * field, mask) == 0


def test_a_first_echo_later_than_the_spacing_is_left_alone() -> None:
    field, mask = beside_air()
    phase = wrap(field)
    turns = FirstEcho()(
        field, phase=phase, magnitude=torch.ones(2, *SHAPE), regions=mask.int(), ratio=1.0, spacing=(1.0, 1.0, 1.0)
    )
    assert bool((turns == 0).all())


@pytest.mark.parametrize("bad", [{"smoothing_mm": 0.0}, {"sigmas": 0.0}])
def test_settings_out_of_range_are_refused(bad: dict) -> None:
    with pytest.raises(UsageError, match="GD-101"):
        FirstEcho(**bad)
