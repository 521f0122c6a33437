"""Pictures keep their numbers, their bit depth and their opacity from reading to writing."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gradatim.base.errors import InputError, UsageError
from gradatim.io.picture import Picture, read_picture
from gradatim.io.picture_write import write_picture


def random(shape: tuple[int, ...], top: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, top + 1, shape, generator=torch.Generator().manual_seed(seed)).float()


@pytest.mark.parametrize(("shape", "bits"), [((5, 7), 8), ((5, 7), 16), ((3, 5, 7), 8), ((1, 1), 8)])
def test_what_is_written_is_read(tmp_path: Path, shape: tuple[int, ...], bits: int) -> None:
    data = random(shape, (1 << bits) - 1)
    assert write_picture(tmp_path / "a.png", Picture(data, bits)) == ()
    found = read_picture(tmp_path / "a.png")
    assert torch.equal(found.data, data)
    assert (found.bits, found.alpha, found.notes) == (bits, None, ())


@pytest.mark.parametrize("colour", [(), (3,)])
def test_opacity_passes_through(tmp_path: Path, colour: tuple[int, ...]) -> None:
    data, alpha = random((*colour, 6, 4), 255), random((6, 4), 255, seed=1)
    write_picture(tmp_path / "a.png", Picture(data, 8, alpha))
    found = read_picture(tmp_path / "a.png")
    assert found.alpha is not None
    assert torch.equal(found.alpha, alpha)
    assert torch.equal(found.data, data)


def test_a_colour_profile_passes_through(tmp_path: Path) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    write_picture(tmp_path / "a.png", Picture(random((3, 4, 4), 255), 8, profile=profile))
    assert read_picture(tmp_path / "a.png").profile == profile


def test_the_decoder_agrees_with_another_reader(tmp_path: Path) -> None:
    from skimage import data

    for name in ("camera", "astronaut"):
        wanted = getattr(data, name)()
        Image.fromarray(wanted).save(tmp_path / f"{name}.png")
        found = read_picture(tmp_path / f"{name}.png").data.numpy()
        assert np.array_equal(found if wanted.ndim == 2 else found.transpose(1, 2, 0), wanted)


def test_values_that_do_not_fit_are_counted(tmp_path: Path) -> None:
    data = torch.tensor([[-3.0, 0.0, 255.4], [255.6, 300.0, 17.5]])
    (note,) = write_picture(tmp_path / "a.png", Picture(data, 8))
    assert note.code == "GD-273"
    assert note.what.startswith("3 of 6 values")
    assert read_picture(tmp_path / "a.png").data.tolist() == [[0.0, 0.0, 255.0], [255.0, 255.0, 18.0]]


def test_jpeg_says_that_it_changes_values(tmp_path: Path) -> None:
    smooth = torch.linspace(20, 220, 64).repeat(64, 1)
    (note,) = write_picture(tmp_path / "a.jpg", Picture(smooth, 8))
    assert note.code == "GD-277"
    found = read_picture(tmp_path / "a.jpg")
    assert found.notes == ()
    assert float((found.data - smooth).abs().mean()) < 1.0


def test_a_palette_becomes_its_colours(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1], [2, 0]], np.uint8), mode=None).convert("P")
    image.putpalette([10, 20, 30, 200, 100, 50, 7, 8, 9])
    image.putdata([0, 1, 2, 0])
    image.save(tmp_path / "p.png")
    found = read_picture(tmp_path / "p.png")
    assert found.data[:, 0, 1].tolist() == [200.0, 100.0, 50.0]
    assert [note.code for note in found.notes] == ["GD-274"]


def test_black_and_white_becomes_two_greys(tmp_path: Path) -> None:
    Image.fromarray(np.array([[True, False]])).save(tmp_path / "b.png")
    found = read_picture(tmp_path / "b.png")
    assert found.data.tolist() == [[255.0, 0.0]]
    assert [note.code for note in found.notes] == ["GD-274"]


def test_a_turned_photograph_is_turned(tmp_path: Path) -> None:
    image = Image.fromarray(np.tile(np.arange(0, 240, 10, np.uint8), (8, 1)))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "t.jpg", exif=exif)
    found = read_picture(tmp_path / "t.jpg")
    assert tuple(found.data.shape) == (24, 8)
    assert [note.code for note in found.notes] == ["GD-274"]


def test_the_content_decides_and_a_wrong_ending_is_said(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", Picture(random((4, 4), 255), 8))
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert [note.code for note in read_picture(tmp_path / "a.jpg").notes] == ["GD-275"]


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        ("a.gif", Picture(torch.zeros(2, 2), 8)),
        ("a.jpg", Picture(torch.zeros(2, 2), 16)),
        ("a.png", Picture(torch.zeros(3, 2, 2), 16)),
        ("a.png", Picture(torch.zeros(2, 2, 2), 8)),
        ("a.png", Picture(torch.zeros(2, 2), 12)),
    ],
)
def test_what_no_file_can_hold_is_refused_before_it_is_written(tmp_path: Path, name: str, picture: Picture) -> None:
    with pytest.raises(UsageError, match="GD-10"):
        write_picture(tmp_path / name, picture)
    assert list(tmp_path.iterdir()) == []


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="GD-217"):
        write_picture(tmp_path / "a.png", Picture(torch.tensor([[float("nan")]]), 8))
    assert list(tmp_path.iterdir()) == []
