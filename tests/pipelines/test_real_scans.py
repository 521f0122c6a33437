"""Real blocks and the reference head, as a BIDS set, from end to end."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest

from gradatim.cli.main import main
from tests.pipelines.heads import describe

QUICK = ("--inversion", "tkd", "--background", "vsharp")
CROP = (slice(30, 90), slice(40, 100), slice(40, 85))


def add(root: Path, subject: str, magnitude: Path, phase: Path, times: tuple[float, ...], crop=(...,)) -> None:
    """One echo a file, as BIDS wants it; values and affine as they come, but moved to the crop."""
    anat = root / f"sub-{subject}" / "anat"
    anat.mkdir(parents=True)
    for part, path in (("mag", magnitude), ("phase", phase)):
        image = nibabel.load(path)
        affine = image.affine.copy()
        if crop != (...,):
            affine[:3, 3] += affine[:3, :3] @ [axis.start for axis in crop]
        values = np.asarray(image.dataobj, dtype=np.float32)[crop]
        for number, time in enumerate(times, start=1):
            stem = f"sub-{subject}_echo-{number}_part-{part}_MEGRE"
            echo = nibabel.Nifti1Image(values[..., number - 1], affine)
            echo.header.set_xyzt_units("mm", "sec")
            echo.set_sform(affine, 1)
            echo.set_qform(affine, 1)
            nibabel.save(echo, anat / f"{stem}.nii.gz")
            said = {"EchoTime": time, "MagneticFieldStrength": 3.0}
            said |= {"Units": "arbitrary"} if part == "phase" else {}
            (anat / f"{stem}.json").write_text(json.dumps(said))


@pytest.fixture
def raw(shared: Path, tmp_path: Path) -> Path:
    root, qsm = tmp_path / "raw", shared / "data" / "qsm"
    describe(root)
    for subject, folder in (("romeo", "romeo_small"), ("clearswi", "clearswi_small")):
        add(root, subject, qsm / folder / "Mag.nii", qsm / folder / "Phase.nii", (0.004, 0.008, 0.012))
    return root


def add_head(root: Path, shared: Path, crop=(...,)) -> None:
    folder = shared / "data" / "qsm" / "phantom_sim1"
    add(root, "head", folder / "mag.nii.gz", folder / "phase.nii.gz", (0.004, 0.012, 0.020, 0.028), crop)


def errors_of(root: Path) -> list[str]:
    """What the official validator calls an error."""
    validator = shutil.which("bids-validator-deno", path=str(Path(sys.executable).parent)) or "bids-validator-deno"
    said = subprocess.run([validator, "--json", str(root)], capture_output=True, text=True, check=False)
    return [issue["code"] for issue in json.loads(said.stdout)["issues"]["issues"] if issue["severity"] == "error"]


def check_subjects(out: Path, subjects: tuple[str, ...]) -> None:
    for subject in subjects:
        place = out / f"sub-{subject}"
        chi = nibabel.load(place / "anat" / f"sub-{subject}_Chimap.nii.gz").get_fdata()
        mask = nibabel.load(place / "anat" / f"sub-{subject}_desc-chi_mask.nii.gz").get_fdata() > 0
        assert mask.mean() > 0.2, "a block cut from a brain is mostly brain"
        assert np.isfinite(chi).all()
        assert 0.005 < chi[mask].std() < 0.2, "tissue differs by hundredths of a ppm"
        assert (place / f"sub-{subject}_report.html").stat().st_size < 15_000_000


def test_without_the_users_word_the_unit_of_phase_is_not_guessed(raw: Path, tmp_path: Path, capsys) -> None:
    assert main(["run", str(raw), str(tmp_path / "out"), "participant"]) == 3
    said = capsys.readouterr().err
    assert said.count("--phase-units") == 2
    assert not list((tmp_path / "out").glob("sub-*"))


def test_real_blocks_and_a_part_of_the_reference_head(raw: Path, shared: Path, tmp_path: Path, capsys) -> None:
    add_head(raw, shared, CROP)
    out = tmp_path / "out"
    assert main(["run", str(raw), str(out), "participant", "--phase-units", "full-range", *QUICK]) == 0
    assert main(["run", str(raw), str(out), "group"]) == 0
    check_subjects(out, ("romeo", "clearswi", "head"))
    assert errors_of(out) == []
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.slow
def test_the_default_chain_on_all_of_them(raw: Path, shared: Path, tmp_path: Path) -> None:
    add_head(raw, shared)
    out = tmp_path / "out"
    assert main(["run", str(raw), str(out), "participant", "--phase-units", "full-range"]) == 0
    check_subjects(out, ("romeo", "clearswi", "head"))
    assert errors_of(out) == []
