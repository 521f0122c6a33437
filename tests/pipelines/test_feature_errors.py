"""Every row of standard errors belongs to the region that it names, whichever labels a map has beside it."""

import torch

from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.pipelines.feature_errors import FeatureErrors
from gradatim.radiomics.discretise import FixedBinNumber
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.replicates import ReplicatedErrors
from gradatim.radiomics.soft.noise import WhiteNoise
from gradatim.radiomics.statistics import Statistics

GRID = Grid((12, 6, 6), (1.0, 1.0, 1.0))


def test_negative_labels_and_names_without_voxels_shift_no_row() -> None:
    labels = torch.full(GRID.shape, -1, dtype=torch.int64)
    labels[1:4, 1:4, 1:4], labels[6:11, 1:5, 1:5] = 3, 8
    layers = (Regions(labels, GRID, {5: "left out"}), Regions((labels == 3).to(torch.int64), GRID))
    values = torch.randn(GRID.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    image = QuantitativeMap(values, torch.ones(GRID.shape).bool(), GRID, "x", "")
    extraction = Extraction(Preparation(FixedBinNumber(8)), families=(Statistics(),))
    features = tuple(row for layer in layers for row in extraction(image, layer))
    errors = FeatureErrors(extraction, WhiteNoise(0.1), "given", replicates=4)
    rows = errors(image, layers, features)
    assert [(r.region, r.feature) for r in rows] == [(f.region, f.feature) for f in features]
    direct = ReplicatedErrors(extraction, WhiteNoise(0.1), 4)(image, layers[0])
    for label in (3, 8):
        (mean,) = (r for r in rows[:54] if r.region == str(label) and r.feature == "mean")
        assert mean.standard_error == direct[label]["statistics.mean"].standard_error
    assert [r.reason[:6] for r in rows if r.region == "left out"] == ["GD-750"] * 18
