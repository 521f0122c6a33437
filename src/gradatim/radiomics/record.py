"""What a feature and a family of features are, before any of them is written down."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from gradatim.radiomics.aggregation import WHOLE, Aggregation
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.undefined import Undefined

NOT_FINITE = "the result is not a finite number"
"""The reason of a feature that always has a value, should it ever have none."""

_SUPERSCRIPT = str.maketrans("23456789", "²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Unit:
    """A feature's unit as powers of the image's unit and of the millimetre.

    The powers are also the feature's scaling law: image × a and spacing × s give
    value × a^intensity × s^length.

    Args:
        intensity: power of the image's unit.
        length: power of mm.

    Example:
        >>> Unit(intensity=2).text("ppm"), Unit(length=3).text("ppm"), Unit(length=-1).text("ppm")
        ('ppm²', 'mm³', '1/mm')
        >>> Unit(intensity=2).text("1/s"), Unit(intensity=1).text(""), Unit().text("ppm")
        ('(1/s)²', '', '')
    """

    intensity: int = 0
    length: int = 0

    def text(self, image_unit: str) -> str:
        """The unit in words, e.g. ``"ppm²"``, for an image in ``image_unit``; empty for a pure number."""
        powers = [_power(image_unit, self.intensity), _power("mm", self.length)]
        return "·".join(part for part in powers if part)


def _power(unit: str, exponent: int) -> str:
    if not unit or exponent == 0:
        return ""
    if exponent == 1:
        return unit
    atom = unit if unit.isalpha() else f"({unit})"
    raised = atom + (str(abs(exponent)).translate(_SUPERSCRIPT) if abs(exponent) > 1 else "")
    return raised if exponent > 0 else f"1/{raised}"


@dataclass(frozen=True)
class FeatureRecord:
    """The one place that knows a feature; the table, the documentation and the tests are made from it.

    Args:
        id: the feature's name in the table, snake case, unique in its family.
        name: IBSI's name.
        code: IBSI's four-character code, unique.
        unit: as powers of the image's unit and of mm.
        formula: the definition, in one line.
        compute: from what the family measured to the feature, one value a measured matrix.
        source: who defined it.
        undefined: when the formula has no value; the reason that stands beside NaN.
    """

    id: str
    name: str
    code: str
    unit: Unit
    formula: str
    compute: Callable[[Any], Tensor]
    source: str
    undefined: str = NOT_FINITE


class Family(ABC):
    """Features that are computed from one and the same measurement of a region.

    A family is final, has no state, and says what it measures; its records say what becomes of it. The
    value of a feature is the mean over the measured matrices, where the feature is defined.

    Class attributes:
        id, name, code: the family's short name, IBSI name and IBSI code.
        features: its records, in the order of the IBSI manual.
        aggregations: how its matrices may be combined; a family without matrices has only the whole.
        nothing: the reason for NaN when the region gives not one measurement.
        sees_border: whether a region that touches the image's border gives a doubtful value.
    """

    id: ClassVar[str]
    name: ClassVar[str]
    code: ClassVar[str]
    features: ClassVar[tuple[FeatureRecord, ...]]
    aggregations: ClassVar[tuple[Aggregation, ...]] = (WHOLE,)
    nothing: ClassVar[str] = "nothing to measure in the region"
    sees_border: ClassVar[bool] = False

    @abstractmethod
    def measure(self, roi: Roi, aggregation: Aggregation) -> Iterable[Any] | Undefined:
        """What the records' functions take, one or several batches, or why there is none."""
