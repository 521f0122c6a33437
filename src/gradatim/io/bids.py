"""Finding the multi-echo scans of a BIDS data set: a plain walk that never leaves it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradatim.base.errors import GradatimError, InputError
from gradatim.base.findings import Finding, Severity
from gradatim.io.bids_names import BidsName, check_label, parse_name
from gradatim.io.dataset_path import check_inside
from gradatim.io.echo_series import EchoFile, EchoSeries, Part
from gradatim.io.sidecar import read_sidecar

SUFFIXES = ("MEGRE", "T2starw", "T1w")
"""Suffixes under which multi-echo or single-echo gradient-echo scans with phase are stored."""

_OF_ONE_FILE = ("sub", "ses", "echo", "part")
_Key = tuple[str, str, tuple[tuple[str, str], ...], str]


@dataclass(frozen=True)
class BidsScan:
    """What a walk over a data set found.

    Args:
        root: the data set's folder, resolved.
        series: its multi-echo scans, ordered by subject, session and name.
        findings: what belongs to no scan, e.g. a name that is not allowed.
    """

    root: Path
    series: tuple[EchoSeries, ...]
    findings: tuple[Finding, ...]


def scan_dataset(root: Path) -> BidsScan:
    """Collect every multi-echo scan of a BIDS data set with its inherited sidecars.

    Looks only at ``sub-*[/ses-*]/anat`` and at the sidecars on the way down. The inheritance principle (BIDS
    1.11, "The Inheritance Principle"): a sidecar applies to an image with the same suffix and at least its
    entities, in its folder or below; values nearer to the image win. Images without ``part`` are magnitude.

    Args:
        root: the data set's folder.

    Returns:
        Scans and findings. Broken or unsafe files never stop the walk: what concerns one scan stands in its own
        ``findings`` (GD-221, GD-222, GD-318, GD-322, GD-323, GD-403), the rest in the walk's (GD-222, GD-402, GD-403).

    Raises:
        InputError: GD-222 if the folder cannot be read; GD-324 if it holds no folder ``sub-*``.

    Example:
        >>> import tempfile
        >>> root = Path(tempfile.mkdtemp())
        >>> (root / "sub-01" / "anat").mkdir(parents=True)
        >>> (root / "sub-01" / "anat" / "sub-01_run-2_echo-1_part-mag_MEGRE.nii.gz").touch()
        >>> [series.name for series in scan_dataset(root).series]
        ['sub-01_run-2_MEGRE']
    """
    try:
        real = root.resolve(strict=True)
        entries = sorted(real.iterdir())
    except OSError as error:
        raise InputError(
            "GD-222", given=f"{root}: {error.strerror}", allowed="a readable folder", do="check the name"
        ) from error
    walk = _Walk(real)
    for entry in entries:
        if entry.name.startswith("sub-") and entry.is_dir():
            walk.subject(entry)
    if not any(e.name.startswith("sub-") and e.is_dir() for e in entries):
        raise InputError(
            "GD-324",
            given=f"{root} holds no folder sub-*",
            allowed="the root of a BIDS data set",
            do="give the folder that holds dataset_description.json",
        )
    return BidsScan(real, tuple(walk.series()), tuple(walk.findings))


@dataclass(eq=False)
class _Walk:
    """State of one walk: files and findings by scan, sidecars read once."""

    root: Path
    findings: list[Finding] = field(default_factory=list)
    _files: dict[_Key, list[EchoFile]] = field(default_factory=dict)
    _ours: set[_Key] = field(default_factory=set)
    _said: dict[_Key, list[Finding]] = field(default_factory=dict)
    _read: dict[Path, dict[str, Any] | GradatimError] = field(default_factory=dict)

    def subject(self, folder: Path) -> None:
        """Collect one subject's scans; what is wrong with its folders becomes a finding."""
        try:
            check_inside(folder, self.root)
            subject = check_label(folder.name.removeprefix("sub-"), what="subject")
            sessions = [f for f in sorted(folder.iterdir()) if f.name.startswith("ses-") and f.is_dir()]
        except (GradatimError, OSError) as error:
            self.findings.append(self._finding(error, folder))
            return
        for place in [folder, *sessions]:
            try:
                check_inside(place, self.root)
                session = "" if place == folder else check_label(place.name.removeprefix("ses-"), what="session")
                levels = [self.root, folder] if place == folder else [self.root, folder, place]
                self._anat(subject, session, [*levels, place / "anat"])
            except (GradatimError, OSError) as error:
                self.findings.append(self._finding(error, place))

    def series(self) -> Iterator[EchoSeries]:
        """The scans collected so far, ordered."""
        for key in sorted(self._ours):  # an ordinary T1w or T2starw image, without phase, is none
            said = dict.fromkeys(self._said[key])
            yield EchoSeries(*key, tuple(self._files.get(key, [])), tuple(said))

    def _anat(self, subject: str, session: str, levels: list[Path]) -> None:
        if not levels[-1].is_dir():
            return
        check_inside(levels[-1], self.root)
        sidecars = [self._names(level, (".json",)) for level in levels]
        for path, name in self._names(levels[-1], (".nii", ".nii.gz")):
            if name.suffix not in SUFFIXES:
                continue
            shared = tuple(pair for pair in name.entities if pair[0] not in _OF_ONE_FILE)
            key = (subject, session, shared, name.suffix)
            said = self._said.setdefault(key, [])
            if name.suffix == "MEGRE" or name.entity("part") not in ("", Part.MAG.value):
                self._ours.add(key)
            if (name.entity("sub"), name.entity("ses")) != (subject, session):
                what = f"files of subject {name.entity('sub')!r}, session {name.entity('ses')!r}"
                fix = "rename the files, or move them to their subject and session"
                where = self._place(path.parent)
                said.append(Finding("GD-322", Severity.REFUSE, where, what, "names that repeat the folders", fix))
            try:
                check_inside(path, self.root)
                part, echo = self._part_and_echo(name)
            except GradatimError as error:
                said.append(self._finding(error, path))
                continue
            sidecar = self._merged(name, sidecars, said)
            self._files.setdefault(key, []).append(EchoFile(path, part, echo, None, sidecar))

    def _names(self, folder: Path, extensions: tuple[str, ...]) -> list[tuple[Path, BidsName]]:
        """The BIDS files of one folder with these extensions; names that are not allowed become findings."""
        found = []
        for path in sorted(folder.iterdir()):
            try:
                name = parse_name(path.name)
            except GradatimError as error:
                if path.name.endswith(extensions):
                    self.findings.append(self._finding(error, path))
                continue
            if name is not None and name.extension in extensions:
                found.append((path, name))
        return found

    def _part_and_echo(self, name: BidsName) -> tuple[Part, int]:
        part, echo = name.entity("part") or "mag", name.entity("echo")
        if not echo and name.suffix != "MEGRE":
            echo = "1"
        if part not in {p.value for p in Part} or not (echo.isdecimal() and int(echo) > 0):
            raise InputError(
                "GD-318",
                given=f"part {part!r} and echo {echo!r}",
                allowed="part mag, phase, real or imag, and an echo number from 1",
                do="rename the file",
            )
        return Part(part), int(echo)

    def _merged(self, name: BidsName, levels: list[list[tuple[Path, BidsName]]], said: list[Finding]) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for sidecars in levels:
            fitting = sorted((s for s in sidecars if s[1].applies_to(name)), key=lambda s: len(s[1].entities))
            if len(fitting) > 1:
                what = f"{', '.join(p.name for p, _ in fitting)} apply to the same image; the last one wins"
                where = self._place(fitting[0][0].parent)
                said.append(Finding("GD-323", Severity.WARN, where, what, "one per folder", "merge them"))
            for path, _ in fitting:
                content = self._sidecar(path)
                if isinstance(content, GradatimError):
                    said.append(self._finding(content, path))
                else:
                    merged |= content
        return merged

    def _sidecar(self, path: Path) -> dict[str, Any] | GradatimError:
        if path not in self._read:
            try:
                self._read[path] = read_sidecar(check_inside(path, self.root))
            except GradatimError as error:
                self._read[path] = error
        return self._read[path]

    def _place(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _finding(self, error: GradatimError | OSError, path: Path) -> Finding:
        if isinstance(error, OSError):
            error = InputError(
                "GD-222", given=str(error.strerror), allowed="a readable folder", do="check its permissions"
            )
        return Finding.of(error, self._place(path))
