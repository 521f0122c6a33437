"""What a process of a cohort does with one case: read it, and turn what goes wrong into an outcome."""

from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.cli.measured_image import read_measured_image
from gradatim.cli.outcome import BUG, known_error
from gradatim.io.manifest import MeasuredCase
from gradatim.pipelines.outcome import End, Outcome


def read_case(case: MeasuredCase) -> tuple[QuantitativeMap, tuple[Regions, ...], str]:
    """Map, regions and the image's name of one case.

    Args:
        case: its files.
    """
    found = read_measured_image(case.image, case.regions, mask=case.mask, unit=case.unit)
    return found.map, found.layers, found.name


def failed_case(error: Exception, name: str) -> Outcome:
    """The outcome of a case that could not be measured.

    Args:
        error: what was raised.
        name: the case.
    """
    known = known_error(error)
    if known is not None:
        return Outcome.of(known, name)
    return Outcome(name, End.FAILED, "", f"this is a bug in gradatim, not in your data ({type(error).__name__})", BUG)
