"""What `gradatim demo` does, step by step."""

import json as jsonlib
import time
from pathlib import Path

from gradatim.base.errors import UsageError
from gradatim.cli.dataset_command import run_participants
from gradatim.cli.progress_bars import ProgressBars
from gradatim.io.atomic import atomic_file, write_refusal
from gradatim.io.lock import run_lock
from gradatim.io.sidecar import read_sidecar
from gradatim.pipelines.dataset_run import LOCK, DatasetRun
from gradatim.pipelines.progress import LISTENER
from gradatim.pipelines.scan_run import ScanRun
from gradatim.pipelines.simulated_dataset import SETTINGS, SimulatedDataset
from gradatim.pipelines.susceptibility import SusceptibilityRoute
from gradatim.report.simulation import OVERVIEW, SCORES, SimulationPage

RAW, DERIVATIVE = "raw", Path("derivatives", "gradatim")


def demonstrate(simulated: SimulatedDataset, out: Path, route: SusceptibilityRoute, *, json: bool) -> int:
    """Simulate, run and show.

    Args:
        simulated: the data set that is simulated.
        out: the folder to write.
        route: the chain.
        json: whether the scores go to stdout.

    Returns:
        The exit code.

    Raises:
        UsageError: GD-107 if the folder holds something else.
        ResourceError: GD-508 if another run is writing there; GD-502 to GD-504 if it cannot be written.
    """
    began, out = time.monotonic(), out.resolve()
    _make(out)
    with run_lock(out / LOCK):
        with ProgressBars(1) as bars:
            LISTENER.set(lambda stage, share: bars.stage("simulation", stage, share))
            simulated(out / RAW)
            bars.end("simulation", "a head and its scan, in BIDS")
        page = SimulationPage(simulated, out / RAW)
        code = run_participants(DatasetRun(out / RAW, out / DERIVATIVE, page, ScanRun(route)), 1, json=False)
        if code:
            return code
        _show(simulated, out, seconds=time.monotonic() - began, json=json)
    return 0


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        others = [each.name for each in out.iterdir() if each.name != LOCK]
    except OSError as error:
        raise write_refusal(error, out) from error
    if others and not (out / RAW / SETTINGS).is_file():
        raise UsageError(
            "GD-107",
            given=f"the output folder {out.name} with {min(others)} in it",
            allowed="a new or empty folder, or an earlier demo",
            do="choose another output folder",
        )


def _show(simulated: SimulatedDataset, out: Path, *, seconds: float, json: bool) -> None:
    name = f"sub-{simulated.subject}"
    place = out / DERIVATIVE / name
    for ending, target in (("report.html", "report.html"), (OVERVIEW, "demo.png"), (SCORES, SCORES)):
        with atomic_file(out / target) as file:
            file.write((place / f"{name}_{ending}").read_bytes())
    scores = read_sidecar(out / SCORES)
    with ProgressBars(1) as bars:
        bars.say(
            f"susceptibility found in {100 * scores['kept']:.0f} % of the true brain, off by {scores['nrmse']:.0f} % "
            f"(NRMSE); field off by {scores['field_error_ppb']:.2g} ppb (median); {seconds:.0f} s"
        )
        bars.say(f"open {out / 'report.html'}")
        bars.say(f"picture {out / 'demo.png'}, derivatives {out / DERIVATIVE}, scan {out / RAW}")
    if json:
        print(jsonlib.dumps(scores, indent=2))
