"""A data set's run: whole outputs or none, skipped while they fit, one bad subject beside good ones."""

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest

from gradatim.base.errors import GradatimError, ResourceError, UsageError
from gradatim.cli.subject_work import run_subject
from gradatim.io.lock import run_lock
from gradatim.pipelines.dataset_run import LOCK, DatasetRun
from gradatim.pipelines.group import write_group
from gradatim.pipelines.outcome import End, Outcome
from gradatim.pipelines.scan_run import CompletedScan
from gradatim.qsm.masks import BrainMask
from tests.pipelines.heads import ECHO_TIMES, QUICK, add_subject, contents, no_page, scan, spoil


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    root = tmp_path / "raw"
    add_subject(root, "01")
    return root


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def go(run: DatasetRun) -> dict[str, Outcome]:
    """Run within this process; outcome by name."""
    heard: list[Outcome] = []
    outcomes = run(ThreadPoolExecutor(1), work=run_subject, heard=heard.append)
    assert sorted(o.name for o in heard) == sorted(o.name for o in outcomes)
    assert not (run.out / LOCK).exists()
    return {outcome.name: outcome for outcome in outcomes}


def ends(outcomes: dict[str, Outcome]) -> dict[str, tuple[str, str]]:
    return {name: (outcome.end.value, outcome.code) for name, outcome in outcomes.items()}


def run_of(raw: Path, out: Path, **changes) -> DatasetRun:
    return replace(DatasetRun(raw, out, no_page, QUICK), **changes)


def test_the_official_validator_has_nothing_to_object_to(tmp_path: Path, out: Path) -> None:
    raw = tmp_path / "raw"
    add_subject(raw, "01", session="a", run="1")
    add_subject(raw, "01", session="a", run="2", seed=1)
    add_subject(raw, "02", session="b")
    assert ends(go(run_of(raw, out))) == {"sub-01_ses-a": ("done", ""), "sub-02_ses-b": ("done", "")}
    write_group(out)
    validator = shutil.which("bids-validator-deno", path=str(Path(sys.executable).parent)) or "bids-validator-deno"
    for root in (raw, out):
        said = subprocess.run([validator, "--json", str(root)], capture_output=True, text=True, check=False)
        issues = json.loads(said.stdout)["issues"]["issues"]
        assert [issue for issue in issues if issue["severity"] == "error"] == []


def test_what_a_subject_gets(raw: Path, out: Path) -> None:
    go(run_of(raw, out))
    names = {str(path.relative_to(out / "sub-01")) for path in (out / "sub-01").rglob("*") if path.is_file()}
    for wanted in (
        *("anat/sub-01_Chimap", "anat/sub-01_R2starmap", "anat/sub-01_T2starmap", "anat/sub-01_S0map"),
        *("anat/sub-01_desc-brain_mask", "anat/sub-01_desc-chi_mask", "anat/sub-01_desc-regions_dseg"),
        *("fmap/sub-01_desc-total_fieldmap", "fmap/sub-01_desc-local_fieldmap", "fmap/sub-01_desc-local_magnitude"),
        *(f"anat/sub-01_echo-{n}_part-phase_desc-unwrapped_MEGRE" for n in (1, 2, 3)),
    ):
        assert {f"{wanted}.nii.gz", f"{wanted}.json"} <= names
    assert {"sub-01_features.parquet", "sub-01_features.csv", "sub-01_report.html", "provenance.json"} <= names
    assert not any(Path(name).name.startswith(".") for name in names)
    chi = nibabel.load(out / "sub-01" / "anat" / "sub-01_Chimap.nii.gz")
    raw_image = nibabel.load(next((raw / "sub-01" / "anat").glob("*.nii.gz")))
    assert chi.get_data_dtype() == np.float32
    assert np.array_equal(chi.affine, raw_image.affine)
    assert chi.shape == raw_image.shape


