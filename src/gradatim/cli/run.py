"""gradatim run: every subject of a BIDS data set, from its scans to a derivative data set."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from gradatim.base.choice import choose
from gradatim.base.errors import UsageError
from gradatim.cli.scan_options import Chain, Reading

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Run:
    """Map the susceptibility of every subject of a BIDS data set, into a BIDS derivative.

    A subject that fails leaves nothing half-written and stops nobody; one whose output fits its input, the options
    and the version is skipped, so that a run that was killed goes on where it stopped. Ends with 0 if nobody failed,
    1 if some did, and with their common exit code if all failed alike.

    Attributes:
        bids: root of the data set.
        out: root of the derivative; a folder of its own, never inside the data set except below its derivatives.
        level: participant runs the subjects, group puts their features into one table.
        participant_label: subjects to run, with or without sub-; by default all.
        session_label: sessions to run, with or without ses-; by default all.
        nprocs: how many subjects at a time, each in a process of its own.
        executor: where they run; local is this machine.
        dry_run: say what would be run, and change nothing.
        reading: how scans are read.
        chain: which methods are used.
        json: print the summary as one JSON object, for programs.
    """

    bids: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="BIDS")]
    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
    level: Annotated[Literal["participant", "group"], tyro.conf.Positional]
    participant_label: tuple[str, ...] = ()
    session_label: tuple[str, ...] = ()
    nprocs: int = 1
    executor: str = "local"
    dry_run: bool = False
    reading: Annotated[Reading, tyro.conf.arg(name="")] = Reading()
    chain: Annotated[Chain, tyro.conf.arg(name="")] = Chain()
    json: bool = False

    def run(self) -> int:
        """Run the participants or the group.

        Raises:
            UsageError: GD-101 for a number of processes below 1; GD-102 for an unknown word or label; GD-107.
            GradatimError: whatever concerns the data set or the output as a whole.
        """
        from gradatim.cli.dataset_command import plan, run_group, run_participants
        from gradatim.pipelines.dataset_run import DatasetRun
        from gradatim.pipelines.scan_run import ScanRun
        from gradatim.report.susceptibility import write_susceptibility_report

        if self.nprocs < 1:
            raise UsageError("GD-101", given=f"--nprocs {self.nprocs}", allowed="1 or more", do="give at least 1")
        choose(self.executor, {"local": None}, what="executor")
        if self.level == "group":
            return run_group(self.out, json=self.json)
        run = DatasetRun(
            self.bids,
            self.out,
            write_susceptibility_report,
            ScanRun(self.chain.route(), self.reading.reader()),
            self.participant_label,
            self.session_label,
        )
        return plan(run, json=self.json) if self.dry_run else run_participants(run, self.nprocs, json=self.json)
