"""gradatim restore deconvolve: from file to file, with a PSF or with the microscope's numbers."""

import json
from pathlib import Path

import pytest
import torch

from gradatim.base.grid import Grid
from gradatim.cli.main import main
from gradatim.io.tiff import read_tiff
from gradatim.io.tiff_write import write_tiff
from gradatim.restore.microscopy.born_wolf import BornWolf
from gradatim.restore.microscopy.field_blur import FieldBlur
from gradatim.restore.microscopy.total_variation import TotalVariationDeconvolution
from gradatim.solve.stopping import IterationBound

GRID = Grid((32, 30, 12), (1e-4, 1e-4, 2.5e-4))
PSF_GRID = Grid((15, 15, 9), GRID.spacing)
NUMBERS = ["--na", "1.2", "--wavelength-nm", "550"]


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """Beads through a microscope, photons of 2 camera units each over an offset of 100."""
    psf = BornWolf(1.2, 550e-9)(PSF_GRID)
    truth = torch.zeros(GRID.shape, dtype=torch.float64)
    truth[10, 12, 6], truth[22, 20, 4] = 2e4, 1e4
    seed = torch.Generator().manual_seed(1)
    photons = torch.poisson(FieldBlur.periodic(psf, GRID.shape).apply(truth).clamp_min(0) + 3.0, generator=seed)
    write_tiff(tmp_path / "stack.ome.tif", (2.0 * photons + 100.0).float(), GRID)
    write_tiff(tmp_path / "psf.tif", psf.float(), PSF_GRID)
    return tmp_path


def words(folder: Path, out: str, *options: str) -> list[str]:
    return ["restore", "deconvolve", str(folder / "stack.ome.tif"), str(folder / out), *options]


