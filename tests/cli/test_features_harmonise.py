"""gradatim features harmonise: closed forms of blur and noise, and no detail or quiet that the source does not have."""

import json
import math
import re
from pathlib import Path

import pytest
import torch

from gradatim.base.grid import Grid
from gradatim.cli.main import main
from gradatim.io.nifti import read_image
from gradatim.io.nifti_write import write_nifti

GRID = Grid((32, 32, 16), (0.5, 0.5, 1.0))
TO_FWHM = math.sqrt(8 * math.log(2))


def blob(sigma: float) -> torch.Tensor:
    """A Gaussian blob of integral 1000 mm³, σ in mm along every axis."""
    axes = [(torch.arange(n, dtype=torch.float64) - n // 2) * e for n, e in zip(GRID.shape, GRID.spacing, strict=True)]
    x, y, z = torch.meshgrid(*axes, indexing="ij")
    return (1000 / (2 * math.pi * sigma**2) ** 1.5 * torch.exp(-(x**2 + y**2 + z**2) / (2 * sigma**2))).float()


def scanner(folder: Path, name: str, text: str) -> str:
    (folder / f"{name}.toml").write_text(text)
    return str(folder / f"{name}.toml")


def gaussian(folder: Path, name: str, sigma_mm: float, noise: float) -> str:
    fwhm = sigma_mm * TO_FWHM
    return scanner(folder, name, f"fwhm_mm = [{fwhm}, {fwhm}, {fwhm}]\nsigma = {noise}")


def harmonised(folder: Path, image: torch.Tensor, source: str, *targets: str, more: tuple[str, ...] = ()) -> Path:
    write_nifti(folder / "ct.nii.gz", image, GRID)
    out = folder / "new.nii.gz"
    files = [str(folder / "ct.nii.gz"), str(out)]
    assert main(["features", "harmonise", *files, "--from", source, "--to", *targets, *more]) == 0
    return out


def test_a_gaussian_becomes_the_wider_gaussian(tmp_path: Path) -> None:
    sharp, soft = gaussian(tmp_path, "a", 0.9, 0), gaussian(tmp_path, "b", 1.2, 0)
    out = harmonised(tmp_path, blob(1.5), sharp, soft)
    wider = blob(math.sqrt(1.5**2 + 1.2**2 - 0.9**2))
    assert float((read_image(out).data - wider).abs().max()) < 2e-3 * float(wider.max())
    assert read_image(out).grid.same_space(GRID)


def test_noise_is_added_up_to_the_target_s_and_never_twice_the_same(tmp_path: Path) -> None:
    quiet, loud = gaussian(tmp_path, "a", 0.5, 3), gaussian(tmp_path, "b", 0.5, 5)
    noise = torch.randn(GRID.shape, generator=torch.Generator().manual_seed(0))
    one = read_image(harmonised(tmp_path, 40 + 3 * noise, quiet, loud)).data
    assert float(one.std()) == pytest.approx(5, rel=0.03)
    assert float(one.mean()) == pytest.approx(40, abs=0.2)
    again = read_image(harmonised(tmp_path, 40 + 3 * noise, quiet, loud)).data
    assert torch.equal(one, again)
    other = read_image(harmonised(tmp_path, 41 + 3 * noise, quiet, loud)).data
    assert float((other - one).std()) > 1
    reseeded = read_image(harmonised(tmp_path, 40 + 3 * noise, quiet, loud, more=("--seed", "1"))).data
    assert float((reseeded - one).std()) > 1


def test_the_same_quality_leaves_the_image(tmp_path: Path) -> None:
    same = gaussian(tmp_path, "a", 0.9, 3)
    out = harmonised(tmp_path, blob(1.5), same, same)
    torch.testing.assert_close(read_image(out).data, blob(1.5), rtol=0, atol=1e-5 * float(blob(1.5).max()))


def test_of_several_targets_the_common_quality_is_taken(tmp_path: Path) -> None:
    noisy, soft = gaussian(tmp_path, "a", 0.5, 5), gaussian(tmp_path, "b", 1.0, 3)
    write_nifti(tmp_path / "ct.nii.gz", blob(1.5), GRID)
    words = ["features", "harmonise", str(tmp_path / "ct.nii.gz"), str(tmp_path / "new.nii.gz")]
    assert main([*words, "--from", soft, "--to", noisy]) == 2
    assert not (tmp_path / "new.nii.gz").exists()
    assert main([*words, "--from", soft, "--to", noisy, soft]) == 0


def test_the_sidecar_says_what_was_done_and_keeps_the_unit(tmp_path: Path) -> None:
    (tmp_path / "ct.json").write_text('{"Units": "HU"}')
    out = harmonised(tmp_path, blob(1.5), gaussian(tmp_path, "a", 0.5, 3), gaussian(tmp_path, "b", 1.0, 3))
    said = json.loads((tmp_path / "new.json").read_text())
    assert out.exists()
    assert (said["Units"], said["Seed"], said["From"]["sigma"]) == ("HU", 0, 3)
    assert said["To"][0]["fwhm_mm"] == pytest.approx([TO_FWHM] * 3)
    assert list(said["Inputs"]) == ["image", "image, sidecar", "source", "target 1"]
    assert "ct.nii" not in (tmp_path / "new.json").read_text()


def test_a_measured_mtf_and_a_noise_spectrum_are_taken(tmp_path: Path, capsys) -> None:
    """An edge as a scanner of σ = 0.6 mm sees it, measured by gradatim ct mtf, brought to a Gaussian of 1 mm."""
    grid = Grid((40, 40, 8), (0.5, 0.5, 2.0))
    x, y, _ = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in grid.shape), indexing="ij")
    edge, middle = (x - 20 + 0.1 * (y - 20)) * 0.5 / math.sqrt(1.01), (x > 0) & (x < 39)
    write_nifti(tmp_path / "edge.nii.gz", (1000 * torch.special.ndtr(edge / 0.6)).float(), grid)
    write_nifti(tmp_path / "middle.nii.gz", middle, grid)
    assert main(["ct", "mtf", str(tmp_path / "edge.nii.gz"), "--edge", str(tmp_path / "middle.nii.gz"), "--json"]) == 0
    (tmp_path / "mtf.json").write_text(capsys.readouterr().out)
    nps = "nps = { frequencies = [0, 0.3, 0.8], power = [0.2, 1, 0.1] }"
    source = scanner(tmp_path, "a", f'mtf = "mtf.json"\naxial_fwhm_mm = 1.5\nsigma = 0\n{nps}')
    target = scanner(tmp_path, "b", f"fwhm_mm = [{TO_FWHM}, {TO_FWHM}, 1.5]\nsigma = 0")
    words = ["features", "harmonise", str(tmp_path / "edge.nii.gz"), str(tmp_path / "new.nii.gz")]
    assert main([*words, "--from", source, "--to", target]) == 0
    expected = 1000 * torch.special.ndtr(edge / 1.0)
    inner = (slice(4, -4), slice(4, -4), slice(None))
    assert float((read_image(tmp_path / "new.nii.gz").data - expected)[inner].abs().max()) < 10
    assert set(json.loads((tmp_path / "new.json").read_text())["Inputs"]) >= {"source", "source, MTF"}


