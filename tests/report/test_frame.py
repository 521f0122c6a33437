"""Display order: whatever the scanner's axes, the picture's axes run to right, anterior and superior."""

import itertools

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradatim.base.grid import Grid
from gradatim.report.frame import Frame

SHAPE, SPACING = (4, 5, 6), (1.0, 1.5, 3.0)


def affine_of(order, signs, rotation=None):
    matrix = np.zeros((3, 3))
    for axis, (row, sign) in enumerate(zip(order, signs, strict=True)):
        matrix[row, axis] = sign * SPACING[axis]
    affine = np.eye(4)
    affine[:3, :3] = matrix if rotation is None else rotation @ matrix
    affine[:3, 3] = (-7.0, 11.0, 3.0)
    return affine


def rotation_about(axis, degrees):
    x, y, z = np.asarray(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def world(grid):
    index = np.stack([*np.indices(grid.shape), np.ones(grid.shape)], axis=-1)
    return index @ grid.matrix.T


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("signs", list(itertools.product((1, -1), repeat=3)))
def test_each_of_the_48_orientations_comes_out_as_ras_with_its_values_at_their_places(order, signs):
    grid = Grid.from_affine(SHAPE, affine_of(order, signs))
    frame = Frame(grid, (1, 0, 2), (4, 4, 6))
    assert nib.aff2axcodes(frame.affine) == ("R", "A", "S")
    places = frame.apply(world(grid))
    assert places.shape[:3] == frame.shape
    index = np.stack([*np.indices(frame.shape), np.ones(frame.shape)], axis=-1)
    np.testing.assert_allclose(index @ frame.affine.T, places, atol=1e-12)


@given(
    order=st.permutations(range(3)),
    signs=st.tuples(*[st.sampled_from((1, -1))] * 3),
    axis=st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1),
    degrees=st.floats(0, 30),
)
def test_an_oblique_scan_keeps_its_voxels_and_takes_the_nearest_axes(order, signs, axis, degrees):
    grid = Grid.from_affine(SHAPE, affine_of(order, signs, rotation_about(axis, degrees)))
    frame = Frame(grid, (0, 0, 0), SHAPE)
    values = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    index = np.indices(frame.shape).reshape(3, -1)
    stored = (frame.stored[:3, :3] @ index + frame.stored[:3, 3:]).astype(int)
    assert (frame.apply(values)[tuple(index)] == values[tuple(stored)]).all()
    # Below 45° off, the axis of a name is the one that leans least from it.
    assert (np.diag(frame.affine)[:3] / frame.spacing >= np.cos(np.radians(degrees)) - 1e-9).all()
    assert frame.tilt_degrees <= degrees + 1e-5


def test_the_tilt_of_a_turn_about_the_long_axis_is_its_angle():
    grid = Grid.from_affine(SHAPE, affine_of((0, 1, 2), (1, 1, 1), rotation_about((0, 0, 1), 17.0)))
    assert Frame(grid, (0, 0, 0), SHAPE).tilt_degrees == pytest.approx(17.0)


def test_the_box_is_the_mask_with_a_margin_in_mm_and_stays_inside():
    grid = Grid((20, 20, 20), (1.0, 2.0, 4.0))
    mask = np.zeros(grid.shape, dtype=bool)
    mask[8:12, 0, 10] = True
    frame = Frame.around(grid, mask, margin_mm=3.0)
    assert frame.start == (5, 0, 9)
    assert frame.stop == (15, 3, 12)


@pytest.mark.parametrize("mask", [None, np.zeros((4, 5, 6), dtype=bool)])
def test_without_a_mask_the_whole_grid_is_shown(mask):
    frame = Frame.around(Grid(SHAPE, SPACING), mask, margin_mm=5.0)
    assert (frame.start, frame.stop) == ((0, 0, 0), SHAPE)
