"""A scan's results in one folder under plain names, outside BIDS."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradatim.base.errors import GradatimError, UsageError
from gradatim.io.atomic import write_refusal
from gradatim.io.atomic_folder import atomic_folder, recover
from gradatim.io.derivatives import write_image_files
from gradatim.io.echo_series import EchoSeries, Part
from gradatim.io.lock import run_lock
from gradatim.io.nifti_write import write_nifti
from gradatim.io.sidecar import read_sidecar, write_sidecar
from gradatim.io.table import write_features
from gradatim.pipelines.derived_images import derived_images, said_of_all
from gradatim.pipelines.fingerprint import InputFile, check_unchanged, fingerprint, sidecars_sha256
from gradatim.pipelines.given_images import NOTHING, GivenImages
from gradatim.pipelines.outcome import End, Outcome
from gradatim.pipelines.progress import announce
from gradatim.pipelines.provenance import content_key, effort
from gradatim.pipelines.scan_run import CompletedScan, ScanRun
from gradatim.pipelines.subject_run import RECORD, Page

NAMES: dict[tuple[str, str], str] = {
    ("Chimap", ""): "Chimap",
    ("R2starmap", ""): "R2starmap",
    ("R2starmap", "error"): "R2starmap_error",
    ("T2starmap", ""): "T2starmap",
    ("T2starmap", "error"): "T2starmap_error",
    ("S0map", ""): "S0map",
    ("S0map", "error"): "S0map_error",
    ("mask", "chi"): "mask",
    ("mask", "field"): "fieldmask",
    ("mask", "brain"): "brainmask",
    ("dseg", "regions"): "regions",
    ("fieldmap", "total"): "fieldmap",
    ("fieldmap", "totalerror"): "fieldmap_error",
    ("fieldmap", "local"): "localfield",
    ("fieldmap", "localerror"): "localfield_error",
}
"""BIDS suffix and ``desc`` → plain name; what is not named here is not written."""

UNWRAPPED, FEATURES, REPORT = "unwrapped", "features", "report.html"


@dataclass(frozen=True)
class PlainRun:
    """Takes one scan through the chain into a folder: there whole or not at all, never at the cost of something else.

    Args:
        series: the scan's files.
        out: the folder.
        page: writes the report.
        run: how the scan is run.
        given: what the user gives beside the scan.
        case: what tables and report call it.

    Raises:
        GradatimError: what reading, the chain or writing refuse; GD-107 if the folder holds something that gradatim
            did not write, or an input file; GD-508 if another run is writing it.
    """

    series: EchoSeries
    out: Path
    page: Page
    run: ScanRun = field(default_factory=ScanRun)
    given: GivenImages = NOTHING
    case: str = ""

    def __call__(self) -> Outcome:
        """Run the scan, or skip it if the folder holds what the same command would make."""
        began, out = time.monotonic(), self.out.resolve()
        inputs = fingerprint(self._files())
        said = [sidecars_sha256(self.series), self.given.reference, self.case]
        key = content_key(inputs, [self.run, said])
        self._check_free(out, inputs)
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_refusal(error, out.parent) from error
        with run_lock(out.with_name(f".{hashlib.sha256(out.name.encode()).hexdigest()[:16]}.lock")):
            recover(out)
            if _record(out).get("Key") == key and _whole(out):
                return Outcome(self.case, End.SKIPPED, sentence="up to date")
            scan = self.run(self.series, inputs=inputs, given=self.given, case=self.case, progress=announce)
            announce("writing", 0.95)
            with atomic_folder(out) as folder:
                self._write(scan, folder)
                files = [*_names(folder), RECORD]
                record = {"Key": key, "Files": files, **scan.provenance, **effort(time.monotonic() - began)}
                write_sidecar(folder / RECORD, record)
                check_unchanged(inputs)
        return Outcome(self.case, End.DONE, seconds=time.monotonic() - began)

    def _files(self) -> dict[str, Path]:
        """Every input file by its role, since its name may be a patient's."""
        roles: dict[Path, str] = {}
        for file in sorted(self.series.files, key=lambda file: (list(Part).index(file.part), file.echo)):
            role = {Part.MAG: "magnitude"}.get(file.part, file.part.value)
            roles.setdefault(file.path, role if file.volume is not None else f"{role}, echo {file.echo}")
        return {**{role: path for path, role in roles.items()}, **self.given.files}

    def _check_free(self, out: Path, inputs: Sequence[InputFile]) -> None:
        """A folder may go only if every file in it stands in the record that lies beside them."""
        inside = [each.path.name for each in inputs if each.path.resolve().is_relative_to(out)]
        ours = _recorded(out)
        foreign = inside or [name for name in _names(out) if name not in ours]
        if foreign or (out.exists() and not out.is_dir()):
            raise UsageError(
                "GD-107",
                given=f"the output folder {out.name} with {foreign[0] if foreign else 'a file of its name'} in it",
                allowed="a new or empty folder, or an earlier output of gradatim",
                do="choose another output folder",
            )

    def _write(self, scan: CompletedScan, folder: Path) -> None:
        said = said_of_all(scan.provenance, list(scan.provenance["Inputs"]))
        for image in derived_images(scan.result, scan.route):
            name = NAMES.get((image.suffix, dict(image.entities).get("desc", "")))
            if name:
                write_image_files(folder / name, image, said=said)
        write_nifti(folder / f"{UNWRAPPED}.nii.gz", scan.result.unwrapped.phase.float(), scan.result.signal.grid)
        for ending in (".csv", ".parquet"):
            write_features(folder / f"{FEATURES}{ending}", scan.result.features)
        self.page(scan, folder / REPORT)


def _record(folder: Path) -> dict[str, Any]:
    try:
        return read_sidecar(folder / RECORD)
    except GradatimError:
        return {}


def _whole(folder: Path) -> bool:
    """Whether nothing was taken away since the run."""
    return _recorded(folder) == {*_names(folder)}


def _recorded(folder: Path) -> set[str]:
    files = _record(folder).get("Files")
    return {str(name) for name in files} if isinstance(files, list) else set()


def _names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []
