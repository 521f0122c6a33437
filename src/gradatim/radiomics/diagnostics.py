"""What each step of a preparation made of image and regions: the IBSI processing diagnostics."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.radiomics.preparation import Marked, Preparation
from gradatim.radiomics.record import Unit
from gradatim.radiomics.roi import NO_INTENSITIES
from gradatim.radiomics.tight import tight
from gradatim.radiomics.total import total
from gradatim.radiomics.undefined import Undefined, reasoned

_NUMBER, _LENGTH, _INTENSITY = Unit(), Unit(length=1), Unit(intensity=1)


@dataclass(frozen=True, eq=False)
class WholeMap:
    """A map, and the values that it says something by, found once.

    Args:
        image: the map.
    """

    image: QuantitativeMap

    @cached_property
    def known(self) -> Tensor:
        """The finite values inside the map's mask (n,)."""
        known = self.image.mask & torch.isfinite(self.image.value)
        return self.image.value.flatten() if bool(known.all()) else self.image.value[known]


@dataclass(frozen=True, eq=False)
class Placed:
    """A region at one step, with what several diagnostics share.

    Args:
        marked: where it lies.
    """

    marked: Marked

    @cached_property
    def intensities(self) -> Tensor:
        """The intensities (n,)."""
        return self.marked.image.value[self.marked.box][self.marked.intensity]

    @cached_property
    def intensity_extent(self) -> tuple[int, ...]:
        """Voxels along each axis of the intensity mask's bounding box; 0 without voxels."""
        return _extent(self.marked.intensity)

    @cached_property
    def shape_extent(self) -> tuple[int, ...]:
        """Voxels along each axis of the morphological mask's bounding box."""
        return _extent(self.marked.shape)


def _extent(mask: Tensor) -> tuple[int, ...]:
    return tuple(part.stop - part.start for part in tight(mask)) if bool(mask.any()) else (0, 0, 0)


@dataclass(frozen=True)
class DiagnosticRecord:
    """The one place that knows a diagnostic.

    Args:
        tag: its name in IBSI's compliance sheet, e.g. ``int_mask_vox_count_reseg_roi``.
        name: in words.
        stage: after which step.
        unit: as powers of the image's unit and of mm.
        compute: from the :class:`WholeMap` or the :class:`Placed` region at that step to the number; NaN for none.
    """

    tag: str
    name: str
    stage: str
    unit: Unit
    compute: Callable[[Any], float]


@dataclass(frozen=True)
class Diagnostic:
    """One number about one step, a row of the log by which two tools find where they part.

    Args:
        region: region's name.
        stage: after which step.
        quantity: what was measured, in words.
        tag: the same in IBSI's compliance sheet.
        value: the number, NaN where undefined.
        unit: its unit, empty for a pure number.
        reason: why it is NaN, its code first; empty where it is defined.
    """

    region: str
    stage: str
    quantity: str
    tag: str
    value: float
    unit: str
    reason: str


_Quantity = tuple[str, str, Unit, Callable[[Any], float]]


def _mean(values: Tensor) -> Tensor:
    return total(values) / len(values)  # summed in float64 without a copy of the image in it


def _intensities(prefix: str, word: str, values: Callable[[Any], Tensor]) -> list[_Quantity]:
    def of(statistic: Callable[[Tensor], Tensor]) -> Callable[[Any], float]:
        return lambda given: float(statistic(found)) if len(found := values(given)) else math.nan

    return [
        (f"{prefix}mean_int", f"{word}mean intensity", _INTENSITY, of(_mean)),
        (f"{prefix}min_int", f"{word}minimum intensity", _INTENSITY, of(torch.amin)),
        (f"{prefix}max_int", f"{word}maximum intensity", _INTENSITY, of(torch.amax)),
    ]


def _lengths(tag: str, words: str, unit: Unit, sizes: Callable[[Any], tuple[float, ...]]) -> list[_Quantity]:
    def along(axis: int) -> Callable[[Any], float]:
        return lambda given: float(sizes(given)[axis])

    return [(f"{tag}_{letter}", f"{words} {letter}", unit, along(axis)) for axis, letter in enumerate("xyz")]


_IMAGE: list[_Quantity] = [
    *_lengths("img_dim", "image dimension", _NUMBER, lambda whole: whole.image.grid.shape),
    *_lengths("vox_dim", "voxel dimension", _LENGTH, lambda whole: whole.image.grid.spacing),
    *_intensities("", "", lambda whole: whole.known),
]

