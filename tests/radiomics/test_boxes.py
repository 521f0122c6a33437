"""Boxes of labels, beside scipy's, for every kind of number."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from gradatim.radiomics.boxes import boxes


@given(st.integers(0, 2**32 - 1), st.integers(1, 70), st.floats(0.0, 1.0))
def test_equal_to_scipy(seed: int, highest: int, background: float) -> None:
    draw = np.random.default_rng(seed)
    labels = draw.integers(1, highest + 1, (4, 5, 6)) * (draw.random((4, 5, 6)) > background)
    expected = {n: box for n, box in enumerate(ndimage.find_objects(labels), start=1) if box is not None}
    assert boxes(torch.from_numpy(labels)) == expected


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16, torch.int16, torch.int32, torch.int64])
def test_every_integer_type_has_the_same_boxes(dtype: torch.dtype) -> None:
    labels = torch.zeros(3, 4, 5, dtype=dtype)
    labels[1, 2:, 3], labels[2, 0, 0] = 100, 7
    expected = {7: (slice(2, 3), slice(0, 1), slice(0, 1)), 100: (slice(1, 2), slice(2, 4), slice(3, 4))}
    assert boxes(labels) == expected
    assert list(boxes(labels)) == [7, 100]


@pytest.mark.parametrize("outside", [0, -1, 5])
def test_labels_in_millions_and_below_zero(outside: int) -> None:
    labels = torch.full((3, 3, 3), outside, dtype=torch.int64)
    labels[1], labels[2, 2, 2] = 312_782_574, 70_000
    found = boxes(labels)
    whole = slice(0, 3)
    assert found[312_782_574] == (slice(1, 2), whole, whole)
    assert found[70_000] == (slice(2, 3), slice(2, 3), slice(2, 3))
    assert (5 in found) == (outside == 5)


def test_a_view_that_is_not_contiguous() -> None:
    labels = torch.zeros(4, 5, 6, dtype=torch.int32)
    labels[1, 2, 3] = 1
    assert boxes(labels.permute(2, 0, 1)) == {1: (slice(3, 4), slice(1, 2), slice(2, 3))}


def test_no_label_has_no_box() -> None:
    assert boxes(torch.zeros(2, 2, 2, dtype=torch.int64)) == {}