def test_a_sidecar_says_what_made_its_image(raw: Path, out: Path) -> None:
    go(run_of(raw, out))
    anat = out / "sub-01" / "anat"
    said = json.loads((anat / "sub-01_Chimap.json").read_text())
    first = "sub-01/anat/sub-01_echo-1_part-mag_MEGRE.nii.gz"
    assert said["Units"] == "ppm"
    assert said["Reference"] == "mean of the mask"
    assert said["SkullStripped"] is True
    assert said["SpatialReference"] == said["Sources"][0] == f"bids:raw:{first}"
    assert len(said["Sources"]) == len(said["Inputs"]) == 2 * len(ECHO_TIMES)
    assert said["EstimationAlgorithm"] == "ThresholdedDivision"
    assert "Shmueli" in said["EstimationReference"]
    assert said["Parameters"]["sources"]["inversion"]["threshold"] == 0.15
    assert said["B0Direction"] == [0.0, 0.0, 1.0]
    assert "rad" in said["PhaseDecision"]
    assert {"Seeds", "Device", "MagneticFieldStrength", "ParametersSHA256"} <= said.keys()
    times = [json.loads(path.read_text())["EchoTime"] for path in sorted(anat.glob("*unwrapped_MEGRE.json"))]
    assert times == list(ECHO_TIMES)
    units = {path.name.split("_")[-1]: json.loads(path.read_text()).get("Units") for path in anat.glob("*map.json")}
    assert units == {
        "Chimap.json": "ppm",
        "R2starmap.json": "1/s",
        "T2starmap.json": "s",
        "S0map.json": "magnitude unit",
    }


def test_bids_uris_lead_to_the_files_they_name(raw: Path, out: Path) -> None:
    go(run_of(raw, out))
    link = json.loads((out / "dataset_description.json").read_text())["DatasetLinks"]["raw"]
    said = json.loads((out / "sub-01" / "anat" / "sub-01_Chimap.json").read_text())
    for uri in said["Sources"]:
        assert (out / link / uri.removeprefix("bids:raw:")).is_file()


def test_what_is_done_is_skipped_and_what_changed_is_done_again(raw: Path, out: Path) -> None:
    run = run_of(raw, out)
    go(run)
    before = contents(out / "sub-01")
    assert ends(go(run)) == {"sub-01": ("skipped", "")}
    assert contents(out / "sub-01") == before
    other = replace(run, run=replace(QUICK, route=replace(QUICK.route, brain=BrainMask(opening_mm=6.0))))
    assert [task.state().name for task in other.plan()] == ["CHANGED"]
    assert ends(go(other)) == {"sub-01": ("done", "")}
    assert ends(go(run)) == {"sub-01": ("done", "")}
    add_subject(raw, "01", seed=1)
    assert ends(go(run)) == {"sub-01": ("done", "")}
    sidecar = next((raw / "sub-01" / "anat").glob("*echo-1_part-mag*.json"))
    sidecar.write_text(json.dumps(json.loads(sidecar.read_text()) | {"FlipAngle": 15}))
    assert ends(go(run)) == {"sub-01": ("done", "")}
    assert ends(go(run)) == {"sub-01": ("skipped", "")}


def test_equal_input_gives_equal_files(raw: Path, out: Path, tmp_path: Path) -> None:
    go(run_of(raw, out))
    go(run_of(raw, tmp_path / "again"))
    first, second = contents(out / "sub-01"), contents(tmp_path / "again" / "sub-01")
    assert first.keys() == second.keys()
    differ = {name for name in first if first[name] != second[name]}
    assert differ <= {"provenance.json"}, "which keeps the time that the run took"


def test_one_bad_subject_stops_nobody_and_leaves_nothing(raw: Path, out: Path) -> None:
    spoil(add_subject(raw, "02", seed=1))
    add_subject(raw, "03", seed=2)
    outcomes = go(run_of(raw, out))
    assert ends(outcomes) == {"sub-01": ("done", ""), "sub-02": ("failed", "GD-207"), "sub-03": ("done", "")}
    assert sorted(path.name for path in out.iterdir() if path.name.startswith((".", "sub"))) == [
        ".bidsignore",
        "sub-01",
        "sub-03",
    ]
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["Done"], summary["Skipped"], summary["Failed"]) == (2, 0, 1)
    (bad,) = [subject for subject in summary["Subjects"] if subject["end"] == "failed"]
    assert bad["code"] == "GD-207"
    assert "copy or download the file again" in bad["sentence"]


