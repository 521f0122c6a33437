"""Structure sets drawn onto their series: known areas, holes, islands, overlaps and contours that cannot be drawn."""

from pathlib import Path

import numpy as np
import pytest

from gradatim.base.errors import InputError, UnsafeInputError
from gradatim.io import contour_fill
from gradatim.io.contour_fill import inside_contours
from gradatim.io.volume import read_regions, read_volume
from gradatim.io.volume_nouns import RegionSet, Volume
from tests.io.dicom_scene import CANARY, OBLIQUE, circle, image, lps, save, structure_set, write_series

SHAPE = (40, 36, 8)
STRAIGHT, TURNED = lps((1, 1, 3)), lps((0.5, 0.5, 3), (-20, 13, 7), OBLIQUE)


@pytest.fixture(scope="module", params=[STRAIGHT, TURNED], ids=["straight", "oblique"])
def scene(request, tmp_path_factory) -> tuple[np.ndarray, Volume]:
    folder = tmp_path_factory.mktemp("series")
    write_series(folder, np.zeros(SHAPE, np.int16), request.param)
    return request.param, read_volume(folder)


def drawn(tmp_path: Path, like: Volume, *structures, **settings) -> RegionSet:
    save(structure_set(structures, **settings), tmp_path / "rs.dcm")
    return read_regions(tmp_path / "rs.dcm", like=like)


def square(affine: np.ndarray, low: float, high: float, index: float) -> np.ndarray:
    corners = np.array([[low, low], [high, low], [high, high], [low, high]])
    return (affine @ np.vstack([corners.T, np.full(4, index), np.ones(4)]))[:3].T


def centres(centre: tuple[float, float], radius: float) -> np.ndarray:
    """Pixel centres strictly within a circle, one by one."""
    x, y = np.meshgrid(np.arange(SHAPE[0]), np.arange(SHAPE[1]), indexing="ij")
    return (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2


def test_a_sphere_has_its_volume_and_every_centre_within_it(tmp_path: Path, scene) -> None:
    affine, like = scene
    middle, radius, contours = (19.3, 17.6), 12.0, []
    radii = [np.sqrt(max(radius**2 - (3 * (k - 3.5)) ** 2, 0)) for k in range(8)]
    contours = [circle(affine, middle, r, k, points=2000) for k, r in enumerate(radii) if r]
    layer = drawn(tmp_path, like, ("GTV", contours)).layers[0]
    expected = np.stack([centres(middle, r) for r in radii], axis=-1)
    assert np.array_equal(layer.labels.numpy() == 1, expected)
    assert layer.names == {1: "GTV"}
    volume = 3 * int(expected.sum())
    assert volume == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.02)


def test_a_hole_an_island_in_it_and_a_part_beside(tmp_path: Path, scene) -> None:
    affine, like = scene
    rings = [circle(affine, (15, 15), radius, 2) for radius in (12.25, 8.25, 4.25)]
    beside = circle(affine, (33, 30), 3.25, 2)
    layer = drawn(tmp_path, like, ("PTV", [*rings, beside])).layers[0]
    discs = [centres((15, 15), radius) for radius in (12.25, 8.25, 4.25)]
    expected = (discs[0] & ~discs[1]) | discs[2] | centres((33, 30), 3.25)
    assert np.array_equal(layer.labels[:, :, 2].numpy() == 1, expected)
    assert layer.labels[:, :, [0, 1, 3, 4, 5, 6, 7]].sum() == 0


def test_a_keyhole_contour_leaves_its_hole_out(tmp_path: Path, scene) -> None:
    affine, like = scene
    outer, inner = square(affine, 4.5, 20.5, 1), square(affine, 9.5, 14.5, 1)
    keyhole = np.vstack([outer, outer[:1], inner[::-1], inner[-1:]])
    layer = drawn(tmp_path, like, ("ring", [keyhole])).layers[0]
    assert int((layer.labels == 1).sum()) == 16 * 16 - 5 * 5


def test_adjoining_squares_share_no_voxel_and_miss_none() -> None:
    left = np.array([[2.0, 2.0], [6.0, 2.0], [6.0, 7.0], [2.0, 7.0]])
    right = left + np.array([4.0, 0.0])
    a, b = inside_contours((12, 12), [left]), inside_contours((12, 12), [right])
    assert (a.sum(), b.sum(), (a & b).sum()) == (20, 20, 0)
    assert np.array_equal(a | b, inside_contours((12, 12), [left, right]))


def test_filling_is_the_crossing_number_of_every_centre() -> None:
    """Against a ray cast from each centre, edge by edge."""
    generator = np.random.default_rng(5)
    for _ in range(20):
        points = generator.uniform(-2, 12, (generator.integers(3, 9), 2))
        expected = np.zeros((10, 10), bool)
        for i, j in np.ndindex(10, 10):
            for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
                if (y0 < j) != (y1 < j):
                    expected[i, j] ^= x0 + (j - y0) * (x1 - x0) / (y1 - y0) < i
        assert np.array_equal(inside_contours((10, 10), [points]), expected)


def test_structures_that_overlap_come_in_layers(tmp_path: Path, scene) -> None:
    affine, like = scene
    inner, outer, apart = (circle(affine, c, r, 3) for c, r in (((12, 12), 4.2), ((12, 12), 8.2), ((30, 30), 4.2)))
    found = drawn(tmp_path, like, ("GTV", [inner]), ("PTV", [outer]), ("node", [apart]))
    assert [layer.names for layer in found.layers] == [{1: "GTV", 3: "node"}, {2: "PTV"}]
    assert [layer.present for layer in found.layers] == [(1, 3), (2,)]
    assert np.array_equal(found.layers[1].labels[:, :, 3].numpy() == 2, centres((12, 12), 8.2))


