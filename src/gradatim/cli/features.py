"""gradatim features: what the regions of an image measure."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from gradatim.base.errors import UsageError
from gradatim.cli.outcome import plain


@dataclass(frozen=True)
class Features:
    """Measure every region of an image and write one tidy row a feature, with IBSI's names and codes.

    A feature that is undefined in a region is NaN with a reason, GD-750 to GD-754, beside it; a value that the
    image's border may have changed has the remark GD-755.

    Attributes:
        image: the image, three-dimensional: NIfTI, NRRD, or a folder with a DICOM series.
        labels: its regions on the same grid: label image, NIfTI or NRRD, where 0 is no region; or a DICOM
            structure set or segmentation.
        out: the table, ending in .csv, .parquet or .json; NAME.provenance.json beside it holds versions, settings,
            hashes, and voxel counts and intensities after every step.
        wide: also write one row a region and one column a feature, .csv or .parquet.
        report: also write a page, .html, with the regions, their distributions, every step and the IBSI checklist.
        mask: where the image was measured, 0 elsewhere, e.g. mask.nii.gz beside a Chimap; a voxel of a region
            outside it counts for the region's shape and has no intensity.
        preset: named settings: ibsi-digital for grey levels from 1 upwards, ibsi-a to ibsi-e for CT in HU,
            pyradiomics-3.1 for that program's own numbers, qsm for susceptibility in ppm (which is taken if neither
            a preset nor settings are given).
        settings: TOML file with settings of your own; it may begin with a preset.
        unit: unit of the image's values; by default that of the image's JSON sidecar, or of its DICOM series.
        case: whose image it is, for the table's first column.
        standard_errors: also write a table, .csv, .parquet or .json, with the standard error of every feature, from
            this one scan and its noise, by measuring 40 replicates: value ± standard error holds the mean of repeated
            scans in about 68 of 100, not the value without noise, which noise_bias says how far off.
        noise_sigma: standard deviation of that noise, in the image's unit; by default it is estimated from the
            image's finest detail, which is too low where an image was smoothed or interpolated.
        series: SeriesInstanceUID of the series that is meant, where a DICOM folder holds several.
    """

    image: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="IMAGE")]
    labels: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="LABELS")]
    out: Path
    wide: Path | None = None
    report: Path | None = None
    mask: Path | None = None
    preset: str = ""
    settings: Path | None = None
    unit: str = ""
    case: str = ""
    standard_errors: Path | None = None
    noise_sigma: float | None = None
    series: str = ""

    def run(self) -> int:
        """Measure and write; the exit code is 0 although single features may be undefined."""
        from math import isnan

        from rich.console import Console

        from gradatim.base.choice import choose
        from gradatim.cli.feature_outputs import require_outputs
        from gradatim.cli.feature_settings import chosen_extraction
        from gradatim.cli.findings_in_words import in_words
        from gradatim.cli.measured_image import read_measured_image
        from gradatim.cli.preset_unit import about_unit
        from gradatim.io.manifest import MeasuredCase
        from gradatim.io.table import table_format
        from gradatim.io.wide_table import wide_format, write_wide
        from gradatim.pipelines.feature_errors import FeatureErrors
        from gradatim.pipelines.measured_features import MeasuredFeatures
        from gradatim.report.feature_report import write_feature_report

        extraction, talk = chosen_extraction(self.preset, self.settings), Console(stderr=True, highlight=False)
        table_format(self.out)
        if self.wide is not None:
            wide_format(self.wide)
        if self.report is not None:
            choose(self.report.suffix.lower(), {".html": None}, what="ending of a report's file name")
        self._require_standard_errors()
        if self.standard_errors is not None:
            table_format(self.standard_errors)
        files = MeasuredCase(self.case, self.image, self.labels, self.mask, self.unit)
        beside = self.out.with_suffix(".provenance.json")
        outputs = (self.out, beside, self.wide, self.standard_errors, self.report)
        require_outputs(outputs, inputs=(*files.files.values(), self.settings))
        with talk.status(f"measuring {plain(self.image.name)}") as status:
            found = read_measured_image(self.image, self.labels, mask=self.mask, unit=self.unit, series=self.series)
            if self.standard_errors is not None:
                errors = FeatureErrors.of(extraction, found.map, self.noise_sigma)
            measured = MeasuredFeatures.of(extraction, files, found.map, found.layers, found.name)
            measured.write(self.out)
            if self.wide is not None:
                write_wide(self.wide, measured.features)
            if self.standard_errors is not None:
                status.update(f"standard errors of {plain(self.image.name)}")
                errors.write(self.standard_errors, measured, errors(found.map, found.layers, measured.features))
            if self.report is not None:
                write_feature_report(measured, found.map, found.layers, self.report)
        notes = found.notes + about_unit(self.preset, self.settings, unit=found.map.unit, image=self.image.name)
        if notes:
            talk.print(in_words(notes), soft_wrap=True)
        undefined = sum(isnan(feature.value) for feature in measured.features)
        doubtful = sum(bool(feature.reason) for feature in measured.features) - undefined
        count = sum(len(layer.present) for layer in found.layers)
        said = f"{len(measured.features)} features, {count} region(s), {undefined} undefined, {doubtful} with a remark"
        talk.print(f"{said}: {plain(str(self.out))}", soft_wrap=True, markup=False)
        return 0

    def _require_standard_errors(self) -> None:
        if self.standard_errors is None and self.noise_sigma is not None:
            raise UsageError(
                "GD-104",
                given=f"--noise-sigma {self.noise_sigma} without --standard-errors",
                allowed="both, or neither",
                do="name the table of standard errors too",
            )
