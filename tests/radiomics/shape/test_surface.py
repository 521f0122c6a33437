"""The histogram of cells against the mesh itself, triangle by triangle summed, and against closed forms."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from torch import Tensor

from gradatim.radiomics.shape.cells import cell_codes, cell_counts, histogram
from gradatim.radiomics.shape.surface import Spacing, mesh, surface

SPACINGS: list[Spacing] = [(1.0, 1.0, 1.0), (0.5, 0.5, 2.0), (0.9, 1.3, 0.4)]
masks = arrays("bool", array_shapes(min_dims=3, max_dims=3, max_side=7)).map(torch.from_numpy).filter(Tensor.any)


@settings(max_examples=150)
@given(masks, st.sampled_from(SPACINGS))
def test_volume_and_area_are_those_of_the_mesh(mask: Tensor, spacing: Spacing) -> None:
    # Random masks hold all 254 cells and every ambiguous neighbourhood, so the triangles depend on the cell alone.
    corners, triangles = mesh(mask, spacing=spacing)
    a, b, c = corners[triangles].unbind(1)
    volume = (a * torch.linalg.cross(b, c)).sum() / 6
    area = torch.linalg.cross(b - a, c - a).norm(dim=1).sum() / 2
    measured = surface(mask, spacing=spacing)
    assert float(measured.volume) == pytest.approx(float(volume), rel=1e-12)
    assert float(measured.area) == pytest.approx(float(area), rel=1e-12)
    assert float(measured.volume) > 0


@settings(max_examples=50)
@given(masks)
def test_the_kernel_counts_as_its_twin(mask: Tensor) -> None:
    assert torch.equal(cell_counts(mask), histogram(cell_codes(mask)))
    assert torch.equal(cell_counts(mask.permute(2, 0, 1)), histogram(cell_codes(mask.permute(2, 0, 1))))


@settings(max_examples=25)
@given(masks)
def test_turning_the_grid_changes_nothing(mask: Tensor) -> None:
    here = surface(mask, spacing=(1.0, 2.0, 3.0))
    for turned, spacing in [
        (mask.permute(1, 2, 0), (2.0, 3.0, 1.0)),
        (mask.flip(0), (1.0, 2.0, 3.0)),
        (torch.rot90(mask, 1, (0, 2)), (3.0, 2.0, 1.0)),
    ]:
        there = surface(turned, spacing=spacing)
        assert float(there.volume) == pytest.approx(float(here.volume), rel=1e-12)


def test_a_far_place_costs_no_digits() -> None:
    # The position enters the volume as a whole number, so that it cancels without a rest.
    one = torch.zeros(2000, 1, 1, dtype=torch.bool)
    one[-1] = True
    assert float(surface(one, spacing=(0.1, 0.1, 0.1)).volume) == pytest.approx(1e-3 / 6, rel=1e-14)
