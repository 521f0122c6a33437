"""b of an echo-planar sequence from its file: 0.675, 49.12 and 442.46 s/mm² with lobes of 1, 10 and 30 mT/m.

From the start of a lobe's rise to that of its fall it is 15 ms; a weaker one has shorter ramps, so that
the echo time drifts by 0.38 ms between 1 and 30 mT/m, which biases an apparent diffusivity by 0.38 ms/(T2·b).
"""

import dataclasses
import math

import pytest
import torch

from gradatim.base.coherence import effective_waveform
from gradatim.base.sequence import Sequence, trapezoid
from gradatim.diffusion.b_matrix import Weighting, weightings
from gradatim.diffusion.walks.random_walk import RandomWalk
from gradatim.diffusion.walks.spaces import FreeSpace
from gradatim.io.pulseq import read_pulseq

PUBLISHED = {0.001: (10_000, 0.675), 0.010: (70_000, 49.12), 0.030: (200_000, 442.46)}
DIFFUSIVITIES = (0.8e-9, 0.7e-9, 3.0e-9, 1.2e-9)


@pytest.fixture(scope="module")
def weighted(shared) -> Sequence:
    return read_pulseq(shared / "data/scanner/generated/dwi.seq")


def with_lobes(sequence: Sequence, amplitude: float, ramp: int) -> Sequence:
    """The sequence with other diffusion lobes: 15 ms from the start of the rise to that of the fall."""
    blocks = []
    for block in sequence.blocks:
        lobe = block.lobes[0]
        if lobe is not None and float(lobe.values.abs().max()) > 0.025:
            lobe = trapezoid(0, ramp, 15_000_000 - ramp, ramp, amplitude=amplitude)
            block = dataclasses.replace(block, duration=15_000_000 + ramp, lobes=(lobe, None, None))
        blocks.append(block)
    return Sequence(tuple(blocks), sequence.rasters, sequence.definitions)


def delivered(sequence: Sequence, amplitude: float) -> Weighting:
    (found,) = weightings(with_lobes(sequence, amplitude, PUBLISHED[amplitude][0]))
    return found


def test_b_of_the_file(weighted: Sequence) -> None:
    (found,) = weightings(weighted)
    assert round(found.b.trace().item() * 1e-6, 2) == 442.46
    assert round(found.b[0, 2].item() * 1e-6, 2) == 3.46


@pytest.mark.parametrize("amplitude", [0.001, 0.010])
def test_b_of_weaker_lobes(weighted: Sequence, amplitude: float) -> None:
    b = delivered(weighted, amplitude).b.trace().item() * 1e-6
    assert b == pytest.approx(PUBLISHED[amplitude][1], abs=5e-3 if amplitude > 0.005 else 5e-4)


def test_the_echo_time_drifts_and_biases_as_published(weighted: Sequence) -> None:
    """The four objects' diffusivities come back exactly from delivered b and signals without T2, and biased with it."""
    weak, strong = delivered(weighted, 0.001), delivered(weighted, 0.030)
    drift = strong.echo_time - weak.echo_time
    assert drift == pytest.approx(0.38e-3, abs=1e-9)
    b = torch.stack([weak.b.trace(), strong.b.trace()])
    signal = torch.exp(-b[:, None] * torch.tensor(DIFFUSIVITIES, dtype=torch.float64))
    assert two_points(signal, b) == pytest.approx(DIFFUSIVITIES, rel=1e-9)
    t2 = torch.tensor([80e-3, 50e-3, 500e-3, 110e-3], dtype=torch.float64)
    times = torch.tensor([[weak.echo_time], [strong.echo_time]], dtype=torch.float64)
    biased = two_points(signal * torch.exp(-times / t2), b)
    expected = [d + drift / (t * float(b.diff())) for d, t in zip(DIFFUSIVITIES, t2.tolist(), strict=True)]
    assert biased == pytest.approx(expected, rel=1e-9)


def two_points(signal: torch.Tensor, b: torch.Tensor) -> list[float]:
    return ((signal[0] / signal[1]).log() / b.diff()).tolist()


@pytest.mark.parametrize("diffusivity", DIFFUSIVITIES)
def test_walkers_under_the_files_gradients_lose_what_b_says(weighted: Sequence, diffusivity: float) -> None:
    (found,) = weightings(weighted)
    waveform = effective_waveform(weighted, found.time)
    signal = RandomWalk(5000, 200, diffusivity)(FreeSpace(), [waveform], seed=6).signal()
    expected = math.exp(-found.b.trace().item() * diffusivity)
    assert abs(signal.value.abs().item() - expected) < 4 * signal.error.item()
