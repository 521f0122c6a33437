"""gradatim features: what the regions of an image measure."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from gradatim.cli.outcome import plain


@dataclass(frozen=True)
class Features:
    """Measure every region of an image and write one tidy row a feature, with IBSI's names and codes.

    A feature that is undefined in a region is NaN with its reason beside it.

    Attributes:
        image: the image, three-dimensional: NIfTI, NRRD, or a folder with a DICOM series.
        labels: its regions on the same grid: label image, NIfTI or NRRD, where 0 is no region; or a DICOM
            structure set or segmentation.
        out: the table, ending in .csv, .parquet or .json.
        mask: where the image was measured, 0 elsewhere, e.g. mask.nii.gz beside a Chimap; a voxel of a region
            outside it counts for the region's shape and has no intensity.
        preset: named settings: ibsi-digital for grey levels from 1 upwards, qsm for susceptibility in ppm
            (which is taken if neither a preset nor settings are given).
        settings: TOML file with settings of your own, instead of a preset.
        unit: unit of the image's values; by default that of the image's JSON sidecar, or of its DICOM series.
        case: whose image it is, for the table's first column.
        series: SeriesInstanceUID of the series that is meant, where a DICOM folder holds several.
    """

    image: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="IMAGE")]
    labels: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="LABELS")]
    out: Path
    mask: Path | None = None
    preset: str = ""
    settings: Path | None = None
    unit: str = ""
    case: str = ""
    series: str = ""

    def run(self) -> int:
        """Measure and write; the exit code is 0 although single features may be undefined."""
        from math import isnan

        from rich.console import Console

        from gradatim.cli.feature_settings import chosen_extraction
        from gradatim.cli.findings_in_words import in_words
        from gradatim.cli.measured_image import read_measured_image
        from gradatim.io.table import table_format, write_features

        extraction, talk = chosen_extraction(self.preset, self.settings), Console(stderr=True, highlight=False)
        table_format(self.out)
        with talk.status(f"measuring {plain(self.image.name)}"):
            found = read_measured_image(self.image, self.labels, mask=self.mask, unit=self.unit, series=self.series)
            features = [
                feature
                for layer in found.layers
                for feature in extraction(found.map, layer, case=self.case, image=found.name)
            ]
            write_features(self.out, features)
        if found.notes:
            talk.print(in_words(found.notes), soft_wrap=True)
        undefined = sum(isnan(feature.value) for feature in features)
        count = sum(len(layer.present) for layer in found.layers)
        measured = f"{len(features)} features, {count} region(s), {undefined} undefined"
        talk.print(f"{measured}: {plain(str(self.out))}", soft_wrap=True, markup=False)
        return 0
