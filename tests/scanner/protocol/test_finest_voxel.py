"""The finest voxel: it meets its target, the next finer does not, and finer voxels always know less."""

from dataclasses import replace

import pytest

from gradatim.base.errors import UsageError
from gradatim.scanner.protocol.best_echoes import BestEchoes
from gradatim.scanner.protocol.diffusion_echoes import BestDiffusion, DiffusionScan
from gradatim.scanner.protocol.finest_voxel import FinestVoxel
from gradatim.scanner.protocol.gradient_echoes import GradientEchoScan
from gradatim.scanner.protocol.image_noise import ImageNoise
from gradatim.scanner.protocol.targets import SusceptibilityTarget, T2StarTarget
from gradatim.scanner.system import System

SYSTEM = System(0.040, 150.0)
ECHOES = GradientEchoScan((48, 48, 16), (0.22, 0.22, 0.08), echoes=3, scan_time=4.0, noise=ImageNoise(20.0))
WEIGHTED = DiffusionScan((64, 64), (0.22, 0.22, 0.004), slices=10, scan_time=60.0)
SUSCEPTIBILITY = BestEchoes(ECHOES, SusceptibilityTarget(0.030, 3.0), max_offset=128.0)
SEARCHES = {
    "susceptibility": (SUSCEPTIBILITY, 2e-3),
    "T2*": (BestEchoes(ECHOES, T2StarTarget(0.030)), 2e-3),
    "D finer": (BestDiffusion(WEIGHTED), 0.3e-9),
    "D coarser": (BestDiffusion(WEIGHTED), 0.002e-9),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_the_voxel_meets_its_target_and_the_next_finer_does_not(name: str) -> None:
    search, target = SEARCHES[name]
    found = FinestVoxel(search, target)(SYSTEM)
    assert found.best.delivered_error <= target < found.finer_error
    again = replace(search, scan=search.scan.with_readout(found.matrix[0]))
    assert again.delivered_error(SYSTEM) == found.best.delivered_error
    assert found.voxel == again.scan.voxel
    finer = replace(search, scan=search.scan.with_readout(found.matrix[0] + 1))
    if found.finer_error < float("inf"):
        assert finer.delivered_error(SYSTEM) == found.finer_error
    else:
        with pytest.raises(UsageError, match="GD-191"):
            finer.delivered_error(SYSTEM)


@pytest.mark.parametrize("name", ["susceptibility", "D finer"])
def test_finer_voxels_know_less(name: str) -> None:
    search = SEARCHES[name][0]
    errors = [replace(search, scan=search.scan.with_readout(n)).delivered_error(SYSTEM) for n in (24, 32, 40, 48, 56)]
    assert errors == sorted(errors)


def test_more_time_and_better_hardware_find_a_finer_voxel() -> None:
    search, target = SEARCHES["D finer"]
    usual = FinestVoxel(search, target)(SYSTEM).matrix[0]
    longer = FinestVoxel(replace(search, scan=replace(WEIGHTED, scan_time=240.0)), target)(SYSTEM).matrix[0]
    stronger = FinestVoxel(search, target)(System(0.200, 200.0)).matrix[0]
    assert usual < longer
    assert usual < stronger


def test_the_shape_of_the_voxel_and_what_is_covered_stay() -> None:
    scan = ECHOES.with_readout(96)
    assert scan.matrix == (96, 96, 32)
    assert scan.voxel == pytest.approx([edge / 2 for edge in ECHOES.voxel])
    thin = WEIGHTED.with_readout(96)
    assert thin.voxel == pytest.approx([edge / 1.5 for edge in WEIGHTED.voxel])
    assert thin.slices * thin.extent[2] == pytest.approx(WEIGHTED.slices * WEIGHTED.extent[2])


@pytest.mark.parametrize("target", [0.0, -1.0, float("nan"), float("inf")])
def test_targets_that_are_no_errors_are_refused(target: float) -> None:
    with pytest.raises(UsageError, match="GD-199"):
        FinestVoxel(SUSCEPTIBILITY, target)


def test_a_target_that_no_voxel_meets_is_refused() -> None:
    with pytest.raises(UsageError, match="GD-198"):
        FinestVoxel(BestDiffusion(WEIGHTED), 1e-18)(SYSTEM)
