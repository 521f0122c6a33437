"""The derivative of every feature against finite differences in float64."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.io.nifti import read_image, read_labels
from gradatim.radiomics.aggregation import (
    SLICES_AVERAGED,
    VOLUME_MERGED,
    ZONES_AVERAGED,
    ZONES_VOLUME,
    Aggregation,
)
from gradatim.radiomics.discretise import Discretisation, FixedBinNumber, FixedBinSize
from gradatim.radiomics.glcm import Glcm
from gradatim.radiomics.glszm import Glszm
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.resegment import IntensityRange
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.soft.extraction import SoftExtraction
from gradatim.radiomics.statistics import Statistics

STEPS = {
    "intensity_histogram." + name
    for name in (
        *("median", "minimum", "percentile_10", "percentile_90", "maximum", "mode", "interquartile_range", "range"),
        *("quartile_coefficient_of_dispersion", "maximum_histogram_gradient_intensity"),
        "minimum_histogram_gradient_intensity",
    )
}
"""Features that are themselves grey levels and move in steps."""


def region(values: Tensor, rule: Discretisation) -> Roi:
    mask = torch.ones(values.shape).bool()
    mask[0, 0] = False
    return Roi(values, mask, mask, (1.0, 1.0, 1.0), rule)


def disagreements(extraction: SoftExtraction, roi: Roi, way: Tensor, step: float) -> list[str]:
    """Features whose slope along a way is not that of two steps along it."""

    def moved(values: Tensor) -> dict[str, Tensor]:
        return extraction(Roi(values, roi.shape, roi.intensity, roi.spacing, roi.discretisation))

    leaf = roi.values.clone().requires_grad_()
    features = moved(leaf)
    with torch.no_grad():
        more, less = moved(leaf + step * way), moved(leaf - step * way)
    wrong = []
    for name, value in features.items():
        if name in STEPS:
            assert not value.requires_grad
            continue
        (gradient,) = torch.autograd.grad(value, leaf, retain_graph=True)
        slope, seen = float((gradient * way).sum()), float((more[name] - less[name]) / (2 * step))
        if abs(slope - seen) > 2e-5 * abs(seen) + 1e-7 * max(1.0, abs(float(value.detach()))):
            wrong.append(name)
    return wrong


@pytest.mark.parametrize(
    "rule", [FixedBinSize(width=1.0, origin=-7.0), FixedBinNumber(6)], ids=lambda r: type(r).__name__
)
@pytest.mark.parametrize(
    ("directional", "zonal"), [(VOLUME_MERGED, ZONES_VOLUME), (SLICES_AVERAGED, ZONES_AVERAGED)], ids=lambda a: a.code
)
@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_every_feature(rule: Discretisation, directional: Aggregation, zonal: Aggregation, temperature: float) -> None:
    generator = torch.Generator().manual_seed(8)
    values, way = torch.randn(2, 6, 5, 4, dtype=torch.float64, generator=generator)
    extraction = SoftExtraction(temperature, directional=directional, zonal=zonal)
    assert disagreements(extraction, region(1.3 * values, rule), way, 1e-7) == []


def test_each_voxel_by_gradcheck() -> None:
    values = torch.randn(3, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(2)).requires_grad_()
    extraction = SoftExtraction()

    def smooth(x: Tensor) -> tuple[Tensor, ...]:
        found = extraction(region(x, FixedBinSize(width=0.8, origin=-5.0)))
        return tuple(value for name, value in found.items() if name not in STEPS)

    assert torch.autograd.gradcheck(smooth, (values,), eps=1e-7, atol=1e-4, rtol=1e-3)


def test_a_patch_of_the_ct_phantom(shared: Path) -> None:
    folder = shared / "data/radiomics/phantoms/ibsi_1_ct_radiomics_phantom/nifti"
    image, mask = read_image(folder / "image/phantom.nii.gz"), read_labels(folder / "mask/mask.nii.gz")
    whole = torch.ones(image.grid.shape, dtype=torch.bool)
    preparation = Preparation(FixedBinSize(width=25.0, origin=-500.0), (IntensityRange(-500.0, 400.0),))
    ((_, roi),) = preparation(QuantitativeMap(image.data, whole, image.grid, "", "HU"), Regions(mask.data, mask.grid))
    assert isinstance(roi, Roi)
    patch = tuple(slice(size // 2 - 8, size // 2 + 8) for size in roi.values.shape)
    # CT numbers are whole: without a fraction beside them many lie on the corner of a ramp, or tie.
    generator = torch.Generator().manual_seed(4)
    values = roi.values[patch] + torch.rand(roi.values[patch].shape, dtype=torch.float64, generator=generator)
    way = torch.randn(values.shape, dtype=torch.float64, generator=generator)
    inside = roi.intensity[patch] & (values > -499.0)
    assert int(inside.sum()) > 1000
    there = Roi(values, roi.shape[patch], inside, roi.spacing, roi.discretisation)
    assert disagreements(SoftExtraction(), there, way, 1e-6) == []


def test_a_family_of_zones_has_no_derivative() -> None:
    with pytest.raises(UsageError, match="GD-143"):
        SoftExtraction(families=(Statistics(), Glszm()))


def test_an_aggregation_of_another_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="GD-104"):
        SoftExtraction(families=(Glcm(),), directional=ZONES_VOLUME)


def test_a_region_with_nothing_to_count_is_refused() -> None:
    lone = torch.ones(1, 1, 1, dtype=torch.float64)
    with pytest.raises(InputError, match=r"GD-725.*neighbours"):
        SoftExtraction(families=(Glcm(),))(Roi(lone, lone.bool(), lone.bool(), (1.0,) * 3, FixedBinNumber(4)))
    with pytest.raises(InputError, match=r"GD-725.*lowest intensity"):
        SoftExtraction()(region(-torch.ones(2, 2, 2, dtype=torch.float64), FixedBinSize(1.0, 0.0)))
