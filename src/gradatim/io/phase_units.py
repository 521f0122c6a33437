"""From stored phase to radians: which unit it is, who says so, and a refusal where nobody can tell."""

import math
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

import torch
from torch import Tensor

from gradatim.base.findings import Finding
from gradatim.io.nifti_header import NiftiHeader

FILLED = 0.95
"""Share of a convention's range that values must span before they count as evidence for it."""
SLACK = 0.005
"""Share of a convention's range by which values may leave it."""


@dataclass(frozen=True)
class PhaseUnits:
    """A linear convention for storing phase: rad = scale·value + offset.

    Args:
        name: as users write it.
        scale: rad per stored unit.
        offset: rad.
        ranges: intervals that one full turn may fill.
        whole: whether values are whole numbers.

    Example:
        >>> SIEMENS.filled_by(-4096, 4094), SIEMENS.filled_by(-100, 100)
        (True, False)
    """

    name: str
    scale: float
    offset: float
    ranges: tuple[tuple[float, float], ...]
    whole: bool = False

    def filled_by(self, low: float, high: float) -> bool:
        """Whether values from low to high span one full turn of this convention and stay inside it."""
        return any(
            low >= first - SLACK * (last - first)
            and high <= last + SLACK * (last - first)
            and high - low >= FILLED * (last - first)
            for first, last in self.ranges
        )


@dataclass(frozen=True)
class FullRange:
    """The user's word that the smallest and largest value over all echoes are −π and +π.

    rad = 2π·(value − low)/(high − low) − π. Never chosen by a rule: a scan without wraps would be stretched.
    """

    name: ClassVar[str] = "full-range"


RADIANS = PhaseUnits("rad", 1.0, 0.0, ((-math.pi, math.pi), (0.0, 2 * math.pi)))
MILLIRADIANS = PhaseUnits("mrad", 1e-3, 0.0, ((-1e3 * math.pi, 1e3 * math.pi), (0.0, 2e3 * math.pi)))
DEGREES = PhaseUnits("degrees", math.pi / 180, 0.0, ((-180.0, 180.0), (0.0, 360.0)))
SIEMENS = PhaseUnits("siemens", math.pi / 4096, 0.0, ((-4096.0, 4094.0),), whole=True)
TWELVE_BIT = PhaseUnits("12-bit", math.pi / 2048, -math.pi, ((0.0, 4095.0),), whole=True)
SIGNED_TWELVE_BIT = PhaseUnits("signed-12-bit", math.pi / 2048, 0.0, ((-2048.0, 2047.0),), whole=True)
CONVENTIONS = (RADIANS, MILLIRADIANS, DEGREES, SIEMENS, TWELVE_BIT, SIGNED_TWELVE_BIT)
"""Every convention that a rule may find: Siemens −4096..4094, old exports 0..4095, Philips mrad, and so on."""

PHASE_UNITS: dict[str, PhaseUnits | FullRange] = {**{c.name: c for c in CONVENTIONS}, FullRange.name: FullRange()}
"""Word on the command line (``--phase-units``) → convention."""

STATED: dict[str, PhaseUnits | None] = {
    "rad": RADIANS,
    "radians": RADIANS,
    "mrad": MILLIRADIANS,
    "deg": DEGREES,
    "degrees": DEGREES,
    "arbitrary": None,
}
"""A sidecar's ``Units`` → convention, None where it says that it does not say. BIDS knows rad and arbitrary."""


class PhaseSign(Enum):
    """How stored phase moves with the field; gradatim's own is GROWS, exp(+2πi·Δf·TE)."""

    GROWS = 1
    """Phase grows where the field is stronger."""
    FALLS = -1
    """Phase falls where the field is stronger; it is negated on the way in."""


PHASE_SIGNS = {"grows": PhaseSign.GROWS, "falls": PhaseSign.FALLS}
"""Word on the command line (``--phase-sign``) → convention."""


class Confidence(Enum):
    """How well a phase scaling is founded."""

    CHOSEN = "the user said so"
    AGREED = "two rules or more agree"
    SINGLE = "one rule says so, none disagrees"
    COMPUTED = "the phase is the angle of a complex signal"


@dataclass(frozen=True)
class PhaseEvidence:
    """What one volume tells about its unit.

    Args:
        name: how messages call it.
        units: the sidecar's ``Units``, None where it has none.
        slope: header's slope, 1 where unusable.
        intercept: header's intercept.
        low: smallest finite value after slope and intercept.
        high: largest finite value.
        whole: whether every finite value is a whole number.
        gap: whether whole numbers that span 16 bits leave a quarter of that span empty.
    """

    name: str
    units: str | None
    slope: float
    intercept: float
    low: float
    high: float
    whole: bool
    gap: bool

    @classmethod
    def of(cls, values: Tensor, header: NiftiHeader, *, units: str | None, name: str) -> "PhaseEvidence":
        """Look at a volume as read (slope applied)."""
        finite = values[torch.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.numel() else (0.0, 0.0)
        whole = bool((finite == finite.round()).all())
        slope, intercept = (1.0, 0.0) if header.unusable_scaling else (header.slope, header.intercept)
        gap = False
        if whole and high - low > 60_000 * abs(slope):
            bins = torch.histc(finite, 64, low, high) > 0
            gap = "0" * 16 in "".join("1" if full else "0" for full in bins.tolist())
        return cls(name, units, slope, intercept, low, high, whole, gap)

    @property
    def by_range(self) -> PhaseUnits | None:
        """The convention whose range the values fill, None where there is none."""
        fitting = (c for c in CONVENTIONS if c.filled_by(self.low, self.high) and (self.whole or not c.whole))
        return next(fitting, None)

    @property
    def by_slope(self) -> PhaseUnits | None:
        """The convention that slope and intercept make of 12-bit numbers, None where there is none."""
        if (self.slope, self.intercept) == (1.0, 0.0):
            return None
        for first, last in ((0, 4095), (-2048, 2047)):
            ends = sorted((self.slope * first + self.intercept, self.slope * last + self.intercept))
            for convention in CONVENTIONS:
                if convention.filled_by(*ends):
                    return convention
        return None


@dataclass(frozen=True)
class PhaseScaling:
    """How stored phase became radians: rad = scale·value + offset.

    Args:
        scale: rad per stored unit.
        offset: rad.
        rule: who decided: ``user``, ``units``, ``slope``, ``range``, several joined by ``+``, or ``complex``.
        confidence: how well that is founded.
        sentence: the decision in words, for report and provenance.
        notes: warnings that go with it.
    """

    scale: float
    offset: float
    rule: str
    confidence: Confidence
    sentence: str
    notes: tuple[Finding, ...] = ()

    def apply(self, values: Tensor) -> Tensor:
        """Values in rad; unchanged where they are rad already, else computed in float64 and kept as float32.

        Args:
            values: stored phase after slope and intercept, any shape.
        """
        if (self.scale, self.offset) == (1.0, 0.0):
            return values
        return (values.double() * self.scale + self.offset).float()