GOOD = "fwhm_mm = [1, 1, 1]\nsigma = 3"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("fwhm_mm = [1, 1, 1]", 2, "GD-106: no sigma"),
        ("sigma = 3", 2, "GD-155: b.toml with no resolution"),
        ('fwhm_mm = [1, 1, 1]\nmtf = "m.json"\nsigma = 3', 2, "GD-155: b.toml with fwhm_mm and mtf"),
        ("fwhm_mm = [1, 1, 1]\naxial_fwhm_mm = 1\nsigma = 3", 2, "GD-155"),
        ("fwhm_mm = [1, 1]\nsigma = 3", 2, "GD-155: b.toml with 2 widths"),
        ("fwmh_mm = [1, 1, 1]\nsigma = 3", 2, "did you mean 'fwhm_mm'?"),
        ("fwhm_mm = [1, 1, -1]\nsigma = 3", 2, "GD-140"),
        ("fwhm_mm = [1, 1, 1]\nsigma = -3", 2, "GD-145"),
        ('fwhm_mm = [1, 1, "1"]\nsigma = 3', 2, "GD-106: fwhm_mm[2]"),
        ("fwhm_mm = [1, 1, 1]\nsigma = 3\nnps = { frequencies = [0, 1], power = [0, 0] }", 2, "GD-156"),
        ("fwhm_mm = [1, 1, 1]\nsigma = 3\nnps = { frequencies = [0, 1] }", 2, "GD-106: no nps.power"),
        ("fwhm_mm = [0.4, 1, 1]\nsigma = 3", 2, "GD-141"),
        ("fwhm_mm = [1, 1, 1]\nsigma = 2", 2, "GD-142"),
        ('mtf = "none.json"\naxial_fwhm_mm = 1\nsigma = 3', 3, "GD-222"),
        ('mtf = "m.json"\naxial_fwhm_mm = 1\nsigma = 3', 3, "GD-742"),
        ('mtf = "edge.json"\nsigma = 3', 2, "GD-155: b.toml with no axial"),
        ('mtf = "bead.json"\naxial_fwhm_mm = 1\nsigma = 3', 2, "GD-155: b.toml with two axial"),
        ("x = = 1", 2, "GD-105"),
    ],
)
def test_what_is_no_scanner_is_refused(text: str, code: int, said: str, tmp_path: Path, capsys) -> None:
    curve = {"frequencies": [0, 1], "values": [1, 0.1]}
    (tmp_path / "m.json").write_text('{"edge": {"frequencies": [0, 1]}}')
    (tmp_path / "edge.json").write_text(json.dumps({"edge": curve}))
    (tmp_path / "bead.json").write_text(json.dumps({"in plane": curve, "axial": curve}))
    write_nifti(tmp_path / "ct.nii.gz", blob(1.5), GRID)
    words = ["features", "harmonise", str(tmp_path / "ct.nii.gz"), str(tmp_path / "new.nii.gz")]
    source, target = scanner(tmp_path, "a", GOOD), scanner(tmp_path, "b", text)
    assert main([*words, "--from", source, "--to", target]) == code
    assert said in capsys.readouterr().err
    assert not list(tmp_path.glob("new*"))


