"""Reading NRRD images and label images (.nrrd, .nhdr), bounded before a byte is unpacked."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from gradatim.base.errors import InputError, ResourceError, UnsafeInputError
from gradatim.base.findings import Finding, Severity
from gradatim.base.grid import Grid
from gradatim.base.nouns import Regions
from gradatim.io.byte_source import ByteSource, open_source
from gradatim.io.memory import default_budget_bytes
from gradatim.io.nifti import MAX_LABEL
from gradatim.io.nrrd_header import NrrdHeader, damaged, read_nrrd_header
from gradatim.io.nrrd_space import nrrd_orientation
from gradatim.io.volume_nouns import RegionSet, Volume

_LONGEST_NUMBER = 32
"""Characters that a number and the blank behind it may take in an ascii image."""


@dataclass(frozen=True, eq=False)
class _Stored:
    values: np.ndarray
    header: NrrdHeader
    volume: Volume


def read_nrrd(path: Path | str, *, budget_bytes: int | None = None) -> Volume:
    """Read a real three-dimensional NRRD image.

    Encodings raw, gzip and ascii; the header is judged before an image byte is touched, and a gzip stream is
    counted while it inflates. A detached data file is read only from the header's own folder. Source: the
    definition of the NRRD file format (teem.sourceforge.net/nrrd/format.html).

    Args:
        path: a ``.nrrd`` or ``.nhdr`` file.
        budget_bytes: the most bytes the image may unpack to; by default an eighth of the free memory.

    Raises:
        InputError: GD-222 for a missing file; GD-287, GD-288 for its header; GD-206, GD-207 for cut or damaged
            data; GD-209, GD-211 for its geometry; GD-215, GD-216 for other shapes and kinds; GD-220 for values
            beyond float32.
        UnsafeInputError: GD-401 if it would exceed its budget; GD-430 for a data file elsewhere.
        ResourceError: GD-505 if a plain file exceeds its budget.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "two.nrrd"
        >>> head = "NRRD0004\\ntype: uchar\\ndimension: 3\\nsizes: 2 1 1\\nspacings: 1 1 3\\nencoding: ascii\\n\\n"
        >>> _ = file.write_text(head + "7 9")
        >>> image = read_nrrd(file)
        >>> image.data.flatten().tolist(), image.grid.spacing
        ([7.0, 9.0], (1.0, 1.0, 3.0))
    """
    stored = _read(Path(path), budget_bytes)
    with np.errstate(over="ignore"):
        values = stored.values.astype(np.float32)
    bad = ~np.isfinite(values)
    if stored.values.dtype.kind == "f" and int(bad.sum()) > int((~np.isfinite(stored.values)).sum()):
        raise InputError(
            "GD-220",
            given=f"{stored.header.name} holds values beyond {np.finfo(np.float32).max:.2g}",
            allowed="values that float32 can hold",
            do="store the image in a smaller unit",
        )
    notes = stored.volume.notes
    if bad.any():
        what = f"{int(bad.sum())} of {bad.size} values are not finite"
        fix = "find out what wrote them; set them to 0 outside the object"
        notes += (Finding("GD-217", Severity.WARN, stored.header.name, what, "finite values", fix),)
    return replace(stored.volume, data=torch.from_numpy(np.ascontiguousarray(values)), notes=notes)


def read_nrrd_labels(path: Path | str, *, budget_bytes: int | None = None) -> tuple[Volume, RegionSet]:
    """Read an NRRD label image, with the segments' names where 3D Slicer wrote them.

    Args:
        path: as for :func:`read_nrrd`.
        budget_bytes: as for :func:`read_nrrd`.

    Returns:
        The label image as a volume, for its geometry, and its regions.

    Raises:
        GradatimError: as :func:`read_nrrd`; GD-218 for values that are not whole numbers from 0 to 65535.
    """
    stored = _read(Path(path), budget_bytes)
    values = stored.values
    good = (values >= 0) & (values <= MAX_LABEL)
    if values.dtype.kind == "f":
        good &= values == np.rint(np.nan_to_num(values))
    if not good.all():
        raise InputError(
            "GD-218",
            given=f"{stored.header.name} holds the value {values[~good][0]:g} in {int((~good).sum())} voxel(s)",
            allowed=f"whole numbers from 0 to {MAX_LABEL}",
            do="give a label image, one whole number per voxel",
        )
    labels = torch.from_numpy(np.ascontiguousarray(values.astype(np.int32)))
    regions = Regions(labels, stored.volume.grid, _segment_names(stored.header))
    return replace(stored.volume, data=labels), RegionSet((regions,), stored.volume.notes)


def _segment_names(header: NrrdHeader) -> dict[int, str]:
    """Label → name, from the pairs ``Segment0_LabelValue`` and ``Segment0_Name`` of a segmentation."""
    names = {}
    for key, value in header.keys.items():
        found = re.fullmatch(r"(Segment\d+)_LabelValue", key)
        if found and re.fullmatch(r"\d{1,5}", value.strip()):
            name = " ".join(header.keys.get(f"{found[1]}_Name", "").split())
            names.update({int(value): name} if name else {})
    titles = list(names.values())
    return {n: f"{name} (segment {n})" if titles.count(name) > 1 else name for n, name in names.items()}


def _read(path: Path, budget_bytes: int | None) -> _Stored:
    budget = default_budget_bytes() if budget_bytes is None else budget_bytes
    with open_source(path) as source:
        header = read_nrrd_header(source)
        orientation = nrrd_orientation(header)
        _require_budget(header, budget)
        with _data_source(path, source, header) as data:
            content = _content(header, data)
            followed = header.encoding != "ascii" and data.finish()
    notes = orientation.notes
    if followed:
        what = "bytes follow the image; they are ignored"
        notes += (Finding("GD-208", Severity.WARN, header.name, what, "nothing", "write the file anew to drop them"),)
    values = content.reshape(header.shape, order="F")
    grid = Grid.from_affine(header.shape, orientation.affine)
    return _Stored(values, header, Volume(torch.empty(0), grid, orientation.oriented, "", "", notes))


@contextmanager
def _data_source(path: Path, source: ByteSource, header: NrrdHeader) -> Iterator[ByteSource]:
    """The source of the image bytes: behind the header, or in the file beside it that the header names."""
    if not header.data_file:
        yield _at_image(source, header)
        return
    with open_source(_file_beside(path, header)) as data:
        yield _at_image(data, header)


def nrrd_data_file(path: Path) -> Path | None:
    """The file that holds the image of a header of its own; None where header and image are one file.

    Args:
        path: ``.nrrd`` or ``.nhdr``.

    Raises:
        GradatimError: as :func:`read_nrrd` for its header.
    """
    with open_source(path) as source:
        header = read_nrrd_header(source)
    return _file_beside(path, header) if header.data_file else None


def _file_beside(path: Path, header: NrrdHeader) -> Path:
    if Path(header.data_file).name != header.data_file or "\\" in header.data_file or "\0" in header.data_file:
        raise UnsafeInputError(
            "GD-430",
            given=f"{header.name} names the data file {header.data_file[:80]!r}",
            allowed="a file in the header's own folder, named without a path",
            do="put both files into one folder, or save the image as one .nrrd file",
        )
    if header.data_file.split()[0] == "LIST" or "%" in header.data_file:
        raise InputError(
            "GD-288",
            given=f"{header.name} has its image in several files",
            allowed="one data file",
            do="save it as one .nrrd file",
        )
    return path.with_name(header.data_file)


def _at_image(source: ByteSource, header: NrrdHeader) -> ByteSource:
    file = source.file
    if header.encoding != "gzip":
        file.seek(header.byte_skip, 1)
    data = ByteSource(file, source.name, source.size - file.tell(), header.encoding == "gzip")
    if header.encoding == "gzip" and header.byte_skip:
        data.read(header.byte_skip)
    return data


def _require_budget(header: NrrdHeader, budget: int) -> None:
    need = header.data_bytes if header.encoding != "ascii" else header.data_bytes * _LONGEST_NUMBER
    need += header.byte_skip
    if need <= budget:
        return
    given, allowed = f"{header.name} declares {need} bytes (shape {header.shape})", f"at most {budget} bytes"
    do = "use a machine with more memory, or raise the size budget"
    if header.encoding == "raw":
        raise ResourceError("GD-505", given=given, allowed=allowed, do=do)
    raise UnsafeInputError("GD-401", given=given, allowed=allowed, do=f"if the file is trusted, {do}")


def _content(header: NrrdHeader, data: ByteSource) -> np.ndarray:
    if header.encoding == "ascii":
        return _numbers(header, data)
    if header.encoding == "raw" and data.size < header.data_bytes:
        raise _short(header, max(data.size, 0), "bytes", header.data_bytes)
    content = data.read(header.data_bytes)
    if len(content) < header.data_bytes:
        raise _short(header, len(content), "bytes", header.data_bytes)
    return np.frombuffer(content, header.dtype)


def _numbers(header: NrrdHeader, data: ByteSource) -> np.ndarray:
    count = header.data_bytes // header.dtype.itemsize
    words = bytes(data.read(count * _LONGEST_NUMBER)).replace(b",", b" ").split()
    if len(words) < count:
        raise _short(header, len(words), "numbers", count)
    if len(words) > count:
        raise damaged(f"{header.name} holds more than {count} numbers", "as many numbers as its sizes make")
    try:
        values = np.array(words, "S").astype(np.float64 if header.dtype.kind == "f" else np.int64)
        kept = values.astype(header.dtype)
    except (ValueError, OverflowError) as error:
        raise damaged(f"{header.name} holds text that is no {header.dtype.name}", "numbers of its type") from error
    if header.dtype.kind != "f" and (kept != values).any():
        raise damaged(f"{header.name} holds numbers beyond {header.dtype.name}", "numbers of its type")
    return kept


def _short(header: NrrdHeader, found: int, what: str, declared: int) -> InputError:
    return InputError(
        "GD-206",
        given=f"{header.name} holds {found} of {declared} {what} (shape {header.shape})",
        allowed="as much data as declared",
        do="copy or download the file again",
    )
