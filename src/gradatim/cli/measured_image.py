"""An image and its regions, as they come from the command line."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.base.findings import Finding, Severity
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.io.nifti import read_mask
from gradatim.io.sidecar import read_sidecar
from gradatim.io.volume import read_regions, read_volume, sidecar_beside, volume_name
from gradatim.io.volume_nouns import RegionSet, Volume

_MANY_REGIONS = 500


@dataclass(frozen=True, eq=False)
class MeasuredImage:
    """What is measured: a map, its regions, and what the readers said about the files.

    Args:
        map: the image; its mask is the given one where the image is finite.
        layers: the regions; several label images where regions overlap, otherwise one.
        name: the name of the image's file, or folder, without its ending.
        notes: warnings and conversions of the readers.
    """

    map: QuantitativeMap
    layers: tuple[Regions, ...]
    name: str
    notes: tuple[Finding, ...]


def read_measured_image(
    image: Path, labels: Path, *, mask: Path | None = None, unit: str, series: str = ""
) -> MeasuredImage:
    """Read an image, its regions and its mask.

    A map is 0 outside its mask, and a 0 that means "not measured" would shift every mean: without a mask, zeros in
    the regions of an image whose sidecar calls it masked (``SkullStripped``) are a warning, GD-702.

    Args:
        image: a NIfTI or NRRD file, a folder with a DICOM series, or a DICOM file.
        labels: a NIfTI or NRRD file of whole numbers, or a DICOM structure set or segmentation.
        mask: a NIfTI file, 0 where the image says nothing; None if it says something everywhere.
        unit: unit of the image's values; if empty, the one that a DICOM series states, or ``Units`` of the JSON
            file beside the image, if there is one.
        series: SeriesInstanceUID of the series that is meant, where the folder holds several.

    Raises:
        InputError: GD-215 if the image is not three-dimensional; GD-298 for regions, GD-311 for a mask on another
            grid; GD-701 if there is no region; GD-704 if image and labels seem to be swapped; as the readers of
            images, regions and masks.
    """
    values = read_volume(image, series=series)
    found = read_regions(labels, like=values)
    _refuse_swapped(values, found, image.name, labels.name)
    name = volume_name(image)
    known, notes = torch.isfinite(values.data), values.notes + found.notes
    said = _said_beside(sidecar_beside(image))
    if mask is not None:
        known &= _mask_on(values, mask)
    elif said.get("SkullStripped") is True:
        notes += _about_zeros(values, found, image.name)
    stated = values.unit or said.get("Units")
    measured = QuantitativeMap(
        torch.where(known, values.data, 0.0),
        known,
        values.grid,
        name,
        unit or (stated if isinstance(stated, str) else ""),
    )
    return MeasuredImage(measured, found.layers, name, notes)


def _refuse_swapped(image: Volume, found: RegionSet, image_name: str, labels_name: str) -> None:
    """Refuse more regions than any atlas draws in one image, whose own values are fewer still.

    Stored whole numbers pass for labels; each of thousands would be measured as a region.
    """
    regions = sum(len(layer.present) for layer in found.layers)
    if regions <= _MANY_REGIONS:
        return
    values = image.data.unique().numel()
    if values < regions:
        raise InputError(
            "GD-704",
            given=f"{labels_name} with {regions} labels for {image_name} with {values} values",
            allowed="an image with more values than its label image",
            do="give the image first and its labels second",
        )


def _mask_on(image: Volume, path: Path) -> Tensor:
    mask = read_mask(path)
    together = image.oriented and mask.oriented
    if not (mask.grid.same_space(image.grid) if together else mask.grid.shape == image.grid.shape):
        raise InputError(
            "GD-311",
            given=f"{path.name} on a grid of {mask.grid.shape}, the image on {image.grid.shape} or turned",
            allowed="a mask on the image's grid",
            do="resample it to the image with nearest neighbours",
        )
    return mask.data


def _about_zeros(image: Volume, found: RegionSet, name: str) -> tuple[Finding, ...]:
    """A warning where regions hold zeros of a masked image."""
    inside = torch.stack([layer.labels > 0 for layer in found.layers]).any(0)
    zeros, count = int((inside & (image.data == 0)).sum()), int(inside.sum())
    if not zeros:
        return ()
    what = f"{zeros} of {count} voxels in regions are exactly 0, as outside a mask, and are counted as measured"
    fix = "give the image's mask with --mask"
    return (Finding("GD-702", Severity.WARN, name, what, "values that were measured", fix),)


def _said_beside(sidecar: Path) -> Mapping[str, Any]:
    return read_sidecar(sidecar) if sidecar.is_file() else {}
