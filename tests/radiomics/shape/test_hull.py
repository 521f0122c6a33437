"""The hull from sorted-out corners against the hull of the whole mesh."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.spatial import ConvexHull
from torch import Tensor

from gradatim.radiomics.shape.columns import columns
from gradatim.radiomics.shape.hull import Spacing, candidates, hull
from gradatim.radiomics.shape.surface import mesh

SPACINGS: list[Spacing] = [(1.0, 1.0, 1.0), (0.5, 0.5, 2.0), (0.9, 1.3, 0.4)]
masks = arrays("bool", array_shapes(min_dims=3, max_dims=3, max_side=7)).map(torch.from_numpy).filter(Tensor.any)


@settings(max_examples=100)
@given(masks, st.sampled_from(SPACINGS))
def test_it_is_the_hull_of_the_mesh(mask: Tensor, spacing: Spacing) -> None:
    corners, _ = mesh(mask, spacing=spacing)
    whole = ConvexHull(corners.numpy())
    found = hull(columns(mask), spacing=spacing)
    assert found.volume == pytest.approx(whole.volume, rel=1e-12)
    assert found.area == pytest.approx(whole.area, rel=1e-12)
    assert found.diameter == pytest.approx(float(torch.cdist(corners, corners).max()), rel=1e-6)


@settings(max_examples=30)
@given(masks)
def test_triangles_and_their_neighbours_fit_together(mask: Tensor) -> None:
    found = hull(columns(mask), spacing=(0.9, 1.3, 0.4))
    for face, around in zip(found.faces, found.neighbours, strict=True):
        for corner, other in zip(face, around, strict=True):
            assert set(face) - {corner} <= set(found.faces[other])
    # All corners lie behind every face, and the faces close: their area vectors add up to nothing.
    heights = (found.corners[None] - found.corners[found.faces[:, :1]]) @ found.normals[..., None]
    assert heights.max() < 1e-12
    assert np.abs(found.areas.sum(0)).max() < 1e-12


def test_few_corners_are_left_of_a_ball() -> None:
    steps = torch.arange(-20, 21)
    ball = steps[:, None, None] ** 2 + steps[:, None] ** 2 + steps**2 <= 400
    left = candidates(columns(ball))
    assert len(left) < len(mesh(ball, spacing=(1.0, 1.0, 1.0))[0]) / 5
    assert len(np.unique(left, axis=0)) == len(left)


@pytest.mark.parametrize("size", [(1, 1, 1), (5, 1, 1), (1, 4, 1), (1, 1, 3), (4, 5, 1), (1, 4, 5)])
def test_one_voxel_a_line_and_a_plane_have_a_hull(size: tuple[int, int, int]) -> None:
    found = hull(columns(torch.ones(size, dtype=torch.bool)), spacing=(1e-3, 1.0, 1e3))
    assert found.volume > 0
    assert found.area > 0
