"""gradatim features robustness: which features hold when image and contour are perturbed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from gradatim.base.errors import UsageError


@dataclass(frozen=True)
class FeaturesRobustness:
    """Measure many cases again and again under perturbations, and say how reliable each feature is.

    TABLE has five rows a feature: ICC(1,1), ICC(2,1) and ICC(3,1), the share of variance that lies between cases,
    and standard deviation and coefficient of variation within cases; each with its interval, or NaN with a reason
    (GD-731, GD-732, GD-740). A single case has spread but no ICC. Beside it lie its provenance, with all seeds, and
    every perturbed value (NAME.perturbed.parquet); run again, only new cases are measured.

    Attributes:
        cases: a CSV with the columns case, image, regions and, if needed, mask and unit.
        out: the table, ending in .csv, .parquet or .json.
        perturbations: TOML file with chains or choices of Rotate, Shift, AddNoise, Dilate, Erode, ChangeVolume and
            RandomiseContour; by default the image as it is and eight chains: turned by 4° either way, the volume 10 %
            less or more, the contour drawn by one or another hand.
        preset: named settings, as of gradatim features.
        settings: TOML file with settings of your own.
        level: what the intervals cover.
        nprocs: how many processes at a time.
    """

    cases: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="CASES")]
    out: Path
    perturbations: Path | None = None
    preset: str = ""
    settings: Path | None = None
    level: float = 0.95
    nprocs: int = 1

    def run(self) -> int:
        """Measure and write; 0 if every case was measured, 1 if some were, their common code if all failed alike."""
        from gradatim.cli.cohort_work import failed_case, read_case
        from gradatim.cli.feature_settings import chosen_extraction
        from gradatim.cli.perturbations import chosen_chains
        from gradatim.cli.progress_bars import ProgressBars
        from gradatim.io.atomic import require_place
        from gradatim.io.manifest import read_manifest
        from gradatim.pipelines.feature_robustness import CohortRobustness
        from gradatim.pipelines.outcome import End, Outcome, exit_code
        from gradatim.pipelines.supervisor import ProcessPerTask
        from gradatim.radiomics.robustness.study import Robustness

        if self.nprocs < 1:
            raise UsageError("GD-101", given=f"--nprocs {self.nprocs}", allowed="1 or more", do="give at least 1")
        if self.out.resolve() == self.cases.resolve():
            raise UsageError(
                "GD-107",
                given=f"the output {self.out.name}",
                allowed="another file than CASES",
                do="choose another name",
            )
        study = Robustness(chosen_extraction(self.preset, self.settings), chosen_chains(self.perturbations))
        cases = read_manifest(self.cases)
        require_place(self.out)
        cohort = CohortRobustness(cases, study, self.out, self.level, read_case, failed_case)
        with ProgressBars(len(cases)) as bars:

            def heard(outcome: Outcome) -> None:
                bars.end(outcome.name, outcome.sentence or outcome.end.value)

            results = cohort(ProcessPerTask(self.nprocs, bars.stage), nprocs=self.nprocs, heard=heard)
            outcomes = tuple(result.outcome for result in results)
            counts = ", ".join(f"{n} {end.value}" for end in End if (n := sum(o.end is end for o in outcomes)))
            bars.say(f"{counts}, {len(study.chains)} measurements of each: {self.out}")
        return exit_code(outcomes)
