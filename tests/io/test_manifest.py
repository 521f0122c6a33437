"""Manifests of a cohort: what passes, and the code of what does not."""

from pathlib import Path

import pytest
import torch

from gradatim.base.errors import InputError
from gradatim.base.grid import Grid
from gradatim.io.derivative_cases import derivative_cases
from gradatim.io.manifest import MeasuredCase, read_manifest
from gradatim.io.nifti_write import write_nifti


def written(folder: Path, text: str) -> Path:
    path = folder / "cohort.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_paths_count_from_the_manifests_folder_and_empty_cells_mean_nothing(tmp_path: Path) -> None:
    text = "\ufeffcase,image,regions,unit,mask\n01,a.nii,b.nii,HU,\n02,/x/a.nii,b.nii,,m.nii\n\n"
    assert read_manifest(written(tmp_path, text)) == (
        MeasuredCase("01", tmp_path / "a.nii", tmp_path / "b.nii", None, "HU"),
        MeasuredCase("02", Path("/x/a.nii"), tmp_path / "b.nii", tmp_path / "m.nii", ""),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "GD-250.*the columns"),
        ("case,image,region\n", "GD-250.*did you mean 'regions'"),
        ("case,image,regions\n1,2\n", "GD-250.*row 2 has another number of cells"),
        ("case,image,regions,case\n", "GD-250"),
        ("case,image,regions\n1, ,3\n", "GD-253.*row 2 without image"),
        ("case,image,regions\n1,2,3\n1,2,3\n", "GD-253.*twice"),
        ('case,image,regions\n"1,2,3\n', "GD-250"),
    ],
)
def test_a_manifest_is_read_strictly(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        read_manifest(written(tmp_path, text))


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="GD-222"):
        read_manifest(tmp_path / "none.csv")


def test_a_folder_of_slices_is_all_its_files(tmp_path: Path) -> None:
    series = tmp_path / "series"
    series.mkdir()
    for name in ("b.dcm", "a.dcm"):
        (series / name).write_bytes(b"")
    files = MeasuredCase("01", series, tmp_path / "roi.nii").files
    assert {role: path.name for role, path in files.items()} == {
        "image, file 1": "a.dcm",
        "image, file 2": "b.dcm",
        "regions": "roi.nii",
    }


def test_what_lies_beside_an_image_and_changes_its_rows_is_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "ct.json").write_text('{"Units": "HU"}')
    text = "NRRD0005\ntype: short\ndimension: 3\nsizes: 2 2 2\nencoding: raw\nendian: little\ndata file: ct.raw\n\n"
    (tmp_path / "ct.nhdr").write_text(text)
    (tmp_path / "ct.raw").write_bytes(bytes(16))
    write_nifti(tmp_path / "roi.nii.gz", torch.ones(2, 2, 2), Grid((2, 2, 2), (1, 1, 1)))
    files = MeasuredCase("01", tmp_path / "ct.nhdr", tmp_path / "roi.nii.gz").files
    assert {role: path.name for role, path in files.items()} == {
        "image": "ct.nhdr",
        "image, data": "ct.raw",
        "image, sidecar": "ct.json",
        "regions": "roi.nii.gz",
    }


def test_a_derivatives_images_find_their_regions_and_masks(tmp_path: Path) -> None:
    for place in ("sub-01/anat/sub-01", "sub-02/ses-a/anat/sub-02_ses-a", "sub-03/anat/sub-03"):
        start = tmp_path / place
        start.parent.mkdir(parents=True)
        names = ["Chimap", "desc-error_Chimap", "desc-regions_dseg", "desc-brain_mask", "desc-chi_mask", "R2starmap"]
        for name in names if "sub-03" not in place else ["Chimap"]:
            write_nifti(start.with_name(f"{start.name}_{name}.nii.gz"), torch.ones(2, 2, 2), Grid((2, 2, 2), (1, 1, 1)))
    cases = derivative_cases(tmp_path, suffix="Chimap")
    assert [(case.case, case.image.name, case.regions.name, case.mask and case.mask.name) for case in cases] == [
        ("sub-01", "sub-01_Chimap.nii.gz", "sub-01_desc-regions_dseg.nii.gz", "sub-01_desc-chi_mask.nii.gz"),
        (
            "sub-02_ses-a",
            "sub-02_ses-a_Chimap.nii.gz",
            "sub-02_ses-a_desc-regions_dseg.nii.gz",
            "sub-02_ses-a_desc-chi_mask.nii.gz",
        ),
    ]
    with pytest.raises(InputError, match="GD-324"):
        derivative_cases(tmp_path, suffix="T1map")
