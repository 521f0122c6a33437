"""gradatim ct: the library's numbers on the command line, and what it refuses."""

import json
from pathlib import Path

import pytest
import torch

from gradatim.base.grid import Grid
from gradatim.cli.main import main
from gradatim.io.nifti import read_image
from gradatim.io.nifti_write import write_nifti

GRID = Grid((40, 40, 8), (0.5, 0.5, 2.0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Water and air as a scanner with a drift of 0.5 % sees them, an edge between them, and a wire."""
    x, y, z = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in GRID.shape), indexing="ij")
    step = torch.special.ndtr((x - 20 + 0.1 * (y - 20)) * 0.5 / 0.6)
    noise = torch.randn(GRID.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    wire = torch.exp(-0.5 * ((x - 20.3) ** 2 + (y - 19.8) ** 2) * 0.25 / 0.36)
    water, air, middle = x >= 27, x <= 13, (x > 0) & (x < 39)
    bead = wire * torch.exp(-0.5 * ((z - 3.6) * 2.0 / 2.5) ** 2)
    files = {
        "ct": -1000 + (1000 - 5 / 1.005) * step + 2 * noise,
        "wire": 1000 * wire + noise,
        "bead": 1000 * bead + 0.1 * noise,
        "water": water,
        "air": air,
        "middle": middle,
    }
    for name, values in files.items():
        write_nifti(tmp_path / f"{name}.nii.gz", values if values.dtype == torch.bool else values.float(), GRID)
    return tmp_path


def words(folder: Path, *rest: str) -> list[str]:
    return ["ct", *(str(folder / part[1:]) if part.startswith("@") else part for part in rest)]


CALIBRATE = ("calibrate", "@ct.nii.gz", "--water", "@water.nii.gz", "--air", "@air.nii.gz", "--out", "@new.nii.gz")


def test_the_corrected_image_has_water_at_zero_and_air_at_minus_a_thousand(folder: Path, capsys) -> None:
    assert main([*words(folder, *CALIBRATE), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["drift"] == pytest.approx(0.005, abs=4 * found["slope_error"])
    assert found["slope_error"] < 2e-4
    assert found["doubts"] == []
    image = read_image(folder / "new.nii.gz")
    assert float(image.data[27:].mean()) == pytest.approx(0, abs=1e-2)
    assert float(image.data[:14].mean()) == pytest.approx(-1000, abs=1e-2)
    assert image.grid.same_space(GRID)


def test_lines_for_a_reader_and_a_warning_where_the_scale_is_doubtful(folder: Path, capsys) -> None:
    shifted = read_image(folder / "ct.nii.gz").data + 1024
    write_nifti(folder / "ct.nii.gz", shifted, GRID)
    assert main(words(folder, *CALIBRATE)) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[0].startswith("slope ")
    for code in ("GD-719", "GD-721"):
        assert code in captured.err


def test_swapped_regions_are_bad_input_and_nothing_is_written(folder: Path, capsys) -> None:
    swapped = ("calibrate", "@ct.nii.gz", "--water", "@air.nii.gz", "--air", "@water.nii.gz", "--out", "@new.nii.gz")
    assert main(words(folder, *swapped)) == 3
    assert "GD-719" in capsys.readouterr().err
    assert not (folder / "new.nii.gz").exists()


@pytest.mark.parametrize(("way", "image"), [("edge", "ct"), ("wire", "wire")])
def test_mtf_prints_its_frequencies_and_draws(way: str, image: str, folder: Path, capsys) -> None:
    line = words(folder, "mtf", f"@{image}.nii.gz", f"--{way}", "@middle.nii.gz", "--picture", "@curve.svg", "--json")
    assert main(line) == 0
    (curve,) = json.loads(capsys.readouterr().out).values()
    # σ = 0.6 mm; the edge's own normal shortens it by 1/√1.01
    assert curve["mtf50"] == pytest.approx(0.18739 / 0.6, rel=0.01)
    assert curve["mtf50_error"] < 0.01
    assert len(curve["frequencies"]) == len(curve["values"]) == len(curve["errors"])
    assert b"<svg" in (folder / "curve.svg").read_bytes()


def test_a_bead_has_two_curves(folder: Path, capsys) -> None:
    assert main(words(folder, "mtf", "@bead.nii.gz", "--bead", "@middle.nii.gz")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("MTF")[0].strip() for line in lines] == ["in plane", "in plane", "axial", "axial"]
    assert float(lines[2].split()[2]) == pytest.approx(0.18739 / 2.5, rel=0.05)


def test_no_region_and_two_regions_are_wrong_usage(folder: Path, capsys) -> None:
    assert main(words(folder, "mtf", "@ct.nii.gz")) == 2
    two = ("mtf", "@ct.nii.gz", "--edge", "@middle.nii.gz", "--wire", "@middle.nii.gz")
    assert main(words(folder, *two)) == 2
    assert "GD-104" in capsys.readouterr().err


def test_a_mask_on_another_grid_is_refused(folder: Path, capsys) -> None:
    mask = torch.zeros(40, 40, 7, dtype=torch.bool)
    mask[10:30] = True
    write_nifti(folder / "middle.nii.gz", mask, Grid((40, 40, 7), (0.5, 0.5, 2.0)))
    assert main(words(folder, "mtf", "@ct.nii.gz", "--edge", "@middle.nii.gz")) == 3
    assert "GD-311" in capsys.readouterr().err


@pytest.mark.parametrize("taken", ["@ct.nii.gz", "@water.nii.gz", "@air.nii.gz"])
def test_an_input_is_never_written_over(taken: str, folder: Path, capsys) -> None:
    before = (folder / taken[1:]).read_bytes()
    assert main(words(folder, *CALIBRATE[:-1], taken)) == 2
    assert "GD-107" in capsys.readouterr().err
    assert (folder / taken[1:]).read_bytes() == before


def test_a_picture_has_a_place_before_anything_is_measured(folder: Path, capsys) -> None:
    rest = ["mtf", "@ct.nii.gz", "--edge", "@middle.nii.gz", "--picture"]
    assert main(words(folder, *rest, "@ct.nii.gz")) == 2
    assert main(words(folder, *rest, "@none/mtf.svg")) == 5
    said = capsys.readouterr()
    assert "GD-107" in said.err
    assert "GD-504" in said.err
    assert not said.out
