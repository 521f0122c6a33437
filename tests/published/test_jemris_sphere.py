"""An EPI of a sphere with chemical shift, as JEMRIS 2.9 simulated it: an independent program that integrates each spin.

The signal and the phantom come with the tests of KomaMRI.jl (MIT), which describe the sequence: EPI of 100 × 100
samples, FOV 230 mm, TE 100 ms, dwell 10 µs, a hard pulse of 100 µs, ramps of 280 µs and blips of 60 µs. (The file
epi_JEMRIS.seq beside them is another, of 64 × 64.) JEMRIS precesses with the other sign, and displaces every spin at
random, by default with a standard deviation of 1 % of its voxel, here 10 µm: no other program can know these places.
"""

import math

import numpy as np
import pytest
import torch

from gradatim.base.sequence import Block, Pulse, Readout, Sequence, trapezoid
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T, PROTON_GAMMA_RAD_PER_S_T
from gradatim.scanner.simulate.isochromats import Isochromats
from gradatim.scanner.simulate.spins import Spins, spins_at

h5py = pytest.importorskip("h5py", reason="the signal of JEMRIS is in HDF5")

N, FOV = 100, 0.230
STEP = 1.0 / FOV / PROTON_GAMMA_BAR_HZ_PER_T
JITTER = 10e-6


def _lobe(rise: int, flat: int, area: float):
    return trapezoid(0, rise, flat, rise, amplitude=area / (rise + flat) * 1e9)


def _sequence() -> Sequence:
    b1 = torch.tensor([0.5 * math.pi / PROTON_GAMMA_RAD_PER_S_T / 1e-4], dtype=torch.complex128)
    line = 100 * STEP * 1.28
    blocks = [
        Block(100_000, Pulse(0, torch.tensor([0, 100_000]), b1, 50_000)),
        Block(840_000, lobes=(_lobe(420_000, 0, -line / 2), _lobe(370_000, 0, 50 * STEP), None)),
        Block(15_170_000),
    ]
    for i in range(N):
        read = Readout(280_000, 10_000, N, labels={"LIN": i})
        blocks.append(Block(1_560_000, lobes=(_lobe(280_000, 1_000_000, (-1) ** i * line), None, None), readout=read))
        blocks.append(Block(120_000, lobes=(None, _lobe(60_000, 0, -STEP), None)))
    return Sequence(tuple(blocks))


@pytest.fixture(scope="module")
def sphere(shared) -> tuple[Spins, np.ndarray, np.ndarray]:
    """The phantom, JEMRIS's complex signal, and its times, s."""
    folder = shared / "data/scanner/koma"
    with h5py.File(folder / "phantom_sphere.h5") as file:
        maps = {name: torch.tensor(values[()]) for name, values in file.items()}
    with h5py.File(folder / "jemris_signals_epi_sphere_cs.h5") as file:
        parts, times = file["signal/channels/00"][()], file["signal/times"][()] * 1e-3
    spins = spins_at(
        torch.stack([maps["x"], maps["y"], maps["z"]], 1),
        density=maps["ρ"],
        t1=maps["T1"],
        t2=maps["T2"],
        offset=maps["Δw"] / (2 * math.pi),
    )
    return spins, parts[:, 0] + 1j * parts[:, 1], times


@pytest.fixture(scope="module")
def compared(sphere) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Our signal scaled to JEMRIS's by one complex number, the difference, and k, 1/m."""
    spins, signal, _ = sphere
    raw = Isochromats()(_sequence(), spins)
    ours = raw.samples[0].numpy().conj()
    ours = ours * (np.vdot(ours, signal) / np.vdot(ours, ours))
    return ours, signal - ours, raw.position.numpy()


def test_the_sequence_is_that_of_the_signal(sphere):
    spins, signal, times = sphere
    assert len(spins) == 7825
    assert len(signal) == 10_000
    assert np.abs(_sequence().sample_times.numpy() - times).max() < 1e-12


def test_the_signal_is_that_of_jemris(compared):
    ours, difference, k = compared
    assert np.linalg.norm(difference) / np.linalg.norm(ours) < 6.8e-3
    inner = (k**2).sum(1) < (5 / FOV) ** 2
    assert np.linalg.norm(difference[inner]) / np.linalg.norm(ours[inner]) < 1.0e-3


def test_the_difference_is_that_of_the_random_places_in_jemris(sphere, compared):
    """Spins displaced by σ on each axis differ in power by Σ(2πk·σ)²·exp(−2t/T2): 0.683 % in all, 0.673 % is found.

    A power of about 1 500 independent numbers, the share of k-space's cells that the sphere fills, scatters by 3 %.
    """
    spins, _, times = sphere
    ours, difference, k = compared
    decay = np.exp(-2 * (times[:, None] - 50e-6) / spins.t2.numpy()).sum(1)
    unscaled = np.linalg.norm(Isochromats()(_sequence(), spins).samples.numpy())
    scale = np.linalg.norm(ours) / unscaled
    expected = (scale * 2 * math.pi * JITTER) ** 2 * (k**2).sum(1) * decay
    assert math.sqrt(expected.sum()) / np.linalg.norm(ours) == pytest.approx(6.83e-3, abs=1e-5)
    outer = (k**2).sum(1) > (20 / FOV) ** 2
    assert (np.abs(difference[outer]) ** 2).sum() / expected[outer].sum() == pytest.approx(1.0, abs=0.09)
