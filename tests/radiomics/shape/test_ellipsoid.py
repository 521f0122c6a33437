"""Ellipsoids against closed forms and quadrature; the smallest one around bodies whose ellipsoid is known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad
from scipy.spatial.transform import Rotation

from gradatim.radiomics.shape.ellipsoid import Ellipsoid, enclosing_ellipsoid

CUBE = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)
TETRAHEDRON = CUBE[[0, 3, 5, 6]]
seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("axes", [(3.0, 2.0, 1.0), (1.0, 0.99, 0.5), (5.0, 1.0, 0.2)])
def test_the_area_is_the_integral_over_the_surface(axes: tuple[float, float, float]) -> None:
    a, b, c = axes

    def element(theta: float, phi: float) -> float:
        x, y = b * c * math.sin(theta) * math.cos(phi), a * c * math.sin(theta) * math.sin(phi)
        return math.sin(theta) * math.hypot(x, y, a * b * math.cos(theta))

    integral = 8 * dblquad(element, 0, math.pi / 2, 0, math.pi / 2, epsabs=1e-10)[0]
    assert Ellipsoid(axes).area == pytest.approx(integral, rel=1e-8)


def test_the_area_of_spheroids() -> None:
    e = math.sqrt(1 - 1 / 9)
    oblate = 2 * math.pi * 9 * (1 + (1 - e**2) / e * math.atanh(e))
    prolate = 2 * math.pi * (1 + 3 / e * math.asin(e))
    assert Ellipsoid((3.0, 3.0, 1.0)).area == pytest.approx(oblate, rel=1e-13)
    assert Ellipsoid((3.0, 1.0, 1.0)).area == pytest.approx(prolate, rel=1e-13)
    assert Ellipsoid((2.0, 0.0, 0.0)).area == Ellipsoid((2.0, 0.0, 0.0)).ibsi_area == 0


def test_the_printed_series_is_not_the_area() -> None:
    assert Ellipsoid((2.0, 2.0, 2.0)).ibsi_area == pytest.approx(16 * math.pi)
    # With b = c the printed sum is that of e^2ν/(1 − 4ν²), which has this closed form; the area is another.
    e = math.sqrt(1 - 1 / 9)
    printed = 4 * math.pi * 3 * (1 + (1 - e**2) / e * math.atanh(e)) / 2
    assert Ellipsoid((3.0, 1.0, 1.0)).ibsi_area == pytest.approx(printed, rel=1e-3)
    # On IBSI's digital phantom it is less than the area of a ball of that volume, which no body can have.
    phantom = Ellipsoid((5.701, 4.654, 4.268))
    ball = (36 * math.pi * phantom.volume**2) ** (1 / 3)
    assert phantom.ibsi_area < ball < phantom.area


@pytest.mark.parametrize("body", [CUBE, TETRAHEDRON, np.concatenate([np.eye(3), -np.eye(3)]) * math.sqrt(3)])
def test_regular_bodies_have_their_circumscribed_ball(body: np.ndarray) -> None:
    assert enclosing_ellipsoid(body).semi_axes == pytest.approx([math.sqrt(3)] * 3, rel=1e-8)


@settings(max_examples=30)
@given(seeds)
def test_an_affine_map_of_the_cube_takes_the_ball_along(seed: int) -> None:
    rng = np.random.default_rng(seed)
    stretch = rng.uniform(0.2, 5, 3)
    points = Rotation.random(random_state=seed).apply(CUBE * stretch) + rng.normal(size=3) * 10
    expected = sorted(stretch * math.sqrt(3), reverse=True)
    assert enclosing_ellipsoid(points).semi_axes == pytest.approx(expected, rel=1e-7)


@settings(max_examples=30)
@given(seeds)
def test_points_on_an_ellipsoid_have_it_as_theirs(seed: int) -> None:
    # Its optimality: opposite points on the ellipsoid, so many that their weights can make the scatter its matrix.
    rng = np.random.default_rng(seed)
    sphere = rng.normal(size=(60, 3))
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    points = Rotation.random(random_state=seed).apply(np.concatenate([sphere, -sphere]) * [5, 3, 2])
    assert enclosing_ellipsoid(points).semi_axes == pytest.approx([5, 3, 2], rel=1e-7)


@settings(max_examples=30)
@given(seeds, st.integers(4, 200))
def test_it_is_smaller_than_the_ball_and_larger_than_what_it_holds(seed: int, n: int) -> None:
    points = np.random.default_rng(seed).normal(size=(n, 3)) * [4, 1, 0.1]
    found = enclosing_ellipsoid(points)
    largest = np.linalg.norm(points - points.mean(0), axis=1).max()
    assert found.volume <= 4 / 3 * math.pi * largest**3
    # John's theorem: shrunk to a third about its centre it lies in the hull, so its axes are at most three halves
    # of the widths; and it holds all points, so its longest axis is at least half the diameter.
    assert 2 * found.semi_axes[0] >= max(np.ptp(points, axis=0)) * (1 - 1e-9)
    assert 2 * found.semi_axes[2] / 3 <= min(np.ptp(points, axis=0)) * (1 + 1e-6)
