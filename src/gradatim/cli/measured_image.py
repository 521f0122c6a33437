"""An image and its label image, as they come from the command line."""

from dataclasses import dataclass
from pathlib import Path

import torch

from gradatim.base.errors import InputError
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.io.findings import Finding
from gradatim.io.nifti import read_image, read_labels
from gradatim.io.sidecar import read_sidecar


@dataclass(frozen=True, eq=False)
class MeasuredImage:
    """What is measured: a map, its regions, and what the reader said about the files.

    Args:
        map: the image; its mask is where it is finite.
        regions: the labels.
        name: the image's file name without its ending.
        notes: warnings and conversions of the reader.
    """

    map: QuantitativeMap
    regions: Regions
    name: str
    notes: tuple[Finding, ...]


def read_measured_image(image: Path, labels: Path, *, unit: str) -> MeasuredImage:
    """Read an image and its label image.

    Args:
        image: a NIfTI file.
        labels: a NIfTI file of whole numbers.
        unit: unit of the image's values; if empty, ``Units`` of the JSON file beside the image, if there is one.

    Raises:
        InputError: GD-215 if the image is not three-dimensional; GD-701 if the labels hold no region; as
            :func:`gradatim.io.nifti.read_image` and :func:`gradatim.io.nifti.read_labels`.
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
    finite = torch.isfinite(values.data)
    measured = QuantitativeMap(
        torch.where(finite, values.data, 0.0), finite, values.grid, name, unit or _unit_beside(image.with_name(name))
    )
    return MeasuredImage(measured, Regions(regions.data, regions.grid), name, values.notes + regions.notes)


def _unit_beside(stem: Path) -> str:
    sidecar = stem.with_name(stem.name + ".json")
    unit = read_sidecar(sidecar).get("Units") if sidecar.is_file() else None
    return unit if isinstance(unit, str) else ""
