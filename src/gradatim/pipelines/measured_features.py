"""One image and its regions measured, with the record that says how: features beside their provenance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradatim.base.nouns import Feature, QuantitativeMap, Regions
from gradatim.io.manifest import MeasuredCase
from gradatim.io.sidecar import write_sidecar
from gradatim.io.table import write_features
from gradatim.pipelines.fingerprint import InputFile, check_unchanged, fingerprint
from gradatim.pipelines.provenance import software
from gradatim.radiomics.diagnostics import Diagnostic, diagnose
from gradatim.radiomics.extraction import Extraction


@dataclass(frozen=True, eq=False)
class MeasuredFeatures:
    """The table of one image, and what it was made from.

    Args:
        features: the rows, in the order of layers and labels.
        steps: the IBSI diagnostics of every region after every step.
        inputs: role and SHA-256 of the files.
        extraction: what was measured.
    """

    features: tuple[Feature, ...]
    steps: tuple[Diagnostic, ...]
    inputs: tuple[InputFile, ...]
    extraction: Extraction

    @classmethod
    def of(
        cls, extraction: Extraction, case: MeasuredCase, image: QuantitativeMap, layers: Sequence[Regions], name: str
    ) -> "MeasuredFeatures":
        """Measure an image.

        Args:
            extraction: what is measured.
            case: the files, whose content is hashed.
            image: the map that they hold.
            layers: its regions; several label images where they overlap.
            name: what the table calls the image.

        Raises:
            UsageError: GD-103 if map and regions lie on different grids.
            InputError: GD-225 if a file changed meanwhile.
        """
        inputs = fingerprint(case.files)
        features = tuple(row for layer in layers for row in extraction(image, layer, case=case.case, image=name))
        steps = tuple(row for layer in layers for row in diagnose(extraction.preparation, image, layer))
        check_unchanged(inputs)
        return cls(features, steps, inputs, extraction)

    def write(self, out: Path) -> None:
        """The table, and beside it ``NAME.provenance.json``.

        Args:
            out: ends in ``.parquet``, ``.csv`` or ``.json``; its folder must exist.

        Raises:
            UsageError: GD-102 for another ending.
            ResourceError: GD-502 to GD-504 if a file cannot be written.
        """
        write_features(out, self.features)
        write_sidecar(out.with_suffix(".provenance.json"), self.record())

    def record(self) -> dict[str, Any]:
        """Versions, parameters, hashes of the input, and every step's voxel counts and intensities."""
        regions: dict[str, dict[str, float | None]] = {}
        for step in self.steps:
            value = step.value if math.isfinite(step.value) else None
            regions.setdefault(step.region, {})[step.tag] = value
        return {
            "Software": software(),
            "Settings": self.extraction.settings,
            "Parameters": self.extraction.parameters,
            "Inputs": {each.name: each.sha256 for each in self.inputs},
            "Steps": regions,
        }
