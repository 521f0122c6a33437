"""Volumes and overlays small enough to travel inside a page: cropped, 16-bit, compressed."""

import base64
import colorsys
import gzip
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradatim.base.errors import UsageError
from gradatim.report.frame import Frame
from gradatim.report.scene import Overlay, Scene, Volume

UNDEFINED = -32768
"""The code of a voxel without a value."""

BEYOND = 32767
"""The code, with its sign, of a value beyond what the codes reach."""

_FINEST, _COARSEST = 4096, 256  # steps in the width of the window


@dataclass(frozen=True)
class Packed:
    """A scene ready for the page.

    Args:
        data: what the viewer reads: geometry, volumes and overlays, JSON types only.
        notes: sentences for the reader: precision, tilt, volumes that were left out.
    """

    data: dict[str, object]
    notes: tuple[str, ...]


def quantise(values: np.ndarray, window: tuple[float, float]) -> tuple[np.ndarray, float, float]:
    """16-bit codes of real values: value ≈ code·step + offset, at most half a step off.

    The step is a round number, 1, 2 or 5·10^k: the smallest with which all values fit into the codes, but not finer
    than 1/4096 of the window (finer ones do not compress) and not coarser than about 1/256 of it. Where that is too
    fine for the most extreme values, their codes are ±:data:`BEYOND`, and a reader is told "beyond".

    Args:
        values: any shape, real; non-finite values get the code :data:`UNDEFINED`.
        window: (low, high), the range shown from black to white.

    Returns:
        codes (int16, same shape), step, offset; both in the values' unit.

    Example:
        >>> codes, step, offset = quantise(np.array([0.0, 1.0]), (0.0, 1.0))
        >>> step, (codes * step + offset).tolist()
        (0.0005, [0.0, 1.0])
    """
    values = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(values)
    codes = np.full(values.shape, UNDEFINED, dtype=np.int16)
    if not finite.any():
        return codes, 1.0, 0.0
    low, high = float(values[finite].min()), float(values[finite].max())
    width = window[1] - window[0]
    step = _round_up(max(width / _FINEST, min((high / 2 - low / 2) / (BEYOND - 2), width / _COARSEST)))
    middle = low / 2 + high / 2 if high / 2 - low / 2 <= step * (BEYOND - 2) else window[0] / 2 + window[1] / 2
    offset = step * round(middle / step)
    codes[finite] = np.clip(np.rint((values[finite] - offset) / step), -BEYOND, BEYOND).astype(np.int16)
    return codes, step, offset


def pack(scene: Scene, budget: int) -> Packed:
    """The scene as data for the viewer, within a budget of bytes.

    Overlays go in first, then the volumes in their order of importance; a volume that does not fit is left out,
    with a note, and so are those after it.

    Args:
        scene: volumes and overlays.
        budget: bytes the encoded voxels may take in the page.

    Raises:
        UsageError: GD-101 if an overlay has more than 32767 labels.
    """
    frame = Frame.around(scene.grid, scene.crop, scene.margin_mm)
    notes: list[str] = []
    overlays = [_pack_overlay(overlay, frame, index) for index, overlay in enumerate(scene.overlays)]
    left = budget - sum(len(str(overlay["codes"])) for overlay in overlays)
    volumes: list[dict[str, object]] = []
    for index, volume in enumerate(scene.volumes):
        packed = _pack_volume(volume, frame)
        left -= len(str(packed["codes"]))
        if left < 0:
            names = ", ".join(v.name for v in scene.volumes[index:])
            notes.append(f"Left out of the viewer, because the page would grow too large: {names}.")
            break
        volumes.append(packed)
        unit = volume.unit or "arbitrary units"
        notes.append(f"{volume.name} is stored here in steps of {packed['step']:g} {unit}.")
    if (tilt := frame.tilt_degrees) >= 1.0:
        notes.append(
            f"Oblique scan: the slices follow the image axes, which lean up to {tilt:.0f}° from the patient axes."
        )
    data = {
        "shape": frame.shape,
        "spacing": frame.spacing,
        "affine": frame.affine[:3].tolist(),
        "stored": frame.stored[:3].astype(int).tolist(),
        "volumes": volumes,
        "overlays": overlays,
    }
    return Packed(data, tuple(notes))


def _pack_volume(volume: Volume, frame: Frame) -> dict[str, object]:
    values = volume.values if volume.mask is None else np.where(volume.mask, volume.values, np.nan)
    codes, step, offset = quantise(frame.apply(values), volume.window)
    return {
        "name": volume.name,
        "unit": volume.unit,
        "step": step,
        "offset": offset,
        "low": float(volume.window[0]),
        "high": float(volume.window[1]),
        "decimals": min(20, max(0, -math.floor(math.log10(step)))),
        "codes": _encode(codes),
    }


def _pack_overlay(overlay: Overlay, frame: Frame, index: int) -> dict[str, object]:
    labels = frame.apply(overlay.labels).astype(np.int64)
    present = [int(v) for v in np.unique(labels) if v != 0]
    if len(present) > BEYOND:
        raise UsageError(
            "GD-101",
            given=f"{len(present)} labels in overlay {overlay.name!r}",
            allowed=f"at most {BEYOND}",
            do="show fewer regions",
        )
    codes = np.zeros(labels.shape, dtype=np.int16)
    inside = labels != 0
    codes[inside] = np.searchsorted(present, labels[inside]) + 1
    colours = palette(len(present), start=0.14 + 0.4 * index)
    return {
        "name": overlay.name,
        "labels": [
            {"name": overlay.names.get(label, str(label)), "colour": colour}
            for label, colour in zip(present, colours, strict=True)
        ],
        "codes": _encode(codes),
    }


def palette(count: int, start: float = 0.0) -> Sequence[tuple[int, int, int]]:
    """Colours (red, green, blue; 0 to 255) that neighbours in a list can be told apart by.

    Hues step by the golden ratio's conjugate, so that any first n are spread round the circle.
    """
    hues = [(start + 0.618034 * k) % 1.0 for k in range(count)]
    colours = [colorsys.hsv_to_rgb(hue, (0.62, 0.85)[k % 2], 1.0) for k, hue in enumerate(hues)]
    return [(round(255 * r), round(255 * g), round(255 * b)) for r, g, b in colours]


def _encode(codes: np.ndarray) -> str:
    """Base64 of gzip of all low bytes, then all high bytes; x runs fastest.

    Split bytes compress about a tenth better than whole numbers: the high ones hardly change.
    """
    halves = codes.astype("<i2").ravel(order="F").view(np.uint8).reshape(-1, 2).T
    return base64.b64encode(gzip.compress(halves.tobytes(), compresslevel=6, mtime=0)).decode("ascii")


def _round_up(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= value * (1 - 1e-9))
