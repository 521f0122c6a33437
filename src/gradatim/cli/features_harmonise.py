"""gradatim features harmonise: an image brought to another scanner's resolution and noise."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from gradatim.base.errors import UsageError
from gradatim.cli.outcome import plain


@dataclass(frozen=True)
class FeaturesHarmonise:
    """Bring an image to another scanner's resolution and noise, so that their features can be compared.

    Filters by the ratio of the two MTFs, which is never above 1, and adds the noise that is missing. Detail that the
    source lost, and noise that it has, cannot be taken back: a target that is sharper (GD-141) or less noisy (GD-142)
    than the source is refused; name all scanners after --to and their common quality is taken. Resample to one voxel
    size first. A scanner is a TOML file: fwhm_mm = [x, y, z] of a Gaussian, or mtf = "FILE" as `gradatim ct mtf
    --json` prints it and axial_fwhm_mm; sigma of the noise, in the image's unit; and the shape of its power spectrum
    in the plane, if it is not white, nps = { frequencies = [..], power = [..] }.

    Attributes:
        image: the image, three-dimensional: NIfTI, NRRD, or a folder with a DICOM series.
        out: the image to write, .nii or .nii.gz; NAME.json beside it says what was done.
        source: the scanner that the image is from.
        target: the scanner whose quality is wanted; of several, the best that all can be brought to.
        seed: of the noise; it is combined with the image's content, so that images of a cohort share none.
        unit: unit of the image's values; by default that of its JSON sidecar, or of its DICOM series.
    """

    image: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="IMAGE")]
    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
    source: Annotated[Path, tyro.conf.arg(name="from", metavar="SCANNER")]
    target: Annotated[tuple[Path, ...], tyro.conf.arg(name="to", metavar="SCANNER...")]
    seed: int = 0
    unit: str = ""

    def run(self) -> int:
        """Read, match and write."""
        from dataclasses import replace

        from rich.console import Console

        from gradatim.cli.findings_in_words import in_words
        from gradatim.cli.scanner_file import read_scanner
        from gradatim.io.atomic import require_place
        from gradatim.io.manifest import files_of
        from gradatim.io.sidecar import read_sidecar
        from gradatim.io.volume import read_volume, sidecar_beside
        from gradatim.pipelines.harmonised_image import HarmonisedImage

        require_place(self.out)
        if not self.out.name.endswith((".nii", ".nii.gz")):
            raise UsageError(
                "GD-101", given=f"the output {self.out.name}", allowed=".nii or .nii.gz", do="choose another name"
            )
        talk = Console(stderr=True, highlight=False)
        with talk.status(f"harmonising {plain(self.image.name)}"):
            volume = read_volume(self.image)
            spacing = volume.grid.spacing
            source = read_scanner(self.source, spacing=spacing, role="source")
            targets = [
                read_scanner(path, spacing=spacing, role=f"target {number}")
                for number, path in enumerate(self.target, start=1)
            ]
            sidecar = sidecar_beside(self.image)
            stated = read_sidecar(sidecar).get("Units", "") if sidecar.is_file() else ""
            files = files_of("image", self.image) | ({"image, sidecar": sidecar} if sidecar.is_file() else {})
            files |= {role: path for each in (source, *targets) for role, path in each.files.items()}
            _keep(files, self.out, sidecar_beside(self.out))
            found = HarmonisedImage.of(
                replace(volume, unit=self.unit or volume.unit or str(stated)),
                source=source.quality,
                targets=[each.quality for each in targets],
                seed=self.seed,
                files=files,
            )
            found.write(self.out, {"From": source.said, "To": [each.said for each in targets]})
        if volume.notes:
            talk.print(in_words(volume.notes), soft_wrap=True)
        talk.print(plain(f"written {self.out}"), soft_wrap=True, markup=False)
        return 0


def _keep(files: Mapping[str, Path], *written: Path) -> None:
    """Refuse to write over what is read."""
    taken = {path.resolve(): role for role, path in files.items()}
    for path in written:
        if path.resolve() in taken:
            raise UsageError(
                "GD-107",
                given=f"the output {path.name}, which is the file of: {taken[path.resolve()]}",
                allowed="names other than those of the files that are read",
                do="choose another name or folder",
            )