_REGION: list[_Quantity] = [
    *_lengths("int_mask_dim", "intensity mask dimension", _NUMBER, lambda placed: placed.marked.image.grid.shape),
    *_lengths("int_mask_bb_dim", "intensity mask bounding box", _NUMBER, lambda placed: placed.intensity_extent),
    *_lengths("morph_mask_bb_dim", "morphological mask bounding box", _NUMBER, lambda placed: placed.shape_extent),
    ("int_mask_vox_count", "intensity mask voxel count", _NUMBER, lambda placed: float(placed.intensities.numel())),
    (
        "morph_mask_vox_count",
        "morphological mask voxel count",
        _NUMBER,
        lambda placed: float(placed.marked.shape.sum()),
    ),
    *_intensities("int_mask_", "intensity mask ", lambda placed: placed.intensities),
]


def _records(suffix: str, stage: str, quantities: list[_Quantity]) -> tuple[DiagnosticRecord, ...]:
    return tuple(
        DiagnosticRecord(f"{tag}_{suffix}", name, stage, unit, compute) for tag, name, unit, compute in quantities
    )


_IMAGES = (_records("init_img", "initial image", _IMAGE), _records("interp_img", "interpolated image", _IMAGE))
_REGIONS = (
    _records("init_roi", "initial region", _REGION),
    _records("interp_roi", "interpolated region", _REGION),
    _records("reseg_roi", "re-segmented region", _REGION),
)

DIAGNOSTICS: tuple[DiagnosticRecord, ...] = sum(_IMAGES + _REGIONS, ())
"""All 60, in the order of IBSI's compliance sheet."""


def diagnose(preparation: Preparation, image: QuantitativeMap, regions: Regions) -> tuple[Diagnostic, ...]:
    """Size, intensities and masks of every region after every step of a preparation.

    The image's own numbers are those where the map says something; they stand with every region. A mean
    without voxels is NaN with its reason. Source: IBSI reference manual, arXiv:1612.07003, "Image processing"
    diagnostics.

    Args:
        preparation: the steps; response and discretisation do not change what is measured here.
        image: the map.
        regions: on the map's grid.

    Raises:
        UsageError: GD-103 if the grids of map and regions differ.

    Example:
        >>> from gradatim.base.grid import Grid
        >>> from gradatim.radiomics.discretise import FixedBinNumber
        >>> from gradatim.radiomics.resegment import IntensityRange
        >>> grid = Grid((3, 1, 1), (1.0, 1.0, 1.0))
        >>> everywhere = torch.ones(3, 1, 1, dtype=torch.int64)
        >>> ct = QuantitativeMap(torch.tensor([-900.0, 10.0, 30.0]).view(3, 1, 1), everywhere > 0, grid, "CT", "HU")
        >>> rows = diagnose(Preparation(FixedBinNumber(8), (IntensityRange(0.0, 50.0),)), ct, Regions(everywhere, grid))
        >>> row = rows[-3]
        >>> row.stage, row.quantity, row.value, row.unit
        ('re-segmented region', 'intensity mask mean intensity', 20.0, 'HU')
    """
    new = preparation.resampled(image, regions)
    before = WholeMap(image)
    images = _measured(_IMAGES, (before, before if new is image else WholeMap(new)))
    rows: list[Diagnostic] = []
    for label, steps in preparation.steps(image, new, regions):
        nothing = (
            reasoned("GD-751", NO_INTENSITIES) if not isinstance(steps, Undefined) else reasoned("GD-750", steps.reason)
        )
        inside = _measured(_REGIONS, None if isinstance(steps, Undefined) else tuple(map(Placed, steps)))
        rows += [
            Diagnostic(
                region=regions.name(label),
                stage=record.stage,
                quantity=record.name,
                tag=record.tag,
                value=value,
                unit=record.unit.text(image.unit),
                reason=nothing if math.isnan(value) else "",
            )
            for record, value in images + inside
        ]
    return tuple(rows)


def _measured(
    stages: tuple[tuple[DiagnosticRecord, ...], ...], steps: tuple[Any, ...] | None
) -> list[tuple[DiagnosticRecord, float]]:
    """Every record with its number at its step; NaN for a region that is nowhere."""
    return [
        (record, math.nan if steps is None else record.compute(steps[i]))
        for i, records in enumerate(stages)
        for record in records
    ]
