"""PyRadiomics' own baselines: its numbers for a brain tumour, in every case that it keeps for that image.

Source: AIM-Harvard/pyradiomics, ``data/baseline``, BSD-3-Clause: one column a case, whose settings stand in the rows
above the values. The matrices are those of the case without further settings. For the prostate phantom, whose image
lies beside them without a baseline, the numbers are those that PyRadiomics 3.0.1 printed by its default settings.
"""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.cli.main import main
from gradatim.io.nrrd import read_nrrd, read_nrrd_labels
from gradatim.io.table import read_features
from gradatim.radiomics.aggregation import (
    DIRECTIONS_MERGED,
    VOLUME_AVERAGED,
    VOLUME_MERGED,
    ZONES_MERGED,
    ZONES_VOLUME,
    Aggregation,
)
from gradatim.radiomics.cooccurrence import matrices
from gradatim.radiomics.discretise import FixedBinNumber
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.neighbourhoods import dependences, tone_differences
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.presets import PRESETS
from gradatim.radiomics.pyradiomics.discretise import ZeroAlignedBins
from gradatim.radiomics.pyradiomics.families import PYRADIOMICS, column_name
from gradatim.radiomics.pyradiomics.resample import CornerAlignedResampling, TruncateToUnit
from gradatim.radiomics.pyradiomics.shape2d import PyradiomicsShape2D
from gradatim.radiomics.resegment import IntensityRange, OutlierFence
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.runs import runs_in_space
from gradatim.radiomics.zones import zones_in_space

CLOSE = 1e-9
"""Relative difference that is rounding; the published numbers have 12 to 17 digits."""

AVERAGED = (VOLUME_AVERAGED, ZONES_VOLUME)
BINS_OF_25 = ZeroAlignedBins(25.0)

CASES: dict[str, tuple[Preparation, tuple[Aggregation, ...], int]] = {
    "brain1": (Preparation(BINS_OF_25), AVERAGED, 107),
    "brain1_2d": (Preparation(BINS_OF_25), (DIRECTIONS_MERGED, ZONES_MERGED), 75),
    "brain1_FBN": (Preparation(FixedBinNumber(64)), AVERAGED, 75),
    "brain1_combined": (Preparation(BINS_OF_25), (VOLUME_MERGED, ZONES_VOLUME), 40),
    "brain1_flatRegion": (Preparation(ZeroAlignedBins(5000.0), (IntensityRange(0.0, 1e9),)), AVERAGED, 75),
    "brain1_normalization": (Preparation(ZeroAlignedBins(5.0)), AVERAGED, 93),
    "brain1_resampling": (
        Preparation(BINS_OF_25, (), CornerAlignedResampling((2.0, 2.0, 2.0), rounding=TruncateToUnit())),
        AVERAGED,
        107,
    ),
    "brain1_resegmentation": (Preparation(BINS_OF_25, (OutlierFence(3.0),)), AVERAGED, 93),
}
"""Case → its settings here, and how many values it has."""

SHIFTED = {"original_firstorder_Energy", "original_firstorder_TotalEnergy", "original_firstorder_RootMeanSquared"}
"""In the plain case the baseline adds 2000 to the intensities for these three (``voxelArrayShift``)."""

OWN_MESH = {
    "original_shape_MeshVolume": 16147.51180013021,
    "original_shape_SurfaceArea": 6438.821603779402,
    "original_shape_SurfaceVolumeRatio": 0.3987500788652454,
    "original_shape_Sphericity": 0.4798234536231475,
}
"""What PyRadiomics 3.0.1 prints in the plain case. The baseline has version 2.0.1's numbers, whose mesh was another
one: 6433.73 mm² in place of 6438.82, which 3.0.1 does not reproduce either. The resampled case is 2.1.0's."""

Published = dict[str, dict[str, float]]


