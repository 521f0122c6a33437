"""The XML header of an ISMRMRD file: matrix, field of view, centres of k-space, echo times."""

import math
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

from gradatim.base.errors import InputError, UnsafeInputError

_LARGEST = 1 << 16
"""The most voxels along an axis, and the largest step of k-space, that ISMRMRD's 16 bits hold."""


@dataclass(frozen=True)
class MrdHeader:
    """What a header says of its first encoding.

    Args:
        matrix: of k-space, x, y, z.
        extent: field of view of k-space, m.
        centre: steps along y and z at which k is 0.
        cartesian: whether lines lie on the grid.
        echo_times: s, one a contrast, if stated.
    """

    matrix: tuple[int, int, int]
    extent: tuple[float, float, float]
    centre: tuple[int, int]
    cartesian: bool
    echo_times: tuple[float, ...]


def mrd_header(text: str, name: str) -> MrdHeader:
    """Parse a header.

    Args:
        text: XML, in any namespace.
        name: the file's, for messages.

    Raises:
        UnsafeInputError: GD-404 if it declares a document type or entities, whatever they hold.
        InputError: GD-236 for broken XML, missing or impossible sizes.
    """
    if "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():
        raise UnsafeInputError(
            "GD-404",
            given=f"{name}: its header declares a document type or entities",
            allowed="plain XML",
            do="do not open it with other tools either; ask its sender for a clean export",
        )
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - no entities, see above
    except ElementTree.ParseError as error:
        raise broken(name, f"its header is no XML ({error})") from error
    encoding = _find(root, "encoding", name)
    space = _find(encoding, "encodedSpace", name)
    sizes = [_number(_find(_find(space, "matrixSize", name), axis, name), name) for axis in "xyz"]
    lengths = [_number(_find(_find(space, "fieldOfView_mm", name), axis, name), name) for axis in "xyz"]
    if any(n != int(n) or not 1 <= n <= _LARGEST for n in sizes) or not all(length > 0 for length in lengths):
        raise broken(name, f"a matrix of {sizes} in {lengths} mm")
    centres = [_centre(encoding, axis, int(n), name) for axis, n in zip("12", sizes[1:], strict=True)]
    stated = encoding.findtext("{*}trajectory") or ""
    times = tuple(_number(each, name) / 1e3 for each in root.findall("{*}sequenceParameters/{*}TE"))
    matrix, extent = [int(n) for n in sizes], [length / 1e3 for length in lengths]
    return MrdHeader(
        (matrix[0], matrix[1], matrix[2]),
        (extent[0], extent[1], extent[2]),
        (centres[0], centres[1]),
        stated.strip() in {"cartesian", "epi"},
        times,
    )


def broken(name: str, what: str) -> InputError:
    """That a file is not a whole ISMRMRD file."""
    return InputError(
        "GD-236",
        given=f"{name}: {what}",
        allowed="an ISMRMRD file in HDF5, with its header and acquisitions",
        do="copy or export the file again",
    )


def _find(parent: ElementTree.Element, tag: str, name: str) -> ElementTree.Element:
    found = parent.find(f"{{*}}{tag}")
    if found is None:
        raise broken(name, f"its header lacks {tag}")
    return found


def _number(element: ElementTree.Element, name: str) -> float:
    try:
        value = float(element.text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise broken(name, f"its header holds {(element.text or '')[:40]!r} where a number must stand")
    return value


def _centre(encoding: ElementTree.Element, axis: str, size: int, name: str) -> int:
    """The step at which k is 0: as stated, or the middle."""
    found = encoding.find(f"{{*}}encodingLimits/{{*}}kspace_encoding_step_{axis}/{{*}}center")
    return size // 2 if found is None else int(_number(found, name))
