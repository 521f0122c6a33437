"""Stacks come back as they were written, and as other programs write them: axes, pixel sizes, types."""

import functools
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch

from gradatim.base.errors import GradatimError, UsageError
from gradatim.base.grid import Grid
from gradatim.io.tiff import read_tiff
from gradatim.io.tiff_write import write_tiff

SPACING = (1.1e-4, 1.2e-4, 3e-4)
GRID = Grid((5, 4, 3), SPACING)
save = functools.partial(tifffile.imwrite, photometric="minisblack")
STACK = np.arange(60, dtype=np.uint16).reshape(3, 4, 5)


def random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", ["a.tif", "a.tiff", "a.ome.tif", "a.ome.tiff"])
@pytest.mark.parametrize("lead", [(), (2,), (3, 2)])
def test_what_is_written_is_read(tmp_path: Path, name: str, lead: tuple[int, ...]) -> None:
    data = random(*lead, *GRID.shape)
    write_tiff(tmp_path / name, data, GRID)
    image = read_tiff(tmp_path / name)
    assert torch.equal(image.data, data)
    assert image.grid.spacing == pytest.approx(SPACING, rel=1e-6)
    assert image.stored == "float32"


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif"])
@pytest.mark.parametrize("kind", [torch.uint8, torch.uint16, torch.float32])
def test_types_are_kept(tmp_path: Path, name: str, kind: torch.dtype) -> None:
    data = (100 * random(*GRID.shape).abs()).to(kind)
    write_tiff(tmp_path / name, data, GRID)
    image = read_tiff(tmp_path / name)
    assert image.stored == str(kind).split(".")[1]
    assert torch.equal(image.data, data.float())


def test_int16_is_kept_as_ome(tmp_path: Path) -> None:
    data = (1000 * random(*GRID.shape)).to(torch.int16)
    write_tiff(tmp_path / "a.ome.tif", data, GRID)
    assert torch.equal(read_tiff(tmp_path / "a.ome.tif").data, data.float())


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif"])
def test_another_reader_sees_the_axes_and_the_pixel_size(tmp_path: Path, name: str) -> None:
    data = random(2, *GRID.shape)
    write_tiff(tmp_path / name, data, GRID)
    with tifffile.TiffFile(tmp_path / name) as file:
        series = file.series[0]
        expected = data.numpy().swapaxes(1, 3)
        if name == "a.tif":
            assert series.axes == "ZCYX"
            expected = expected.swapaxes(0, 1)
            assert file.imagej_metadata["spacing"] == 0.3
            assert file.imagej_metadata["unit"] == "micron"
        else:
            assert series.axes == "CZYX"
            pixels = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]["Pixels"]
            assert [pixels[f"PhysicalSize{axis}"] for axis in "XYZ"] == [0.11, 0.12, 0.3]
        np.testing.assert_array_equal(series.asarray(), expected)


def test_equal_stacks_give_equal_files(tmp_path: Path) -> None:
    for name in ("a.tif", "a.ome.tif"):
        contents = []
        for _ in range(2):
            write_tiff(tmp_path / name, random(*GRID.shape), GRID)
            contents.append((tmp_path / name).read_bytes())
        assert contents[0] == contents[1]


@pytest.mark.parametrize("order", ["TCZYX", "TZCYX", "CTZYX", "CZTYX", "ZTCYX", "ZCTYX"])
def test_ome_files_of_others_in_every_order(tmp_path: Path, order: str) -> None:
    sizes = {"T": 2, "C": 3, "Z": 4, "Y": 5, "X": 6}
    values = np.random.default_rng(1).integers(0, 999, [sizes[a] for a in order]).astype(np.uint16)
    physical = {f"PhysicalSize{a}": s for a, s in zip("XYZ", (0.1, 0.1, 0.25), strict=True)}
    units = {"PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm", "PhysicalSizeZUnit": "µm"}
    save(tmp_path / "a.ome.tif", values, metadata={"axes": order, **physical, **units})
    image = read_tiff(tmp_path / "a.ome.tif")
    expected = np.transpose(values, [order.index(a) for a in "TCXYZ"])
    np.testing.assert_array_equal(image.data.numpy(), expected)
    assert image.grid.spacing == pytest.approx((1e-4, 1e-4, 2.5e-4))