@pytest.mark.parametrize("index", [2.5, 2.2, -1, 8])
def test_contours_beside_the_slices_are_reported_and_not_drawn(tmp_path: Path, scene, index: float) -> None:
    affine, like = scene
    good = square(affine, 4.5, 9.5, 2)
    found = drawn(tmp_path, like, ("lost", [good, square(affine, 4.5, 9.5, index)]), ("kept", [good]))
    assert [layer.names for layer in found.layers] == [{2: "kept"}]
    assert [note.code for note in found.notes] == ["GD-297"]
    assert "'lost' is left out" in found.notes[0].what


def test_a_contour_across_slices_or_beyond_the_image_is_not_drawn(tmp_path: Path, scene) -> None:
    affine, like = scene
    across = square(affine, 4.5, 9.5, 2)
    across[0] = square(affine, 4.5, 9.5, 3)[0]
    for contour in (across, square(affine, -4.5, 9.5, 2), square(affine, 4.5, 50, 2), across[:2]):
        with pytest.raises(InputError, match=r"GD-701.*left out"):
            drawn(tmp_path, like, ("lost", [contour]))


def test_points_and_open_lines_bound_no_area(tmp_path: Path, scene) -> None:
    affine, like = scene
    made = structure_set([("marker", [square(affine, 4, 9, 2)[:1]]), ("body", [square(affine, 4, 9, 2)])])
    made.ROIContourSequence[0].ContourSequence[0].ContourGeometricType = "POINT"
    save(made, tmp_path / "rs.dcm")
    found = read_regions(tmp_path / "rs.dcm", like=like)
    assert [layer.names for layer in found.layers] == [{2: "body"}]
    assert "POINT" in found.notes[0].what


def test_slices_that_a_structure_skips_are_reported(tmp_path: Path, scene) -> None:
    affine, like = scene
    found = drawn(tmp_path, like, ("gap", [square(affine, 4.5, 9.5, k) for k in (1, 4)]))
    assert "skips 2 slice(s)" in found.notes[0].what
    assert int(found.layers[0].labels.sum()) == 50


def test_a_contour_that_is_there_twice_cuts_itself_out_and_is_reported(tmp_path: Path, scene) -> None:
    affine, like = scene
    twice = [square(affine, 4.5, 9.5, k) for k in (2, 3, 3, 4)]
    found = drawn(tmp_path, like, ("body", twice))
    assert int(found.layers[0].labels.sum()) == 50
    assert "no voxel centre on 1 of its 3 slices" in found.notes[0].what


def test_another_frame_of_reference_is_refused_and_an_unknown_one_is_said(tmp_path: Path, scene) -> None:
    affine, like = scene
    body = ("body", [square(affine, 4.5, 9.5, 2)])
    with pytest.raises(InputError, match="GD-296"):
        drawn(tmp_path, like, body, frame="1.2.3.4")
    unknown = Volume(like.data, like.grid, True, "", "", ())
    assert [note.code for note in drawn(tmp_path, unknown, body).notes] == ["GD-296"]


def test_names_are_kept_on_one_line_and_told_apart(tmp_path: Path, scene) -> None:
    affine, like = scene
    a, b = square(affine, 4.5, 9.5, 2), square(affine, 12.5, 15.5, 2)
    found = drawn(tmp_path, like, ("a\x1b[2J b", [a]), ("a\x1b[2J b", [b]), ("", [square(affine, 20.5, 22.5, 2)]))
    assert found.layers[0].names == {1: "a [2J b (ROI 1)", 2: "a [2J b (ROI 2)", 3: "ROI 3"}


def test_damaged_structure_sets_get_a_code(tmp_path: Path, scene) -> None:
    affine, like = scene

    def changed(change) -> str:
        made = structure_set([("a", [square(affine, 4.5, 9.5, 2)]), ("b", [square(affine, 4.5, 9.5, 3)])])
        change(made)
        save(made, tmp_path / "rs.dcm")
        with pytest.raises(InputError) as caught:
            read_regions(tmp_path / "rs.dcm", like=like)
        assert CANARY not in str(caught.value)
        return caught.value.code

    first = lambda made: made.ROIContourSequence[0].ContourSequence[0]  # noqa: E731
    assert changed(lambda made: setattr(first(made), "ContourData", [1, 2, 3, 4])) == "GD-289"
    assert changed(lambda made: setattr(first(made), "NumberOfContourPoints", 999_999_999)) == "GD-289"
    assert changed(lambda made: setattr(made.ROIContourSequence[0], "ReferencedROINumber", 9)) == "GD-289"
    assert changed(lambda made: setattr(made.ROIContourSequence[0], "ReferencedROINumber", 2)) == "GD-289"
    assert changed(lambda made: setattr(made.StructureSetROISequence[0], "ROINumber", 2)) == "GD-289"
    assert changed(lambda made: setattr(made, "StructureSetROISequence", [])) == "GD-289"
    assert (
        changed(lambda made: [setattr(made, k, []) for k in ("StructureSetROISequence", "ROIContourSequence")])
        == "GD-701"
    )
    save(image(np.zeros(SHAPE[:2], np.int16), affine, 0), tmp_path / "image.dcm")
    with pytest.raises(InputError, match="GD-299"):
        read_regions(tmp_path / "image.dcm", like=like)


def test_contours_beyond_any_drawing_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contour_fill, "MAX_CROSSINGS", 100)
    zigzag = np.stack([np.arange(40) / 4, np.arange(40) % 2 * 9.0], axis=1)
    with pytest.raises(UnsafeInputError, match="GD-431"):
        inside_contours((10, 10), [zigzag])
