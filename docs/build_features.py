"""Writes docs/features.md from the catalogue of features; `make docs` runs it, a test compares."""

from pathlib import Path

from gradatim.radiomics.catalogue import FAMILIES
from gradatim.radiomics.record import NOT_FINITE, Family, FeatureRecord

PAGE = Path(__file__).with_name("features.md")

HEAD = """\
# Features

<!-- Made by docs/build_features.py from gradatim.radiomics.catalogue; change it there and run `make docs`. -->

What `gradatim features IMAGE LABELS --out F.csv` measures, by the definitions of the Image Biomarker
Standardisation Initiative (IBSI reference manual, arXiv:1612.07003). The table has one row for each case, image,
region, feature and aggregation; a feature that is undefined in a region is NaN with the reason given here.

In units, *u* is the image's unit (ppm, HU, 1/s, ...); a feature without a unit is a pure number. A feature's unit is
also its scaling law. A voxel has an intensity where the map's mask holds, its value is finite and, with
re-segmentation, in range; shape is that of the whole region.
"""

COLUMNS = ("feature", "IBSI name", "code", "unit", "definition", "undefined if", "source")


def page() -> str:
    """The whole page, one section for each family."""
    return HEAD + "".join(_section(family) for family in FAMILIES)


def _section(family: Family) -> str:
    lines = [f"\n## {family.name} (`{family.id}`, {family.code})\n"]
    combined = [aggregation for aggregation in family.aggregations if aggregation.code]
    if combined:
        lines += ["| aggregation | code |\n|---|---|"]
        lines += [f"| {aggregation.name} | {aggregation.code} |" for aggregation in combined]
        lines += [f"\nWhere several matrices remain, a feature is their mean. No value if {family.nothing}.\n"]
    lines += [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    lines += [_row(record) for record in family.features]
    return "\n".join(lines) + "\n"


def _row(record: FeatureRecord) -> str:
    cells = (
        f"`{record.id}`",
        record.name,
        record.code,
        record.unit.text("u"),
        record.formula,
        "" if record.undefined is NOT_FINITE else record.undefined,
        record.source,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
