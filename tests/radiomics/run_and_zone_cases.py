"""Regions and published numbers for the families of runs and zones."""

import csv
from collections import defaultdict
from pathlib import Path

import torch
from torch import Tensor

from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.io.nifti import read_image, read_labels
from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.discretise import FixedBinSize, NoDiscretisation
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.record import Family
from gradatim.radiomics.resegment import IntensityRange
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.undefined import Undefined

Matrix = list[tuple[int, int, int]]

FOLDERS = {"digital_phantom": "ibsi_1_digital_phantom", "ct_config_a": "ibsi_1_ct_radiomics_phantom"}
PREPARATIONS = {
    "digital_phantom": Preparation(NoDiscretisation()),
    "ct_config_a": Preparation(FixedBinSize(width=25.0, origin=-500.0), (IntensityRange(low=-500.0, high=400.0),)),
}


def phantom(shared: Path, config: str) -> Roi:
    """The IBSI phantom of a configuration, prepared."""
    folder = shared / "data/radiomics/phantoms" / FOLDERS[config] / "nifti"
    image, mask = read_image(folder / "image/phantom.nii.gz"), read_labels(folder / "mask/mask.nii.gz")
    whole = torch.ones(image.grid.shape, dtype=torch.bool)
    values = QuantitativeMap(image.data, whole, image.grid, "phantom", "")
    [(_, roi)] = PREPARATIONS[config](values, Regions(mask.data, mask.grid))
    assert isinstance(roi, Roi)
    return roi


def region(levels: Tensor, shape: Tensor | None = None) -> Roi:
    """A region of grey levels (x, y, z), 0 where there is no intensity."""
    whole = levels > 0 if shape is None else shape
    return Roi(levels.double(), whole, levels > 0, (1.0, 1.0, 1.0), NoDiscretisation())


def values(family: Family, roi: Roi, aggregation: Aggregation) -> dict[str, float]:
    """Feature → mean over the matrices."""
    measured = family.measure(roi, aggregation)
    assert not isinstance(measured, Undefined)
    batches = list(measured)
    return {record.id: float(torch.cat([record.compute(b) for b in batches]).mean()) for record in family.features}


def published_misses(family: Family, roi: Roi, config: str, shared: Path) -> tuple[int, list[str]]:
    """How many values IBSI publishes of a family, and the ones that ours, at three digits, do not agree with."""
    seen, off = 0, []
    measured = {a.code: values(family, roi, a) for a in family.aggregations}
    ids = {record.code: record.id for record in family.features}
    with (shared / "data/radiomics/ibsi1_reference.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["config"] == config and row["family"] == family.id and row["value"]:
                seen += 1
                value = float(f"{measured[row['aggregation_code']][ids[row['ibsi_code']]]:.3g}")
                if abs(value - float(row["value"])) > float(row["tolerance"] or 0) * (1 + 1e-9):
                    off.append(f"{row['full_tag']}: {value}, published {row['value']} ± {row['tolerance']}")
    return seen, off


def printed(shared: Path, family: Family, aggregation: str) -> list[Matrix]:
    """The tables (level, size, count) of the manual, sorted, since it orders slices and directions in its own way."""
    tables: defaultdict[str, Matrix] = defaultdict(list)
    with (shared / "data/radiomics/ibsi1_digital_phantom_matrices.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["matrix"] == family.id and row["aggregation"] == aggregation:
                i, j, n = (int(float(row[column])) for column in ("c1", "c2", "c3"))
                tables[row["block"]].append((i, j, n))
    return sorted(sorted(table) for table in tables.values())


def counted(family: Family, roi: Roi, aggregation: Aggregation) -> list[Matrix]:
    """The matrices that a family measures, as (level, size, count), sorted."""
    tables: defaultdict[int, Matrix] = defaultdict(list)
    for batch in family.measure(roi, aggregation):  # type: ignore[union-attr]
        entries = (t.tolist() for t in (batch.matrix, batch.level, batch.size, batch.count))
        for matrix, i, j, n in zip(*entries, strict=True):
            tables[matrix].append((i, j, int(n)))
    return sorted(sorted(table) for table in tables.values())
