"""gradatim qsm: one scan from the command line."""

import json
from pathlib import Path

import pytest

from gradatim.cli.main import main
from gradatim.io.nifti_write import write_nifti
from tests.pipelines.heads import ECHO_TIMES, head, scan

TIMES = [str(time) for time in ECHO_TIMES]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder, signal = tmp_path / "in", scan().signal
    folder.mkdir()
    for name, values in (("mag", signal.magnitude), ("phase", signal.phase), ("brain", head().mask)):
        write_nifti(folder / f"{name}.nii.gz", values, signal.grid)
    return folder


def go(files: Path, out: Path, *more: str, times: list[str] = TIMES) -> int:
    words = ["--magnitude", str(files / "mag.nii.gz"), "--phase", str(files / "phase.nii.gz")]
    words += ["--echo-times", *times, "--field-strength", "3", "--out", str(out), "--phase-units", "rad"]
    return main(["qsm", *words, "--inversion", "tkd", *more])


def test_from_files_to_a_folder_with_a_report(files: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    assert go(files, out, "--mask", str(files / "brain.nii.gz"), "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["MagneticFieldStrength"] == 3.0
    assert "done" in said.err
    assert "Traceback" not in said.err
    wanted = {"Chimap.nii.gz", "fieldmap.nii.gz", "mask.nii.gz", "R2starmap.nii.gz", "report.html", "provenance.json"}
    assert wanted <= {path.name for path in out.iterdir()}
    page = (out / "report.html").read_text()
    assert "ThresholdedDivision" in page
    assert "Content-Security-Policy" in page
    assert main(["features", str(out / "Chimap.nii.gz"), str(out / "regions.nii.gz"), "--out", str(out / "t.csv")]) == 0


@pytest.mark.parametrize(
    ("times", "more", "exit_code", "code"),
    [
        (TIMES[:-1], (), 3, "GD-318"),
        (["4", "12", "20"], (), 3, "GD-302"),
        (["0.012", "0.004", "0.020"], (), 3, "GD-306"),
        (TIMES, ("--inversion", "tvv"), 2, "GD-102"),
        (TIMES, ("--reference", "3"), 2, "GD-104"),
        (TIMES, ("--mask", "no-such-mask.nii.gz"), 3, "GD-222"),
    ],
)
def test_what_is_refused_leaves_no_folder(files: Path, tmp_path: Path, capsys, times, more, exit_code, code) -> None:
    assert go(files, tmp_path / "out", *more, times=times) == exit_code
    assert code in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_warning_is_said_where_the_user_looks(files: Path, tmp_path: Path, capsys) -> None:
    """Radians taken for degrees give a map 57 times too small, with all else in order."""
    for _ in ("done", "skipped"):
        assert go(files, tmp_path / "out", "--phase-units", "degrees") == 0
        said = capsys.readouterr().err
        assert "warning GD-331 phase volume 1: --phase-units degrees is followed, but" in said
