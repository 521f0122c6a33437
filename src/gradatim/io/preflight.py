"""What would ruin a run, found before it: every scan of a data set, or single images, examined."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from gradatim.base.errors import GradatimError, InputError
from gradatim.base.findings import Finding, Severity
from gradatim.io.bids import scan_dataset
from gradatim.io.multiecho import EchoReader
from gradatim.io.nifti import read_nifti

_IMAGES = (".nii", ".nii.gz")


@dataclass(frozen=True)
class Preflight:
    """Examines a BIDS data set, a folder of images or one image; opens and reads everything, changes nothing.

    For each scan of a data set it finds what :class:`~gradatim.io.multiecho.EchoReader` would refuse or note, and
    across subjects it finds copies: GD-320 where two subjects have a volume with the same values.

    Args:
        reader: how scans will be read, e.g. with the user's word on the unit of phase.

    Bad input raises nothing: that is what the findings are.

    Example:
        >>> [finding.code for finding in Preflight()(Path("no such folder"))]
        ['GD-222']
    """

    reader: EchoReader = field(default_factory=EchoReader)

    def __call__(self, path: Path) -> tuple[Finding, ...]:
        """All findings below a path, in the order of its scans.

        Args:
            path: the root of a BIDS data set, a folder of images, or a ``.nii``/``.nii.gz`` file.
        """
        if not path.is_dir():
            return self._image(path)
        images = sorted(p for p in path.iterdir() if p.name.endswith(_IMAGES))
        if images and not any(path.glob("sub-*/")):
            return tuple(finding for image in images for finding in self._image(image))
        try:
            return self._dataset(path)
        except InputError as error:
            return (Finding.of(error, str(path)),)

    def _dataset(self, root: Path) -> tuple[Finding, ...]:
        scan = scan_dataset(root)
        findings = list(scan.findings)
        owners: dict[str, str] = {}
        for series in scan.series:
            seen = self.reader.examine(series)
            findings += [_placed(finding, series.name) for finding in seen.findings]
            twins = {owners[d] for d in seen.digests if d in owners} - {series.subject}
            findings += [_copy(series.name, twin) for twin in sorted(twins)]
            owners |= {d: series.subject for d in seen.digests if d not in owners}
        if not scan.series and not findings:
            what, allowed = "no multi-echo scan", "sub-*/anat/*_echo-*_part-*_MEGRE.nii.gz"
            findings.append(Finding("GD-324", Severity.REFUSE, str(root), what, allowed, "check the file names"))
        return tuple(findings)

    def _image(self, path: Path) -> tuple[Finding, ...]:
        try:
            image = read_nifti(path, budget_bytes=self.reader.budget_bytes)
        except GradatimError as error:
            return (Finding.of(error, path.name),)
        if image.oriented:
            return image.notes
        what, allowed = "neither sform nor qform is set", "an orientation in the header"
        fix = "export again with orientation; susceptibility mapping needs it"
        return (*image.notes, Finding("GD-213", Severity.WARN, path.name, what, allowed, fix))


def _placed(finding: Finding, series: str) -> Finding:
    """The finding with its scan named, where the file's name does not name it already."""
    subject = series.split("_")[0]
    return finding if subject in finding.where else replace(finding, where=f"{series}: {finding.where}")


def _copy(series: str, twin: str) -> Finding:
    return Finding(
        "GD-320",
        Severity.WARN,
        series,
        f"the same values as in subject {twin}",
        "one subject under one label",
        "remove the copy; a subject counted twice makes a study's answer too sure",
    )