@pytest.fixture(scope="module")
def published(shared: Path) -> Published:
    """Case → column → value."""
    cases: Published = defaultdict(dict)
    for path in sorted((shared / "data/radiomics/pyradiomics/baseline").glob("baseline_*.csv")):
        with path.open(newline="") as file:
            header, *rows = csv.reader(file)
        for name, *values in rows:
            if name.startswith("original_"):
                for case, value in zip(header[1:], values, strict=True):
                    cases[case][name] = float(value)
    return cases


@pytest.fixture(scope="module")
def brain(shared: Path) -> tuple[QuantitativeMap, Regions]:
    folder = shared / "data/radiomics/pyradiomics"
    image = read_nrrd(folder / "brain1_image.nrrd")
    _, regions = read_nrrd_labels(folder / "brain1_label.nrrd")
    whole = torch.ones(image.grid.shape, dtype=torch.bool)
    return QuantitativeMap(image.data, whole, image.grid, "brain1", ""), regions.layers[0]


def measured(extraction: Extraction, brain: tuple[QuantitativeMap, Regions]) -> dict[str, float]:
    return {column_name(feature): feature.value for feature in extraction(*brain)}


def valued(brain: tuple[QuantitativeMap, Regions], value: Tensor) -> tuple[QuantitativeMap, Regions]:
    image, regions = brain
    return QuantitativeMap(value, image.mask, image.grid, image.quantity, ""), regions


@pytest.mark.parametrize("case", [case for case in CASES if case not in {"brain1", "brain1_normalization"}])
def test_every_value_of_a_case(case: str, published: Published, brain: tuple[QuantitativeMap, Regions]) -> None:
    preparation, aggregations, count = CASES[case]
    found = measured(Extraction(preparation, PYRADIOMICS, aggregations), brain)
    assert len(published[case]) == count
    # One grey level: PyRadiomics' entropies are −3e-16 where ours are 0.
    assert {name: found[name] for name in published[case]} == pytest.approx(published[case], rel=CLOSE, abs=1e-15)


def test_every_value_of_the_plain_case_by_the_preset(
    published: Published, brain: tuple[QuantitativeMap, Regions]
) -> None:
    found = measured(PRESETS["pyradiomics-3.1"], brain)
    shifted = measured(PRESETS["pyradiomics-3.1"], valued(brain, brain[0].value + 2000))
    found |= {name: shifted[name] for name in SHIFTED}
    assert found.keys() == published["brain1"].keys()
    assert found == pytest.approx(published["brain1"] | OWN_MESH, rel=CLOSE)
    assert found == pytest.approx(published["brain1"], rel=1e-3)


def test_the_plain_case_from_the_command_line(published: Published, shared: Path, tmp_path: Path) -> None:
    folder, out = shared / "data/radiomics/pyradiomics", tmp_path / "F.csv"
    files = [str(folder / "brain1_image.nrrd"), str(folder / "brain1_label.nrrd")]
    assert main(["features", *files, "--preset", "pyradiomics-3.1", "--out", str(out)]) == 0
    found = {column_name(row): row.value for row in read_features(out)}
    wanted = {name: value for name, value in (published["brain1"] | OWN_MESH).items() if name not in SHIFTED}
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, rel=CLOSE)


def test_every_value_of_the_normalised_case(published: Published, brain: tuple[QuantitativeMap, Regions]) -> None:
    values = brain[0].value.to(torch.float64)
    scores = 100 * (values - values.mean()) / values.std()
    preparation, aggregations, count = CASES["brain1_normalization"]
    found = measured(Extraction(preparation, PYRADIOMICS, aggregations), valued(brain, scores))
    wanted = published["brain1_normalization"]
    assert len(wanted) == count
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, rel=CLOSE)


