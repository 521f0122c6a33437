"""Reading pictures, PNG and JPEG: the numbers that are stored, their bit depth, and what had to be converted."""

import struct
import warnings
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from gradatim.base.errors import InputError, UnsafeInputError
from gradatim.base.findings import Finding, Severity
from gradatim.io.byte_source import open_source
from gradatim.io.memory import default_budget_bytes

ENDINGS = {"PNG": (".png",), "JPEG": (".jpg", ".jpeg")}
"""Format → the endings that its files have."""

_BYTES_A_VALUE = 4
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, zlib.error, struct.error, IndexError, TypeError)
_ORIENTATION = 0x0112
_GREY_ALONE = 0


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture as it was read: stored numbers, never rescaled.

    Args:
        data: (row, column) for grey, (3, row, column) for red, green, blue; float32, 0 … 2^bits − 1.
        bits: of one stored number, 8 or 16.
        alpha: (row, column), float32, opacity 0 … 2^bits − 1; None where the file has none.
        profile: ICC colour profile, kept as it is; empty where the file has none.
        notes: what was converted, and warnings.
    """

    data: Tensor
    bits: int
    alpha: Tensor | None = None
    profile: bytes = b""
    notes: tuple[Finding, ...] = ()

    @property
    def brightest(self) -> int:
        """The largest number that can be stored, 255 or 65535."""
        return (1 << self.bits) - 1


def read_picture(path: Path | str, *, budget_bytes: int | None = None) -> Picture:
    """Read a grey or colour picture of 8 bits, or a grey one of 16.

    The file is known by its content, not by its ending. Its size is judged before a pixel is decoded. A palette
    becomes colour, a black-and-white picture becomes 0 and 255, a picture that its EXIF block says to turn is turned;
    each is a note.

    Args:
        path: a PNG or JPEG file.
        budget_bytes: the most bytes the picture may unpack to; by default an eighth of the free memory.

    Returns:
        The picture; its notes hold GD-274 (converted) and GD-275 (the ending names another format).

    Raises:
        InputError: GD-222 for a missing file; GD-270 for another kind of file; GD-271 if it is cut or damaged;
            GD-272 for pixels that are not read (CMYK, colour of 16 bits); GD-276 for more than one frame.
        UnsafeInputError: GD-401 if it would exceed its budget.

    Example:
        >>> import tempfile
        >>> from gradatim.io.picture_write import write_picture
        >>> file = Path(tempfile.mkdtemp()) / "grey.png"
        >>> _ = write_picture(file, Picture(torch.full((4, 6), 1000.0), bits=16))
        >>> read_picture(file).bits, tuple(read_picture(file).data.shape), read_picture(file).data.max().item()
        (16, (4, 6), 1000.0)
    """
    path = Path(path)
    budget = default_budget_bytes() if budget_bytes is None else budget_bytes
    with open_source(path) as source, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the size is judged below, against this machine's memory
        try:
            opened = Image.open(source.file, formats=tuple(ENDINGS))
        except Image.DecompressionBombError as error:
            raise _bomb(path, str(error), budget) from error
        except _DAMAGE as error:
            raise _unknown(path) from error
        with opened:
            _require_readable(opened, path, source.file, budget)
            try:
                opened.load()
            except Image.DecompressionBombError as error:
                raise _bomb(path, str(error), budget) from error
            except _DAMAGE as error:
                raise _damaged(path, str(error)) from error
            picture = _decoded(opened, path)
            return replace(picture, notes=picture.notes + _ending_note(path, opened.format or ""))


def _require_readable(opened: Image.Image, path: Path, file: BinaryIO, budget: int) -> None:
    size = opened.width * opened.height * max(len(opened.getbands()), 3) * _BYTES_A_VALUE
    if size > budget:
        raise _bomb(path, f"{opened.width}×{opened.height} pixels", budget)
    frames = getattr(opened, "n_frames", 1)
    if frames > 1 and opened.format == "PNG":
        raise InputError(
            "GD-276", given=f"{path.name} holds {frames} frames", allowed="one", do="give each frame as a file"
        )
    kind = opened.mode
    if opened.format == "PNG" and _png_depth(file) == (16, True):
        kind = "16-bit colour or opacity"
    if kind not in {"1", "L", "P", "RGB", "I;16", "I;16B", "LA", "RGBA", "PA"}:
        raise InputError(
            "GD-272",
            given=f"{path.name} holds {kind} pixels",
            allowed="grey of 8 or 16 bits, colour (RGB) of 8",
            do="save it as RGB, or each colour of 16 bits as a grey picture",
        )


def _png_depth(file: BinaryIO) -> tuple[int, bool]:
    """Bits a number, and whether there is more than grey; the decoder would halve 16-bit colour in silence."""
    place = file.tell()
    file.seek(24)
    depth, colour = file.read(2)
    file.seek(place)
    return depth, colour != _GREY_ALONE


def _decoded(opened: Image.Image, path: Path) -> Picture:
    notes: tuple[Finding, ...] = ()
    profile = opened.info.get("icc_profile") or b""
    image: Image.Image = opened
    if opened.getexif().get(_ORIENTATION, 1) in range(2, 9):
        image = ImageOps.exif_transpose(opened)
        notes += (_note(path, "turned or mirrored as its EXIF block says"),)
    transparent = "transparency" in opened.info
    if image.mode in {"P", "PA"}:
        image = image.convert("RGBA" if transparent or image.mode == "PA" else "RGB")
        notes += (_note(path, "a palette was replaced by its colours"),)
    elif image.mode == "1":
        image = image.convert("L")
        notes += (_note(path, "black and white became 0 and 255"),)
    elif transparent and image.mode in {"L", "RGB"}:
        image = image.convert("LA" if image.mode == "L" else "RGBA")
        notes += (_note(path, "one transparent colour became an opacity"),)
    bits = 16 if image.mode.startswith("I;16") else 8
    values = torch.from_numpy(np.asarray(image).astype(np.float32))
    alpha = None
    if image.mode in {"LA", "RGBA"}:
        values, alpha = values[..., :-1], values[..., -1].clone()
    if values.ndim == 3:
        values = values[..., 0] if values.shape[-1] == 1 else values.movedim(-1, 0)
    return Picture(values.contiguous(), bits, alpha, profile, notes)


def _ending_note(path: Path, found: str) -> tuple[Finding, ...]:
    if path.suffix.lower() in ENDINGS.get(found, ()):
        return ()
    what = f"the content is {found}, the ending is {path.suffix or 'none'}"
    return (Finding("GD-275", Severity.WARN, path.name, what, "an ending that names the content", "rename the file"),)


def _note(path: Path, what: str) -> Finding:
    return Finding("GD-274", Severity.NOTE, path.name, what, "grey or RGB as stored", "nothing, it is for the record")


def _bomb(path: Path, what: str, budget: int) -> UnsafeInputError:
    return UnsafeInputError(
        "GD-401",
        given=f"{path.name}: {what}",
        allowed=f"at most {budget} bytes unpacked",
        do="crop the picture, or allow more memory if you trust it",
    )


def _unknown(path: Path) -> InputError:
    return InputError(
        "GD-270", given=f"{path.name} is no picture that is known here", allowed="PNG or JPEG", do="convert it first"
    )


def _damaged(path: Path, why: str) -> InputError:
    return InputError(
        "GD-271",
        given=f"{path.name} is cut or damaged ({why})",
        allowed="a whole picture",
        do="copy or download the file again",
    )
