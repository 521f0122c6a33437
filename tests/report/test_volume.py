"""What travels in the page is the volume, to half a stated step."""

import base64
import gzip

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.report.scene import Overlay, Scene, Volume
from gradatim.report.volume import BEYOND, UNDEFINED, pack, palette, quantise

GRID = Grid((6, 5, 4), (1.0, 1.0, 2.0))
WINDOW = (-0.1, 0.1)


def unpack(item, shape):
    halves = np.frombuffer(gzip.decompress(base64.b64decode(item["codes"])), dtype=np.uint8).reshape(2, -1)
    codes = (halves[0] + 256 * halves[1].astype(np.uint16)).astype(np.uint16).view(np.int16)
    return codes.reshape(shape, order="F")


@given(arrays.arrays(np.float64, 40, elements=st.floats(-3.0, 3.0)), st.floats(1e-3, 1e3))
def test_values_come_back_within_half_a_step_and_the_step_is_round(values, scale):
    window = (-scale, scale)
    values = values * scale * 20  # up to 60 windows, which 256 steps a window can hold
    codes, step, offset = quantise(values, window)
    assert np.abs(codes * step + offset - values).max() <= step / 2 * (1 + 1e-9)
    assert np.abs(codes).max() < BEYOND
    assert f"{step:.0e}"[0] in "125"
    assert step == pytest.approx(float(f"{step:.0e}"))
    assert 2 * scale / 4096 * (1 - 1e-9) <= step <= 5 * 2 * scale / 256


def test_a_wild_value_costs_the_others_nothing_and_is_marked():
    values = np.array([0.01, -0.02, 0.0999, 1e6, -1e6])
    codes, step, offset = quantise(values, WINDOW)
    assert codes[3:].tolist() == [BEYOND, -BEYOND]
    assert step <= 0.2 / 100
    assert np.abs(codes[:3] * step + offset - values[:3]).max() <= step / 2


def test_a_shift_of_the_zero_is_no_loss():
    values = 5000.0 + np.linspace(0, 1, 50)
    codes, step, offset = quantise(values, (5000.0, 5001.0))
    assert np.abs(codes * step + offset - values).max() <= step / 2 * (1 + 1e-9)


def test_undefined_values_keep_a_code_of_their_own():
    codes, step, offset = quantise(np.array([np.nan, np.inf, -np.inf, 0.05]), WINDOW)
    assert codes[:3].tolist() == [UNDEFINED] * 3
    assert codes[3] * step + offset == pytest.approx(0.05)
    assert (quantise(np.full(3, np.nan), WINDOW)[0] == UNDEFINED).all()
    constant, _, offset = quantise(np.full(3, 0.07), WINDOW)
    assert constant.tolist() == [0, 0, 0]
    assert offset == pytest.approx(0.07)


def test_the_packed_volume_is_the_volume_and_undefined_outside_its_mask():
    values = np.random.default_rng(0).uniform(-0.1, 0.1, GRID.shape)
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[1:4, 1:4, 1:3] = True
    packed = pack(Scene((Volume("Map", "ppm", torch.tensor(values), GRID, WINDOW, torch.tensor(mask)),)), 10**6)
    (volume,) = packed.data["volumes"]
    codes = unpack(volume, GRID.shape)
    assert (codes[~mask] == UNDEFINED).all()
    back = codes[mask] * volume["step"] + volume["offset"]
    assert np.abs(back - values[mask]).max() <= volume["step"] / 2
    assert packed.notes == (f"Map is stored here in steps of {volume['step']:g} ppm.",)


def test_overlays_keep_labels_apart_and_name_them():
    labels = np.zeros(GRID.shape, dtype=np.int64)
    labels[0], labels[2], labels[5] = 70000, 3, -1
    packed = pack(Scene((empty("Map"),), (Overlay("Regions", labels, GRID, {3: "caudate"}),)), 10**6)
    (overlay,) = packed.data["overlays"]
    names = np.array(["", *(label["name"] for label in overlay["labels"])])
    shown = names[unpack(overlay, GRID.shape)]
    assert (shown[2] == "caudate").all()
    assert (shown[0] == "70000").all()
    assert (shown[5] == "-1").all()
    assert (shown[1] == "").all()


def test_the_least_important_volumes_are_left_out_of_a_full_page_and_named():
    volumes = tuple(noise(name) for name in ("Map", "Field", "R2*"))
    sizes = [len(v["codes"]) for v in pack(Scene(volumes), 10**6).data["volumes"]]
    packed = pack(Scene(volumes), sum(sizes[:2]))
    assert [v["name"] for v in packed.data["volumes"]] == ["Map", "Field"]
    assert packed.notes[-1] == "Left out of the viewer, because the page would grow too large: R2*."
    assert pack(Scene(volumes), 10).data["volumes"] == []


def test_the_page_holds_only_the_box_around_the_crop_mask():
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[3, 2, 2] = True
    packed = pack(Scene((noise("Map"),), crop=mask, margin_mm=1.0), 10**6)
    assert packed.data["shape"] == (3, 3, 3)
    np.testing.assert_allclose(np.array(packed.data["affine"])[:, 3], (2.0, 1.0, 2.0))


def test_an_oblique_scan_says_how_far_it_leans():
    angle = np.radians(20)
    affine = np.eye(4)
    affine[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    grid = Grid.from_affine((4, 4, 4), affine)
    notes = pack(Scene((Volume("Map", "", np.zeros(grid.shape), grid, WINDOW),)), 10**6).notes
    assert "lean up to 20°" in notes[-1]


def test_colours_of_a_list_differ():
    colours = np.array(palette(20), dtype=float)
    distance = np.linalg.norm(colours[:, None] - colours[None], axis=-1) + 1e3 * np.eye(20)
    assert distance.min() > 20


@pytest.mark.parametrize(
    ("build", "code"),
    [
        (lambda: Volume("Map", "ppm", np.zeros((2, 2, 2)), GRID, WINDOW), "GD-103"),
        (lambda: Volume("Map", "ppm", np.zeros(GRID.shape, dtype=complex), GRID, WINDOW), "GD-103"),
        (lambda: Volume("Map", "ppm", np.zeros(GRID.shape), GRID, (1.0, 1.0)), "GD-101"),
        (lambda: Volume("Map", "ppm", np.zeros(GRID.shape), GRID, (0.0, float("nan"))), "GD-101"),
        (lambda: Overlay("Regions", np.zeros(GRID.shape), GRID), "GD-101"),
        (lambda: Scene(()), "GD-101"),
        (lambda: Scene((empty("Map"), empty("Map"))), "GD-101"),
        (lambda: Scene((empty("Map"),), margin_mm=-1.0), "GD-101"),
        (
            lambda: Scene((empty("Map"),), (Overlay("R", np.zeros((6, 5, 4), int), Grid((6, 5, 4), (2, 2, 2))),)),
            "GD-103",
        ),
    ],
)
def test_what_cannot_be_shown_is_refused(build, code):
    with pytest.raises(UsageError) as caught:
        build()
    assert caught.value.code == code


def empty(name):
    return Volume(name, "ppm", np.zeros(GRID.shape), GRID, WINDOW)


def noise(name):
    return Volume(name, "ppm", np.random.default_rng(1).normal(size=GRID.shape), GRID, WINDOW)
