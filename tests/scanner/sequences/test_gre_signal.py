"""What gradient echoes measure: simulated spins come back at their places, with the phase of their offset at TE."""

import math
from dataclasses import replace

import pytest
import torch

from gradatim.scanner.pulses.hard import HardPulse
from gradatim.scanner.pulses.sinc import SincPulse
from gradatim.scanner.pulses.slice_selection import NonSelective, SliceSelective
from gradatim.scanner.reconstruct.cartesian import Cartesian
from gradatim.scanner.sequences.echo_readouts import Bipolar, Monopolar
from gradatim.scanner.sequences.encoding import CartesianEncoding
from gradatim.scanner.sequences.gre import GradientEcho
from gradatim.scanner.sequences.multi_echo_gre import MultiEchoGradientEcho, ShortestEchoes
from gradatim.scanner.sequences.spoiling import Spoiling
from gradatim.scanner.simulate.isochromats import Isochromats
from gradatim.scanner.simulate.spins import spins_at
from gradatim.scanner.system import System

ALONE = Spoiling(dummies=0)
HARD = NonSelective(HardPulse(math.pi / 2, 400e-6))


@pytest.mark.parametrize("polarity", [Monopolar(), Bipolar()])
def test_the_phase_at_k_0_is_that_of_the_offset_at_te(polarity: Monopolar | Bipolar) -> None:
    encoding = CartesianEncoding((0.08, 0.05, 0.1), (16, 5, 2))
    protocol = MultiEchoGradientEcho(encoding, HARD, ShortestEchoes(4), 1.0, polarity, ALONE)
    sequence = protocol(System())
    spins = spins_at(torch.tensor([[0.01, -0.02, 0.03]]), t1=0.05, t2=0.03, offset=37.0)
    raw = Isochromats()(sequence, spins)
    middle = raw.position.abs().max(1).values < 1e-6
    times = sequence.definitions["TE"]
    assert not isinstance(times, str)
    assert raw.times[middle].tolist() == pytest.approx(times, abs=1e-12)
    found = raw.samples[0, middle]
    growth = torch.exp(torch.tensor(times, dtype=torch.float64) * complex(-1 / 0.03, 2 * math.pi * 37.0))
    assert torch.allclose(found / found[0], growth / growth[0], atol=1e-7)


@pytest.mark.parametrize("polarity", [Monopolar(), Bipolar()])
def test_spins_come_back_at_their_places_in_every_echo(polarity: Monopolar | Bipolar) -> None:
    encoding = CartesianEncoding((0.08, 0.04, 0.06), (16, 8, 3))
    sequence = MultiEchoGradientEcho(encoding, HARD, ShortestEchoes(2), 1.0, polarity, ALONE)(System())
    voxels = torch.tensor([[3, 1, 0], [8, 4, 1], [13, 6, 2]])
    spacing = torch.tensor(encoding.voxel, dtype=torch.float64)
    place = (voxels - torch.tensor([8, 4, 1])) * spacing
    raw = Isochromats()(sequence, spins_at(place, t1=0.05, t2=0.03))
    for echo in range(2):
        chosen = (raw.counters["ECO"] == echo)[raw.readout]
        shifted = raw.readout[chosen].unique(return_inverse=True)[1]
        part = replace(
            raw,
            samples=raw.samples[:, chosen],
            position=raw.position[chosen],
            times=raw.times[chosen],
            readout=shifted,
            counters={},
            matrix=encoding.matrix,
            extent=encoding.fov,
        )
        image = Cartesian()(part).image[0].abs()
        bright = (image > 0.5 * image.max()).nonzero()
        assert bright.tolist() == voxels.tolist()
        rest = image.clone()
        rest[tuple(voxels.T)] = 0
        assert float(rest.max()) < 0.03 * float(image.max())


@pytest.mark.parametrize("position", [0.0, 0.012])
def test_the_slice_is_where_it_is_asked_for_and_refocused(position: float) -> None:
    """One line of a sinc's slice: the mean place of what is heard, and its sum nearly all in phase."""
    encoding = CartesianEncoding((0.08, 0.05, 0.004), (8, 1, 1))
    protocol = GradientEcho(encoding, SliceSelective(SincPulse(0.5, 2e-3), 0.004, position), spoiling=ALONE)
    z = torch.linspace(-0.03, 0.03, 601, dtype=torch.float64)
    spins = spins_at(torch.stack([0 * z, 0 * z, z], 1))
    raw = Isochromats()(protocol(System()), spins, sensitivity=torch.eye(601, dtype=torch.complex128))
    heard = raw.samples[:, 4]
    power = heard.abs() ** 2
    assert float((power * z).sum() / power.sum()) == pytest.approx(position, abs=2e-5)
    assert float(heard.sum().abs() / heard.abs().sum()) > 0.95
