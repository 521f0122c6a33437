"""gradatim sequence lint: what is wrong with the physics of a sequence, before it is played."""

import json as jsonlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from gradatim.base.errors import UsageError
from gradatim.cli.system_choice import SystemChoice

if TYPE_CHECKING:
    from gradatim.base.findings import Finding
    from gradatim.scanner.safety.hardware import SafeHardware
    from gradatim.scanner.safety.stimulation import StimulationPeak


@dataclass(frozen=True)
class SequenceLint:
    """Look over the physics of a Pulseq file, version 1.2 to 1.5.1: each finding has a code, a place and a cure.

    Ends with 0 if nothing is wrong, 1 if something would spoil the result, 3 if the file cannot be read. Neither it nor
    its figure of nerve stimulation is a clearance.

    Attributes:
        file: the .seq file.
        hardware: a gradient coil's parameters (.asc) for the estimate of nerve stimulation; by default a published
            example, which is no scanner's, gives warnings at most, and judges no spectrometer.
        fov_mm: field of view along x, y and z, mm; by default what the file says.
        field_strength: B0, T, for files with offsets in parts per million.
        limits: of the gradients; they are checked where one of the four is given.
        json: print one JSON object, for programs.
    """

    file: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FILE")]
    hardware: Path | None = None
    fov_mm: tuple[float, float, float] | None = None
    field_strength: float | None = None
    limits: Annotated[SystemChoice, tyro.conf.arg(name="")] = SystemChoice()
    json: bool = False

    def run(self) -> int:
        """Read, look, and say.

        Raises:
            UsageError: GD-175 for an impossible field of view; what the choice of a system refuses.
            InputError: what the reader of the file refuses; GD-243 and GD-244 for the coil's parameters.
        """
        from rich.console import Console

        from gradatim.base.findings import refusals
        from gradatim.base.sequence import TICKS
        from gradatim.cli.sequence_findings import in_lines
        from gradatim.io.pulseq import read_pulseq_file
        from gradatim.scanner.lint.lint import lint
        from gradatim.scanner.lint.nerves import around_people
        from gradatim.scanner.safety.safe import Safe

        system = None if self.limits == SystemChoice() else self.limits.chosen()[0]
        hardware, fov = self._coil(), self._fov()
        read = read_pulseq_file(self.file, field_strength=self.field_strength)
        findings = (*read.findings, *lint(read.sequence, system=system, hardware=hardware, fov=fov))
        judged = self.hardware is not None or around_people(read.sequence)
        peak = Safe(hardware, read.sequence.rasters.gradient / TICKS).peak(read.sequence) if judged else None
        if self.json:
            print(jsonlib.dumps(_record(findings, peak), indent=2))
        else:
            said = "not judged, for no person lies in such gradients" if peak is None else str(peak)
            Console(highlight=False).print(in_lines(findings, f"nerve stimulation: {said}"), soft_wrap=True)
        return 1 if refusals(findings) else 0

    def _coil(self) -> "SafeHardware":
        from gradatim.io.coil_text import read_coil_text
        from gradatim.scanner.safety.coil_parameters import coil_hardware
        from gradatim.scanner.safety.hardware import EXAMPLE_HARDWARE

        return EXAMPLE_HARDWARE if self.hardware is None else coil_hardware(read_coil_text(self.hardware))

    def _fov(self) -> tuple[float, float, float] | None:
        if self.fov_mm is None:
            return None
        if not all(1 <= extent <= 2000 for extent in self.fov_mm):
            raise UsageError(
                "GD-175",
                given=f"--fov-mm {' '.join(f'{extent:g}' for extent in self.fov_mm)}",
                allowed="1 to 2000 mm along each axis",
                do="give millimetres",
            )
        x, y, z = (1e-3 * extent for extent in self.fov_mm)
        return x, y, z


def _record(findings: "tuple[Finding, ...]", peak: "StimulationPeak | None") -> dict[str, object]:
    from gradatim.scanner.safety.stimulation import ESTIMATE

    stimulation = (
        None
        if peak is None
        else {
            "percent": peak.total,
            "axes_percent": list(peak.axes),
            "time_s": peak.time,
            "of": peak.limit,
            "remark": ESTIMATE,
        }
    )
    return {"findings": [finding.record() for finding in findings], "stimulation": stimulation}
