"""Against numbers that PyRadiomics 3.0.1 printed for a made image: pierced, one slice, one level, narrow bins."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.radiomics.catalogue import CATALOGUE
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.interpolation import CubicSpline, Interpolation, Linear, Nearest
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.presets import PYRADIOMICS_3_1
from gradatim.radiomics.pyradiomics.discretise import ZeroAlignedBins
from gradatim.radiomics.pyradiomics.families import DEVIATING, PYRADIOMICS, column_name
from gradatim.radiomics.pyradiomics.mesh import unclosed_surface
from gradatim.radiomics.pyradiomics.resample import CornerAlignedResampling
from gradatim.radiomics.pyradiomics.shape2d import PyradiomicsShape2D
from gradatim.radiomics.shape.surface import surface
from gradatim.radiomics.undefined import Undefined

GRID = Grid((8, 7, 5), (0.7, 1.1, 2.5))
X, Y, Z = torch.meshgrid(torch.arange(8), torch.arange(7), torch.arange(5), indexing="ij")
IMAGE = ((X * 37 + Y * 61 + Z * 101 + X * Y * Z * 13) % 211).to(torch.float64) - 60
PIERCED = ((X + 2 * Y + 3 * Z + X * Y) % 5 != 0) & (Z > 0) & (Z < 4) & (Y > 0) & (X < 7)
PRINTED = {
    "holes": {
        "original_firstorder_Kurtosis": 1.8738130883256336,
        "original_firstorder_Entropy": 3.0907902533091733,
        "original_firstorder_TotalEnergy": 899386.9500000001,
        "original_glcm_MCC": 0.5344629389101073,
        "original_glcm_Correlation": -0.03753335074508884,
        "original_glcm_Imc1": -0.20477373845508565,
        "original_glcm_JointAverage": 4.881123784287106,
        "original_glrlm_RunPercentage": 0.9372666168782674,
        "original_glrlm_RunVariance": 0.08007367885449629,
        "original_glrlm_GrayLevelNonUniformity": 11.71131587751983,
        "original_gldm_DependenceVariance": 2.4464134225657457,
        "original_glszm_ZoneVariance": 5.133544590312359,
        "original_ngtdm_Busyness": 1.07803495862807,
        "original_ngtdm_Coarseness": 0.04048483534537,
        "original_shape_MeshVolume": 185.28124999999974,
        "original_shape_SurfaceArea": 257.6494159230071,
        "original_shape_LeastAxisLength": 5.469266150403945,
        "original_shape_Maximum2DDiameterRow": 9.300537618869138,
        "original_shape_Maximum2DDiameterColumn": 8.595929269136642,
        "original_shape_Maximum2DDiameterSlice": 7.8230428862431785,
    },
    "slice": {
        "original_firstorder_Kurtosis": 1.9201697245419829,
        "original_firstorder_Entropy": 2.9500794746898333,
        "original_firstorder_TotalEnergy": 302544.55,
        "original_glcm_MCC": 0.6842525250577791,
        "original_glcm_Correlation": -0.010283387969694635,
        "original_glcm_Imc1": -0.38186801241129825,
        "original_glcm_JointAverage": 4.980484189723319,
        "original_glrlm_RunPercentage": 0.9338235294117647,
        "original_glrlm_RunVariance": 0.11377666041594403,
        "original_glrlm_GrayLevelNonUniformity": 4.533793880455407,
        "original_gldm_DependenceVariance": 0.36678200692041524,
        "original_glszm_ZoneVariance": 0.47040000000000004,
        "original_ngtdm_Busyness": 0.35914015997023807,
        "original_ngtdm_Coarseness": 0.09245171857904039,
        "original_shape_MeshVolume": 51.97499999999997,
        "original_shape_SurfaceArea": 112.99507061900646,
        "original_shape_LeastAxisLength": 0.0,
        "original_shape_Maximum2DDiameterRow": 6.6000000000000005,
        "original_shape_Maximum2DDiameterColumn": 4.9,
        "original_shape_Maximum2DDiameterSlice": 7.470609078247905,
    },
    "flat": {
        "original_firstorder_Kurtosis": 0.0,
        "original_firstorder_Entropy": -3.203426503814917e-16,
        "original_firstorder_TotalEnergy": 317240.0,
        "original_glcm_MCC": 1.0,
        "original_glcm_Correlation": 1.0,
        "original_glcm_Imc1": 0.0,
        "original_glcm_JointAverage": 1.0,
        "original_glrlm_RunPercentage": 0.4891710231516057,
        "original_glrlm_RunVariance": 1.2583076365814416,
        "original_glrlm_GrayLevelNonUniformity": 50.38461538461539,
        "original_gldm_DependenceVariance": 23.96927137336224,
        "original_glszm_ZoneVariance": 0.0,
        "original_ngtdm_Busyness": 0.0,
        "original_ngtdm_Coarseness": 1000000.0,
        "original_shape_MeshVolume": 185.28124999999974,
        "original_shape_SurfaceArea": 257.6494159230071,
        "original_shape_LeastAxisLength": 5.469266150403945,
        "original_shape_Maximum2DDiameterRow": 9.300537618869138,
        "original_shape_Maximum2DDiameterColumn": 8.595929269136642,
        "original_shape_Maximum2DDiameterSlice": 7.8230428862431785,
    },
    "narrow": {
        "original_firstorder_Kurtosis": 1.8738130883256343,
        "original_firstorder_Entropy": 4.304884815928922,
        "original_firstorder_TotalEnergy": 89.93869500000001,
        "original_glcm_MCC": 0.7428238265356417,
        "original_glcm_Correlation": -0.04229454304236356,
        "original_glcm_Imc1": -0.47111575851789017,
        "original_glcm_JointAverage": 9.939175813393948,
        "original_glrlm_RunPercentage": 0.9805825242718449,
        "original_glrlm_RunVariance": 0.01939827099644203,
        "original_glrlm_GrayLevelNonUniformity": 5.341625265368868,
        "original_gldm_DependenceVariance": 0.502403619568291,
        "original_glszm_ZoneVariance": 0.4646691235378946,
        "original_ngtdm_Busyness": 0.21746953821453513,
        "original_ngtdm_Coarseness": 0.03632128467731779,
        "original_shape_MeshVolume": 185.28124999999974,
        "original_shape_SurfaceArea": 257.6494159230071,
        "original_shape_LeastAxisLength": 5.469266150403945,
        "original_shape_Maximum2DDiameterRow": 9.300537618869138,
        "original_shape_Maximum2DDiameterColumn": 8.595929269136642,
        "original_shape_Maximum2DDiameterSlice": 7.8230428862431785,
    },
}


def measured(image: Tensor, mask: Tensor, *, width: float = 25.0) -> dict[str, float]:
    values = QuantitativeMap(image, torch.ones_like(mask), GRID, "made", "")
    extraction = replace(PYRADIOMICS_3_1, preparation=Preparation(ZeroAlignedBins(width)))
    return {column_name(feature): feature.value for feature in extraction(values, Regions(mask.long(), GRID))}


@pytest.mark.parametrize(
    ("case", "found"),
    [
        ("holes", measured(IMAGE, PIERCED)),
        ("slice", measured(IMAGE, PIERCED & (Z == 2))),
        ("flat", measured(torch.full_like(IMAGE, 40.0), PIERCED)),
        ("narrow", measured(IMAGE / 100, PIERCED, width=0.1)),
    ],
    ids=PRINTED,
)
def test_printed_numbers(case: str, found: dict[str, float]) -> None:
    assert len(found) == 107
    assert {name: found[name] for name in PRINTED[case]} == pytest.approx(PRINTED[case], rel=1e-9, abs=1e-15)


def test_codes_are_those_of_known_features() -> None:
    codes = {record.code for record in CATALOGUE.values()}
    records = {f"{family.id}.{record.id}": record for family in PYRADIOMICS for record in family.features}
    assert {record.code for record in records.values() if record.code} | set(DEVIATING.values()) <= codes
    assert all(not records[name].code for name in DEVIATING)
    without = {name for name, record in records.items() if not record.code} - DEVIATING.keys()
    assert without == {
        "pyradiomics_firstorder.TotalEnergy",
        "pyradiomics_glcm.MCC",
        *(f"pyradiomics_shape.Maximum2DDiameter{plane}" for plane in ("Row", "Column", "Slice")),
    }


def test_bins_have_an_edge_at_zero_and_start_at_the_lowest() -> None:
    values = torch.tensor([-30.0, -25.0, -0.1, 0.0, 24.9, 25.0], dtype=torch.float64)
    assert ZeroAlignedBins(25.0)(values).tolist() == [1, 2, 2, 3, 3, 4]
    assert ZeroAlignedBins(25.0)(values + 75).tolist() == [1, 2, 2, 3, 3, 4]


@pytest.mark.parametrize("highest", [1e4, 1024.0])
def test_too_many_levels_are_a_reason(highest: float) -> None:
    found = ZeroAlignedBins(1.0)(torch.tensor([0.0, highest], dtype=torch.float64))
    assert isinstance(found, Undefined)
    assert "1024" in found.reason


def test_first_order_needs_levels_for_two_features_only() -> None:
    found = measured(IMAGE * 1e6, PIERCED)
    undefined = {name for name, value in found.items() if "firstorder" in name and value != value}
    assert undefined == {"original_firstorder_Entropy", "original_firstorder_Uniformity"}


@pytest.mark.parametrize("make", [lambda: ZeroAlignedBins(0.0), lambda: CornerAlignedResampling((1.0, -1.0, 1.0))])
def test_impossible_sizes_are_refused(make) -> None:
    with pytest.raises(UsageError, match="GD-101"):
        make()


def test_a_grid_beyond_all_bounds_is_refused() -> None:
    with pytest.raises(UsageError, match="GD-133"):
        CornerAlignedResampling((1e-4, 1e-4, 1e-4)).grid(GRID)


def test_both_meshes_agree_on_a_convex_body() -> None:
    x, y, z = torch.meshgrid(*[torch.arange(-6, 7)] * 3, indexing="ij")
    ball = (x**2 + y**2 + z**2 <= 25)[1:-1, 1:-1, 1:-1]
    own, ibsi = unclosed_surface(ball, spacing=(1.0, 2.0, 3.0)), surface(ball, spacing=(1.0, 2.0, 3.0))
    assert float(own.volume) == pytest.approx(float(ibsi.volume), rel=1e-12)


def test_contours_of_known_length() -> None:
    pixels = torch.zeros(8, 7, 5, dtype=torch.bool)
    pixels[2:5, 2:4, 2] = True  # 3 × 2 pixels of 0.7 × 1.1 mm, their corners cut
    corner = math.hypot(0.7, 1.1) / 2
    found = contour(pixels)
    assert found["original_shape2D_PixelSurface"] == pytest.approx(6 * 0.77)
    assert found["original_shape2D_MeshSurface"] == pytest.approx(6 * 0.77 - 4 * 0.77 / 8)
    assert found["original_shape2D_Perimeter"] == pytest.approx(2 * (2 * 0.7 + 1.1) + 4 * corner)
    opposite = torch.zeros_like(pixels)
    opposite[2, 2, 2] = opposite[3, 3, 2] = True
    assert contour(opposite)["original_shape2D_MeshSurface"] == pytest.approx(2 * 0.77 / 2)
    assert contour(opposite)["original_shape2D_Perimeter"] == pytest.approx(8 * corner)


def test_a_region_of_two_slices_has_no_contour() -> None:
    assert all(math.isnan(value) for value in contour(PIERCED).values())


def contour(mask: Tensor) -> dict[str, float]:
    values = QuantitativeMap(IMAGE, torch.ones_like(mask), GRID, "made", "")
    extraction = Extraction(Preparation(ZeroAlignedBins(25.0)), (PyradiomicsShape2D(),))
    return {column_name(feature): feature.value for feature in extraction(values, Regions(mask.long(), GRID))}


def test_the_corner_of_the_image_stays_in_place() -> None:
    new = CornerAlignedResampling((1.0, 1.0, 1.0)).grid(GRID)
    assert new.shape == (6, 8, 13)  # 5.6, 7.7 and 12.5 mm
    corner = torch.tensor([-0.5, -0.5, -0.5, 1.0], dtype=torch.float64)
    assert torch.from_numpy(new.matrix) @ corner == pytest.approx((torch.from_numpy(GRID.matrix) @ corner).tolist())


def test_a_constant_and_its_region_survive_resampling() -> None:
    resampling = CornerAlignedResampling((1.0, 1.0, 1.0))
    image = QuantitativeMap(torch.full(GRID.shape, 3.0), torch.ones(GRID.shape).bool(), GRID, "made", "")
    moved = resampling.image(image)
    assert moved.value[moved.mask].tolist() == pytest.approx([3.0] * int(moved.mask.sum()))
    mask, box = resampling.region(torch.ones(8, 7, 5, dtype=torch.bool), (slice(0, 8), slice(0, 7), slice(0, 5)), GRID)
    assert mask.all()
    assert moved.mask[box].all()


@pytest.mark.parametrize(
    ("interpolation", "printed"),
    [
        (Linear(), [10.0, 12.5, 17.5, 25.0, 35.0, 40.0]),
        (CubicSpline(), [10.5078125, 10.5078125, 15.2734375, 26.2890625, 37.9296875, 37.9296875]),
        (Nearest(), [10.0, 10.0, 20.0, 20.0, 40.0, 40.0]),
    ],
)
def test_past_the_outermost_centres_as_simpleitk_prints(interpolation: Interpolation, printed: list[float]) -> None:
    # SimpleITK 2.5: resampling of 10, 20, 40 to half the edge, by sitkLinear, sitkBSpline and sitkNearestNeighbor
    values = torch.tensor([10.0, 20.0, 40.0], dtype=torch.float64).view(3, 1, 1)
    row = QuantitativeMap(values, torch.ones(3, 1, 1).bool(), Grid((3, 1, 1), (1.0, 1.0, 1.0)), "made", "")
    found = CornerAlignedResampling((0.5, 1.0, 1.0), interpolation).image(row)
    assert found.value.flatten().tolist() == pytest.approx(printed)
