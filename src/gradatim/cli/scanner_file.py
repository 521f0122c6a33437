"""How sharp and how noisy a scanner's images are, from a file in TOML, read strictly."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.cli.methods_from_tables import of_kind, refuse_unknown
from gradatim.cli.toml_file import read_toml
from gradatim.io.sidecar import read_sidecar
from gradatim.radiomics.blur.in_plane_noise import InPlaneNoise
from gradatim.radiomics.blur.mtf import MeasuredMtf
from gradatim.radiomics.blur.transfer import GaussianPsf, SeparableTransfer, Transfer
from gradatim.radiomics.harmonise import ImageQuality

KEYS = ("fwhm_mm", "mtf", "axial_fwhm_mm", "sigma", "nps")
"""What a scanner's file may say."""

_SIGMAS = 1 / math.sqrt(8 * math.log(2))


@dataclass(frozen=True, eq=False)
class ScannerFile:
    """A scanner as its file describes it.

    Args:
        quality: how sharp and noisy its images are.
        said: what the file says, as plain data; the place of a measured MTF left out.
        files: role → the files that were read.
    """

    quality: ImageQuality
    said: dict[str, Any]
    files: dict[str, Path]


def read_scanner(path: Path, *, spacing: tuple[float, float, float], role: str) -> ScannerFile:
    """Read a scanner's file.

    The resolution is a Gaussian or a measured curve, the noise a standard deviation, white unless the shape of its
    power spectrum in the plane is given, at any scale::

        fwhm_mm = [0.9, 0.9, 1.5]     # of a point, along the three axes; or
        mtf = "mtf.json"              # what `gradatim ct mtf --json` printed, in the plane
        axial_fwhm_mm = 1.5           # across it, unless that file has the axial curve, as a bead gives it
        sigma = 12.0                  # of a voxel of the image, in its unit
        nps = { frequencies = [0.0, 0.3, 0.6], power = [0.2, 1.0, 0.1] }   # cycles/mm; white if left out

    Args:
        path: the file; a relative place of the MTF counts from its folder.
        spacing: voxel edges of the image, mm.
        role: what records call the scanner.

    Raises:
        InputError: GD-222 if a file is missing; GD-221 and GD-742 for an MTF that cannot be read.
        UsageError: GD-105 if it is not TOML; GD-102 and GD-106 for keys and values; GD-155 unless it says one
            resolution; GD-140, GD-145 and GD-156 for impossible numbers.
    """
    content = read_toml(path)
    refuse_unknown(content, KEYS, where=path.name)
    files = {role: path}
    if "mtf" in content:
        files[f"{role}, MTF"] = path.parent / of_kind(content["mtf"], str, where="mtf")
    transfer = _transfer(content, files.get(f"{role}, MTF"), path.name)
    sigma = of_kind(content.get("sigma"), float, where="sigma")
    curve = of_kind(content.get("nps", {"frequencies": [0.0, 1.0], "power": [1.0, 1.0]}), dict, where="nps")
    refuse_unknown(curve, ("frequencies", "power"), where="nps")
    points = (torch.tensor(_numbers(curve.get(key), f"nps.{key}")).double() for key in ("frequencies", "power"))
    noise = InPlaneNoise.of_deviation(sigma, *points, spacing=spacing)
    said = {key: value for key, value in content.items() if key != "mtf"}
    return ScannerFile(ImageQuality(transfer, noise), said, files)


def _transfer(content: Mapping[str, Any], measured: Path | None, name: str) -> Transfer:
    if (measured is None) == ("fwhm_mm" not in content) or ("axial_fwhm_mm" in content and measured is None):
        keys = [key for key in KEYS[:3] if key in content]
        raise _not_once(f"{name} with {' and '.join(keys) or 'no resolution'}", "fwhm_mm, or mtf and axial_fwhm_mm")
    if measured is None:
        widths = _numbers(content["fwhm_mm"], "fwhm_mm")
        if len(widths) != 3:
            raise _not_once(f"{name} with {len(widths)} widths", "one width along each of the three axes")
        return GaussianPsf(tuple(width * _SIGMAS for width in widths))
    curves = _curves(measured)
    if ("axial" in curves) == ("axial_fwhm_mm" in content):
        raise _not_once(
            f"{name} with {'two' if 'axial' in curves else 'no'} axial resolution(s)",
            "axial_fwhm_mm, or a file of a bead, which has the axial curve",
        )
    if "axial" in curves:
        return SeparableTransfer(curves["in plane"], curves["axial"])
    (in_plane,) = curves.values()
    width = of_kind(content["axial_fwhm_mm"], float, where="axial_fwhm_mm")
    return SeparableTransfer(in_plane, GaussianPsf((width * _SIGMAS,)))


def _curves(path: Path) -> dict[str, MeasuredMtf]:
    """One curve in the plane, or "in plane" and "axial"."""
    found = read_sidecar(path)
    good = (len(found) == 1 and "axial" not in found) or set(found) == {"in plane", "axial"}
    lists = [curve.get(key) for curve in found.values() if isinstance(curve, dict) for key in ("frequencies", "values")]
    numbers = all(isinstance(each, list) and all(type(v) in (int, float) for v in each) for each in lists)
    if not good or len(lists) != 2 * len(found) or not numbers:
        raise InputError(
            "GD-742",
            given=f"{path.name} with {', '.join(map(repr, found)) or 'nothing'}",
            allowed="one curve in the plane, or 'in plane' and 'axial', each with frequencies and values",
            do="give what gradatim ct mtf --json printed",
        )
    return {
        name: MeasuredMtf(torch.tensor(curve["frequencies"]).double(), torch.tensor(curve["values"]).double())
        for name, curve in found.items()
    }


def _numbers(data: Any, where: str) -> list[float]:
    return [of_kind(value, float, where=f"{where}[{i}]") for i, value in enumerate(of_kind(data, list, where=where))]


def _not_once(given: str, allowed: str) -> UsageError:
    return UsageError("GD-155", given=given, allowed=allowed, do="say the resolution once")
