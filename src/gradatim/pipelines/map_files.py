"""Feature maps as files: one image a feature, beside a sidecar that says how it was made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from gradatim.base.findings import Finding, Severity
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.io.atomic import write_refusal
from gradatim.io.manifest import MeasuredCase
from gradatim.io.nifti_write import write_nifti
from gradatim.io.sidecar import write_sidecar
from gradatim.pipelines.fingerprint import check_unchanged, fingerprint
from gradatim.pipelines.progress import announce
from gradatim.pipelines.provenance import software
from gradatim.radiomics.maps.feature_maps import FeatureMaps


@dataclass(frozen=True)
class MapFiles:
    """Image + regions → a folder with one NIfTI image a feature and layer, float32, and a JSON file beside each.

    An image is 0 where no window was put, and NaN where one was put and the feature is undefined; its JSON file says
    how often and why. Each file is written whole or not at all.

    Args:
        maps: what is mapped.
        folder: where to; made if it is missing.

    Raises:
        ResourceError: when called, GD-502 to GD-504 if a file cannot be written.
        InputError: GD-225 if an input file changed meanwhile; GD-739 if no region has a voxel with an intensity.
    """

    maps: FeatureMaps
    folder: Path

    def __call__(
        self,
        case: MeasuredCase,
        image: QuantitativeMap,
        layers: Sequence[Regions],
        *,
        name: str,
        heard: Callable[[str, float], None] = announce,
    ) -> tuple[tuple[Path, ...], tuple[Finding, ...]]:
        """The images that were written, and what is to be said about them.

        Args:
            case: the files that image and regions come from, whose content is hashed.
            image: the map.
            layers: its regions; several label images where they overlap.
            name: what the files' names begin with.
            heard: is told what is being done, and the share that is done.
        """
        inputs = fingerprint(case.files)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_refusal(error, self.folder) from error
        written: list[Path] = []
        findings: list[Finding] = []
        for number, layer in enumerate(layers):
            share = _Share(heard, number, len(layers))
            found = self.maps(image, layer, heard=share)
            taken = self.maps.taken(image, layer)
            check_unchanged(inputs)
            for feature, one in found.items():
                stem = f"{name}_{feature.replace('.', '-')}" + (f"_layer-{number + 1}" if len(layers) > 1 else "")
                undefined = taken & ~one.mask
                path = self.folder / f"{stem}.nii.gz"
                write_nifti(path, one.value.masked_fill(undefined, torch.nan).to(torch.float32), one.grid)
                record, count = self.maps.records[feature], int(undefined.sum())
                said = {
                    "Description": f"{record.name} in a window around each voxel",
                    "Units": one.unit,
                    "Feature": feature,
                    "IBSICode": record.code,
                    "Windows": int(taken.sum()),
                    "Undefined": {"Windows": count, "Reason": record.undefined if count else ""},
                    "Parameters": self.maps.parameters,
                    "Software": software(),
                    "Inputs": {each.name: each.sha256 for each in inputs},
                }
                write_sidecar(self.folder / f"{stem}.json", said)
                written.append(path)
                if count:
                    what = f"undefined in {count} of {int(taken.sum())} windows: {record.undefined}"
                    fix = "take NaN there for no value, or a larger window"
                    findings.append(Finding("GD-738", Severity.NOTE, path.name, what, "a value", fix))
        return tuple(written), tuple(findings)


@dataclass(frozen=True)
class _Share:
    """A listener to one layer's part of the whole."""

    heard: Callable[[str, float], None]
    number: int
    total: int

    def __call__(self, stage: str, fraction: float) -> None:
        self.heard(stage, (self.number + fraction) / self.total)
