"""One scan into one folder: plain names, nothing of somebody else lost, the user's own mask and regions used."""

import json
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from gradatim.base.errors import GradatimError, InputError, ResourceError, UsageError
from gradatim.base.grid import Grid
from gradatim.io.echo_series import series_from_files
from gradatim.io.label_names import write_label_names
from gradatim.io.nifti_write import write_nifti
from gradatim.io.table import read_features
from gradatim.pipelines.given_images import GivenImages
from gradatim.pipelines.outcome import End
from gradatim.pipelines.plain_run import PlainRun
from gradatim.pipelines.scan_run import CompletedScan
from tests.pipelines.heads import ECHO_TIMES, QUICK, contents, head, no_page, scan

WANTED = ("Chimap.nii.gz", "fieldmap.nii.gz", "mask.nii.gz", "R2starmap.nii.gz", "report.html", "provenance.json")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Magnitude and phase with the echoes last, a mask of the brain and its labels."""
    folder, signal = tmp_path / "in", scan().signal
    folder.mkdir()
    write_nifti(folder / "Wang_Xiaoming_mag.nii.gz", signal.magnitude, signal.grid)
    write_nifti(folder / "Wang_Xiaoming_phase.nii.gz", signal.phase, signal.grid)
    write_nifti(folder / "brain.nii.gz", head().mask, signal.grid)
    write_nifti(folder / "labels.nii.gz", head().regions.labels, signal.grid)
    write_label_names(folder / "labels.tsv", {7: "white matter", 8: "grey matter"})
    return folder


def plain(files: Path, out: Path, **changes) -> PlainRun:
    series = series_from_files(
        magnitude=[files / "Wang_Xiaoming_mag.nii.gz"],
        phase=[files / "Wang_Xiaoming_phase.nii.gz"],
        echo_times=ECHO_TIMES,
        field_strength=3.0,
    )
    return replace(PlainRun(series, out, no_page, QUICK), **changes)


def test_the_folder_has_what_it_should_in_the_units_it_should(files: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    assert plain(files, out)().end is End.DONE
    names = {path.name for path in out.iterdir()}
    assert names >= {*WANTED, "localfield.nii.gz", "features.csv", "features.parquet", "unwrapped.nii.gz"}
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    for name, unit in (("Chimap", "ppm"), ("fieldmap", "Hz"), ("localfield", "Hz"), ("R2starmap", "1/s")):
        assert json.loads((out / f"{name}.json").read_text())["Units"] == unit
        assert nibabel.load(out / f"{name}.nii.gz").get_data_dtype() == np.float32
    assert nibabel.load(out / "unwrapped.nii.gz").shape == (*scan().signal.grid.shape, len(ECHO_TIMES))
    inside = nibabel.load(out / "mask.nii.gz").get_fdata() > 0
    chi = nibabel.load(out / "Chimap.nii.gz").get_fdata()
    assert np.all(chi[~inside] == 0.0)
    assert abs(chi[inside].mean()) < 1e-6
    assert len(read_features(out / "features.parquet")) == len(read_features(out / "features.csv"))


def test_no_input_files_name_gets_into_the_output(files: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    plain(files, out)()
    for name, content in contents(out).items():
        assert b"Wang" not in content, name
        assert str(tmp_path).encode() not in content, name
    record = json.loads((out / "provenance.json").read_text())
    assert record["Inputs"].keys() == {"magnitude", "phase"}


def test_the_same_again_does_nothing_and_another_does_it_again(files: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    plain(files, out)()
    before = contents(out)
    assert plain(files, out)().end is End.SKIPPED
    assert contents(out) == before
    assert plain(files, out, case="other")().end is End.DONE
    assert plain(files, out, given=GivenImages(mask=files / "brain.nii.gz"))().end is End.DONE


def test_a_given_mask_is_used_and_the_text_does_not_claim_to_have_found_one(files: Path, tmp_path: Path) -> None:
    texts: list[CompletedScan] = []
    given = GivenImages(mask=files / "brain.nii.gz")
    plain(files, tmp_path / "out", given=given, page=lambda found, path: (texts.append(found), path.touch())[0])()
    (found,) = texts
    assert torch.equal(found.result.unwrapped.mask, head().mask)
    assert not any(paragraph.startswith("Brain:") for paragraph in found.methods.paragraphs)
    assert "mask" in found.provenance["Inputs"]


def test_given_regions_have_their_names_and_can_be_the_reference(files: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    given = GivenImages(mask=files / "brain.nii.gz", regions=files / "labels.nii.gz", reference=7)
    plain(files, out, given=given)()
    regions = {feature.region for feature in read_features(out / "features.csv")}
    assert {"white matter", "grey matter"} <= regions
    chi = nibabel.load(out / "Chimap.nii.gz").get_fdata()
    white = (nibabel.load(files / "labels.nii.gz").get_fdata() == 7) & (chi != 0)
    assert abs(chi[white].mean()) < 1e-5
    said = json.loads((out / "Chimap.json").read_text())
    assert said["Reference"] == "mean of region white matter"
    assert "7\twhite matter" in (out / "regions.tsv").read_text()


def test_a_reference_without_regions_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="GD-104"):
        GivenImages(reference=3)


@pytest.mark.parametrize("what", ["mask", "regions"])
def test_an_image_on_another_grid_is_refused(files: Path, tmp_path: Path, what: str) -> None:
    shape, (x, y, z) = scan().signal.grid.shape, scan().signal.grid.shape
    moved = np.diag([5.2, 5.2, 5.2, 1.0])
    moved[0, 3] = 30.0
    for grid in (Grid((x, y, z - 1), (5.2, 5.2, 5.2)), Grid.from_affine(shape, moved)):
        other = torch.zeros(grid.shape, dtype=torch.int16)
        other[10:20, 10:20, 10:20] = 1
        write_nifti(files / "other.nii.gz", other, grid)
        with pytest.raises(InputError, match="GD-311"):
            plain(files, tmp_path / "out", given=GivenImages(**{what: files / "other.nii.gz"}))()
    assert not (tmp_path / "out").exists()


def test_a_folder_with_something_else_in_it_is_left_alone(files: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    plain(files, out)()
    (out / "thesis.txt").write_text("mine")
    before = contents(out)
    with pytest.raises(UsageError, match=r"GD-107: .*thesis\.txt"):
        plain(files, out, case="other")()
    assert contents(out) == before


def test_output_over_input_is_refused(files: Path) -> None:
    before = contents(files)
    for place in (files, files / "..", files / "brain.nii.gz"):
        with pytest.raises(GradatimError, match="GD-107"):
            plain(files, place)()
    assert contents(files) == before


def test_what_fails_leaves_the_older_result(files: Path, tmp_path: Path) -> None:
    def broken(scan: CompletedScan, path: Path) -> None:
        raise ResourceError("GD-502", given="x", allowed="y", do="z")

    out = tmp_path / "out"
    with pytest.raises(ResourceError):
        plain(files, out, page=broken)()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]
    plain(files, out)()
    before = contents(out)
    with pytest.raises(ResourceError):
        plain(files, out, page=broken, case="other")()
    assert contents(out) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]


def test_a_file_of_the_users_that_is_called_like_ours_is_not_lost(files: Path, tmp_path: Path) -> None:
    for name in ("mask.nii.gz", "regions.nii.gz", "report.html", "features.xlsx"):
        out = tmp_path / f"with {name}"
        out.mkdir()
        (out / name).write_text("drawn by hand")
        with pytest.raises(UsageError, match="GD-107"):
            plain(files, out)()
        assert contents(out) == {name: b"drawn by hand"}


def test_a_result_with_a_file_taken_away_is_not_up_to_date(files: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    plain(files, out)()
    (out / "Chimap.nii.gz").unlink()
    assert plain(files, out)().end is End.DONE
    assert (out / "Chimap.nii.gz").is_file()
