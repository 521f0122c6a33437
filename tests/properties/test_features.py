"""Whatever the region: every row is a finite number without a reason, or NaN with one."""

import math
import re

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.radiomics.aggregation import EVERY_AGGREGATION
from gradatim.radiomics.discretise import FixedBinNumber, FixedBinSize, NoDiscretisation
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.preparation import Preparation

shapes = array_shapes(min_dims=3, max_dims=3, max_side=4)
intensities = st.sampled_from([0.0, 1.0, 2.0, -1.0, 0.1, 1e-30, 1e30, float("nan"), float("inf")])
rules = st.sampled_from([NoDiscretisation(), FixedBinNumber(5), FixedBinSize(width=0.5, origin=-1.0)])


@st.composite
def scenes(draw: st.DrawFn) -> tuple[QuantitativeMap, Regions]:
    shape = draw(shapes)
    value = torch.from_numpy(draw(arrays("float32", shape, elements=intensities)))
    labels = torch.from_numpy(draw(arrays("int64", shape, elements=st.integers(0, 2))))
    mask = torch.from_numpy(draw(arrays("bool", shape)))
    grid = Grid(shape, (1.0, 0.5, 3.0))  # type: ignore[arg-type]
    return QuantitativeMap(value, mask, grid, "test", "ppm"), Regions(labels, grid, {3: "absent"})


@settings(max_examples=60)
@given(scenes(), rules)
def test_a_number_or_a_reason(scene: tuple[QuantitativeMap, Regions], rule: FixedBinNumber) -> None:
    for feature in Extraction(Preparation(rule), aggregations=EVERY_AGGREGATION)(*scene):
        if math.isnan(feature.value):
            assert re.fullmatch(r"GD-75[0-4] .+", feature.reason)
        else:
            assert feature.reason == "" or feature.reason.startswith("GD-755 ")
        assert not math.isinf(feature.value)