def test_a_failure_keeps_the_older_output(raw: Path, out: Path) -> None:
    run = run_of(raw, out)
    go(run)
    before = contents(out / "sub-01")
    spoil(raw / "sub-01" / "anat")
    assert ends(go(run)) == {"sub-01": ("failed", "GD-207")}
    assert contents(out / "sub-01") == before


def test_a_bug_of_ours_is_one_subjects_failure(raw: Path, out: Path, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def broken(scan: CompletedScan, path: Path) -> None:
        raise ZeroDivisionError("Wang Xiaoming")

    outcome = go(run_of(raw, out, page=broken))["sub-01"]
    assert (outcome.end, outcome.exit_code) == (End.FAILED, 70)
    assert "bug in gradatim" in outcome.sentence
    assert "Wang" not in outcome.sentence
    assert not (out / "sub-01").exists()


def test_input_that_changes_during_the_run_is_refused(raw: Path, out: Path) -> None:
    def meddling(scan: CompletedScan, path: Path) -> None:
        add_subject(raw, "01", seed=1)

    assert ends(go(run_of(raw, out, page=meddling))) == {"sub-01": ("failed", "GD-225")}
    assert not (out / "sub-01").exists()


def test_a_locked_output_is_left_alone(raw: Path, out: Path) -> None:
    out.mkdir()
    with run_lock(out / LOCK), pytest.raises(ResourceError, match="GD-508"):
        run_of(raw, out)(ThreadPoolExecutor(1), work=run_subject, heard=lambda outcome: None)
    assert list(out.iterdir()) == []


def test_what_a_killed_run_left_is_cleared_away(raw: Path, out: Path) -> None:
    go(run_of(raw, out))
    stranger = out / ".0123456789abcdef.part"
    stranger.mkdir()
    program = "import os, sys; from pathlib import Path; from gradatim.io.atomic_folder import atomic_folder\n"
    program += "with atomic_folder(Path(sys.argv[1])) as folder:\n    (folder / 'half').touch(); os._exit(9)\n"
    subprocess.run([sys.executable, "-c", program, str(out / "sub-01")], check=False)
    (left,) = [path for path in out.glob(".*.part") if path != stranger]
    assert ends(go(run_of(raw, out))) == {"sub-01": ("skipped", "")}
    assert not left.exists()
    assert stranger.exists(), "only what lies in the place of a subject of the data set is ours to remove"


@pytest.mark.parametrize("place", [".", "sub-01", "new", "derivatives", "code/out"])
def test_the_data_set_is_never_written_to(raw: Path, place: str) -> None:
    before = contents(raw)
    with pytest.raises(UsageError, match="GD-107"):
        go(run_of(raw, raw / place))
    assert contents(raw) == before


def test_below_its_derivatives_is_fine(raw: Path) -> None:
    assert ends(go(run_of(raw, raw / "derivatives" / "gradatim"))) == {"sub-01": ("done", "")}
    assert ends(go(run_of(raw, raw / "derivatives" / "gradatim"))) == {"sub-01": ("skipped", "")}


@pytest.mark.parametrize("found", ["a file", "another data set", "another tool's derivative", "a file as output"])
def test_a_folder_of_somebody_else_is_left_alone(raw: Path, out: Path, found: str) -> None:
    if found == "a file as output":
        out.write_text("mine")
    else:
        out.mkdir()
        (out / "notes.txt").write_text("mine")
    said = {"Name": "x", "BIDSVersion": "1.11.1", "DatasetType": "raw"}
    if found == "another data set":
        (out / "dataset_description.json").write_text(json.dumps(said))
    if found == "another tool's derivative":
        said |= {"DatasetType": "derivative", "GeneratedBy": [{"Name": "other"}]}
        (out / "dataset_description.json").write_text(json.dumps(said))
    before = contents(out) if out.is_dir() else out.read_bytes()
    with pytest.raises(GradatimError) as caught:
        go(run_of(raw, out))
    assert caught.value.code == "GD-107"
    assert (contents(out) if out.is_dir() else out.read_bytes()) == before


def test_a_subjects_folder_that_we_did_not_write_stays(raw: Path, out: Path) -> None:
    go(run_of(raw, out))
    (out / "sub-01" / "provenance.json").unlink()
    (out / "sub-01" / "thesis.txt").write_text("mine")
    assert ends(go(run_of(raw, out))) == {"sub-01": ("failed", "GD-107")}
    assert (out / "sub-01" / "thesis.txt").read_text() == "mine"


def test_subjects_and_sessions_are_chosen_by_label(tmp_path: Path, out: Path) -> None:
    raw = tmp_path / "raw"
    for subject, session in (("01", "a"), ("01", "b"), ("02", "a")):
        add_subject(raw, subject, session=session)
    names = [task.name for task in run_of(raw, out, participants=("sub-01",)).plan()]
    assert names == ["sub-01_ses-a", "sub-01_ses-b"]
    assert [task.name for task in run_of(raw, out, sessions=("a",)).plan()] == ["sub-01_ses-a", "sub-02_ses-a"]
    with pytest.raises(UsageError, match=r"GD-102: sub-10.*allowed: 01, 02"):
        run_of(raw, out, participants=("10",)).plan()
    assert not out.exists()


def test_scans_inside_and_outside_of_sessions_are_refused_for_that_subject(raw: Path, out: Path) -> None:
    add_subject(raw, "01", session="a")
    add_subject(raw, "02")
    assert ends(go(run_of(raw, out))) == {
        "sub-01": ("failed", "GD-325"),
        "sub-01_ses-a": ("failed", "GD-325"),
        "sub-02": ("done", ""),
    }


def test_a_folder_that_is_no_subject_is_in_the_summary(raw: Path, out: Path) -> None:
    (raw / "sub-\u202e10" / "anat").mkdir(parents=True)
    outcomes = go(run_of(raw, out))
    assert outcomes.pop("sub-\u202e10").code == "GD-402"
    assert ends(outcomes) == {"sub-01": ("done", "")}


def test_the_groups_table_has_every_row_of_every_scan(raw: Path, out: Path) -> None:
    add_subject(raw, "02", seed=1)
    go(run_of(raw, out))
    table = write_group(out)
    lines = (out / "group_features.csv").read_text().splitlines()
    assert table.cases == 2
    assert table.rows == len(lines) - 1 > 0
    assert {line.split(",")[0] for line in lines[1:]} == {"sub-01", "sub-02"}
    assert len(table.settings) == 1


def test_a_group_of_nobody_is_refused(out: Path) -> None:
    out.mkdir()
    with pytest.raises(GradatimError, match="GD-324"):
        write_group(out)


def test_the_field_is_that_of_the_simulation(raw: Path, out: Path) -> None:
    go(run_of(raw, out))
    found = nibabel.load(out / "sub-01" / "fmap" / "sub-01_desc-total_fieldmap.nii.gz").get_fdata()
    mask = nibabel.load(out / "sub-01" / "anat" / "sub-01_desc-chi_mask.nii.gz").get_fdata() > 0
    true = scan().total
    inside = mask & true.mask.numpy()
    assert np.median(np.abs(found - true.field.numpy())[inside]) < 1.0


def test_a_subject_with_a_file_taken_away_is_not_up_to_date(raw: Path, out: Path) -> None:
    go(run_of(raw, out))
    chi = out / "sub-01" / "anat" / "sub-01_Chimap.nii.gz"
    chi.unlink()
    assert ends(go(run_of(raw, out))) == {"sub-01": ("done", "")}
    assert chi.is_file()
    assert ends(go(run_of(raw, out))) == {"sub-01": ("skipped", "")}
