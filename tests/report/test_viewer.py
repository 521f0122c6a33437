"""The viewer, looked at: the patient's left is on the right, and the crosshair goes where it is sent."""

import itertools

import numpy as np
import pytest

from gradatim.base.grid import Grid
from gradatim.report.content import Report, Section, Verdict
from gradatim.report.plots import IntervalPlot
from gradatim.report.render import write_report
from gradatim.report.scene import Overlay, Scene, Volume

pytestmark = pytest.mark.browser

SHAPE, SPACING = (30, 24, 20), (1.0, 1.25, 2.0)
CROSSHAIR = (61, 219, 217)


def rotation(degrees):
    angle = np.radians(degrees)
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def grid_of(order=(0, 1, 2), signs=(1, 1, 1), degrees=0.0):
    """A grid centred on the world's origin; array axis a runs along world axis order[a], forwards or backwards."""
    matrix = np.zeros((3, 3))
    for axis, (row, sign) in enumerate(zip(order, signs, strict=True)):
        matrix[row, axis] = sign * SPACING[axis]
    affine = np.eye(4)
    affine[:3, :3] = rotation(degrees) @ matrix
    affine[:3, 3] = -affine[:3, :3] @ (np.array(SHAPE) - 1) / 2
    return Grid.from_affine(SHAPE, affine)


def scene_of(grid):
    """Grey everywhere, white at patient left, anterior and superior, with that block as a region."""
    index = np.stack([*np.indices(grid.shape), np.ones(grid.shape)], axis=-1)
    x, y, z, _ = np.moveaxis(index @ grid.matrix.T, -1, 0)
    block = (x < -3) & (y > 3) & (z > 3)
    field = Volume("Field", "Hz", 10.0 * block, grid, (0.0, 20.0))
    overlay = Overlay("Regions", block.astype(int) + 2 * (z < -8), grid, {1: "<b>block</b>", 2: "floor"})
    mask = Overlay("Brain mask", np.abs(z) < 18, grid, {1: "Brain mask"})
    values = 0.03 + 0.12 * block
    return Scene((Volume("Susceptibility", "ppm", values, grid, (-0.1, 0.2)), field), (mask, overlay))


def page(folder, grid):
    plot = IntervalPlot("Susceptibility", "ppm")(("block", "floor"), (0.15, 0.03), (0.01, 0.01))
    path = folder / "report.html"
    sections = (Section("Regions", figures=(plot,)),)
    write_report(path, Report("<i>Block</i>", "", (Verdict("good", "kept", 9, "%"),), scene_of(grid), sections))
    return path


def white(tab, name):
    """Where the block is seen: its centroid as fractions across and down, and its share of the plane."""
    seen = np.abs(tab.pixels(name).mean(axis=-1) - 255 * 0.25 / 0.3) < 3
    rows, columns = np.nonzero(seen)
    return columns.mean() / seen.shape[1], rows.mean() / seen.shape[0], seen.mean()


