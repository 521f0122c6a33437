"""Boxes of bodies whose smallest box is known, and against a search face by face."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from gradatim.radiomics.shape.box import aligned_box, oriented_box
from gradatim.radiomics.shape.hull import hull_of

CUBE = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 2
ONE = np.ones(3)
seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=60)
@given(seeds)
def test_a_cuboid_in_any_orientation_is_its_own_box(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sides = rng.uniform(0.5, 5, 3)
    inside = rng.uniform(-0.5, 0.5, (30, 3))
    points = Rotation.random(random_state=seed).apply(np.concatenate([CUBE, inside]) * sides) + rng.normal(size=3) * 9
    found = oriented_box(hull_of(points, scale=ONE))
    assert sorted(found.sides) == pytest.approx(sorted(sides), rel=1e-9)
    assert found.volume == pytest.approx(math.prod(sides), rel=1e-9)
    a, b, c = sides
    assert found.area == pytest.approx(2 * (a * b + b * c + c * a), rel=1e-9)


@settings(max_examples=40)
@given(seeds, st.integers(4, 40))
def test_no_box_on_a_face_is_smaller_and_all_corners_are_inside(seed: int, n: int) -> None:
    points = np.random.default_rng(seed).normal(size=(n, 3)) * [3, 2, 1]
    body = hull_of(points, scale=ONE)
    found = oriented_box(body)
    assert np.allclose(found.axes @ found.axes.T, np.eye(3), atol=1e-9)
    assert np.ptp(points @ found.axes.T, axis=0) == pytest.approx(found.sides, rel=1e-9)
    assert found.volume <= aligned_box(body).volume * (1 + 1e-9)
    assert found.volume <= min(box_on(points, normal) for normal in body.normals) * (1 + 1e-8)
    assert found.volume >= body.volume


def box_on(points: np.ndarray, normal: np.ndarray) -> float:
    """Volume of the smallest box across a normal, by all edges of the projection's hull."""
    plane = np.linalg.svd(normal[None])[2][1:]
    flat = points @ plane.T
    outline = flat[ConvexHull(flat).vertices]
    edges = np.roll(outline, -1, 0) - outline
    edges /= np.linalg.norm(edges, axis=1, keepdims=True)
    turned = np.stack([edges, edges[:, ::-1] * [-1, 1]], 1) @ outline.T
    return float(np.ptp(turned, axis=2).prod(1).min() * np.ptp(points @ normal))


def test_an_octahedron_has_a_smaller_box_than_the_one_along_its_axes() -> None:
    # Across a face it is √(2/3)·e high with a regular hexagon of side e/√3 as outline.
    body = hull_of(np.concatenate([np.eye(3), -np.eye(3)]), scale=ONE)
    edge = math.sqrt(2)
    hexagon = edge / math.sqrt(3)
    expected = math.sqrt(2 / 3) * edge * (2 * hexagon) * (math.sqrt(3) * hexagon)
    assert aligned_box(body).volume == pytest.approx(8)
    assert oriented_box(body).volume <= expected * (1 + 1e-9)
