"""gradatim features cohort: what the regions of many images measure."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from gradatim.base.errors import UsageError


@dataclass(frozen=True)
class FeaturesCohort:
    """Measure many cases side by side into one table; what was measured before is not measured again.

    The table is the same from any number of processes. A case that fails is named and stops nobody; run again after
    mending it. Beside TABLE lie its provenance (NAME.provenance.json) and the cases' own tables (NAME.parts).

    Attributes:
        cases: a CSV with the columns case, image, regions and, if needed, mask and unit; or the root of a BIDS
            derivative, whose images with a dseg beside them are measured.
        out: the table, ending in .parquet, .csv or .json.
        wide: also write one row a region and one column a feature, .csv or .parquet.
        suffix: in a BIDS derivative, which images.
        preset: named settings, as of gradatim features.
        settings: TOML file with settings of your own.
        nprocs: how many processes at a time.
    """

    cases: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="CASES")]
    out: Path
    wide: Path | None = None
    suffix: str = "Chimap"
    preset: str = ""
    settings: Path | None = None
    nprocs: int = 1

    def run(self) -> int:
        """Measure and write; 0 if every case was measured, 1 if some were, their common code if all failed alike."""
        from gradatim.cli.cohort_work import failed_case, read_case
        from gradatim.cli.feature_outputs import require_outputs
        from gradatim.cli.feature_settings import chosen_extraction
        from gradatim.cli.progress_bars import ProgressBars
        from gradatim.io.derivative_cases import derivative_cases
        from gradatim.io.manifest import read_manifest
        from gradatim.io.table import read_features
        from gradatim.io.wide_table import wide_format, write_wide
        from gradatim.pipelines.cohort_features import CohortFeatures
        from gradatim.pipelines.outcome import End, Outcome, exit_code
        from gradatim.pipelines.supervisor import ProcessPerTask

        if self.nprocs < 1:
            raise UsageError("GD-101", given=f"--nprocs {self.nprocs}", allowed="1 or more", do="give at least 1")
        extraction = chosen_extraction(self.preset, self.settings)
        if self.wide is not None:
            wide_format(self.wide)
        cases = derivative_cases(self.cases, suffix=self.suffix) if self.cases.is_dir() else read_manifest(self.cases)
        inputs = [path for case in cases for path in (case.image, case.regions, case.mask)]
        beside = self.out.with_suffix(".provenance.json")
        require_outputs((self.out, beside, self.wide), inputs=(self.cases, self.settings, *inputs))
        cohort = CohortFeatures(cases, extraction, self.out, read_case, failed_case)
        with ProgressBars(len(cases)) as bars:

            def heard(outcome: Outcome) -> None:
                bars.end(outcome.name, outcome.sentence or outcome.end.value)

            results = cohort(ProcessPerTask(self.nprocs, bars.stage), nprocs=self.nprocs, heard=heard)
            outcomes = tuple(result.outcome for result in results)
            counts = ", ".join(f"{n} {end.value}" for end in End if (n := sum(o.end is end for o in outcomes)))
            bars.say(f"{counts}: {self.out}")
        if self.wide is not None:
            write_wide(self.wide, read_features(self.out))
        return exit_code(outcomes)
