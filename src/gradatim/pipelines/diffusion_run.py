"""Maps of diffusion as files: an image a quantity and one for its error, beside a sidecar that says how it was made."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gradatim.base.diffusion_series import DiffusionSeries
from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap
from gradatim.diffusion.fitted import Verdict
from gradatim.io.atomic import write_refusal
from gradatim.io.nifti_write import write_nifti
from gradatim.io.sidecar import write_sidecar
from gradatim.pipelines.diffusion_routes import DiffusionMaps, DiffusionRoute
from gradatim.pipelines.fingerprint import InputFile, check_unchanged, fingerprint
from gradatim.pipelines.parameters import parameters
from gradatim.pipelines.provenance import software


@dataclass(frozen=True)
class DiffusionRun:
    """Series → a folder with a NIfTI image of each map, float32, its error where one is known, and JSON beside each.

    A map is 0 outside of the mask and NaN where a voxel has no answer; ``verdict.nii.gz`` says why. Diffusivities are
    in m²/s. Each file is written whole or not at all.

    Args:
        route: what is fitted and mapped.
        folder: where to; made if it is missing.

    Raises:
        UsageError: GD-107, when called, if the folder is a file, or an output would take an input's place.
        ResourceError: GD-502 to GD-504, when called, if a file cannot be written.
        InputError: GD-225, when called, if an input file changed meanwhile; what the route refuses.
    """

    route: DiffusionRoute
    folder: Path

    def __call__(self, series: DiffusionSeries, *, files: Mapping[str, Path]) -> dict[str, Any]:
        """Fit, map and write.

        Args:
            series: images with their b-matrices.
            files: role → the files that the series came from, whose content is hashed.

        Returns:
            What was found, as plain data: voxels, verdicts, and for each map its file, unit, mean, median and the
            median of its errors.
        """
        inputs = fingerprint(files)
        found = self.route(series)
        self._require_free(found, files.values())
        check_unchanged(inputs)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_refusal(error, self.folder) from error
        for name, one in found.maps.items():
            self._write(name, one.value.float(), one.grid, self._said(one.quantity, one.unit, inputs))
            if one.error is not None:
                said = self._said(f"standard error of {one.quantity}", one.unit, inputs)
                self._write(f"{name}_error", one.error.float(), one.grid, said)
        for name, image in found.images.items():
            said = self._said("FA times the main direction: right, anterior, superior", "", inputs)
            self._write(name, image.float(), series.grid, said)
        meanings = {str(int(each)): each.sentence for each in Verdict}
        said = {**self._said("what became of each voxel", "", inputs), "Levels": meanings}
        self._write("verdict", found.verdict, series.grid, said)
        return _summary(found, self.folder)

    def _said(self, what: str, unit: str, inputs: Sequence[InputFile]) -> dict[str, Any]:
        return {
            "Description": what,
            "Units": unit,
            "Parameters": parameters(self.route),
            "Software": software(),
            "Inputs": {each.name: each.sha256 for each in inputs},
        }

    def _write(self, name: str, data: Tensor, grid: Grid, said: Mapping[str, Any]) -> None:
        write_nifti(self.folder / f"{name}.nii.gz", data.detach(), grid)
        write_sidecar(self.folder / f"{name}.json", said)

    def _require_free(self, found: DiffusionMaps, inputs: Any) -> None:
        names = [*found.maps, *(f"{name}_error" for name in found.maps), *found.images, "verdict"]
        outputs = {(self.folder / f"{name}{ending}").resolve() for name in names for ending in (".nii.gz", ".json")}
        taken = [path for path in inputs if path.resolve() in outputs]
        if taken or (self.folder.exists() and not self.folder.is_dir()):
            raise UsageError(
                "GD-107",
                given=f"{taken[0]}, which is read, in the place of an output" if taken else f"{self.folder}, a file",
                allowed="a folder that holds none of the inputs under an output's name",
                do="choose another folder",
            )


def _summary(found: DiffusionMaps, folder: Path) -> dict[str, Any]:
    counts = {each.name.lower(): int((found.verdict == int(each)).sum()) for each in Verdict}
    inside = sum(count for name, count in counts.items() if name != Verdict.OUTSIDE.name.lower())
    maps = {name: {"file": str(folder / f"{name}.nii.gz"), **_numbers(one)} for name, one in found.maps.items()}
    return {"voxels": inside, "verdicts": counts, "maps": maps}


def _numbers(one: QuantitativeMap) -> dict[str, Any]:
    values = one.value.detach()[one.mask].double()
    values = values[values.isfinite()]
    errors = torch.empty(0) if one.error is None else one.error[one.mask].double()
    return {
        "unit": one.unit,
        "mean": _plain(values.mean()) if len(values) else None,
        "median": _plain(values.median()) if len(values) else None,
        "median_error": _plain(errors[errors.isfinite()].median()) if bool(errors.isfinite().any()) else None,
    }


def _plain(value: Tensor) -> float | None:
    return float(value) if math.isfinite(float(value)) else None