@pytest.mark.parametrize(
    ("unit", "mm"), [("nm", 1e-6), ("micron", 1e-3), ("um", 1e-3), ("\\u00B5m", 1e-3), ("mm", 1.0), ("pixel", None)]
)
def test_imagej_files_of_others(tmp_path: Path, unit: str, mm: float | None) -> None:
    save(
        tmp_path / "a.tif",
        STACK,
        imagej=True,
        resolution=(4, 5),
        metadata={"axes": "ZYX", "spacing": 0.5, "unit": unit},
    )
    image = read_tiff(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.data.numpy(), STACK.T)
    if mm is None:
        assert image.spacing == (None, None, None)
    else:
        assert image.grid.spacing == pytest.approx((0.25 * mm, 0.2 * mm, 0.5 * mm))


def test_a_plain_file_is_planes_along_z_without_a_size(tmp_path: Path) -> None:
    save(tmp_path / "a.tif", STACK, metadata=None)
    image = read_tiff(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.data.numpy(), STACK.T)
    with pytest.raises(GradatimError) as caught:
        _ = image.grid
    assert caught.value.code == "GD-283"


def test_a_resolution_for_printing_is_no_pixel_size(tmp_path: Path) -> None:
    save(tmp_path / "a.tif", STACK, metadata=None, resolution=(72, 72), resolutionunit="INCH")
    assert read_tiff(tmp_path / "a.tif").spacing == (None, None, None)
    save(tmp_path / "a.tif", STACK[0], metadata=None, resolution=(1e5, 1e5), resolutionunit="CENTIMETER")
    assert read_tiff(tmp_path / "a.tif").grid.spacing == pytest.approx((1e-4, 1e-4, 1e-4))


def test_packed_files(tmp_path: Path) -> None:
    save(tmp_path / "a.tif", STACK.astype(np.uint8), compression="zlib")
    np.testing.assert_array_equal(read_tiff(tmp_path / "a.tif").data.numpy(), STACK.T)


def test_big_endian_and_bigtiff_files(tmp_path: Path) -> None:
    for options in ({"byteorder": ">"}, {"bigtiff": True}, {"byteorder": ">", "bigtiff": True}):
        save(tmp_path / "a.tif", STACK, **options)
        np.testing.assert_array_equal(read_tiff(tmp_path / "a.tif").data.numpy(), STACK.T)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (np.full((2, 3, 4), 2**25 + 1, np.uint32), "GD-220"),
        (np.full((2, 3, 4), 1 / 3), "GD-220"),
        (np.zeros((2, 3, 4), np.complex64), "GD-216"),
        (np.zeros((8, 9, 3), np.uint8), "GD-216"),
        (np.full((2, 3, 4), np.nan, np.float32), "GD-217"),
    ],
)
def test_values_that_would_change_are_refused(tmp_path: Path, values: np.ndarray, code: str) -> None:
    save(tmp_path / "a.tif", values, photometric="rgb" if values.shape[-1] == 3 else "minisblack")
    with pytest.raises(GradatimError) as caught:
        read_tiff(tmp_path / "a.tif")
    assert caught.value.code == code


def test_whole_numbers_that_float32_holds_are_read(tmp_path: Path) -> None:
    save(tmp_path / "a.tif", STACK.astype(np.int32))
    assert read_tiff(tmp_path / "a.tif").stored == "int32"


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.png", torch.zeros(5, 4, 3), "GD-101"),
        ("a.tif", torch.zeros(5, 4, 3, dtype=torch.float64), "GD-101"),
        ("a.tif", torch.zeros(5, 4, 3, dtype=torch.int16), "GD-101"),
        ("a.ome.tif", torch.zeros(5, 4, 3, dtype=torch.complex64), "GD-101"),
        ("a.ome.tif", torch.zeros(4, 4, 3), "GD-103"),
        ("a.ome.tif", torch.zeros(5, 4), "GD-103"),
    ],
)
def test_what_cannot_be_written_is_refused_and_leaves_nothing(
    tmp_path: Path, name: str, data: torch.Tensor, code: str
) -> None:
    with pytest.raises(UsageError) as caught:
        write_tiff(tmp_path / name, data, GRID)
    assert caught.value.code == code
    assert list(tmp_path.iterdir()) == []


def test_the_collected_files(shared: Path) -> None:
    """Shapes and pixel sizes as their makers give them."""
    folder = shared / "data" / "learn"
    bars = read_tiff(folder / "flowdec/bars-25pct-data.tif")
    assert tuple(bars.data.shape) == (64, 64, 32)
    psf = read_tiff(folder / "flowdec/psfgen1.tif")
    assert psf.grid.spacing == pytest.approx((1e-4, 1e-4, 2.5e-4))
    worm = read_tiff(folder / "sdeconv/celegans.tif")
    assert worm.grid.spacing[:2] == pytest.approx((4.261366e-5,) * 2)
    assert read_tiff(folder / "sdeconv/pollen.tif").spacing == (None, None, None)
