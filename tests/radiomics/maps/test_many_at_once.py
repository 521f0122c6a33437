"""Every family measured in many windows at a time, against the same windows cut out and measured one by one."""

import pytest
import torch
from torch import Tensor

from gradatim.radiomics.aggregation import Aggregation
from gradatim.radiomics.catalogue import FAMILIES
from gradatim.radiomics.discretise import NoDiscretisation
from gradatim.radiomics.glcm import Glcm
from gradatim.radiomics.maps.many_at_once import BATCHED, ManyAtOnce, measured_by
from gradatim.radiomics.maps.one_by_one import OneByOne
from gradatim.radiomics.maps.pairs import _counted, counted_twin
from gradatim.radiomics.maps.window import Ball, Cube, Square, Window
from gradatim.radiomics.maps.windowed_region import WindowedRegion
from gradatim.radiomics.record import Family
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.undefined import Undefined

WINDOWS = (Cube(1), Cube(2), Square(1), Ball(2.3), Cube(0))
FAMILY_AND_AGGREGATION = [(f, a) for f in FAMILIES if type(f) in BATCHED for a in f.aggregations]


def region(window: Window, *, seed: int, levels: int = 5) -> WindowedRegion:
    """A tiny ragged region of random levels, some of whose voxels have no intensity."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randint(1, levels + 1, (5, 4, 6), generator=generator).to(torch.float64)
    shape = torch.rand(5, 4, 6, generator=generator) < 0.7
    intensity = shape & (torch.rand(5, 4, 6, generator=generator) < 0.9)
    values[1:3, 1:3, 1:4] = 2.0
    roi = Roi(values, shape, intensity, (1.0, 1.2, 2.0), NoDiscretisation())
    return WindowedRegion.of(roi, window.stencil((5, 4, 6), roi.spacing), stride=1)


def assert_same(one: Tensor, other: Tensor, names: list[str]) -> None:
    assert one.isnan().equal(other.isnan())
    for name, a, b in zip(names, one.nan_to_num(), other.nan_to_num(), strict=True):
        # √(1 − exp(−2·x)) turns the rounding of x = 0 into its root.
        tolerance = 1e-7 if name == "information_correlation_2" else 1e-11
        assert torch.allclose(a, b, rtol=1e-10, atol=tolerance), (name, float((a - b).abs().max()))


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize(
    ("family", "aggregation"), FAMILY_AND_AGGREGATION, ids=lambda v: getattr(v, "id", None) or v.code
)
def test_many_windows_have_the_features_of_each(family: Family, aggregation: Aggregation, window: Window) -> None:
    here = region(window, seed=len(family.id) + len(aggregation.name))
    records = family.features
    many = measured_by(family)
    assert isinstance(many, ManyAtOnce)
    one = OneByOne(family).values(here, here.centres, aggregation, records)
    assert_same(many.values(here, here.centres, aggregation, records), one, [r.id for r in records])


@pytest.mark.parametrize("aggregation", Glcm.aggregations, ids=lambda a: a.code)
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_the_kernel_of_pairs_and_its_twin_count_the_same(window: Window, aggregation: Aggregation) -> None:
    here = region(window, seed=7, levels=9)
    assert not isinstance(here.levels, Undefined)
    histograms, sums = _counted(here, here.levels, here.centres, aggregation)
    expected_histograms, expected_sums = counted_twin(here, here.levels, here.centres, aggregation)
    assert histograms.to(torch.float64).equal(expected_histograms)
    assert torch.allclose(sums, expected_sums, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("family", [f for f in FAMILIES if type(f) in BATCHED], ids=lambda f: f.id)
def test_one_voxel_alone_and_a_window_of_one_level_are_as_defined_as_one_by_one(family: Family) -> None:
    values = torch.full((3, 3, 1), 4.0, dtype=torch.float64)
    shape = torch.tensor([[1, 1, 0], [1, 0, 0], [0, 0, 1]], dtype=torch.bool).unsqueeze(-1)
    roi = Roi(values, shape, shape, (1.0, 1.0, 1.0), NoDiscretisation())
    here = WindowedRegion.of(roi, Cube(1).stencil((2, 2, 1), roi.spacing), stride=1)
    for aggregation in family.aggregations:
        arguments = (here, here.centres, aggregation, family.features)
        names = [record.id for record in family.features]
        assert_same(measured_by(family).values(*arguments), OneByOne(family).values(*arguments), names)
