"""A simulated data set: valid, whole, written once, and its truth is the simulation's."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.base.units import hz_per_ppm
from gradatim.io.bids import scan_dataset
from gradatim.io.multiecho import EchoReader
from gradatim.pipelines.simulated_dataset import TRUTH, SimulatedDataset, head_dataset
from gradatim.qsm.phantom import HeadPhantom
from gradatim.qsm.scan import HeadScan
from tests.pipelines.heads import contents

GRID = Grid((24, 24, 18), (8.5, 8.5, 8.5))
SMALL = SimulatedDataset(HeadPhantom(GRID), HeadScan(echo_times=(0.004, 0.012, 0.020)))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("simulated") / "raw"
    SMALL(place)
    return place


def test_the_official_validator_has_nothing_to_object_to(root: Path) -> None:
    validator = shutil.which("bids-validator-deno", path=str(Path(sys.executable).parent)) or "bids-validator-deno"
    for place in (root, root / TRUTH):
        said = subprocess.run([validator, "--json", str(place)], capture_output=True, text=True, check=False)
        issues = json.loads(said.stdout)["issues"]["issues"]
        assert [issue for issue in issues if issue["severity"] == "error"] == []


def test_what_is_read_back_is_what_was_simulated(root: Path) -> None:
    head = SMALL.phantom()
    scan = SMALL.scan(head)
    (series,) = scan_dataset(root).series
    loaded = EchoReader()(series)
    assert torch.equal(loaded.signal.magnitude, scan.signal.magnitude)
    assert torch.equal(loaded.signal.phase, scan.signal.phase)
    assert loaded.signal.echo_times == SMALL.scan.echo_times
    truth = SMALL.truth(root)
    assert torch.equal(truth.susceptibility.value, scan.susceptibility.value)
    assert torch.equal(truth.total.field, scan.total.field)
    assert torch.equal(truth.local.field, scan.local.field)
    assert torch.equal(truth.r2_star.value, scan.r2_star.value)
    assert torch.equal(truth.regions.labels, head.regions.labels.to(truth.regions.labels.dtype))


def test_the_true_field_is_what_the_phase_grows_with(root: Path) -> None:
    (series,) = scan_dataset(root).series
    signal, truth = EchoReader()(series).signal, SMALL.truth(root)
    early, late = signal.complex[0], signal.complex[1]
    elapsed = signal.echo_times[1] - signal.echo_times[0]
    rotated = late * early.conj() * torch.polar(torch.ones(()), -2 * torch.pi * truth.total.field * elapsed)
    inside = truth.total.mask & (signal.magnitude.amin(0) > 0.2)
    assert float(rotated.angle()[inside].abs().median()) < 0.05
    assert float(truth.total.field.abs().max()) > hz_per_ppm(3.0) * 0.1


def test_the_same_again_writes_nothing_and_another_replaces_it_whole(root: Path, tmp_path: Path) -> None:
    place = tmp_path / "raw"
    shutil.copytree(root, place)
    times = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    SMALL(place)
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == times
    SimulatedDataset(HeadPhantom(GRID), HeadScan(echo_times=(0.005, 0.010)))(place)
    assert len(list((place / "sub-head" / "anat").glob("*MEGRE.nii.gz"))) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="GD-107"):
        SMALL(tmp_path)
    assert contents(tmp_path) == {"thesis.txt": b"mine"}


@pytest.mark.parametrize("voxel_mm", [1.6, 3.0, 5.2])
def test_the_whole_head_fits_and_lies_round_the_origin(voxel_mm: float) -> None:
    grid = head_dataset(voxel_mm).phantom.grid
    assert all(n % 2 == 0 and n * voxel_mm >= least for n, least in zip(grid.shape, (204, 204, 153), strict=True))
    corner, far = grid.matrix[:3, 3], (grid.matrix @ [*(n - 1 for n in grid.shape), 1.0])[:3]
    assert abs(corner + far).max() < 1e-9
