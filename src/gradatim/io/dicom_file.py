"""Opening one DICOM file that comes from a stranger: bounded before it is unpacked."""

from pathlib import Path
from typing import Any

import numpy as np

from gradatim.base.errors import ResourceError, UnsafeInputError
from gradatim.base.optional import pydicom, pydicom_pixels
from gradatim.io.byte_source import open_source
from gradatim.io.dicom_elements import damaged, decoding, unread, whole
from gradatim.io.memory import default_budget_bytes

_DEFLATED = "1.2.840.10008.1.2.1.99"


def is_dicom(path: Path) -> bool:
    """Whether a regular file carries DICOM's mark behind its preamble of 128 bytes.

    Args:
        path: any path; nothing is read from a pipe or a device.

    Example:
        >>> is_dicom(Path("no such file"))
        False
    """
    if not path.is_file():
        return False
    with open_source(path) as source:
        return source.file.read(132)[128:] == b"DICM"


def read_dataset(path: Path, *, pixels: bool, budget_bytes: int | None = None) -> Any:
    """The data elements of one file.

    Args:
        path: a DICOM file with preamble and file meta information (PS3.10).
        pixels: whether the pixel data is wanted too.
        budget_bytes: the largest file that is read; by default an eighth of the free memory.

    Returns:
        A ``pydicom.Dataset``.

    Raises:
        InputError: GD-222 for a missing file; GD-289 for one that is no DICOM file, or damaged.
        UnsafeInputError: GD-432 for a deflated data set.
        ResourceError: GD-501 if pydicom is not installed; GD-505 for a file beyond the budget.
    """
    library = pydicom()
    budget = default_budget_bytes() if budget_bytes is None else budget_bytes
    with open_source(path) as source:
        if pixels and source.size > budget:
            given, do = f"{path.name} holds {source.size} bytes", "use a machine with more memory"
            raise ResourceError("GD-505", given=given, allowed=f"at most {budget} bytes", do=do)
        if source.file.read(132)[128:] != b"DICM":
            raise damaged(path.name, "it lacks the preamble and the mark DICM")
        source.file.seek(0)
        with decoding(path.name):
            meta = library.filereader.read_file_meta_info(path)
            if meta.TransferSyntaxUID == _DEFLATED:
                raise UnsafeInputError(
                    "GD-432",
                    given=f"{path.name} is deflated as a whole",
                    allowed="a data set that is not deflated; its pixels may be compressed",
                    do="convert it first, e.g. with dcmconv --write-xfer-little",
                )
            return library.dcmread(source.file, stop_before_pixels=not pixels)


def pixel_array(dataset: Any, *, name: str, budget_bytes: int | None = None) -> np.ndarray:
    """Stored values of all frames, (frame, row, column); the declared size is checked before anything is unpacked.

    Args:
        dataset: with its pixel data.
        name: how messages call the file.
        budget_bytes: the most bytes the frames may unpack to; by default an eighth of the free memory.

    Raises:
        InputError: GD-289 for pixels that are cut or damaged; GD-295 for colour.
        UnsafeInputError: GD-401 if they would exceed the budget.
        ResourceError: GD-501 if a decoder is not installed.
    """
    budget = default_budget_bytes() if budget_bytes is None else budget_bytes
    rows, columns, frames = (whole(dataset, key, name, default=1) for key in ("Rows", "Columns", "NumberOfFrames"))
    samples, bits = whole(dataset, "SamplesPerPixel", name, default=1), whole(dataset, "BitsAllocated", name)
    if samples != 1:
        raise unread(name, f"{samples} samples per pixel", "one value per pixel")
    need = rows * columns * frames * max(bits // 8, 1)
    if need > budget:
        raise UnsafeInputError(
            "GD-401",
            given=f"{name} declares {need} bytes of pixels",
            allowed=f"at most {budget} bytes",
            do="if the file is trusted, use a machine with more memory",
        )
    with decoding(name):
        syntax = dataset.file_meta.TransferSyntaxUID
        if syntax.is_compressed:
            _require_decoder(syntax, name)
        values = np.asarray(dataset.pixel_array)
    if values.size != rows * columns * frames:
        raise damaged(name, f"its pixels make an array of {values.shape}, not {(frames, rows, columns)}")
    return values.reshape(frames, rows, columns)


def _require_decoder(syntax: Any, name: str) -> None:
    try:
        decoder = pydicom_pixels().get_decoder(syntax)
        available = decoder.is_available
    except NotImplementedError:
        available = False
    if not available:
        raise ResourceError(
            "GD-501",
            given=f"{name} has pixels compressed as {syntax.name}, for which no decoder is installed",
            allowed="pixels that an installed decoder unpacks",
            do="run: pip install python-gdcm, or write the series uncompressed, e.g. with dcmdjpeg or dcmdjpls",
        )
