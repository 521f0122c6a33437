"""gradatim features diff: why two settings give two tables."""

import json as jsonlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from gradatim.base.errors import UsageError


@dataclass(frozen=True)
class FeaturesDiff:
    """Explain what differs between two settings for features, setting by setting and what each does.

    With an image: where the two part, by voxel counts and intensities after every step; how many features move when
    one setting after the other is changed from the first to the second; and the features that differ, by their IBSI
    meaning, whatever either calls them. A feature counts as changed from 0.1 % on.

    Attributes:
        first: a preset's name, or a TOML file with settings.
        second: the other one.
        image: an image to try both on, as of gradatim features.
        regions: its regions.
        unit: unit of the image's values.
        rows: how many features to print at most; --json has all.
        json: print one JSON object, for programs.
    """

    first: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="A")]
    second: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="B")]
    image: Path | None = None
    regions: Path | None = None
    unit: str = ""
    rows: int = 20
    json: bool = False

    def run(self) -> int:
        """Compare and print; 0 whether they differ or not.

        Raises:
            UsageError: GD-149 for an image without regions, or regions without an image; GD-150 if the two measure
                nothing in common; what settings and readers refuse.
        """
        from gradatim.cli.difference_tables import print_difference
        from gradatim.cli.feature_settings import named_extraction
        from gradatim.cli.measured_image import read_measured_image
        from gradatim.pipelines.settings_difference import SettingsDifference

        first, second = named_extraction(self.first), named_extraction(self.second)
        if self.image is not None and self.regions is not None:
            found = read_measured_image(self.image, self.regions, unit=self.unit)
            difference = SettingsDifference.on(first, second, found.map, found.layers)
        elif self.image is None and self.regions is None:
            difference = SettingsDifference.of(first, second)
        else:
            raise UsageError(
                "GD-149",
                given=f"only {'--image' if self.regions is None else '--regions'}",
                allowed="both --image and --regions, or neither",
                do="give the other one too",
            )
        if self.json:
            print(jsonlib.dumps(difference.record(), indent=2, ensure_ascii=False, allow_nan=False))
        else:
            print_difference(difference, self.first, self.second, rows=self.rows)
        return 0
