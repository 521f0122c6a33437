"""What crafted and damaged TIFF files get: a code, never a traceback, another file opened or memory filled."""

import functools
import re
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile

from gradatim.base.errors import GradatimError, InputError, ResourceError, UnsafeInputError
from gradatim.io.tiff import read_tiff

save = functools.partial(tifffile.imwrite, photometric="minisblack")
STACK = np.arange(60, dtype=np.uint16).reshape(3, 4, 5)


def ome(tmp_path: Path, **metadata: object) -> Path:
    path = tmp_path / "a.ome.tif"
    save(path, STACK, metadata={"axes": "ZYX", **metadata})
    return path


def with_description(tmp_path: Path, edit) -> Path:
    """The file with its OME-XML edited."""
    original = tifffile.TiffFile(ome(tmp_path, PhysicalSizeX=0.1, PhysicalSizeY=0.1, PhysicalSizeZ=0.25))
    text = original.pages[0].description
    original.close()
    save(tmp_path / "a.ome.tif", STACK, description=edit(text).encode(), metadata=None)
    return tmp_path / "a.ome.tif"


def code_of(path: Path, **options: int) -> str:
    with pytest.raises(GradatimError) as caught:
        read_tiff(path, **options)
    assert path.name in caught.value.given
    return caught.value.code


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda t: '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;">]>' + t[t.index("<OME") :], "GD-404"),
        (lambda t: '<!DOCTYPE a SYSTEM "file:///etc/passwd">' + t[t.index("<OME") :], "GD-404"),
        (lambda t: t[:-20] + "<OME", "GD-285"),
        (lambda t: t.replace('SizeZ="3"', 'SizeZ="many"'), "GD-285"),
        (lambda t: t.replace('SizeZ="3"', 'SizeZ="4"'), "GD-282"),
        (lambda t: t.replace('SizeZ="3"', 'SizeZ="-3"'), "GD-282"),
        (lambda t: re.sub('DimensionOrder="XY', 'DimensionOrder="YX', t), "GD-282"),
        (lambda t: re.sub('PhysicalSizeX="[^"]*"', 'PhysicalSizeX="0"', t), "GD-283"),
        (lambda t: re.sub('PhysicalSizeX="[^"]*"', 'PhysicalSizeX="nan"', t), "GD-283"),
        (lambda t: re.sub('PhysicalSizeX="[^"]*"', 'PhysicalSizeX="-1"', t), "GD-283"),
        (
            lambda t: re.sub("<TiffData[^>]*/>|<TiffData.*</TiffData>", '<TiffData IFD="2" FirstZ="0"/>', t),
            "GD-282",
        ),
        (
            lambda t: re.sub(
                "<TiffData[^>]*/>|<TiffData.*</TiffData>",
                '<TiffData><UUID FileName="../secret.tif">urn:uuid:1</UUID></TiffData>',
                t,
            ),
            "GD-286",
        ),
    ],
)
def test_descriptions_that_lie_or_attack(tmp_path: Path, edit, code: str) -> None:
    assert code_of(with_description(tmp_path, edit)) == code


def test_a_description_that_is_left_alone_is_read(tmp_path: Path) -> None:
    assert read_tiff(with_description(tmp_path, lambda t: t)).grid.spacing == pytest.approx((1e-4, 1e-4, 2.5e-4))


def test_no_other_file_is_opened(tmp_path: Path) -> None:
    """A neighbour of the name that the description gives is refused, not read."""
    save(tmp_path / "b.ome.tif", STACK)
    other = '<TiffData><UUID FileName="b.ome.tif">urn:uuid:1</UUID></TiffData>'
    assert code_of(with_description(tmp_path, lambda t: re.sub("<TiffData[^>]*/>", other, t))) == "GD-286"


def test_pixel_sizes_that_contradict_one_another(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    save(
        path,
        STACK,
        resolution=(5e4, 5e4),
        resolutionunit="CENTIMETER",
        metadata={"axes": "ZYX", "PhysicalSizeX": 0.1, "PhysicalSizeY": 0.1},
    )
    assert code_of(path) == "GD-284"


def test_a_pixel_size_that_is_missing_is_refused_where_it_is_needed(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        _ = read_tiff(ome(tmp_path)).grid
    assert caught.value.code == "GD-283"


@pytest.mark.parametrize("kind", ["classic", "big"])
def test_a_circular_chain_of_directories(tmp_path: Path, kind: str) -> None:
    big = kind == "big"
    path = tmp_path / "a.tif"
    save(path, STACK, bigtiff=big, metadata=None)
    with tifffile.TiffFile(path) as file:
        offsets = [page.offset for page in file.pages]
    count, entry, link = ("<Q", 20, "<Q") if big else ("<H", 12, "<I")
    content = bytearray(path.read_bytes())
    last = offsets[-1]
    entries = struct.unpack_from(count, content, last)[0]
    struct.pack_into(link, content, last + struct.calcsize(count) + entry * entries, offsets[0])
    path.write_bytes(content)
    assert code_of(path) == "GD-281"
    struct.pack_into(link, content, last + struct.calcsize(count) + entry * entries, 10**7)
    path.write_bytes(content)
    assert code_of(path) == "GD-281"


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, compression: str | None) -> None:
    path = tmp_path / "a.tif"
    save(path, np.random.default_rng(1).integers(0, 99, (3, 20, 20)).astype(np.uint8), compression=compression)
    whole = path.read_bytes()
    for size in (0, 3, 7, 30, 200, len(whole) // 2, len(whole) - 400, len(whole) - 40):
        path.write_bytes(whole[:size])
        assert code_of(path) in {"GD-280", "GD-281"}, size


def test_noise_in_place_of_bytes_is_refused_or_read_but_never_a_traceback(tmp_path: Path) -> None:
    path = ome(tmp_path)
    whole, noise = path.read_bytes(), np.random.default_rng(2)
    for _ in range(150):
        content = bytearray(whole)
        for place in noise.integers(0, len(content), 3):
            content[place] = noise.integers(0, 256)
        path.write_bytes(content)
        try:
            read_tiff(path, budget_bytes=1 << 20)
        except GradatimError:
            continue


@pytest.mark.parametrize(("compression", "family"), [(None, ResourceError), ("zlib", UnsafeInputError)])
def test_an_image_beyond_the_budget(tmp_path: Path, compression: str | None, family: type[GradatimError]) -> None:
    path = tmp_path / "a.tif"
    save(path, np.zeros((4, 500, 500), np.uint16), compression=compression)
    with pytest.raises(family) as caught:
        read_tiff(path, budget_bytes=1_000_000)
    assert caught.value.code == ("GD-505" if family is ResourceError else "GD-401")


def test_pages_of_two_shapes(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(STACK[0], metadata=None)
        file.write(STACK[0, :2], metadata=None)
    assert code_of(path) == "GD-282"


@pytest.mark.parametrize("content", [b"", b"II*\0", b"GIF89a" + bytes(40), b"II*\0" + bytes(20), bytes(64)])
def test_other_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tif").write_bytes(content)
    assert code_of(tmp_path / "a.tif") == "GD-280"


def test_a_folder_and_a_missing_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing.tif"):
        with pytest.raises(InputError) as caught:
            read_tiff(path)
        assert caught.value.code == "GD-222"
