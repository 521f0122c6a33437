"""Names in BIDS' order, and the files that make a folder a derivative."""

import json
from pathlib import Path

import pytest
import torch

from gradatim.base.grid import Grid
from gradatim.io.derivatives import DerivedImage, bids_stem, write_dataset_files, write_images
from gradatim.io.nifti import read_image

GRID = Grid((3, 4, 5), (1.0, 1.0, 2.0))


@pytest.mark.parametrize(
    ("entities", "expected"),
    [
        ({"desc": "x", "echo": "1", "part": "phase", "sub": "01"}, "sub-01_echo-1_part-phase_desc-x_MEGRE"),
        ({"run": "2", "acq": "hi", "ses": "a", "sub": "01"}, "sub-01_ses-a_acq-hi_run-2_MEGRE"),
        ({"desc": "x", "space": "MNI", "rec": "r", "sub": "1", "ses": ""}, "sub-1_rec-r_space-MNI_desc-x_MEGRE"),
        ({"odd": "7", "sub": "01", "desc": "x"}, "sub-01_desc-x_odd-7_MEGRE"),
    ],
)
def test_entities_stand_in_the_order_of_bids(entities: dict[str, str], expected: str) -> None:
    assert bids_stem(list(entities.items()), "MEGRE") == expected


def test_an_image_its_sidecar_and_its_names(tmp_path: Path) -> None:
    labels = torch.zeros(GRID.shape, dtype=torch.int32)
    labels[1] = 3
    image = DerivedImage("anat", (("desc", "regions"),), "dseg", labels, GRID, {"Description": "own"}, {3: "vein"})
    write_images(tmp_path, [image], scan=[("sub", "01")], said={"Description": "of all", "Device": "cpu"})
    stem = tmp_path / "anat" / "sub-01_desc-regions_dseg"
    assert json.loads(stem.with_suffix(".json").read_text()) == {"Description": "own", "Device": "cpu"}
    assert stem.with_suffix(".tsv").read_text() == "index\tname\n3\tvein\n"
    assert torch.equal(read_image(stem.with_name(f"{stem.name}.nii.gz")).data, labels.float())


def test_the_raw_data_set_is_named_by_the_way_from_here(tmp_path: Path) -> None:
    raw, out = tmp_path / "raw data", tmp_path / "deep" / "out"
    raw.mkdir()
    out.mkdir(parents=True)
    (raw / "dataset_description.json").write_text('{"Name": "secret name", "License": "CC0", "Authors": ["Dr. Who"]}')
    write_dataset_files(out, raw=raw, title="t")
    said = json.loads((out / "dataset_description.json").read_text())
    assert said["DatasetLinks"] == {"raw": "../../raw%20data"}
    assert said["License"] == "CC0"
    assert "secret" not in json.dumps(said)
    assert "Who" not in json.dumps(said)
    assert {path.name for path in out.iterdir()} == {"dataset_description.json", "README.md", ".bidsignore"}


@pytest.mark.parametrize("description", [None, "{", '{"License": 7}', '{"License": null}'])
def test_a_raw_data_set_that_says_nothing_useful(tmp_path: Path, description: str | None) -> None:
    raw, out = tmp_path / "raw", tmp_path / "out"
    raw.mkdir()
    out.mkdir()
    if description is not None:
        (raw / "dataset_description.json").write_text(description)
    write_dataset_files(out, raw=raw, title="t")
    assert "License" not in json.loads((out / "dataset_description.json").read_text())


def test_what_says_the_same_is_left_alone(tmp_path: Path) -> None:
    raw, out = tmp_path / "raw", tmp_path / "out"
    raw.mkdir()
    out.mkdir()
    write_dataset_files(out, raw=raw, title="t")
    times = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    write_dataset_files(out, raw=raw, title="t")
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == times
    write_dataset_files(out, raw=raw, title="another")
    assert json.loads((out / "dataset_description.json").read_text())["Name"] == "another"
