"""gradatim features maps: what a window around every voxel measures."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from gradatim.base.errors import UsageError


@dataclass(frozen=True)
class FeaturesMaps:
    """Map features: the value in a window around every voxel of every region, one NIfTI image a feature.

    The cost is measured on a sample of windows and said before the work begins. Grey levels are those of the whole
    region. An image, float32, is 0 outside of the regions and NaN where the feature is undefined; the JSON file beside
    it says how it was made.

    Attributes:
        image: the image, three-dimensional: NIfTI, NRRD, or a folder with a DICOM series.
        labels: its regions on the same grid: label image, NIfTI or NRRD, where 0 is no region; or a DICOM
            structure set or segmentation.
        out: the folder for the maps.
        features: which, e.g. glcm.contrast statistics.mean, or a whole family, e.g. ngtdm.
        radius: of the window, in voxels: a cube of 2·radius + 1 along each axis.
        radius_mm: of a ball in place of the cube, in mm.
        in_plane: a square in the slice, the first two axes, in place of the cube.
        stride: only every so many voxels along each axis, for a quick look.
        mask: where the image was measured, 0 elsewhere.
        preset: named settings, as of gradatim features.
        settings: TOML file with settings of your own.
        unit: unit of the image's values; by default that of the image's JSON sidecar, or of its DICOM series.
        series: SeriesInstanceUID of the series that is meant, where a DICOM folder holds several.
        memory_mb: memory for the windows that are measured at a time, MB.
        dry_run: say what it would cost and stop.
    """

    image: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="IMAGE")]
    labels: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="LABELS")]
    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT_DIR")]
    features: tuple[str, ...]
    radius: int | None = None
    radius_mm: float | None = None
    in_plane: bool = False
    stride: int = 1
    mask: Path | None = None
    preset: str = ""
    settings: Path | None = None
    unit: str = ""
    series: str = ""
    memory_mb: int = 256
    dry_run: bool = False

    def run(self) -> int:
        """Say the cost, map and write; the exit code is 0 although single windows may be undefined."""
        from gradatim.cli.feature_settings import chosen_extraction
        from gradatim.cli.findings_in_words import in_words
        from gradatim.cli.map_choice import chosen_window, in_short
        from gradatim.cli.measured_image import read_measured_image
        from gradatim.cli.preset_unit import about_unit
        from gradatim.cli.progress_bars import ProgressBars
        from gradatim.io.manifest import MeasuredCase
        from gradatim.pipelines.map_files import MapFiles
        from gradatim.radiomics.maps.cost import Costing
        from gradatim.radiomics.maps.feature_maps import FeatureMaps

        if self.out.exists() and not self.out.is_dir():
            raise UsageError("GD-107", given=f"{self.out}, a file", allowed="a folder", do="choose another name")
        window = chosen_window(self.radius, self.radius_mm, in_plane=self.in_plane)
        extraction = chosen_extraction(self.preset, self.settings)
        maps = FeatureMaps(extraction, self.features, window, self.stride, self.memory_mb * 1_000_000)
        found = read_measured_image(self.image, self.labels, mask=self.mask, unit=self.unit, series=self.series)
        with ProgressBars(1) as bars:
            for line in in_short([Costing()(maps, found.map, layer) for layer in found.layers]):
                bars.say(line)
            notes = found.notes + about_unit(self.preset, self.settings, unit=found.map.unit, image=self.image.name)
            if not self.dry_run:
                files = MeasuredCase("", self.image, self.labels, self.mask, self.unit)

                def heard(stage: str, fraction: float) -> None:
                    bars.stage(found.name, stage, fraction)

                written, said = MapFiles(maps, self.out)(files, found.map, found.layers, name=found.name, heard=heard)
                notes += said
                bars.end(found.name, f"{len(written)} maps in {self.out}")
            if notes:
                bars.say(str(in_words(notes)))
        return 0
