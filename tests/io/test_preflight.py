"""gradatim's own checks against what the official BIDS validator lets pass."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from gradatim.base.errors import GradatimError
from gradatim.base.findings import Severity, refusals
from gradatim.io.bids import scan_dataset
from gradatim.io.multiecho import EchoReader
from gradatim.io.phase_units import FullRange
from gradatim.io.preflight import Preflight
from tests.io.dataset import AFFINE, RUINED, build, save, values_of


def test_nothing_is_found_in_a_valid_set(tmp_path: Path) -> None:
    build(tmp_path)
    build(tmp_path, subject="02", seed=1)
    assert Preflight()(tmp_path) == ()


@pytest.mark.parametrize("name", RUINED)
def test_each_ruin_gives_its_own_code_and_a_fix(tmp_path: Path, name: str) -> None:
    ruin, code = RUINED[name]
    ruin(build(tmp_path))
    stops = refusals(Preflight()(tmp_path))
    assert [f.code for f in stops] == [code]
    assert stops[0].fix
    assert "sub-0" in stops[0].where


def test_the_ruins_have_codes_of_their_own() -> None:
    assert len({code for _, code in RUINED.values()}) == len(RUINED) == 17


@pytest.mark.parametrize("name", RUINED)
def test_what_the_check_refuses_the_reader_refuses_too(tmp_path: Path, name: str) -> None:
    ruin, code = RUINED[name]
    ruin(build(tmp_path))
    series = scan_dataset(tmp_path).series[0]
    with pytest.raises(GradatimError) as caught:
        EchoReader()(series)
    assert caught.value.code == code


def test_a_ruined_subject_does_not_touch_the_other(tmp_path: Path) -> None:
    build(tmp_path, subject="02", seed=1)
    RUINED["gzip cut in half"][0](build(tmp_path))
    first, second = scan_dataset(tmp_path).series
    assert EchoReader().examine(first).loaded is None
    assert EchoReader()(second).signal.magnitude.shape[0] == 3


def test_a_subject_copied_under_a_right_name_is_told_by_its_pixels(tmp_path: Path) -> None:
    build(tmp_path)
    build(tmp_path, subject="02")
    findings = Preflight()(tmp_path)
    assert [(f.code, f.severity, f.where) for f in findings] == [("GD-320", Severity.WARN, "sub-02_MEGRE")]


def test_an_echo_copied_over_another_is_told_by_its_pixels(tmp_path: Path) -> None:
    anat = build(tmp_path)
    first, second = (anat / f"sub-01_echo-{e}_part-phase_MEGRE.nii.gz" for e in (1, 2))
    second.write_bytes(first.read_bytes())
    assert [f.code for f in Preflight()(tmp_path)] == ["GD-321"]


def test_findings_come_from_every_fault_at_once(tmp_path: Path) -> None:
    anat = build(tmp_path)
    for name in ("negative echo time", "gzip cut in half", "no units"):
        RUINED[name][0](anat)
    codes = {f.code for f in refusals(Preflight()(tmp_path))}
    assert codes == {"GD-303", "GD-207"}  # without the cut image the other two still agree on their unit


def test_a_folder_of_images_and_single_images(tmp_path: Path) -> None:
    save(tmp_path / "good.nii", np.ones((4, 4, 4), np.float32))
    nibabel.save(nibabel.Nifti1Image(np.ones((4, 4, 4), np.float32), None), tmp_path / "lost.nii")
    (tmp_path / "broken.nii").write_bytes(b"")
    found = {(f.where, f.code, f.severity) for f in Preflight()(tmp_path)}
    assert found == {("lost.nii", "GD-213", Severity.WARN), ("broken.nii", "GD-201", Severity.REFUSE)}
    assert Preflight()(tmp_path / "good.nii") == ()


def test_a_stray_image_does_not_hide_the_data_set(tmp_path: Path) -> None:
    RUINED["no units"][0](build(tmp_path))
    save(tmp_path / "stray.nii", np.ones((4, 4, 4), np.float32))
    assert [f.code for f in Preflight()(tmp_path)] == ["GD-333"]


def test_a_path_with_nothing_to_read_is_a_finding(tmp_path: Path) -> None:
    assert [f.code for f in Preflight()(tmp_path)] == ["GD-324"]
    assert [f.code for f in Preflight()(tmp_path / "nowhere")] == ["GD-222"]
    (tmp_path / "sub-01").mkdir()
    assert [f.code for f in Preflight()(tmp_path)] == ["GD-324"]


def test_the_preflight_looks_as_the_run_will(tmp_path: Path) -> None:
    anat = build(tmp_path)
    for path in anat.glob("*part-phase*.nii.gz"):
        values = values_of(path)
        save(path, (values / 1000).astype(np.float32), AFFINE)
    for path in anat.glob("*part-phase*.json"):
        path.write_text(path.read_text().replace('"rad"', '"arbitrary"'))
    assert [f.code for f in Preflight()(tmp_path)] == ["GD-332"]
    assert Preflight(EchoReader(phase_units=FullRange()))(tmp_path) == ()
