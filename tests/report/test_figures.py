"""Pictures put things where they are, and plots name them as they are called."""

import io
import itertools
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from matplotlib.image import imread

from gradatim.base.errors import ResourceError, UsageError
from gradatim.base.grid import Grid
from gradatim.report.figures import EchoMosaic, SliceMosaic
from gradatim.report.plots import BoxPlot, IntervalPlot


def affine(order, signs, spacing):
    matrix = np.diag([0.0, 0.0, 0.0, 1.0])
    for axis, (row, sign) in enumerate(zip(order, signs, strict=True)):
        matrix[row, axis] = sign * spacing[axis]
    matrix[:3, 3] = -matrix[:3, :3] @ (np.array([20, 24, 16]) - 1) / 2  # the grid's centre at the origin
    return matrix


def block(grid):
    """Bright at patient left, anterior, superior: x < 0, y > 0, z > 0 in RAS mm."""
    index = np.stack([*np.indices(grid.shape), np.ones(grid.shape)], axis=-1)
    x, y, z, _ = np.moveaxis(index @ grid.matrix.T, -1, 0)
    return ((x < 0) & (y > 0) & (z > 0)).astype(float)


def grey(figure):
    return imread(io.BytesIO(figure.data), format="png")[..., :3].mean(axis=-1)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, 1), (-1, -1, 1), (1, -1, -1)])
