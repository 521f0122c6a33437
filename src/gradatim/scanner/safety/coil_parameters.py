"""The SAFE coefficients among a gradient coil's parameters, as a scanner names them."""

from collections.abc import Mapping

from gradatim.base.errors import InputError, UsageError
from gradatim.scanner.safety.hardware import SafeAxis, SafeHardware

_SECTIONS = ("GradPatSup.Phys.PNS.", "")
_SCALE = "asGPAParameters[0].sGCParameters.flGScaleFactor"
_NAMES = ("asCOMP.tName", "asCOMP[0].tName")


def coil_hardware(parameters: Mapping[str, float | str]) -> SafeHardware:
    """The hardware that a scanner's parameters describe; its time constants are in ms there.

    Of each axis X, Y, Z: ``flGSWDTau…[0 to 2]``, ``flGSWDA…[0 to 2]``, ``flGSWDStimulationLimit…``,
    ``flGSWDStimulationThreshold…``, in newer files below ``GradPatSup.Phys.PNS``, and the scale
    ``asGPAParameters[0].sGCParameters.flGScaleFactor…``. Nothing stands for a scale that is missing: 1/π is some
    coils' and wrong for others.

    Args:
        parameters: name → number or text.

    Raises:
        InputError: GD-244 if one is missing, no number or impossible.

    Example:
        >>> coil_hardware({})
        Traceback (most recent call last):
        gradatim.base.errors.InputError: GD-244: no flGSWDTauX[0]; allowed: a number; give the file of a gradient coil
    """
    section = next((s for s in _SECTIONS if f"{s}flGSWDTauX[0]" in parameters), "")
    names = [str(parameters[name]) for name in _NAMES if name in parameters]

    def number(name: str) -> float:
        value = parameters.get(name)
        if not isinstance(value, float):
            given = f"no {name}" if value is None else f"{name} = {value}"
            raise InputError("GD-244", given=given, allowed="a number", do="give the file of a gradient coil")
        return value

    def axis(letter: str) -> SafeAxis:
        taus, weights = (
            tuple(number(f"{section}flGSWD{kind}{letter}[{i}]") for i in range(3)) for kind in ("Tau", "A")
        )
        try:
            return SafeAxis(
                (weights[0], weights[1], weights[2]),
                (1e-3 * taus[0], 1e-3 * taus[1], 1e-3 * taus[2]),
                limit=number(f"{section}flGSWDStimulationLimit{letter}"),
                threshold=number(f"{section}flGSWDStimulationThreshold{letter}"),
                scale=number(f"{_SCALE}{letter}"),
            )
        except UsageError as error:
            raise InputError("GD-244", given=error.given, allowed=error.allowed, do="check the file") from error

    return SafeHardware(names[0] if names else "the gradient coil of the file", axis("X"), axis("Y"), axis("Z"))
