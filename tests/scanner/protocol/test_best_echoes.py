"""The best echoes: against a brute-force search, under every constraint, with true sensitivities."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.scanner.protocol.best_echoes import BestEchoes
from gradatim.scanner.protocol.gradient_echoes import GradientEchoScan
from gradatim.scanner.protocol.image_noise import ImageNoise
from gradatim.scanner.protocol.targets import SusceptibilityTarget, T2StarTarget
from gradatim.scanner.system import System

SYSTEM = System(0.040, 150.0)
SCAN = GradientEchoScan((64, 48, 8), (0.22, 0.165, 0.04), echoes=3, scan_time=20.0)


def test_two_echoes_of_t2star_are_1_1_lifetimes_apart() -> None:
    """With the readout fixed by its bandwidth and one average, only the spacing is free."""
    scan = replace(SCAN, echoes=2, scan_time=19.2, pulse=0.030)
    best = BestEchoes(scan, T2StarTarget(0.005), least_bandwidth=2000.0)(SYSTEM)
    assert best.timing.averages == 1
    spacing = (best.timing.echo_times[1] - best.timing.echo_times[0]).item()
    assert spacing == pytest.approx(1.1088 * 0.005, rel=2e-3)


@pytest.mark.parametrize("target", [T2StarTarget(0.020), SusceptibilityTarget(0.020, 3.0)])
def test_no_protocol_of_a_grid_is_better(target: T2StarTarget | SusceptibilityTarget) -> None:
    best = BestEchoes(SCAN, target)(SYSTEM)
    limits = {"max_gradient": 0.040, "max_slew": 150.0}
    errors = []
    for averages in (1, 2, 3, 5):
        for dwell in np.geomspace(2.7e-6, 1.5e-4, 14):
            for first in np.linspace(0.0, 0.02, 5):
                for wait in np.linspace(0.0, 0.02, 21):
                    design = torch.tensor([dwell, first, wait], dtype=torch.float64)
                    timing = SCAN.timing(design, averages=averages, **limits)
                    if float(timing.needed) <= float(timing.repetition):
                        errors.append(float(target.error(timing.echo_times, snr=timing.snr)))
    assert len(errors) > 300
    assert best.error <= min(errors)
    assert best.error > 0.9 * min(errors)


def test_what_is_delivered_is_on_the_clock_and_fits() -> None:
    best = BestEchoes(SCAN, SusceptibilityTarget(0.020, 3.0), max_offset=100.0)(SYSTEM)
    found = best.delivered
    for seconds, raster in ((found.echo_times, 1e-5), (found.repetition, 1e-5), (found.dwell, 1e-7)):
        ticks = seconds / raster
        assert torch.allclose(ticks, ticks.round(), atol=1e-6)
    assert float(found.needed) <= float(found.repetition) + 1e-9
    assert float(found.repetition) * found.averages * SCAN.encodings <= SCAN.scan_time
    assert float(found.echo_times.diff().max()) <= 0.5 / 100.0 + 1e-9
    assert best.delivered_error == pytest.approx(best.error, rel=0.01)


def test_a_bound_on_unwrapping_costs_error() -> None:
    free = BestEchoes(SCAN, SusceptibilityTarget(0.030, 3.0))(SYSTEM)
    bound = BestEchoes(SCAN, SusceptibilityTarget(0.030, 3.0), max_offset=120.0)(SYSTEM)
    assert bound.error > free.error
    assert float(bound.timing.echo_times.diff().max()) <= 0.5 / 120.0 * (1 + 1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["max_gradient", "max_slew", "scan_time"])
def test_elasticities_are_those_of_the_whole_search(name: str) -> None:
    """Against finite differences of searches made anew, with the readout at the limit of the gradient."""

    def error(factor: float) -> float:
        scan = replace(
            SCAN, extent=(0.05, 0.05, 0.04), scan_time=SCAN.scan_time * (factor if name == "scan_time" else 1.0)
        )
        system = replace(SYSTEM, **({} if name == "scan_time" else {name: getattr(SYSTEM, name) * factor}))
        best = BestEchoes(scan, SusceptibilityTarget(0.020, 3.0), max_offset=380.0)(system)
        elasticities.append(best.elasticity[name])
        return best.error

    elasticities: list[float] = []
    measured = (error(1.02) - error(0.98)) / 0.04 / error(1.0)
    assert elasticities[-1] == pytest.approx(measured, rel=0.05, abs=2e-3)


def test_noise_falls_with_voxel_and_time() -> None:
    noise = ImageNoise(snr=80.0, volume=1e-9, sampling_time=4.0)
    one, four = torch.tensor(1e-9, dtype=torch.float64), torch.tensor(4.0, dtype=torch.float64)
    assert noise(one, sampling_time=four).item() == pytest.approx(1 / 80)
    assert noise(2 * one, sampling_time=4 * four).item() == pytest.approx(1 / 320)


def test_the_amplification_is_the_mean_over_directions() -> None:
    cosine = (torch.arange(1_000_000, dtype=torch.float64) + 0.5) / 1_000_000
    for threshold in (0.1, 0.19, 1 / 3):
        kernel = (1 / 3 - cosine.square()).abs().clamp(min=threshold)
        expected = (1 / kernel.square()).mean().sqrt().item()
        assert SusceptibilityTarget(0.03, 3.0, threshold).amplification == pytest.approx(expected, rel=1e-5)


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(UsageError, match="GD-191"):
        BestEchoes(replace(SCAN, scan_time=0.1), T2StarTarget(0.03))(SYSTEM)
    with pytest.raises(UsageError, match="GD-192"):
        BestEchoes(SCAN, T2StarTarget(0.03), max_offset=5000.0)(SYSTEM)
    with pytest.raises(UsageError, match="GD-101"):
        BestEchoes(SCAN, T2StarTarget(0.03), max_offset=-1.0)
    with pytest.raises(UsageError, match="GD-101"):
        replace(SCAN, echoes=1)


def test_much_more_time_than_echoes_can_use_is_no_error() -> None:
    """A TR of 50 s and a T2* of 2 ms: echoes wait some T2*, not some TR."""
    best = BestEchoes(replace(SCAN, scan_time=20000.0, pulse=0.5, t1=10.0), T2StarTarget(0.002))(SYSTEM)
    assert float(best.delivered.echo_times[-1] - best.delivered.echo_times[0]) < 0.010


@pytest.mark.parametrize("matrix", [(10**9, 10**8, 10**7), (64, 10**6, 1), (1, 64, 64), (64, 0, 1)])
def test_matrices_no_scanner_has_are_refused(matrix: tuple[int, int, int]) -> None:
    with pytest.raises(UsageError, match="GD-101"):
        replace(SCAN, matrix=matrix)
    with pytest.raises(UsageError, match="GD-101"):
        replace(SCAN, echoes=10**6)