def test_patient_left_is_on_the_right_of_the_picture_and_anterior_above(order, signs):
    grid = Grid.from_affine((20, 24, 16), affine(order, signs, (1.0, 1.0, 1.5)))
    picture = grey(SliceMosaic("Map", "ppm", (0.0, 1.0), slices=2, columns=2)(block(grid), grid=grid))
    height, width = picture.shape
    tile = int(1.66 / (2 * 1.66 + 0.9) * width)
    upper, lower = picture[int(height * 0.25) : int(height * 0.45)], picture[int(height * 0.65) :]
    quarter = slice(tile + tile // 2 + tile // 6, 2 * tile - tile // 6)  # right half of the second, superior slice
    other = slice(tile + tile // 6, tile + tile // 2 - tile // 12)
    assert upper[:, quarter].min() > 0.95
    assert upper[:, other].max() < 0.1
    assert lower[:, quarter].max() < 0.1
    assert picture[:, tile // 6 : tile - tile // 6][int(height * 0.2) :].mean() < 0.05  # the inferior slice is dark


def test_a_voxel_twice_as_deep_as_wide_is_drawn_so():
    grid = Grid((20, 20, 4), (1.0, 2.0, 1.0))
    picture = grey(SliceMosaic("Map", "ppm", (0.0, 1.0), slices=1)(np.ones(grid.shape), grid=grid))
    bright = picture[:, : int(1.66 / (1.66 + 0.9) * picture.shape[1])] > 0.95
    rows, columns = np.flatnonzero(bright.mean(axis=1) > 0.6), np.flatnonzero(bright.mean(axis=0) > 0.6)
    assert np.ptp(rows) / np.ptp(columns) == pytest.approx(2.0, rel=0.03)


def test_outside_the_mask_is_dark_and_cropped_away():
    grid = Grid((20, 20, 8), (1.0, 1.0, 1.0))
    mask = np.zeros(grid.shape, dtype=bool)
    mask[5:15, 5:15, 2:6] = True
    mask[5, 5] = False
    picture = grey(SliceMosaic("Map", "ppm", (0.0, 1.0), slices=1)(np.ones(grid.shape), grid=grid, mask=mask))
    tile = picture[int(0.2 / 1.86 * picture.shape[0]) + 3 :, : int(0.99 * 1.66 / (1.66 + 0.9) * picture.shape[1])]
    assert tile[: tile.shape[0] // 3, -tile.shape[1] // 3 : -2].min() > 0.95
    assert tile[-4, -4] < 0.1  # the missing corner: patient left and posterior


def test_a_picture_without_a_unit_says_none():
    drawn = SliceMosaic("Map", "", (0.0, 1.0), slices=1)(np.ones((4, 4, 4)), grid=Grid((4, 4, 4), (1.0, 1.0, 1.0)))
    assert drawn.caption == "Map, axial slices; black 0, white 1. R: patient's right."
    assert drawn.alt.startswith("Map, ")


def test_echoes_stand_side_by_side_with_their_times():
    grid = Grid((16, 16, 6), (1.0, 1.0, 1.0))
    magnitude = np.stack([np.full(grid.shape, m) for m in (1.0, 0.5)])
    phase = np.stack([np.full(grid.shape, p) for p in (-np.pi, np.pi)])
    figure = EchoMosaic()(magnitude, phase, grid=grid, echo_times=(0.004, 0.008))
    picture = grey(figure)
    height, width = picture.shape
    rows = (slice(int(0.2 * height), int(0.3 * height)), slice(int(0.8 * height), int(0.9 * height)))
    columns = (slice(int(0.2 * width), int(0.4 * width)), slice(int(0.7 * width), int(0.9 * width)))
    tones = [[picture[row, column].mean() for column in columns] for row in rows]
    np.testing.assert_allclose(tones, [[1.0, 0.5], [0.0, 1.0]], atol=0.02)
    assert len(EchoMosaic(columns=1)(magnitude, phase, grid=grid, echo_times=(0.004, 0.008)).data) < len(figure.data)


def test_pictures_say_nothing_about_the_machine_and_repeat():
    grid = Grid((8, 8, 4), (1.0, 1.0, 1.0))
    first, second = (SliceMosaic("Map", "ppm", (0.0, 1.0))(np.zeros(grid.shape), grid=grid) for _ in range(2))
    assert first.data == second.data
    assert b"Software" not in first.data
    plots = [IntervalPlot("χ", "ppm")(("a", "b"), (0.1, 0.2), (0.0, 0.1)) for _ in range(2)]
    assert plots[0].data == plots[1].data
    assert b"<dc:date>" not in plots[0].data


@pytest.mark.parametrize("name", ["尾状核", "$\\frac{", "<script>alert(1)</script>", "a\x1b[31m\u202eb", "x" * 300])
def test_a_plot_names_any_region_as_plain_text(name):
    for figure in (
        IntervalPlot(name, name)((name, "b"), (0.1, float("nan")), (0.1, float("nan"))),
        BoxPlot(name, name)((name, "b"), [(0, 1, 2, 3, 4), (float("nan"),) * 5]),
    ):
        tree = ElementTree.fromstring(figure.data)  # noqa: S314 (drawn by us)
        tags = {element.tag.rpartition("}")[2] for element in tree.iter()}
        assert not tags & {"script", "foreignObject", "image", "a"}
        words = "".join(tree.itertext())
        assert name[:20] in words or "\\x1b[31m\\u202eb" in words


def test_interval_plot_puts_points_at_their_values():
    figure = IntervalPlot("χ", "ppm")(("a", "b", "c"), (0.0, 0.1, 0.2), (0.01, 0.01, 0.01))
    tree = ElementTree.fromstring(figure.data)  # noqa: S314 (drawn by us)
    marks = [e for e in tree.iter() if e.tag.endswith("use") and "0b6b77" in e.get("style", "") and e.get("x")]
    points = sorted({(float(e.get("y")), float(e.get("x"))) for e in marks})
    rows = sorted({y for y, _ in points})
    assert len(rows) == 3  # the first region is the upper one
    centre = [np.mean([x for y, x in points if y == row]) for row in rows]
    assert centre[1] - centre[0] == pytest.approx(centre[2] - centre[1], rel=1e-3)
    assert centre[1] > centre[0]


GRID = Grid((4, 4, 4), (1.0, 1.0, 1.0))


@pytest.mark.parametrize(
    "build",
    [
        lambda: SliceMosaic("Map", "ppm", (0.0, 1.0), slices=0),
        lambda: EchoMosaic(columns=0),
        lambda: SliceMosaic("Map", "ppm", (0.0, 1.0))(np.zeros((3, 4, 4)), grid=GRID),
        lambda: SliceMosaic("Map", "ppm", (0.0, 1.0))(np.zeros(GRID.shape), grid=GRID, mask=np.ones((3, 4, 4), bool)),
        lambda: EchoMosaic()(np.zeros((2, 4, 4, 4)), np.zeros((1, 4, 4, 4)), grid=GRID, echo_times=(0.1, 0.2)),
        lambda: IntervalPlot("χ", "ppm")((), (), ()),
        lambda: IntervalPlot("χ", "ppm")(("a",), (1.0, 2.0), (0.1,)),
        lambda: BoxPlot("χ", "ppm")(("a",), [(1.0, 2.0, 3.0)]),
    ],
)
def test_what_does_not_fit_is_refused(build):
    with pytest.raises(UsageError):
        build()


def test_a_missing_plotting_library_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ResourceError, match=r"GD-501.*pip install 'gradatim\[report\]'"):
        SliceMosaic("Map", "ppm", (0.0, 1.0))(np.zeros(GRID.shape), grid=GRID)
