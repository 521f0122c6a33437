"""Laws that every feature of the catalogue obeys: scaling by its own unit, shift, orientation, border."""

import math

import pytest
import torch
from torch import Tensor

from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.radiomics.aggregation import EVERY_AGGREGATION, VOLUME_AVERAGED, VOLUME_MERGED, ZONES_VOLUME
from gradatim.radiomics.catalogue import CATALOGUE
from gradatim.radiomics.discretise import FixedBinNumber, FixedBinSize, IntensityBins
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.preparation import Preparation

SPACING = (1.0, 0.5, 2.0)


def levels(*, factor: float = 1.0, shift: float = 0.0) -> Preparation:
    """Bins for the scene's intensities, × factor + shift."""
    low, high = -4.0 * factor + shift, 12.0 * factor + shift
    return Preparation(
        FixedBinSize(width=2.0 * factor, origin=low), curve=IntensityBins(width=factor, low=low, high=high)
    )


LEVELS = Extraction(levels(), aggregations=EVERY_AGGREGATION)
TURNS = Extraction(levels(), aggregations=(VOLUME_AVERAGED, VOLUME_MERGED, ZONES_VOLUME))


def scene() -> tuple[Tensor, Tensor]:
    """Whole-number intensities of both signs, and a blob that touches three borders."""
    draw = torch.Generator().manual_seed(5)
    values = torch.randint(-4, 12, (7, 6, 5), generator=draw).to(torch.float32)
    labels = (torch.rand((7, 6, 5), generator=draw) > 0.4).to(torch.int64)
    labels[4:] = 0
    return values, labels


def measure(
    values: Tensor, labels: Tensor, *, extraction: Extraction = LEVELS, spacing: tuple[float, ...] = SPACING
) -> dict[tuple[str, str], float]:
    x, y, z = spacing
    grid = Grid(tuple(values.shape), (x, y, z))  # type: ignore[arg-type]
    image = QuantitativeMap(values, torch.ones(values.shape, dtype=torch.bool), grid, "test", "u")
    features = extraction(image, Regions(labels, grid))
    assert all(math.isfinite(feature.value) for feature in features)
    return {(f"{feature.family}.{feature.feature}", feature.aggregation): feature.value for feature in features}


@pytest.mark.parametrize("factor", [0.25, 8.0])
@pytest.mark.parametrize("stretch", [0.5, 4.0])
def test_scaling_follows_the_unit(factor: float, stretch: float) -> None:
    values, labels = scene()
    before = measure(values, labels)
    after = measure(
        values * factor,
        labels,
        extraction=Extraction(levels(factor=factor), aggregations=EVERY_AGGREGATION),
        spacing=tuple(s * stretch for s in SPACING),
    )
    for (code, aggregation), value in before.items():
        if code.startswith("local_intensity."):
            continue  # its sphere has 1 cm³, whatever the voxels
        unit = CATALOGUE[code].unit
        expected = value * factor**unit.intensity * stretch**unit.length
        assert after[code, aggregation] == pytest.approx(expected, rel=1e-12, abs=1e-12), CATALOGUE[code].name


MOVE = {
    *(f"statistics.{name}" for name in ("mean", "median", "minimum", "maximum", "percentile_10", "percentile_90")),
    *(f"local_intensity.{name}_intensity_peak" for name in ("local", "global")),
    *(f"intensity_volume_histogram.intensity_at_{percent}_volume" for percent in (10, 90)),
}
CHANGE = {
    "statistics.coefficient_of_variation",
    "statistics.quartile_coefficient_of_dispersion",
    "statistics.energy",
    "statistics.root_mean_square",
    "morphology.centre_of_mass_shift",
    "morphology.integrated_intensity",
}


def test_a_shift_moves_places_and_leaves_spreads_shapes_and_textures() -> None:
    values, labels = scene()
    before = measure(values, labels)
    after = measure(
        values + 32,
        labels,
        extraction=Extraction(levels(shift=32.0), aggregations=EVERY_AGGREGATION),
    )
    for (code, aggregation), value in before.items():
        if code not in CHANGE:
            expected = value + 32 if code in MOVE else value
            assert after[code, aggregation] == pytest.approx(expected, rel=1e-12, abs=1e-12), code


def test_fixed_bin_number_texture_knows_neither_scale_nor_shift() -> None:
    values, labels = scene()
    rule = Extraction(Preparation(FixedBinNumber(6)), aggregations=EVERY_AGGREGATION)
    before, after = (measure(v, labels, extraction=rule) for v in (values, values * 4 + 64))
    assert all(after[key] == before[key] for key in before if key[1])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_mirroring_changes_nothing(axis: int) -> None:
    values, labels = scene()
    assert measure(values.flip(axis), labels.flip(axis)) == pytest.approx(measure(values, labels), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("order", [(1, 0, 2), (2, 1, 0), (1, 2, 0)])
def test_turning_the_axes_with_their_spacing_changes_nothing_in_space(order: tuple[int, int, int]) -> None:
    values, labels = scene()
    turned = measure(
        values.permute(order), labels.permute(order), extraction=TURNS, spacing=tuple(SPACING[i] for i in order)
    )
    assert turned == pytest.approx(measure(values, labels, extraction=TURNS), rel=1e-9, abs=1e-9)


def test_the_border_of_the_image_is_no_border_of_the_region() -> None:
    values, labels = scene()
    around = (2, 2, 2, 2, 2, 2)
    larger = measure(
        torch.nn.functional.pad(values, around, value=float("nan")), torch.nn.functional.pad(labels, around)
    )
    assert larger == pytest.approx(measure(values, labels), rel=1e-12, abs=1e-12)
