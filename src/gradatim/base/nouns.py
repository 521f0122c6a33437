"""The six nouns in which slices meet: signal → field → map → regions → features → answer.

Each is a frozen dataclass of plain tensors on one grid. Spatial axes are last, in the order (x, y, z);
echoes lead. Maps are 0 outside their mask; NaN means "undefined here" and carries a reason beside it.
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.base.units import hz_per_ppm


def _require(shape: tuple[int, ...], expected: tuple[int, ...], what: str) -> None:
    if shape != expected:
        raise UsageError(
            "GD-103", given=f"{what} of shape {shape}", allowed=f"shape {expected}", do="bring both to one grid first"
        )


@dataclass(frozen=True, eq=False)
class MultiEcho:
    """Signal: a multi-echo gradient-echo scan, S_e = magnitude_e · exp(i·phase_e).

    Args:
        magnitude: (echo, x, y, z), any linear unit, ≥ 0.
        phase: (echo, x, y, z), rad, growing with positive field offset.
        echo_times: one per echo, s, > 0 and increasing.
        field_strength: B0, T, > 0.
        grid: where the voxels lie.

    Raises:
        UsageError: GD-103 if shapes disagree; GD-101 for echo times or field strength out of range.
    """

    magnitude: Tensor
    phase: Tensor
    echo_times: tuple[float, ...]
    field_strength: float
    grid: Grid

    def __post_init__(self) -> None:
        expected = (len(self.echo_times), *self.grid.shape)
        _require(tuple(self.magnitude.shape), expected, "magnitude")
        _require(tuple(self.phase.shape), expected, "phase")
        times = self.echo_times
        if not times or times[0] <= 0 or any(b <= a for a, b in itertools.pairwise(times)):
            raise UsageError(
                "GD-101",
                given=f"echo times {times}",
                allowed="positive, strictly increasing, in s",
                do="give one echo time per volume, in seconds",
            )
        if not (math.isfinite(self.field_strength) and self.field_strength > 0):
            raise UsageError(
                "GD-101",
                given=f"field strength {self.field_strength}",
                allowed="a positive number of T",
                do="give B0 in tesla",
            )

    @property
    def complex(self) -> Tensor:
        """The complex signal, (echo, x, y, z), complex64 for float32 input."""
        return torch.polar(self.magnitude, self.phase)


@dataclass(frozen=True, eq=False)
class FieldMap:
    """Field: offset of the magnetic field as a frequency, with its standard error.

    Args:
        field: (x, y, z), Hz, positive where the field is stronger; 0 outside the mask.
        error: (x, y, z), Hz, one standard error of ``field``; 0 outside the mask.
        mask: (x, y, z), bool, where ``field`` is defined.
        field_strength: B0, T.
        grid: where the voxels lie.

    Raises:
        UsageError: GD-103 if shapes disagree.
        InputError: GD-601 if the mask is empty.
    """

    field: Tensor
    error: Tensor
    mask: Tensor
    field_strength: float
    grid: Grid

    def __post_init__(self) -> None:
        for name in ("field", "error", "mask"):
            _require(tuple(getattr(self, name).shape), self.grid.shape, name)
        if not bool(self.mask.any()):
            raise InputError(
                "GD-601",
                given="a field map with an empty mask",
                allowed="at least one voxel",
                do="give another mask or relax the quality threshold",
            )

    @property
    def ppm(self) -> Tensor:
        """The field in parts per million of B0: field / (γ̄·B0·1e-6)."""
        return self.field / hz_per_ppm(self.field_strength)

    @property
    def error_ppm(self) -> Tensor:
        """The standard error in parts per million of B0."""
        return self.error / hz_per_ppm(self.field_strength)


@dataclass(frozen=True, eq=False)
class QuantitativeMap:
    """Map: one physical quantity per voxel.

    Args:
        value: (x, y, z), in ``unit``; 0 outside the mask.
        mask: (x, y, z), bool.
        grid: where the voxels lie.
        quantity: the quantity's name, e.g. ``"susceptibility"``.
        unit: e.g. ``"ppm"``, ``"1/s"``, ``"s"``, ``"HU"``.
        reference: what zero means, e.g. ``"mean of the mask"``; ``"absolute"`` where zero is physical.
        error: one standard error of ``value`` in ``unit``, or None where it is not known.

    Raises:
        UsageError: GD-103 if shapes disagree.
    """

    value: Tensor
    mask: Tensor
    grid: Grid
    quantity: str
    unit: str
    reference: str = "absolute"
    error: Tensor | None = None

    def __post_init__(self) -> None:
        _require(tuple(self.value.shape), self.grid.shape, "value")
        _require(tuple(self.mask.shape), self.grid.shape, "mask")
        if self.error is not None:
            _require(tuple(self.error.shape), self.grid.shape, "error")


@dataclass(frozen=True, eq=False)
class Regions:
    """Regions: an integer label per voxel; 0 is no region.

    Args:
        labels: (x, y, z), an integer dtype, ≥ 0.
        grid: where the voxels lie.
        names: label → name; a label without a name is called by its number.

    Raises:
        UsageError: GD-103 if shapes disagree; GD-101 if the labels are not integers.
    """

    labels: Tensor
    grid: Grid
    names: Mapping[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require(tuple(self.labels.shape), self.grid.shape, "labels")
        if self.labels.is_floating_point() or self.labels.is_complex():
            raise UsageError(
                "GD-101",
                given=f"labels of type {self.labels.dtype}",
                allowed="an integer type",
                do="round the labels to integers first",
            )

    @property
    def present(self) -> tuple[int, ...]:
        """The labels that occur, increasing, without 0."""
        return tuple(int(v) for v in torch.unique(self.labels) if int(v) != 0)

    def name(self, label: int) -> str:
        """Name of a label, its number where none was given."""
        return self.names.get(label, str(label))


@dataclass(frozen=True)
class Feature:
    """One number that describes one region of one image; a row of the tidy feature table.

    Args:
        case: whose image.
        image: which image, e.g. ``"Chimap"``.
        region: region's name.
        family: IBSI family, e.g. ``"morphology"``.
        feature: feature's name.
        ibsi_code: the feature's four-character IBSI code, empty where IBSI has none.
        aggregation: IBSI code of the aggregation, empty where none.
        value: the number, NaN where undefined.
        unit: its unit, empty for a pure number.
        reason: why it is NaN, or what to doubt in a finite value; its code GD-750 to GD-755 first, empty for neither.
        settings: which program and which settings made it.
    """

    case: str
    image: str
    region: str
    family: str
    feature: str
    ibsi_code: str
    aggregation: str
    value: float
    unit: str
    reason: str
    settings: str


@dataclass(frozen=True)
class Answer:
    """Answer: an estimate with its interval.

    Args:
        question: what was asked, in words.
        estimate: the number.
        low: lower end of the interval.
        high: upper end of the interval.
        level: coverage the interval claims, between 0 and 1.
        unit: unit of the three numbers.
        basis: what the interval accounts for, and what it does not.
    """

    question: str
    estimate: float
    low: float
    high: float
    level: float
    unit: str
    basis: str