def test_a_bead_s_two_curves_need_nothing_else(tmp_path: Path) -> None:
    curve = {"frequencies": [0, 1], "values": [1, 1]}
    (tmp_path / "bead.json").write_text(json.dumps({"in plane": curve, "axial": curve}))
    source = scanner(tmp_path, "a", 'mtf = "bead.json"\nsigma = 0')
    out = harmonised(tmp_path, blob(1.5), source, gaussian(tmp_path, "b", 1.0, 0))
    assert float(read_image(out).data.max()) == pytest.approx(float(blob(math.sqrt(1.5**2 + 1)).max()), rel=2e-3)


@pytest.mark.parametrize(
    ("out", "code", "said"),
    [
        ("new.png", 2, "GD-101"),
        ("ct.nii.gz", 2, "GD-107: the output ct.nii.gz, which is the file of: image"),
        ("ct.nii", 2, "GD-107: the output ct.json, which is the file of: image, sidecar"),
        ("nowhere/new.nii.gz", 5, "GD-504"),
    ],
)
def test_a_name_that_cannot_be_written_is_refused(out: str, code: int, said: str, tmp_path: Path, capsys) -> None:
    write_nifti(tmp_path / "ct.nii.gz", blob(1.5), GRID)
    (tmp_path / "ct.json").write_text('{"Units": "HU"}')
    before, good = (tmp_path / "ct.nii.gz").read_bytes(), scanner(tmp_path, "a", GOOD)
    words = ["features", "harmonise", str(tmp_path / "ct.nii.gz"), str(tmp_path / out), "--from", good, "--to", good]
    assert main(words) == code
    assert said in capsys.readouterr().err
    assert (tmp_path / "ct.nii.gz").read_bytes() == before


def test_the_files_on_the_page_are_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/blur-and-texture.md").read_text(encoding="utf-8")
    measured, told = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "sharp.json").write_text('{"circle": {"frequencies": [0, 0.5, 1], "values": [1, 0.4, 0.1]}}')
    sharp, soft = scanner(tmp_path, "sharp", measured), scanner(tmp_path, "soft", told)
    assert harmonised(tmp_path, blob(1.5), sharp, sharp, soft).exists()
