"""An image and its label image, as they come from the command line."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.io.findings import Finding, Severity
from gradatim.io.nifti import NiftiImage, read_image, read_labels, read_mask
from gradatim.io.sidecar import read_sidecar


@dataclass(frozen=True, eq=False)
class MeasuredImage:
    """What is measured: a map, its regions, and what the reader said about the files.

    Args:
        map: the image; its mask is the given one where the image is finite.
        regions: the labels.
        name: the image's file name without its ending.
        notes: warnings and conversions of the reader.
    """

    map: QuantitativeMap
    regions: Regions
    name: str
    notes: tuple[Finding, ...]


def read_measured_image(image: Path, labels: Path, *, mask: Path | None = None, unit: str) -> MeasuredImage:
    """Read an image, its label image and its mask.

    A map is 0 outside its mask, and a 0 that means "not measured" would shift every mean: without a mask, zeros in
    the regions of an image whose sidecar calls it masked (``SkullStripped``) are a warning, GD-702.

    Args:
        image: a NIfTI file.
        labels: a NIfTI file of whole numbers.
        mask: a NIfTI file, 0 where the image says nothing; None if it says something everywhere.
        unit: unit of the image's values; if empty, ``Units`` of the JSON file beside the image, if there is one.

    Raises:
        InputError: GD-215 if the image is not three-dimensional; GD-311 for a mask on another grid; GD-701 if the
            labels hold no region; as the readers of images, labels and masks.
    """
    name = image.name.removesuffix(".gz").removesuffix(".nii")
    values, regions = read_image(image), read_labels(labels)
    if values.data.ndim != 3:
        raise InputError(
            "GD-215",
            given=f"{image.name} with {values.data.ndim} dimensions",
            allowed="one three-dimensional image",
            do="give one volume of it",
        )
    if not bool(regions.data.any()):
        raise InputError(
            "GD-701", given=f"{labels.name} without a label above 0", allowed="one region or more", do="draw a region"
        )
    known, notes = torch.isfinite(values.data), values.notes + regions.notes
    said = _said_beside(image.with_name(name))
    if mask is not None:
        known &= _mask_on(values, mask)
    elif said.get("SkullStripped") is True:
        notes += _about_zeros(values, regions)
    stated = said.get("Units")
    measured = QuantitativeMap(
        torch.where(known, values.data, 0.0),
        known,
        values.grid,
        name,
        unit or (stated if isinstance(stated, str) else ""),
    )
    return MeasuredImage(measured, Regions(regions.data, regions.grid), name, notes)


def _mask_on(image: NiftiImage, path: Path) -> Tensor:
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


def _about_zeros(image: NiftiImage, regions: NiftiImage) -> tuple[Finding, ...]:
    """A warning where regions hold zeros of a masked image; those on another grid are refused later."""
    if regions.data.shape != image.data.shape:
        return ()
    inside = regions.data > 0
    zeros, count = int((inside & (image.data == 0)).sum()), int(inside.sum())
    if not zeros:
        return ()
    what = f"{zeros} of {count} voxels in regions are exactly 0, as outside a mask, and are counted as measured"
    fix = "give the image's mask with --mask"
    return (Finding("GD-702", Severity.WARN, image.header.name, what, "values that were measured", fix),)


def _said_beside(stem: Path) -> Mapping[str, Any]:
    sidecar = stem.with_name(stem.name + ".json")
    return read_sidecar(sidecar) if sidecar.is_file() else {}
