"""Writing pictures, PNG and JPEG: whole or not at all; what does not fit the bit depth is counted, never hidden."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.findings import Finding, Severity
from gradatim.io.atomic import atomic_file
from gradatim.io.picture import ENDINGS, Picture

JPEG_QUALITY = 95
"""Of 100; a JPEG changes the values by about one grey level even so."""


def write_picture(path: Path | str, picture: Picture) -> tuple[Finding, ...]:
    """Write a picture as PNG or JPEG, after the file's ending.

    Values are rounded to whole numbers, which is what such files hold. Those outside of 0 … 2^bits − 1 are set to the
    nearest that fits, and the finding GD-273 says how many and how far.

    Args:
        path: final name, ending in ``.png``, ``.jpg`` or ``.jpeg``; its folder must exist.
        picture: grey or colour; 16 bits only for grey PNG.

    Returns:
        What was lost: GD-273 (values clipped), GD-277 (opacity or exact values that JPEG cannot keep).

    Raises:
        UsageError: GD-101 for another ending, or a bit depth that the format cannot hold; GD-103 for other shapes.
        InputError: GD-217 if values are not finite.
        ResourceError: GD-502 to GD-504 if the file cannot be written.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "a.png"
        >>> notes = write_picture(file, Picture(torch.tensor([[0.0, 300.0]]), bits=8))
        >>> notes[0].code, notes[0].what
        ('GD-273', '1 of 2 values lie outside of 0 … 255, from 0 to 300; they were set to the nearest end')
    """
    path = Path(path)
    form = next((name for name, endings in ENDINGS.items() if path.suffix.lower() in endings), "")
    colour = picture.data.ndim == 3
    if picture.data.ndim not in (2, 3) or (colour and picture.data.shape[0] != 3):
        raise UsageError(
            "GD-103",
            given=f"a picture of shape {tuple(picture.data.shape)}",
            allowed="(row, column) or (3, row, column)",
            do="write one slice, or a NIfTI or TIFF file",
        )
    if not form or picture.bits not in (8, 16) or (picture.bits == 16 and (colour or form != "PNG")):
        raise UsageError(
            "GD-101",
            given=f"{picture.bits} bits of {'colour' if colour else 'grey'} for {path.name!r}",
            allowed="8 bits as .png or .jpg, 16 bits of grey as .png",
            do="choose the other ending; colour of 16 bits goes as three grey pictures",
        )
    if not bool(torch.isfinite(picture.data).all()):
        raise InputError(
            "GD-217", given=f"values for {path.name} are not finite", allowed="finite values", do="repair them first"
        )
    alpha = picture.alpha if form == "PNG" and picture.bits == 8 else None
    values = picture.data if not colour else picture.data.movedim(0, -1)
    stored = _stored(values, picture.brightest)
    if alpha is not None:
        stored = np.concatenate(
            [stored.reshape(*stored.shape[:2], -1), _stored(alpha, picture.brightest)[..., None]], -1
        )
    image = Image.fromarray(stored)
    options: dict[str, object] = {"icc_profile": picture.profile} if picture.profile else {}
    if form == "JPEG":
        options |= {"quality": JPEG_QUALITY, "subsampling": 0}
    with atomic_file(path) as file:
        image.save(file, format=form, **options)
    return _clipped(path, picture) + _lost(path, picture, form, kept=alpha is not None)


def _stored(values: Tensor, brightest: int) -> np.ndarray:
    kind = np.uint8 if brightest == 255 else np.uint16
    return np.ascontiguousarray(values.detach().cpu().double().round().clamp(0, brightest).numpy().astype(kind))


def _clipped(path: Path, picture: Picture) -> tuple[Finding, ...]:
    low, high = float(picture.data.min()), float(picture.data.max())
    outside = int(((picture.data < -0.5) | (picture.data >= picture.brightest + 0.5)).sum())
    if not outside:
        return ()
    what = (
        f"{outside} of {picture.data.numel()} values lie outside of 0 … {picture.brightest}, "
        f"from {low:.6g} to {high:.6g}; they were set to the nearest end"
    )
    fix = "start from a TIFF or NIfTI file if they matter; those keep every value"
    return (Finding("GD-273", Severity.WARN, path.name, what, f"0 … {picture.brightest}", fix),)


def _lost(path: Path, picture: Picture, form: str, *, kept: bool) -> tuple[Finding, ...]:
    lost = ["exact values"] if form == "JPEG" else []
    if picture.alpha is not None and not kept:
        lost.append("opacity")
    if not lost:
        return ()
    what = f"{form} of {picture.bits} bits does not keep {' and '.join(lost)}"
    return (Finding("GD-277", Severity.NOTE, path.name, what, "a format that keeps all", "write a PNG file"),)
