"""gradatim restore: every sub-command from file to file, what it says, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch

from gradatim.base.grid import Grid
from gradatim.cli.main import main
from gradatim.cli.restore import SUBCOMMANDS
from gradatim.io.nifti import read_image
from gradatim.io.nifti_write import write_nifti
from gradatim.io.picture import Picture, read_picture
from gradatim.io.picture_write import write_picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    random = torch.Generator().manual_seed(0)
    step = torch.full((32, 32), 60.0)
    step[8:24, 10:26] = 180.0
    region = torch.zeros(32, 32)
    region[12:18, 12:18] = 255.0
    pictures = {
        "truth": step,
        "noisy": step + 10.0 * torch.randn(32, 32, generator=random),
        "colour": step.expand(3, 32, 32) + 10.0 * torch.randn(3, 32, 32, generator=random),
        "region": region,
        "source": torch.full((32, 32), 120.0),
        "small": step[::2, ::2] + torch.randn(16, 16, generator=random),
    }
    for name, data in pictures.items():
        write_picture(tmp_path / f"{name}.png", Picture(data, 8))
    return tmp_path


def run(folder: Path, *words: str) -> int:
    return main(
        [
            "restore",
            *(str(folder / word) if word.endswith((".png", ".nii", ".jpg", ".tif")) else word for word in words),
        ]
    )


def error(folder: Path, name: str) -> float:
    return float((read_picture(folder / name).data - read_picture(folder / "truth.png").data).square().mean())


@pytest.mark.parametrize("method", ["cosine", "tv", "tgv", "wavelet"])
def test_denoise(folder: Path, method: str, capsys) -> None:
    assert run(folder, "denoise", "noisy.png", "out.png", "--method", method, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["noise"] == pytest.approx(10.0, rel=0.3)
    assert (said["weight"] is None) is (method in {"cosine", "wavelet"})
    assert error(folder, "out.png") < 0.6 * error(folder, "noisy.png")


@pytest.mark.parametrize("method", ["cosine", "tv"])
def test_colour_stays_colour(folder: Path, method: str) -> None:
    assert run(folder, "denoise", "colour.png", "out.png", "--method", method, "--noise", "10") == 0
    assert read_picture(folder / "out.png").data.shape == (3, 32, 32)


def test_what_was_decided_is_said_to_a_reader(folder: Path, capsys) -> None:
    assert run(folder, "denoise", "noisy.png", "out.png", "--method", "tv", "--noise", "10") == 0
    said = capsys.readouterr().err
    assert "noise 10" in said
    assert "λ " in said
    assert "above its minimum" in said


def test_inpaint_keeps_what_is_known(folder: Path) -> None:
    assert run(folder, "inpaint", "truth.png", "region.png", "out.png", "--method", "tv") == 0
    found, region = (read_picture(folder / f"{name}.png").data for name in ("out", "region"))
    truth = read_picture(folder / "truth.png").data
    assert torch.equal(found[region == 0], truth[region == 0])
    assert float((found - truth).abs().max()) <= 1.0


def test_deblur_sharpen_and_superres(folder: Path) -> None:
    write_picture(folder / "point.png", Picture(torch.nn.functional.pad(torch.tensor([[200.0]]), [2] * 4), 8))
    for blur in (["--gaussian", "0.3"], ["--disk", "0.5"], ["--motion", "1", "20"], ["--psf", "point.png"]):
        assert run(folder, "deblur", "noisy.png", "out.png", *blur, "--noise", "10") == 0
        assert error(folder, "out.png") < error(folder, "noisy.png")
    assert run(folder, "sharpen", "truth.png", "out.png", "--method", "unsharp", "--amount", "0") == 0
    assert error(folder, "out.png") == 0.0
    assert run(folder, "superres", "small.png", "out.png", "--noise", "1") == 0
    assert read_picture(folder / "out.png").data.shape == (32, 32)


def test_edit_takes_the_gradients_of_the_source(folder: Path) -> None:
    assert run(folder, "edit", "truth.png", "source.png", "region.png", "out.png") == 0
    assert error(folder, "out.png") < 1.0  # flat inside a flat surrounding


def test_a_volume_keeps_its_grid(tmp_path: Path) -> None:
    grid = Grid((12, 10, 8), (1.0, 1.0, 2.0))
    image = 100.0 + 5.0 * torch.randn(grid.shape, generator=torch.Generator().manual_seed(0))
    write_nifti(tmp_path / "a.nii", image, grid)
    assert run(tmp_path, "denoise", "a.nii", "b.nii", "--method", "tv") == 0
    found = read_image(tmp_path / "b.nii")
    assert found.grid.same_space(grid)
    assert float(found.data.std()) < 1.0


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (["denoise", "noisy.png", "out.png", "--method", "tw"], "GD-102", 2),
        (["denoise", "noisy.png", "out.png", "--weight", "3"], "GD-104", 2),
        (["denoise", "noisy.png", "out.png", "--noise", "-3"], "GD-101", 2),
        (["denoise", "noisy.png", "out.nii"], "GD-101", 2),
        (["denoise", "no.png", "out.png"], "GD-222", 3),
        (["deblur", "noisy.png", "out.png"], "GD-104", 2),
        (["deblur", "noisy.png", "out.png", "--disk", "2", "--gaussian", "1"], "GD-104", 2),
        (["deblur", "noisy.png", "out.png", "--psf", "colour.png"], "GD-662", 3),
        (["inpaint", "noisy.png", "small.png", "out.png"], "GD-311", 3),
        (["inpaint", "noisy.png", "source.png", "out.png"], "GD-661", 3),
        (["edit", "colour.png", "noisy.png", "region.png", "out.png"], "GD-311", 3),
        (["edit", "noisy.png", "source.png", "source.png", "out.png"], "GD-663", 3),
        (["superres", "small.png", "out.png", "--factor", "2", "2", "2"], "GD-103", 2),
        (["superres", "small.png", "out.png", "--factor", "1000000"], "GD-505", 5),
        (["deblur", "noisy.png", "out.png", "--gaussian", "5.5"], "GD-101", 2),
        (["deblur", "noisy.png", "out.png", "--disk", "1e6"], "GD-101", 2),
        (["deblur", "noisy.png", "out.png", "--motion", "inf", "0"], "GD-101", 2),
        (["deblur", "noisy.png", "out.png", "--motion", "33", "0"], "GD-101", 2),
        (["sharpen", "noisy.png", "out.png", "--width", "1e5"], "GD-101", 2),
        (["sharpen", "noisy.png", "out.png", "--width", "1e5", "--method", "unsharp"], "GD-101", 2),
    ],
)
def test_refusals_have_a_code_and_write_nothing(
    folder: Path, words: list[str], code: str, exit_code: int, capsys
) -> None:
    assert run(folder, *words) == exit_code
    assert code in capsys.readouterr().err
    assert not (folder / "out.png").exists()
    assert not (folder / "out.nii").exists()


@pytest.mark.parametrize(
    ("given", "out", "code", "exit_code"),
    [
        ("noisy.png", "nodir/out.png", "GD-504", 5),
        ("noisy.png", "folder.png", "GD-504", 5),
        ("deep.png", "out.jpg", "GD-101", 2),
        ("vol.nii", "OUT.NII.GZ", "GD-101", 2),
        ("vol.nii", "nodir/out.nii", "GD-504", 5),
        ("stack.tif", "OUT.TIF", "GD-101", 2),
    ],
)
def test_a_name_that_cannot_be_written_is_refused_before_the_work(
    folder: Path, given: str, out: str, code: str, exit_code: int, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    (folder / "folder.png").mkdir()
    write_picture(folder / "deep.png", Picture(torch.full((32, 32), 4000.0), 16))
    write_nifti(folder / "vol.nii", torch.rand(8, 8, 8), Grid((8, 8, 8), (1.0, 1.0, 1.0)))
    tifffile.imwrite(folder / "stack.tif", np.ones((8, 8), np.float32), photometric="minisblack", metadata=None)

    def work(*_: object) -> None:
        raise AssertionError("it was worked on")

    monkeypatch.setattr("gradatim.restore.denoise.Denoising.__call__", work)
    assert main(["restore", "denoise", str(folder / given), str(folder / out)]) == exit_code
    assert code in capsys.readouterr().err


@pytest.mark.parametrize("word", SUBCOMMANDS)
def test_every_sub_command_explains_itself(word: str, capsys) -> None:
    with pytest.raises(SystemExit) as end:
        main(["restore", word, "--help"])
    assert end.value.code == 0
    assert "OUT" in capsys.readouterr().out


def test_a_flat_tiff_is_restored_as_the_picture_of_it_is(folder: Path) -> None:
    """Rows are rows in both: the angle of a movement, a kernel and a mask that are drawn as pictures mean the same."""
    noisy = read_picture(folder / "noisy.png").data[:, :26].contiguous()
    region, line = torch.zeros(32, 26), torch.zeros(5, 5)
    region[12:18, 4:20] = 255.0
    line[:, 2] = 200.0
    for name, data in {"wide": noisy, "hole": region, "line": line}.items():
        write_picture(folder / f"{name}.png", Picture(data, 8))
    tifffile.imwrite(folder / "wide.tif", noisy.numpy(), photometric="minisblack", metadata=None)
    ways = [
        ("deblur", [], ["--motion", "5", "60", "--noise", "10"]),
        ("deblur", [], ["--psf", "line.png", "--noise", "10"]),
        ("inpaint", ["hole.png"], ["--method", "tv"]),
        ("superres", [], ["--factor", "2", "1", "--noise", "10"]),
    ]
    for way, more, options in ways:
        assert run(folder, way, "wide.png", *more, "out.png", *options) == 0
        assert run(folder, way, "wide.tif", *more, "out.tif", *options) == 0
        found = torch.from_numpy(tifffile.imread(folder / "out.tif"))
        shown = read_picture(folder / "out.png").data
        assert found.shape == shown.shape
        assert float((found.round().clamp(0, 255) - shown).abs().max()) <= 1.0


def test_unsharp_claims_no_noise(folder: Path, capsys) -> None:
    assert run(folder, "sharpen", "noisy.png", "out.png", "--method", "unsharp") == 0
    assert "known pixels kept" not in capsys.readouterr().err
    assert run(folder, "sharpen", "noisy.png", "out.png", "--method", "unsharp", "--noise", "10") == 2
    assert "GD-104" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says", "not_says"),
    [
        (["sharpen", "noisy.png", "out.png", "--width", "0"], "in pixels", "to have it found"),
        (["sharpen", "noisy.png", "out.png", "--width", "0", "--method", "unsharp"], "in pixels", "to have it found"),
        (["sharpen", "noisy.png", "out.png", "--amount", "2"], "--method unsharp", "to have it found"),
        (["inpaint", "noisy.png", "region.png", "out.png", "--noise", "-1"], "give 0", "to have it found"),
        (["deblur", "vol.nii", "out.nii", "--disk", "2"], "--gaussian or --psf", "give spacing"),
        (["deblur", "vol.nii", "out.nii", "--motion", "2", "0"], "--gaussian or --psf", "give spacing"),
        (["denoise", "half.tif", "out.tif"], "along z", "yourself"),
        (["denoise", "holes.nii", "out.nii"], "by inpainting, with a mask", "Inpainting"),
    ],
)
def test_the_cure_that_a_refusal_names_is_one_that_can_be_taken(
    folder: Path, words: list[str], says: str, not_says: str, capsys
) -> None:
    volume = torch.rand(8, 8, 8, generator=torch.Generator().manual_seed(0))
    write_nifti(folder / "vol.nii", volume, Grid((8, 8, 8), (1.0, 1.0, 1.0)))
    volume[2, 2, 2] = torch.nan
    write_nifti(folder / "holes.nii", volume, Grid((8, 8, 8), (1.0, 1.0, 1.0)))
    tifffile.imwrite(folder / "half.tif", np.ones((3, 8, 8), np.float32), imagej=True, resolution=(10, 10),
                     metadata={"axes": "ZYX", "unit": "um"})  # fmt: skip
    assert run(folder, *words) in (2, 3)
    said = capsys.readouterr().err
    assert says in said
    assert not_says not in said


def test_a_mask_that_lies_elsewhere_in_space_is_refused(folder: Path, capsys) -> None:
    here = Grid((8, 8, 8), (1.0, 1.0, 1.0))
    there = Grid.from_affine((8, 8, 8), here.matrix + np.eye(4)[:, :1] @ np.eye(4)[3:] * 5.0)
    mask = torch.zeros(8, 8, 8)
    mask[2:4, 2:4, 2:4] = 1.0
    write_nifti(folder / "a.nii", torch.rand(8, 8, 8), here)
    write_nifti(folder / "mask.nii", mask, there)
    assert run(folder, "inpaint", "a.nii", "mask.nii", "out.nii", "--method", "tv") == 3
    assert "GD-311" in capsys.readouterr().err
    write_nifti(folder / "mask.nii", mask, here)
    assert run(folder, "inpaint", "a.nii", "mask.nii", "out.nii", "--method", "tv") == 0
