"""gradatim ct calibrate: CT numbers put right by water and air."""

import json as jsonlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import tyro

from gradatim.cli.outcome import plain


@dataclass(frozen=True)
class Calibrate:
    """Correct the CT numbers of an image by a region of water and a region of air.

    Prints slope and intercept of the correction with their standard errors, the drift of the water reference that
    the slope amounts to, and what makes the scale doubtful.

    Attributes:
        image: CT in HU as the scanner gave it, NIfTI.
        water: mask of a region inside water, which becomes 0 HU.
        air: mask of a region of air, which becomes -1000 HU.
        out: the corrected image to write.
        json: print one JSON object, for programs.
    """

    image: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="IMAGE")]
    water: Path
    air: Path
    out: Path
    json: bool = False

    def run(self) -> int:
        """Measure, correct and write.

        Raises:
            UsageError: GD-107 for an output that is one of the inputs.
            InputError: GD-719 if water does not lie above air; GD-723 for regions too small; what the readers refuse.
        """
        from rich.console import Console

        from gradatim.base.findings import Finding, Severity
        from gradatim.cli.ct_input import read_with_masks
        from gradatim.cli.feature_outputs import require_outputs
        from gradatim.cli.findings_in_words import in_words
        from gradatim.io.nifti_write import write_nifti
        from gradatim.radiomics.ct.calibration import TwoPointCalibration
        from gradatim.radiomics.ct.scale_check import ScaleCheck

        require_outputs([self.out], inputs=(self.image, self.water, self.air))
        given, (water, air) = read_with_masks(self.image, self.water, self.air)
        line = TwoPointCalibration()(given.data, water=water, air=air)
        doubts = ScaleCheck()(given.data, line)
        notes = given.notes + tuple(
            Finding(d.code, Severity.WARN, self.image.name, d.what, d.allowed, d.do) for d in doubts
        )
        write_nifti(self.out, line(given.data), given.grid)
        numbers = {
            "slope": float(line.slope),
            "slope_error": line.slope_error,
            "intercept": float(line.intercept),
            "intercept_error": line.intercept_error,
            "water_seen": float(line.water),
            "air_seen": float(line.air),
            "drift": float(line.drift),
        }
        if self.json:
            doubted = [asdict(doubt) for doubt in doubts]
            print(jsonlib.dumps({"output": str(self.out), **numbers, "doubts": doubted}, indent=2))
            return 0
        print("\n".join(f"{name:<18}{value:.6g}" for name, value in numbers.items()))
        talk = Console(stderr=True, highlight=False)
        if notes:
            talk.print(in_words(notes), soft_wrap=True)
        talk.print(plain(f"written {self.out}"), soft_wrap=True, markup=False)
        return 0
