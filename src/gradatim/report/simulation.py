"""The report of a simulated scan: the usual page with the truth on it, the overview picture, the scores."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path

from gradatim.io.atomic import atomic_file
from gradatim.io.sidecar import write_sidecar
from gradatim.pipelines.beside_truth import beside_truth
from gradatim.pipelines.scan_run import CompletedScan
from gradatim.pipelines.simulated_dataset import SimulatedDataset
from gradatim.report.render import write_report
from gradatim.report.susceptibility import susceptibility_report
from gradatim.report.truth_chapter import truth_picture

OVERVIEW, SCORES = "overview.png", "scores.json"
"""How the files beside a page ``…_report.html`` end."""


@dataclass(frozen=True)
class SimulationPage:
    """Writes the report of a scan whose truth is known, its overview picture and its scores beside it.

    Args:
        simulated: what wrote the data set.
        raw: the data set's root.
    """

    simulated: SimulatedDataset
    raw: Path

    def __call__(self, scan: CompletedScan, path: Path) -> None:
        """Write page, picture and scores.

        Args:
            scan: the scan.
            path: the page's path, ending in ``_report.html``.

        Raises:
            ResourceError: as :func:`gradatim.report.render.write_report`.
        """
        truth = beside_truth(scan.result, self.simulated.truth(self.raw))
        stem = path.name.removesuffix("report.html")
        with atomic_file(path.with_name(f"{stem}{OVERVIEW}")) as file:
            file.write(truth_picture(scan.result, truth).data)
        scores = {name: None if math.isnan(value) else value for name, value in asdict(truth.scores).items()}
        found = {"kept": truth.kept, "field_error_ppb": truth.field_error_ppb}
        write_sidecar(path.with_name(f"{stem}{SCORES}"), {**scores, **found})
        write_report(path, susceptibility_report(scan, truth=truth))
