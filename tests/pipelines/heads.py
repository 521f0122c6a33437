"""Small simulated heads as BIDS data sets, and the quickest chain that goes all the way."""

import functools
import json
from pathlib import Path

from gradatim.base.grid import Grid
from gradatim.io.nifti_write import write_nifti
from gradatim.pipelines.scan_run import CompletedScan, ScanRun
from gradatim.pipelines.susceptibility import SusceptibilityRoute
from gradatim.qsm.phantom import HeadPhantom
from gradatim.qsm.scan import HeadScan, SimulatedScan
from gradatim.qsm.two_pass import OnePass

ECHO_TIMES = (0.004, 0.012, 0.020)
QUICK = ScanRun(SusceptibilityRoute(sources=OnePass()))


@functools.cache
def head():
    """A head in voxels of 5.2 mm, drawn once."""
    return HeadPhantom(Grid((40, 40, 30), (5.2, 5.2, 5.2)))()


@functools.cache
def scan(seed: int = 0) -> SimulatedScan:
    """Its scan with the noise of a seed."""
    return HeadScan(echo_times=ECHO_TIMES, seed=seed)(head())


def add_subject(root: Path, subject: str, *, session: str = "", run: str = "", seed: int = 0, **said) -> Path:
    """Add a scan to a data set; its folder ``anat``. What is said beyond the usual goes into every sidecar."""
    labels = [("sub", subject), ("ses", session), ("run", run)]
    start = "_".join(f"{key}-{label}" for key, label in labels if label)
    anat = root.joinpath(*(f"{key}-{label}" for key, label in labels[:2] if label), "anat")
    anat.mkdir(parents=True, exist_ok=True)
    describe(root)
    signal = scan(seed).signal
    for number, time in enumerate(ECHO_TIMES, start=1):
        for part, values in (("mag", signal.magnitude), ("phase", signal.phase)):
            stem = anat / f"{start}_echo-{number}_part-{part}_MEGRE"
            write_nifti(stem.with_name(f"{stem.name}.nii.gz"), values[number - 1], signal.grid)
            content = {"EchoTime": time, "MagneticFieldStrength": 3.0, **said}
            content |= {"Units": "rad"} if part == "phase" else {}
            stem.with_name(f"{stem.name}.json").write_text(json.dumps(content))
    return anat


def describe(root: Path) -> None:
    """What every BIDS data set has."""
    root.mkdir(parents=True, exist_ok=True)
    said = {"Name": "heads", "BIDSVersion": "1.11.1", "DatasetType": "raw", "License": "CC0"}
    (root / "dataset_description.json").write_text(json.dumps(said))
    (root / "README.md").write_text("Simulated heads, made for a test.\n")


def spoil(anat: Path) -> Path:
    """Cut a phase image in half; the image."""
    image = min(anat.glob("*part-phase*.nii.gz"))
    image.write_bytes(image.read_bytes()[: image.stat().st_size // 2])
    return image


def no_page(scan: CompletedScan, path: Path) -> None:
    """A report that takes no time."""
    path.write_text(scan.name)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