def bright(tab, name):
    """Mean grey of the four quarters of a plane, crosshair and letters out of the way."""
    grey = tab.pixels(name).mean(axis=-1)
    rows, columns = grey.shape
    vertical = (slice(rows // 8, 3 * rows // 8), slice(5 * rows // 8, 7 * rows // 8))
    horizontal = (slice(columns // 8, 3 * columns // 8), slice(5 * columns // 8, 7 * columns // 8))
    return np.array([[np.median(grey[v, h]) for h in horizontal] for v in vertical])


def crosshair(tab, name):
    """Column and row of the lines, as fractions of the plane."""
    lines = np.abs(tab.pixels(name) - CROSSHAIR).max(axis=-1) < 60
    return np.argmax(lines.mean(axis=0)) / lines.shape[1], np.argmax(lines.mean(axis=1)) / lines.shape[0]


def position(tab):
    """Crosshair in RAS mm, from its letters."""
    parts = tab.text("position").split()
    signs = {"R": 1, "A": 1, "S": 1, "L": -1, "P": -1, "I": -1}
    assert parts[-1] == "mm"
    return [signs[letter] * float(value) for letter, value in zip(parts[:-1:2], parts[1:-1:2], strict=True)]


ORIENTATIONS = {
    "RAS": grid_of(),
    "LAS, left-handed": grid_of(signs=(-1, 1, 1)),
    "LPS": grid_of(signs=(-1, -1, 1)),
    "sagittal, PSR": grid_of(order=(1, 2, 0), signs=(-1, 1, 1)),
    "coronal, LIA": grid_of(order=(0, 2, 1), signs=(-1, -1, 1)),
    "oblique 20°": grid_of(degrees=20.0),
    "oblique, left-handed, permuted": grid_of(order=(2, 0, 1), signs=(1, -1, 1), degrees=-15.0),
}


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_the_block_lies_at_patient_left_anterior_superior_in_every_plane(name, tmp_path, open_tab):
    tab = open_tab(page(tmp_path, ORIENTATIONS[name]), "#x=-8&y=8&z=10")
    tab.evaluate("document.getElementById('axial').focus()")
    tab.key("o")  # no overlays
    tab.key("c")  # no crosshair
    assert tab.soon(lambda: white(tab, "axial")[2] > 0.1)
    for plane, left_of_picture in (("coronal", False), ("axial", False), ("sagittal", True)):
        across, down, share = white(tab, plane)
        assert 0.1 < share < 0.3
        assert (across < 0.4) == left_of_picture  # patient left is right, anterior is left in the sagittal plane
        assert (across > 0.6) != left_of_picture
        assert down < 0.4  # superior, and in the axial plane anterior, is above
    assert tab.text("value-0") == "0.1500 ppm"
    assert tab.text("value-1") == "10.000 Hz"
    assert "<b>block</b>" in tab.text("region")


@pytest.fixture
def tab(tmp_path, open_tab):
    return open_tab(page(tmp_path, ORIENTATIONS["LAS, left-handed"]))


def test_the_letters_stand_on_the_sides_they_name(tab):
    tab.evaluate("""(() => {
      const pen = CanvasRenderingContext2D.prototype, write = pen.fillText;
      window.written = [];
      pen.fillText = function (text, x, y) {
        const { id, clientWidth, clientHeight } = this.canvas;
        if (text.length === 1) written.push([id, text, x / clientWidth, y / clientHeight]);
        write.call(this, text, x, y);
      };
    })()""")
    tab.click("axial", 0.5, 0.5)
    found = {(plane, letter): (across, down) for plane, letter, across, down in tab.evaluate("written")}
    sides = {"left": (0, 0.5), "right": (1, 0.5), "top": (0.5, 0), "bottom": (0.5, 1)}
    letters = {"coronal": "RLSI", "sagittal": "APSI", "axial": "RLAP"}  # left, right, top, bottom
    expected = {(plane, c): side for plane, row in letters.items() for c, side in zip(row, sides.values(), strict=True)}
    assert found.keys() == expected.keys()
    for key, place in found.items():
        np.testing.assert_allclose(place, expected[key], atol=0.05)


def test_a_click_moves_the_crosshair_to_its_place_in_all_planes(tab):
    tab.click("coronal", 0.25, 0.2)
    for plane, expected in (("coronal", (0.25, 0.2)), ("axial", (0.25, None)), ("sagittal", (None, 0.2))):
        for found, wanted in zip(crosshair(tab, plane), expected, strict=True):
            assert wanted is None or abs(found - wanted) < 0.03
    x, _, z = position(tab)
    assert x == pytest.approx((0.5 - 0.25) * 30, abs=0.51)  # patient right is left of the middle
    assert z == pytest.approx((0.5 - 0.2) * 40, abs=1.01)


def test_dragging_follows_the_pointer(tab):
    x, y = tab.point("axial", 0.3, 0.3)
    tab.mouse("mousePressed", x, y, button="left", buttons=1, clickCount=1)
    x, y = tab.point("axial", 0.7, 0.6)
    tab.mouse("mouseMoved", x, y, button="left", buttons=1)
    tab.mouse("mouseReleased", x, y, button="left", clickCount=1)
    np.testing.assert_allclose(crosshair(tab, "axial"), (0.7, 0.6), atol=0.03)
    tab.mouse("mouseMoved", *tab.point("axial", 0.2, 0.2))
    np.testing.assert_allclose(crosshair(tab, "axial"), (0.7, 0.6), atol=0.03)


def test_keys_move_by_one_voxel_in_the_plane_they_were_pressed_in(tab):
    tab.click("axial", 0.5, 0.5)
    start = position(tab)
    moves = {
        "ArrowRight": (-1.0, 0, 0),  # towards the right of the picture, the patient's left
        "ArrowUp": (0, 1.25, 0),
        "PageUp": (0, 0, 2.0),
        "ArrowLeft": (1.0, 0, 0),
        "ArrowDown": (0, -1.25, 0),
        "PageDown": (0, 0, -2.0),
    }
    for key, move in moves.items():
        before = np.array(position(tab))
        tab.key(key)
        np.testing.assert_allclose(np.array(position(tab)) - before, move, atol=0.11)
    assert position(tab) == start
    column = crosshair(tab, "axial")[0]
    tab.key("ArrowRight")
    assert crosshair(tab, "axial")[0] - column == pytest.approx(1 / 30, abs=0.01)


def test_the_edge_of_the_volume_holds(tab):
    tab.click("axial", 0.99, 0.01)
    for key in ("ArrowRight", "ArrowUp") * 3:
        tab.key(key)
    np.testing.assert_allclose(position(tab)[:2], (-14.5, 14.4), atol=0.11)


def test_the_wheel_scrolls_slices_only_after_a_click(tab):
    x, y = tab.point("coronal", 0.5, 0.5)
    before = position(tab)
    tab.mouse("mouseWheel", x, y, deltaX=0, deltaY=80)
    assert position(tab) == before
    tab.click("coronal", 0.5, 0.5)
    before = position(tab)
    x, y = tab.point("coronal", 0.5, 0.5)
    tab.mouse("mouseWheel", x, y, deltaX=0, deltaY=80)
    tab.settle()
    assert tab.soon(lambda: abs(position(tab)[1] - before[1] + 2 * 1.25) < 0.11)


def test_the_value_under_the_pointer_has_its_unit_and_region(tab):
    tab.click("axial", 0.9, 0.1)
    tab.click("coronal", 0.9, 0.1)
    tab.mouse("mouseMoved", *tab.point("coronal", 0.8, 0.2))
    assert tab.text("pointer").startswith("0.1500 ppm")
    assert "block" in tab.text("pointer")
    tab.mouse("mouseMoved", *tab.point("coronal", 0.1, 0.6))
    assert tab.text("pointer").startswith("0.0300 ppm")


def test_window_keys_right_drag_and_sliders_change_the_grey(tab):
    def tone():
        return bright(tab, "axial")[1, 0]

    tab.click("axial", 0.9, 0.1)
    first = tone()
    assert first == pytest.approx(255 * 0.13 / 0.3, abs=2)
    tab.key("-")  # the level sinks by a twentieth of the width: everything brighter
    assert tone() == pytest.approx(first + 255 / 20, abs=2)
    tab.key("]")
    assert tab.text("black") != "-0.100"
    tab.key("r")
    assert (tab.text("black"), tab.text("white")) == ("-0.100", "0.200 ppm")
    x, y = tab.point("axial", 0.5, 0.5)
    tab.mouse("mousePressed", x, y, button="right", buttons=2, clickCount=1)
    tab.mouse("mouseMoved", x, y - 60, button="right", buttons=2)
    tab.mouse("mouseReleased", x, y - 60, button="right", clickCount=1)
    assert tone() > first + 20
    tab.key("r")
    tab.evaluate(
        "(() => { const s = document.getElementById('level'); s.value = 0.03; s.dispatchEvent(new Event('input')); })()"
    )
    tab.settle()
    assert tone() == pytest.approx(127.5, abs=2)


def test_overlays_are_drawn_named_and_faded(tab):
    def floor():
        seen = tab.pixels("coronal")
        rows, columns = seen.shape[:2]
        return seen[int(0.78 * rows) : int(0.88 * rows), columns // 8 : columns // 4].reshape(-1, 3)

    tab.click("coronal", 0.9, 0.1)
    plain = np.median(floor(), axis=0)
    assert np.ptp(plain) == 0
    tab.evaluate("document.getElementById('overlay-1').click()")
    tab.settle()
    tinted = np.median(floor(), axis=0)
    assert np.ptp(tinted) > 30
    tab.evaluate(
        "(() => { const s = document.getElementById('opacity'); s.value = 0; s.dispatchEvent(new Event('input')); })()"
    )
    tab.settle()
    np.testing.assert_allclose(np.median(floor(), axis=0), plain, atol=1)
    tab.evaluate("document.querySelector('button[data-label=\"1 1\"]').click()")  # to the middle of the block
    tab.settle()
    x, y, z = position(tab)
    assert x < -3
    assert y > 3
    assert z > 3
    assert tab.evaluate("document.querySelector('button[data-label=\"1 1\"]').textContent") == "<b>block</b>"


def test_the_next_volume_keeps_the_place(tab):
    tab.click("axial", 0.8, 0.2)
    before = position(tab)
    tab.key("v")
    assert tab.evaluate("document.getElementById('volume').value") == "1"
    assert position(tab) == before
    assert tab.text("white").endswith("Hz")
    assert bright(tab, "axial")[1, 0] == pytest.approx(0, abs=1)


def test_the_address_line_keeps_the_view(tab, tmp_path, open_tab):
    tab.click("axial", 0.8, 0.2)
    tab.key("v")
    tab.key("]")
    tab.evaluate("new Promise(done => setTimeout(done, 400))")
    again = open_tab(tmp_path / "report.html", tab.evaluate("location.hash"))
    for name in ("position", "black", "white", "region"):
        assert again.text(name) == tab.text(name)
    assert again.evaluate("document.getElementById('volume').value") == "1"


@pytest.mark.parametrize(
    "fragment", ["#x=1e999&y=0&z=0", "#x=a&y=b&z=c", "#volume=%3Cscript%3E", "#x=9999&y=0&z=0&low=1&high=NaN"]
)
def test_a_foolish_address_is_survived(fragment, tmp_path, open_tab):
    tab = open_tab(page(tmp_path, grid_of()), fragment)
    assert len(position(tab)) == 3
    assert tab.text("white") == "0.200 ppm"


def test_one_finger_moves_and_two_scroll(tab):
    def touch(kind, *places):
        points = [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(places)]
        tab.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)
        tab.settle()

    x, y = tab.point("axial", 0.75, 0.25)
    touch("touchStart", (x, y))
    touch("touchEnd")
    assert tab.soon(lambda: np.allclose(crosshair(tab, "axial"), (0.75, 0.25), atol=0.03))
    before = position(tab)
    touch("touchStart", (x, y))
    touch("touchStart", (x, y), (x - 50, y))
    for down in range(8, 41, 8):
        touch("touchMove", (x, y + down), (x - 50, y + down))
    touch("touchEnd")
    assert tab.soon(lambda: position(tab)[2] < before[2] - 3)  # fingers down: slices down
    assert position(tab)[:2] == before[:2]


def test_a_millimetre_is_as_long_in_every_plane_and_direction(tab):
    extent = np.array(SHAPE) * SPACING
    boxes = {name: np.array(tab.box(name)[2:]) for name in ("coronal", "sagittal", "axial")}
    scales = [
        *(boxes["coronal"] / extent[[0, 2]]),
        *(boxes["sagittal"] / extent[[1, 2]]),
        *(boxes["axial"] / extent[[0, 1]]),
    ]
    np.testing.assert_allclose(scales, scales[0], rtol=0.01)


@pytest.mark.parametrize("width", [400, 700, 1600])
def test_the_page_fits_its_window(width, tmp_path, open_tab):
    tab = open_tab(page(tmp_path, grid_of()), width=width)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    right = max(tab.box(name)[0] + tab.box(name)[2] for name in ("coronal", "sagittal", "axial", "panel"))
    assert right <= width


def test_the_planes_do_not_overlap(tab):
    boxes = [tab.box(name) for name in ("coronal", "sagittal", "axial", "panel")]
    for (x, y, w, h), (a, b, c, d) in itertools.combinations(boxes, 2):
        assert x + w <= a + 1 or a + c <= x + 1 or y + h <= b + 1 or b + d <= y + 1


def test_pictures_and_names_are_shown_as_they_are(tab):
    assert tab.evaluate("document.querySelector('h1').textContent") == "<i>Block</i>"
    assert tab.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 100)") is True
    assert "patient's right is on the left" in tab.text("viewer")
    assert tab.text("voxel").count(",") == 2


def test_the_stored_voxel_is_the_one_of_the_file(tmp_path, open_tab):
    grid = ORIENTATIONS["oblique, left-handed, permuted"]
    tab = open_tab(page(tmp_path, grid), "#x=-5&y=6&z=4")
    voxel = np.array([int(v) for v in tab.text("voxel").split(",")])
    np.testing.assert_allclose((grid.matrix @ [*voxel, 1])[:3], position(tab), atol=0.051)
    np.testing.assert_allclose(position(tab), (-5, 6, 4), atol=1.6)


def test_an_injected_script_does_not_run(tab):
    tab.evaluate("window.late = document.createElement('script')")
    tab.evaluate("try { late.textContent = 'window.ran = 1'; document.body.append(late) } catch {}")
    assert tab.evaluate("window.ran === undefined") is True
    (refusal,) = tab.happened("Log.entryAdded")
    assert refusal["entry"]["source"] == "security"
    tab.browser.events[:] = [e for e in tab.browser.events if e["method"] != "Log.entryAdded"]
