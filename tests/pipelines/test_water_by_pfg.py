"""Water at 25 °C: a stimulated echo is made, written, read, walked through and fitted; the interval holds 2.2995e-9."""

from pathlib import Path

import pytest
import torch

from gradatim.base.coherence import effective_waveform, turns_by_use
from gradatim.base.sequence import Sequence
from gradatim.diffusion.b_matrix import Weighting, weightings
from gradatim.diffusion.mono_exponential import MonoExponentialDiffusion
from gradatim.diffusion.noise_models import GaussianNoise, NoiseModel, RicianNoise
from gradatim.diffusion.walks.random_walk import RandomWalk
from gradatim.diffusion.walks.spaces import FreeSpace
from gradatim.diffusion.water import WaterDiffusivity
from gradatim.io.pulseq import read_pulseq
from gradatim.io.pulseq_write import PulseqWriter
from gradatim.scanner.sequences.encoding_lobes import SingleLobe
from gradatim.scanner.sequences.stimulated_echo import StimulatedEcho
from gradatim.scanner.system import System

PROBE = System(max_gradient=0.5, max_slew=5000.0, max_b1=1e-3)
STRENGTHS = tuple(0.02 * step for step in range(1, 13))
HOLZ = 2.2995e-9
SIGMA = 0.01


@pytest.fixture(scope="module")
def played(tmp_path_factory) -> Sequence:
    path: Path = tmp_path_factory.mktemp("pfg") / "water.seq"
    protocol = StimulatedEcho(STRENGTHS, SingleLobe(2e-3), diffusion_time=0.05, samples=16)
    PulseqWriter(PROBE.max_gradient, PROBE.max_slew, PROBE.pulse_dead, PROBE.pulse_ringdown, PROBE.readout_dead)(
        protocol(PROBE), path
    )
    return read_pulseq(path)


def echoes(played: Sequence) -> tuple[Weighting, ...]:
    """One a measurement: the first of its pulses excites, the others store and restore."""
    return weightings(played, turns_by_use(played))


@pytest.fixture(scope="module")
def walked(played: Sequence) -> torch.Tensor:
    """The share of the signal that walkers keep under each measurement's exact waveform."""
    water = WaterDiffusivity()(torch.tensor(298.15, dtype=torch.float64)).item()
    signals = [
        RandomWalk(20_000, 40, water)(FreeSpace(), [effective_waveform(played, echo.time)], seed=seed).signal()
        for seed, echo in enumerate(echoes(played))
    ]
    assert max(float(signal.error) for signal in signals) < 0.6 * SIGMA
    return torch.cat([signal.value.real for signal in signals])


def test_each_measurement_is_one_echo(played: Sequence) -> None:
    found = echoes(played)
    assert len(found) == len(STRENGTHS)
    b = torch.stack([echo.b.trace() for echo in found])
    assert bool((b.diff() > 0).all())
    assert b[-1].item() * HOLZ == pytest.approx(0.24**2 / 0.1755**2, rel=0.02)


@pytest.mark.parametrize(
    "noise", [GaussianNoise(SIGMA), RicianNoise(SIGMA), GaussianNoise()], ids=["known", "rician", "told"]
)
def test_the_interval_holds_the_diffusivity_of_water(played: Sequence, walked: torch.Tensor, noise: NoiseModel) -> None:
    draw = torch.Generator().manual_seed(2000)
    real, imaginary = SIGMA * torch.randn(2, len(walked), generator=draw, dtype=torch.float64)
    measured = walked + real
    if isinstance(noise, RicianNoise):
        measured = torch.hypot(measured, imaginary)
    b = torch.stack([echo.b.trace() for echo in echoes(played)])
    found = MonoExponentialDiffusion(noise)(measured, b=b)["diffusivity"]
    assert found.low.item() < HOLZ < found.high.item()
    assert found.error.item() < 0.03 * HOLZ
    assert found.value.item() == pytest.approx(HOLZ, rel=0.06)


def test_without_noise_b_gives_it_to_the_digits(played: Sequence) -> None:
    water = WaterDiffusivity()(torch.tensor(298.15, dtype=torch.float64))
    assert f"{water.item():.4e}" == f"{HOLZ:.4e}"
    b = torch.stack([echo.b.trace() for echo in echoes(played)])
    found = MonoExponentialDiffusion()(torch.exp(-b * water), b=b)["diffusivity"].value.item()
    assert found == pytest.approx(water.item(), rel=1e-9)
