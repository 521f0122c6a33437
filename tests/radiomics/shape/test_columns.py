"""Whole-number moments against their definition, and the dimensions that voxels span."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays
from torch import Tensor

from gradatim.radiomics.shape.columns import columns

masks = arrays("bool", array_shapes(min_dims=3, max_dims=3, max_side=6)).map(torch.from_numpy).filter(Tensor.any)


@settings(max_examples=60)
@given(masks)
def test_moments_are_those_of_the_voxels(mask: Tensor) -> None:
    places = mask.nonzero()
    measured = columns(mask)
    assert measured.count == len(places)
    assert measured.centre.tolist() == pytest.approx(places.double().mean(0).tolist())
    n = len(places)
    scatter = n * (places.T @ places) - torch.outer(places.sum(0), places.sum(0))
    assert torch.tensor(measured.scatter).tolist() == scatter.tolist()
    arms = places.double() - places.double().mean(0)
    assert measured.rank == np.linalg.matrix_rank(arms.numpy(), tol=1e-9)


@settings(max_examples=30)
@given(masks)
def test_ends_are_the_first_and_the_last_of_each_column(mask: Tensor) -> None:
    first, last = columns(mask).ends
    for x, y in np.ndindex(first.shape):
        filled = mask[x, y].nonzero().flatten().tolist()
        assert (first[x, y], last[x, y]) == ((filled[0], filled[-1]) if filled else (-1, -1))


def test_a_plane_across_the_grid_is_flat_exactly() -> None:
    plane = torch.zeros(60, 60, 60, dtype=torch.bool)
    x, y = torch.meshgrid(torch.arange(30), torch.arange(15), indexing="ij")
    plane[x, y, x + 2 * y] = True
    assert columns(plane).rank == 2
