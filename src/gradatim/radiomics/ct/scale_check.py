"""Whether an image can be in HU at all."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.radiomics.ct.calibration import Calibration

LOWEST = -1024.0
"""HU of the lowest CT number that scanners give; lower ones stand for "not measured"."""

HIGHEST = 30710.0
"""HU above which not even the extended scale of metal reaches (16 bits, slope 10)."""


@dataclass(frozen=True)
class ScaleDoubt:
    """One reason to doubt that values are in HU.

    Args:
        code: ``GD-xxx``.
        what: what was found, with the number.
        allowed: what HU would be.
        do: what to do now.
    """

    code: str
    what: str
    allowed: str
    do: str


@dataclass(frozen=True)
class ScaleCheck:
    """Looks for a scale that is impossible, or impossible to trust.

    GD-719: water is not near 0 HU, or air not near −1000 HU, by more than the tolerances. GD-720: values below −1024 HU
    (padding, or noise that was not clipped) or above 30710 HU. GD-721: no negative value up to 12 bits, as an image
    without its rescale intercept has. GD-722: all values between 0 and 5, as attenuation coefficients in 1/mm or 1/cm
    are. An image of soft tissue alone, masked with zeros, looks like GD-721 too: a doubt is a warning. Source of the
    tolerances: American College of Radiology, CT accreditation phantom, water −7 to 7 HU and air not above −970 HU.

    Args:
        water: HU by which water may be off.
        air: HU by which air may be off.

    Raises:
        InputError: when called, GD-723 if not one value is finite.

    Example:
        >>> [doubt.code for doubt in ScaleCheck()(torch.tensor([0.0, 24.0, 1024.0, 2000.0]))]
        ['GD-721']
        >>> ScaleCheck()(torch.tensor([-1000.0, 0.0, 45.0]))
        ()
    """

    water: float = 7.0
    air: float = 30.0

    def __call__(self, image: Tensor, calibration: Calibration | None = None) -> tuple[ScaleDoubt, ...]:
        """Every doubt, none for an image that may be in HU.

        Args:
            image: any shape.
            calibration: what the two regions of reference showed, if they are known.
        """
        known = image.detach()[torch.isfinite(image.detach())]
        if known.numel() == 0:
            raise InputError(
                "GD-723", given="an image without a finite value", allowed="one or more", do="give another image"
            )
        low, high = float(known.min()), float(known.max())
        found = [*self._of_range(low, high)]
        if calibration is not None:
            for name, seen, true, room in (
                ("water", float(calibration.water.detach()), 0.0, self.water),
                ("air", float(calibration.air.detach()), -1000.0, self.air),
            ):
                if abs(seen - true) > room:
                    what = f"{name} is seen at {seen:.4g} HU"
                    found.append(ScaleDoubt("GD-719", what, f"{true:g} ± {room:g} HU", "calibrate, then find out why"))
        return tuple(found)

    def _of_range(self, low: float, high: float) -> list[ScaleDoubt]:
        if low >= -0.01 and 0 < high <= 5.0:
            what, unit = f"all values lie from {low:.4g} to {high:.4g}", "1/mm" if high < 0.1 else "1/cm"
            return [
                ScaleDoubt("GD-722", what, "HU", f"they may be attenuation in {unit}: convert with HounsfieldScale")
            ]
        found = []
        if low >= 0 and high <= 4095:
            what = f"no value below {low:.4g}, none above {high:.4g}, as stored by 12 bits without a sign"
            found.append(ScaleDoubt("GD-721", what, "air near −1000 HU", "apply the rescale intercept, often −1024"))
        if low < LOWEST:
            what = f"values down to {low:.4g} HU"
            found.append(ScaleDoubt("GD-720", what, f"{LOWEST:g} HU or more", "mask the padding, it is not tissue"))
        if high > HIGHEST:
            what = f"values up to {high:.4g} HU"
            found.append(ScaleDoubt("GD-720", what, f"{HIGHEST:g} HU or less", "look at slope and intercept"))
        return found
