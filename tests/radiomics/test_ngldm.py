"""Dependence features against IBSI's sums as written, and the matrices IBSI prints."""

import csv
from collections import defaultdict
from pathlib import Path

import pytest
import torch

from gradatim.io.nifti import read_image, read_labels
from gradatim.radiomics.aggregation import ZONES_AVERAGED, ZONES_VOLUME, Aggregation
from gradatim.radiomics.discretise import NoDiscretisation
from gradatim.radiomics.neighbourhoods import dependences
from gradatim.radiomics.ngldm import Dependence, Ngldm
from gradatim.radiomics.roi import NO_INTENSITIES, Roi
from gradatim.radiomics.undefined import Undefined

RECORDS = {record.id: record for record in Ngldm.features}


def test_features_follow_their_formulas() -> None:
    s = torch.randint(0, 9, (3, 5, 27), generator=torch.Generator().manual_seed(0)).to(torch.float64)
    total = s.sum((1, 2))
    p = s / total.view(-1, 1, 1)
    i = torch.arange(1, 6, dtype=torch.float64).view(-1, 1)
    j = torch.arange(1, 28, dtype=torch.float64)
    mu_i, mu_j = ((x * p).sum((1, 2)).view(-1, 1, 1) for x in (i, j))
    expected = {
        "low_dependence_emphasis": (p / j**2).sum((1, 2)),
        "high_dependence_emphasis": (p * j**2).sum((1, 2)),
        "low_grey_level_count_emphasis": (p / i**2).sum((1, 2)),
        "high_grey_level_count_emphasis": (p * i**2).sum((1, 2)),
        "low_dependence_low_grey_level_emphasis": (p / (i * j) ** 2).sum((1, 2)),
        "low_dependence_high_grey_level_emphasis": (p * i**2 / j**2).sum((1, 2)),
        "high_dependence_low_grey_level_emphasis": (p * j**2 / i**2).sum((1, 2)),
        "high_dependence_high_grey_level_emphasis": (p * (i * j) ** 2).sum((1, 2)),
        "grey_level_non_uniformity": (s.sum(2) ** 2).sum(1) / total,
        "normalised_grey_level_non_uniformity": (s.sum(2) ** 2).sum(1) / total**2,
        "dependence_count_non_uniformity": (s.sum(1) ** 2).sum(1) / total,
        "normalised_dependence_count_non_uniformity": (s.sum(1) ** 2).sum(1) / total**2,
        "dependence_count_percentage": torch.ones(3, dtype=torch.float64),
        "grey_level_variance": ((i - mu_i) ** 2 * p).sum((1, 2)),
        "dependence_count_variance": ((j - mu_j) ** 2 * p).sum((1, 2)),
        "dependence_count_entropy": -(p * torch.where(p > 0, p, 1.0).log2()).sum((1, 2)),
        "dependence_count_energy": (p**2).sum((1, 2)),
    }
    assert expected.keys() == RECORDS.keys()
    for name, value in expected.items():
        torch.testing.assert_close(RECORDS[name].compute(Dependence(s)), value, rtol=1e-12, atol=0)


def test_features_are_differentiable_in_the_counts() -> None:
    s = (torch.rand(2, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) + 0.1).requires_grad_()
    for record in Ngldm.features:
        assert torch.autograd.gradcheck(lambda s, record=record: record.compute(Dependence(s)), (s,)), record.id


def test_a_single_voxel_depends_on_itself_alone() -> None:
    one = torch.ones(1, 1, 1, dtype=torch.bool)
    roi = Roi(torch.full((1, 1, 1), 3.0, dtype=torch.float64), one, one, (1.0, 1.0, 1.0), NoDiscretisation())
    for aggregation in Ngldm.aggregations:
        [matrix] = Ngldm().measure(roi, aggregation)  # type: ignore[misc]
        assert matrix.counts.sum() == matrix.counts[0, 2, 0] == 1
        assert float(RECORDS["low_dependence_emphasis"].compute(matrix)) == 1
        assert float(RECORDS["high_grey_level_count_emphasis"].compute(matrix)) == 9


def test_a_block_of_one_level_has_corners_edges_faces_and_an_inside() -> None:
    block = torch.ones(4, 4, 4, dtype=torch.int64)
    [counts] = dependences(block, ZONES_VOLUME, n_levels=1)
    assert {j + 1: int(n) for j, n in enumerate(counts[0, 0]) if n} == {8: 8, 12: 24, 18: 24, 27: 8}


def test_no_intensity_says_why() -> None:
    inside = torch.ones(2, 2, 2, dtype=torch.bool)
    empty = Roi(torch.zeros(2, 2, 2).double(), inside, ~inside, (1.0, 1.0, 1.0), NoDiscretisation())
    assert Ngldm().measure(empty, ZONES_VOLUME) == Undefined(NO_INTENSITIES)


@pytest.mark.parametrize(("printed", "aggregation"), [("2d", ZONES_AVERAGED), ("3d", ZONES_VOLUME)])
def test_the_matrices_that_ibsi_prints(printed: str, aggregation: Aggregation, shared: Path) -> None:
    folder = shared / "data/radiomics/phantoms/ibsi_1_digital_phantom/nifti"
    image, mask = read_image(folder / "image/phantom.nii.gz"), read_labels(folder / "mask/mask.nii.gz")
    levels = (image.data * (mask.data > 0)).to(torch.int64)
    [counted] = dependences(levels, aggregation, n_levels=6)
    tables: defaultdict[str, torch.Tensor] = defaultdict(lambda: torch.zeros(6, 27, dtype=torch.int64))
    with (shared / "data/radiomics/ibsi1_digital_phantom_matrices.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if (row["matrix"], row["aggregation"]) == ("ngldm", printed):
                tables[row["block"]][int(float(row["c1"])) - 1, int(float(row["c2"])) - 1] = int(float(row["c3"]))
    # The manual has its own order of slices, so the matrices are compared as a collection.
    assert sorted(counted.tolist()) == sorted(table.tolist() for table in tables.values())
