"""gradatim qsm: from the files of one scan to susceptibility, R2*, features and a report."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from gradatim.cli.scan_options import Chain, Reading


@dataclass(frozen=True)
class Qsm:
    """Map the magnetic susceptibility of one multi-echo scan, outside BIDS.

    Writes a folder with Chimap.nii.gz (ppm), fieldmap.nii.gz (Hz), localfield.nii.gz (Hz), R2starmap.nii.gz (1/s),
    mask.nii.gz (where susceptibility is known), errors, features.csv, report.html and provenance.json. The folder
    appears whole or not at all; if it already holds what the same command would make, nothing is done.

    Attributes:
        magnitude: one 3-D file an echo, or one 4-D file with the echoes last.
        phase: the same for phase.
        echo_times: one an echo, in seconds.
        field_strength: B0 in tesla.
        out: the folder to write.
        mask: mask of the brain, 0 outside; by default it is found in the magnitude.
        regions: label image on the scan's grid, named by the .tsv beside it; by default what stands out of the map.
        reference: label of the region whose mean is to be zero; by default the mean of the mask is.
        case: what tables and report call the scan.
        reading: how the files are read.
        chain: which methods are used.
        json: print the record of the result as one JSON object, for programs.
    """

    magnitude: tuple[Path, ...]
    phase: tuple[Path, ...]
    echo_times: tuple[float, ...]
    field_strength: float
    out: Path
    mask: Path | None = None
    regions: Path | None = None
    reference: int | None = None
    case: str = "scan"
    reading: Annotated[Reading, tyro.conf.arg(name="")] = Reading()
    chain: Annotated[Chain, tyro.conf.arg(name="")] = Chain()
    json: bool = False

    def run(self) -> int:
        """Run the chain and write the folder; whatever is refused is raised."""
        from gradatim.cli.progress_bars import ProgressBars
        from gradatim.io.echo_series import series_from_files
        from gradatim.io.sidecar import read_sidecar
        from gradatim.pipelines.given_images import GivenImages
        from gradatim.pipelines.plain_run import PlainRun
        from gradatim.pipelines.progress import LISTENER
        from gradatim.pipelines.scan_run import ScanRun
        from gradatim.pipelines.subject_run import RECORD
        from gradatim.report.susceptibility import write_susceptibility_report

        series = series_from_files(
            magnitude=self.magnitude,
            phase=self.phase,
            echo_times=self.echo_times,
            field_strength=self.field_strength,
        )
        given = GivenImages(self.mask, self.regions, self.reference)
        scan_run = ScanRun(self.chain.route(), self.reading.reader())
        with ProgressBars(1) as bars:
            LISTENER.set(lambda stage, fraction: bars.stage(self.case, stage, fraction))
            outcome = PlainRun(series, self.out, write_susceptibility_report, scan_run, given, self.case)()
            bars.end(self.case, f"{outcome.end.value}, {self.out}")
            for found in read_sidecar(self.out / RECORD)["Findings"]:
                if found["severity"] == "warn":
                    bars.say(f"warning {found['code']} {found['where']}: {found['what']}; {found['fix']}")
        if self.json:
            print((self.out / RECORD).read_text(encoding="utf-8"), end="")
        return 0
