"""Finding scans and merging sidecars, on a tree written out by hand."""

from pathlib import Path

import pytest

from gradatim.base.errors import InputError, UnsafeInputError
from gradatim.base.findings import Severity
from gradatim.io.bids import scan_dataset
from gradatim.io.bids_names import check_label, parse_name
from gradatim.io.echo_series import Part
from tests.io.dataset import write_json


def plant(root: Path, *names: str) -> None:
    """Empty files, with their folders."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_sessions_runs_and_acquisitions_are_scans_of_their_own(tmp_path: Path) -> None:
    plant(
        tmp_path,
        "sub-02/anat/sub-02_echo-1_part-mag_MEGRE.nii.gz",
        "sub-01/ses-b/anat/sub-01_ses-b_run-2_echo-1_part-phase_MEGRE.nii",
        "sub-01/ses-b/anat/sub-01_ses-b_run-1_echo-1_part-phase_MEGRE.nii",
        "sub-01/ses-a/anat/sub-01_ses-a_acq-fast_run-1_echo-1_part-real_MEGRE.nii.gz",
        "sub-01/ses-a/anat/sub-01_ses-a_acq-fast_run-1_echo-1_part-imag_MEGRE.nii.gz",
        "sub-01/ses-a/anat/sub-01_ses-a_acq-fast_run-1_echo-2_MEGRE.nii.gz",
    )
    series = scan_dataset(tmp_path).series
    assert [s.name for s in series] == [
        "sub-01_ses-a_acq-fast_run-1_MEGRE",
        "sub-01_ses-b_run-1_MEGRE",
        "sub-01_ses-b_run-2_MEGRE",
        "sub-02_MEGRE",
    ]
    assert [(f.part, f.echo) for f in series[0].files] == [(Part.IMAG, 1), (Part.REAL, 1), (Part.MAG, 2)]


def test_ordinary_images_other_folders_and_derivatives_are_left_alone(tmp_path: Path) -> None:
    plant(
        tmp_path,
        "sub-01/anat/sub-01_T1w.nii.gz",
        "sub-01/anat/sub-01_T2starw.nii.gz",
        "sub-01/anat/sub-01_inv-1_part-phase_MP2RAGE.nii.gz",
        "sub-01/anat/notes.txt",
        "sub-01/anat/.sub-01_echo-1_MEGRE.nii.gz",
        "sub-01/func/sub-01_task-rest_echo-1_part-phase_bold.nii.gz",
        "derivatives/x/sub-01/anat/sub-01_echo-1_part-phase_MEGRE.nii.gz",
        "sourcedata/sub-01/anat/sub-01_echo-1_part-phase_MEGRE.nii.gz",
    )
    assert scan_dataset(tmp_path).series == ()
    assert scan_dataset(tmp_path).findings == ()


@pytest.mark.parametrize("suffix", ["T1w", "T2starw"])
def test_a_single_echo_with_phase_needs_no_echo_entity(tmp_path: Path, suffix: str) -> None:
    plant(tmp_path, *(f"sub-01/anat/sub-01_part-{part}_{suffix}.nii.gz" for part in ("mag", "phase")))
    (series,) = scan_dataset(tmp_path).series
    assert [(f.part, f.echo) for f in series.files] == [(Part.MAG, 1), (Part.PHASE, 1)]


def test_inheritance(tmp_path: Path) -> None:
    """Each key comes from the nearest sidecar that applies; those that do not apply say nothing."""
    image = "sub-01/ses-a/anat/sub-01_ses-a_echo-1_part-phase_MEGRE.nii.gz"
    plant(tmp_path, image, "sub-02/anat/sub-02_echo-1_part-mag_MEGRE.nii.gz")
    tree = {
        "MEGRE.json": {"root": 1, "level": "root"},
        "part-phase_MEGRE.json": {"level": "root, phase", "Units": "rad"},
        "part-mag_MEGRE.json": {"level": "magnitude", "magnitude": 1},
        "T1w.json": {"level": "another suffix"},
        "dataset_description.json": {"level": "no sidecar"},
        "sub-01/sub-01_MEGRE.json": {"subject": 1, "level": "subject"},
        "sub-01/ses-a/sub-01_ses-a_MEGRE.json": {"session": 1, "level": "session"},
        "sub-01/ses-a/sub-01_ses-b_MEGRE.json": {"level": "another session"},
        "sub-01/ses-a/anat/sub-01_ses-a_echo-1_part-phase_MEGRE.json": {"level": "image", "EchoTime": 0.004},
        "sub-01/ses-a/anat/sub-01_ses-a_echo-2_part-phase_MEGRE.json": {"level": "another echo"},
        "sub-02/sub-02_MEGRE.json": {"level": "another subject"},
    }
    for name, content in tree.items():
        write_json(tmp_path / name, content)
    first, second = scan_dataset(tmp_path).series
    assert first.files[0].sidecar == {
        "root": 1,
        "subject": 1,
        "session": 1,
        "Units": "rad",
        "EchoTime": 0.004,
        "level": "image",
    }
    assert second.files[0].sidecar == {"root": 1, "level": "another subject", "magnitude": 1}


def test_two_sidecars_of_one_folder_are_a_warning_and_the_more_special_one_wins(tmp_path: Path) -> None:
    plant(tmp_path, "sub-01/anat/sub-01_echo-1_part-mag_MEGRE.nii.gz")
    write_json(tmp_path / "sub-01/anat/sub-01_part-mag_MEGRE.json", {"level": "special"})
    write_json(tmp_path / "sub-01/anat/sub-01_MEGRE.json", {"level": "general", "general": 1})
    (series,) = scan_dataset(tmp_path).series
    assert series.files[0].sidecar == {"level": "special", "general": 1}
    assert [(f.code, f.severity) for f in series.findings] == [("GD-323", Severity.WARN)]


def test_a_sidecar_that_many_images_share_is_complained_of_once(tmp_path: Path) -> None:
    plant(tmp_path, *(f"sub-01/anat/sub-01_echo-{e}_part-mag_MEGRE.nii.gz" for e in (1, 2, 3)))
    (tmp_path / "MEGRE.json").write_text("{,}")
    (series,) = scan_dataset(tmp_path).series
    assert [(f.code, f.where) for f in series.findings] == [("GD-221", "MEGRE.json")]


@pytest.mark.parametrize(
    "name",
    ["sub-01_echo-0_MEGRE.nii", "sub-01_echo-a_MEGRE.nii", "sub-01_MEGRE.nii", "sub-01_echo-1_part-sum_MEGRE.nii"],
)
def test_an_echo_or_part_that_is_none(tmp_path: Path, name: str) -> None:
    plant(tmp_path, f"sub-01/anat/{name}")
    (series,) = scan_dataset(tmp_path).series
    assert series.files == ()
    assert [f.code for f in series.findings] == ["GD-318"]


def test_what_is_no_data_set(tmp_path: Path) -> None:
    for path, code in ((tmp_path, "GD-324"), (tmp_path / "nowhere", "GD-222")):
        with pytest.raises(InputError) as caught:
            scan_dataset(path)
        assert caught.value.code == code


def test_names() -> None:
    name = parse_name("sub-01_ses-a_acq-x+y_echo-1_part-phase_MEGRE.nii.gz")
    assert name is not None
    assert (name.suffix, name.extension, name.entity("acq"), name.entity("run")) == ("MEGRE", ".nii.gz", "x+y", "")
    assert parse_name("notes.txt") is None
    assert parse_name("dataset_description.json") is None


@pytest.mark.parametrize(
    "label",
    [
        "",
        "..",
        "a/b",
        "a\\b",
        "-rf",
        "a\nb",
        "a\0",
        "01 ",
        "é",
        "\u0430",
        "０1",
        "x" * 300,
        "CON",
        "nul",
        "a_b",
        "a.b",
        "‮01",
    ],
)
def test_labels_that_could_lead_elsewhere(label: str) -> None:
    with pytest.raises(UnsafeInputError) as caught:
        check_label(label, what="subject")
    assert caught.value.code == "GD-402"