def test_every_value_of_one_slice(published: Published, brain: tuple[QuantitativeMap, Regions]) -> None:
    image, regions = brain
    slice_16 = torch.zeros_like(regions.labels)
    slice_16[:, :, 16] = regions.labels[:, :, 16]
    extraction = Extraction(Preparation(BINS_OF_25), (PyradiomicsShape2D(),), AVERAGED)
    found = measured(extraction, (image, Regions(slice_16, regions.grid)))
    assert len(found) == 9
    assert found == pytest.approx(published["brain1_shape2D"], rel=CLOSE)


def test_no_case_is_left_out(published: Published) -> None:
    assert {case for case in published if case.startswith("brain1")} == {*CASES, "brain1_shape2D"}


def test_the_matrices(shared: Path, brain: tuple[QuantitativeMap, Regions]) -> None:
    def stored(name: str) -> np.ndarray:
        return np.load(shared / f"data/radiomics/pyradiomics/baseline/brain1_{name}.npy")

    ((_, roi),) = Preparation(BINS_OF_25)(*brain)
    assert isinstance(roi, Roi)
    levels = roi.levels
    assert isinstance(levels, Tensor)
    pairs = torch.cat(list(matrices(levels, VOLUME_AVERAGED, n_levels=33)))
    shares = (pairs / pairs.sum((1, 2), keepdim=True).double()).numpy()
    in_turn = sorted(shares.tolist())
    assert np.array(in_turn) == pytest.approx(np.array(sorted(stored("glcm").transpose(2, 0, 1).tolist())), abs=1e-15)
    (counted,) = dependences(levels, ZONES_VOLUME, n_levels=33)
    assert counted[0, :, :10].numpy().tolist() == stored("gldm").tolist()
    assert not counted[0, :, 10:].any()
    ((number, total),) = tone_differences(levels, ZONES_VOLUME, n_levels=33)
    assert np.stack([number[0], total[0]], 1) == pytest.approx(stored("ngtdm")[:, :2], rel=1e-12)
    assert zone_table(roi).tolist() == stored("glszm").tolist()
    assert sorted(run_tables(roi).tolist()) == sorted(stored("glrlm").transpose(2, 0, 1).tolist())


def test_every_value_of_the_prostate_phantom(shared: Path) -> None:
    folder = shared / "data/radiomics/pyradiomics"
    image = read_nrrd(folder / "prostate_phantom_subvolume.nrrd")
    _, regions = read_nrrd_labels(folder / "prostate_phantom_subvolume-label.nrrd")
    values = QuantitativeMap(image.data, torch.ones(image.grid.shape, dtype=torch.bool), image.grid, "phantom", "")
    with (Path(__file__).parent / "pyradiomics_prostate_phantom.csv").open(newline="") as file:
        printed = {(row["region"], row["feature"]): float(row["value"]) for row in csv.DictReader(file)}
    rows = PRESETS["pyradiomics-3.1"](values, regions.layers[0])
    found = {(row.region, column_name(row)): row.value for row in rows}
    assert len(printed) == 4 * 107
    assert found == pytest.approx(printed, rel=CLOSE, abs=1e-15)
    # The mesh around region 1, whose voxels hardly touch, has holes: a negative volume, as PyRadiomics prints it.
    assert found["1", "original_shape_MeshVolume"] == pytest.approx(-52.8125, rel=1e-3)


def zone_table(roi: Roi) -> np.ndarray:
    """Zones (level, size), the sizes that occur."""
    zones = zones_in_space(roi)
    table = np.zeros((33, int(zones.size.max()) + 1))
    np.add.at(table, (zones.level.numpy() - 1, zones.size.numpy()), 1)
    return table[:, table.any(0)]


def run_tables(roi: Roi) -> np.ndarray:
    """Runs (direction, level, length), the lengths that occur."""
    runs = runs_in_space(roi)
    table = np.zeros((13, 33, int(runs.length.max()) + 1))
    np.add.at(table, (runs.direction.numpy(), runs.level.numpy() - 1, runs.length.numpy()), runs.count.numpy())
    return table[:, :, table.any((0, 1))]