@pytest.mark.parametrize("psf", ["file", "numbers"])
def test_beads_become_brighter_and_keep_their_place(stack: Path, psf: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--psf", str(stack / "psf.tif")] if psf == "file" else NUMBERS
    options = [*given, "--background", "106", "--gain", "2", "--iterations", "30", "--json"]
    assert main(words(stack, "out.ome.tif", *options)) == 0
    said = json.loads(capsys.readouterr().out)
    before, after = read_tiff(stack / "stack.ome.tif"), read_tiff(stack / "out.ome.tif")
    assert after.grid.spacing == before.grid.spacing
    assert after.stored == "float32"
    assert float(after.data[10, 12, 6]) == float(after.data.max()) > 5 * float(before.data.max() - 106)
    assert said["images"][0]["iterations"] == 30
    assert said["gain"] == 2
    assert said["gain_from_noise"] is False


def test_it_stops_at_the_noise_and_says_so(stack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = torch.full(GRID.shape, 5.0, dtype=torch.float64)
    truth[8:20, 10:22, 3:9] = 40.0
    psf, seed = BornWolf(1.2, 550e-9)(PSF_GRID), torch.Generator().manual_seed(2)
    photons = torch.poisson(FieldBlur.periodic(psf, GRID.shape).apply(truth), generator=seed)
    write_tiff(stack / "stack.ome.tif", (2.0 * photons + 100.0).float(), GRID)
    options = ["--psf", str(stack / "psf.tif"), "--gain", "2", "--background", "100"]
    assert main(words(stack, "out.tif", *options)) == 0
    talk = capsys.readouterr().err
    assert "the misfit reached the level of the noise" in talk
    assert "2 units a photon, taken as given" in talk
    assert (stack / "out.tif").is_file()


def test_total_variation_and_a_depth(stack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--tv", "0.01", "--iterations", "10", "--depth-um", "1", "--gain", "2", "--background", "106", "--json"]
    assert main(words(stack, "out.tif", *NUMBERS, *options)) == 0
    assert json.loads(capsys.readouterr().out)["images"][0]["iterations"] == 10


def test_total_variation_counts_steps_by_the_voxels_edges(stack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file's result is that of the method with the edges 1, 1, 2.5, in the ratio that the stack states."""
    options = ["--tv", "0.05", "--iterations", "10", "--psf", str(stack / "psf.tif"), "--gain", "2"]
    assert main(words(stack, "out.tif", *options, "--background", "106")) == 0
    said = capsys.readouterr().err
    assert "10 iterations, the bound on iterations was reached" in said
    assert "% above its minimum" in said
    assert "cubes" not in said
    photons = ((read_tiff(stack / "stack.ome.tif").data - 106.0) / 2.0).clamp_min(0)
    method = TotalVariationDeconvolution(0.05, IterationBound(10))
    psf = read_tiff(stack / "psf.tif").data
    found = read_tiff(stack / "out.tif").data
    scaled, cubes = (
        2.0 * method(photons, psf=psf, spacing=edges).value for edges in ((1.0, 1.0, 2.5), (1.0, 1.0, 1.0))
    )
    assert float((found - scaled).norm() / scaled.norm()) < 1e-4
    assert float((found - cubes).norm() / cubes.norm()) > 1e-3
    write_tiff(stack / "stack.ome.tif", read_tiff(stack / "stack.ome.tif").data, None)
    assert main(words(stack, "out.tif", *options, "--background", "106")) == 0
    assert "cubes" in capsys.readouterr().err


@pytest.mark.parametrize("gain", [2.0, 0.2])
def test_a_gain_that_does_not_explain_the_noise_is_warned_of(
    stack: Path, gain: float, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a tenth of the true gain the same noise is √10 times that of photons, whatever the object."""
    options = ["--psf", str(stack / "psf.tif"), "--background", "100", "--gain", str(gain)]
    wrong = gain != 2.0
    assert main(words(stack, "out.tif", *options)) == 0
    assert ("gain, background or PSF do not explain the data" in capsys.readouterr().err) is wrong
    assert main(words(stack, "out.tif", *options, "--json")) == 0
    (record,) = json.loads(capsys.readouterr().out)["images"]
    assert record["unexplained"] is wrong
    assert (record["misfit"] > 1.5) is wrong


def test_channels_are_deconvolved_one_by_one(stack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = read_tiff(stack / "stack.ome.tif").data
    write_tiff(stack / "stack.ome.tif", torch.stack([one, one.flip(0)]), GRID)
    options = ["--psf", str(stack / "psf.tif"), "--gain", "2", "--background", "106", "--iterations", "3", "--json"]
    assert main(words(stack, "out.ome.tif", *options)) == 0
    assert len(json.loads(capsys.readouterr().out)["images"]) == 2
    found = read_tiff(stack / "out.ome.tif").data
    assert found.shape == (2, *GRID.shape)
    assert not torch.equal(found[0], found[1])


def test_no_pixel_size_is_made_up(stack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = read_tiff(stack / "stack.ome.tif").data
    write_tiff(stack / "stack.ome.tif", data, None)
    options = ["--psf", str(stack / "psf.tif"), "--gain", "2", "--background", "106", "--iterations", "2"]
    assert main(words(stack, "out.tif", *options)) == 0
    assert read_tiff(stack / "out.tif").spacing == (None, None, None)
    below = int((data < 106).sum())
    assert f"{below} values below 0 photons set to 0" in capsys.readouterr().err
    assert main(words(stack, "out.tif", *NUMBERS, *options[2:])) == 3
    assert "GD-283" in capsys.readouterr().err


def test_a_single_plane(stack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plane = read_tiff(stack / "stack.ome.tif").data[..., 6:7].contiguous()
    write_tiff(stack / "stack.ome.tif", plane, Grid((32, 30, 1), GRID.spacing))
    assert main(words(stack, "out.tif", *NUMBERS, "--gain", "2", "--background", "106", "--iterations", "5")) == 0
    assert tuple(read_tiff(stack / "out.tif").data.shape) == (32, 30, 1)
    capsys.readouterr()


@pytest.mark.parametrize(
    ("options", "code", "exit_code"),
    [
        ([], "GD-104", 2),
        ([*NUMBERS, "--psf", "PSF"], "GD-104", 2),
        (["--na", "1.2"], "GD-104", 2),
        (["--na", "1.6", "--wavelength-nm", "550"], "GD-101", 2),
        (["--na", "1.2", "--wavelength-nm", "0.55"], "GD-101", 2),
        ([*NUMBERS, "--gain", "0"], "GD-101", 2),
        ([*NUMBERS, "--iterations", "0"], "GD-101", 2),
        (["--psf", "stack.ome.tif.missing"], "GD-222", 3),
    ],
)
def test_refusals(
    stack: Path, options: list[str], code: str, exit_code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(stack / "psf.tif") if word == "PSF" else word for word in options]
    assert main(words(stack, "out.tif", *given)) == exit_code
    assert code in capsys.readouterr().err
    assert not (stack / "out.tif").exists()


@pytest.mark.parametrize(("out", "code", "exit_code"), [("out.png", "GD-101", 2), ("nodir/out.tif", "GD-504", 5)])
def test_a_name_that_cannot_be_written_is_refused_before_the_work(
    stack: Path, out: str, code: str, exit_code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Even before the stack is read, so that the name is what is complained of, not the missing file."""
    (stack / "stack.ome.tif").unlink()
    assert main(words(stack, out, "--psf", str(stack / "psf.tif"))) == exit_code
    assert code in capsys.readouterr().err


def test_without_a_pixel_size_numbers_do_not_make_a_psf(stack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import tifffile

    values = read_tiff(stack / "stack.ome.tif").data.numpy().T
    tifffile.imwrite(stack / "stack.ome.tif", values, metadata=None, photometric="minisblack")
    assert main(words(stack, "out.tif", *NUMBERS, "--gain", "2")) == 3
    said = capsys.readouterr().err
    assert "GD-283" in said
    assert "--pixel-um" in said
    options = [*NUMBERS, "--gain", "2", "--pixel-um", "0.1", "0.1", "0.25", "--iterations", "2"]
    assert main(words(stack, "out.tif", *options)) == 0
    assert read_tiff(stack / "out.tif").grid.spacing == pytest.approx(GRID.spacing)
