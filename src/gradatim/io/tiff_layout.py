"""What the pages of a TIFF stack are: the order of their axes and the size of a pixel, from OME or ImageJ."""

import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass

from gradatim.base.errors import InputError, UnsafeInputError

MM = {
    "pm": 1e-9, "Å": 1e-7, "angstrom": 1e-7, "nm": 1e-6, "µm": 1e-3, "μm": 1e-3, "um": 1e-3, "micron": 1e-3,
    "microns": 1e-3, "micrometer": 1e-3, "\\u00B5m": 1e-3, "mm": 1.0, "cm": 10.0, "m": 1000.0, "inch": 25.4,
}  # fmt: skip
"""Unit of length → mm."""

PRINTING = 0.02
"""A pixel edge in mm above which TIFF's own resolution speaks of printing (72 dpi is 0.35 mm), not of a microscope."""

AGREEMENT = 0.01
"""Relative difference up to which two statements of the pixel size agree."""

Spacing = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class Layout:
    """How pages make a stack.

    Args:
        axes: names of the page axes, slowest first, out of T, C and Z.
        sizes: their sizes.
        spacing: voxel edges along x, y and z, mm; None where not stated.
    """

    axes: str
    sizes: tuple[int, ...]
    spacing: Spacing


def is_ome(description: str) -> bool:
    """Whether a page's description is OME-XML."""
    return description.lstrip("\ufeff \t\r\n").startswith("<") and "<OME" in description[:2000] + description[-200:]


def ome_layout(description: str, name: str) -> Layout:
    """Axes and pixel size from OME-XML.

    Raises:
        UnsafeInputError: GD-404 if the text declares a document type or entities, whatever they hold.
        InputError: GD-285 for broken XML or missing sizes, GD-286 if pixels lie in another file, GD-282 if there are
            several images or the planes are in another order than declared, GD-283 for an impossible pixel size.
    """
    if "<!DOCTYPE" in description.upper() or "<!ENTITY" in description.upper():
        raise UnsafeInputError(
            "GD-404",
            given=f"{name}: its description declares a document type or entities",
            allowed="plain OME-XML",
            do="do not open it with other tools either; ask its sender for a clean export",
        )
    try:
        root = ElementTree.fromstring(description)  # noqa: S314 - no entities, see above
        images = [each for each in root.iter() if _tag(each) == "Pixels"]
        pixels = images[0]
        order = pixels.attrib["DimensionOrder"]
        sizes = {axis: int(pixels.attrib[f"Size{axis}"]) for axis in "TCZ"}
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise InputError(
            "GD-285",
            given=f"{name}: {type(error).__name__} in its OME-XML ({error})",
            allowed="OME-XML with one Pixels element, its order and sizes",
            do="export the image again",
        ) from error
    if len(images) > 1 or sorted(order) != sorted("XYZCT") or not order.startswith("XY") or min(sizes.values()) < 1:
        raise _no_stack(name, f"{len(images)} image(s) in the order {order!r} of sizes {sizes}")
    axes = order[:1:-1]
    _refuse_other_files(pixels, name)
    _refuse_other_order(pixels, order[2:], sizes, name)
    return Layout(axes, tuple(sizes[axis] for axis in axes), _ome_spacing(pixels.attrib, name))


def _ome_spacing(attributes: Mapping[str, str], name: str) -> Spacing:
    found = []
    for axis in "XYZ":
        size, unit = attributes.get(f"PhysicalSize{axis}"), attributes.get(f"PhysicalSize{axis}Unit", "µm")
        found.append(None if size is None or unit not in MM else length(size, MM[unit], f"{name}: PhysicalSize{axis}"))
    return found[0], found[1], found[2]


def _refuse_other_files(pixels: ElementTree.Element, name: str) -> None:
    for each in pixels.iter():
        other = each.attrib.get("FileName")
        if other is not None and other != name:
            raise InputError(
                "GD-286",
                given=f"{name} says that pixels lie in {other!r}",
                allowed="an OME-TIFF file that holds all its pixels",
                do="export the image as one file",
            )


def _refuse_other_order(pixels: ElementTree.Element, order: str, sizes: dict[str, int], name: str) -> None:
    """Planes must lie as ``DimensionOrder`` says; TiffData that says otherwise is not followed but refused."""
    for each in pixels:
        if _tag(each) != "TiffData" or "IFD" not in each.attrib:
            continue
        place, stride = 0, 1
        for axis in order:
            place += stride * int(each.attrib.get(f"First{axis}", "0"))
            stride *= sizes[axis]
        if place != int(each.attrib["IFD"]):
            raise _no_stack(name, f"plane {place} of the order {order} in directory {each.attrib['IFD']}")


def imagej_spacing(metadata: Mapping[str, object], resolution: tuple[float, float], name: str) -> Spacing:
    """Pixel size of an ImageJ file: TIFF's resolution in pixels per ``unit``, ``spacing`` between slices in it."""
    unit = str(metadata.get("unit", "pixel")).strip()
    if unit not in MM:
        return None, None, None
    x, y = (length(1.0 / n, MM[unit], f"{name}: resolution") if n > 0 else None for n in resolution)
    step = metadata.get("spacing")
    return x, y, None if step is None else length(step, MM[unit], f"{name}: spacing between slices")


def length(value: object, unit: float, what: str) -> float:
    """A positive length, mm.

    Raises:
        InputError: GD-283 if it is not one.
    """
    try:
        number = float(str(value)) * unit
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise InputError(
            "GD-283", given=f"{what} is {value!r}", allowed="a positive length", do="correct the file's pixel size"
        )
    return number


def agreed(stated: Spacing, tags: Spacing, name: str) -> Spacing:
    """The stated pixel size, held against the TIFF tags where those speak of a microscope.

    Raises:
        InputError: GD-284 if they differ by more than 1 %.
    """
    for axis, one, other in zip("xyz", stated, tags, strict=True):
        if one is None or other is None:
            continue
        if abs(one - other) > AGREEMENT * one:
            raise InputError(
                "GD-284",
                given=f"{name}: {1e3 * one:g} µm along {axis} in its description, {1e3 * other:g} µm in its tags",
                allowed="one pixel size",
                do="give the true pixel size, and repair the file",
            )
    return stated


def _no_stack(name: str, what: str) -> InputError:
    return InputError(
        "GD-282",
        given=f"{name} holds {what}",
        allowed="one image whose pages lie in the order that it declares",
        do="export one image as one stack",
    )


def _tag(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]
