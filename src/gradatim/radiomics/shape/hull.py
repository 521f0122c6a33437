"""The convex hull of the mesh around a mask."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull

from gradatim.radiomics.shape.columns import Columns
from gradatim.radiomics.shape.columns_kernel import extreme, mesh_ends
from gradatim.radiomics.shape.hull_kernel import farthest

Spacing = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Hull:
    """A convex polyhedron with triangular faces.

    Args:
        corners: (v, 3), float64, mm from the centre of the first voxel.
        faces: (f, 3), corners of each triangle, counter-clockwise seen from outside.
        neighbours: (f, 3), the triangle on the other side of the edge opposite to each corner.
        normals: (f, 3), unit vectors outwards; triangles of one flat face have the same one.
    """

    corners: np.ndarray
    faces: np.ndarray
    neighbours: np.ndarray
    normals: np.ndarray

    @property
    def areas(self) -> np.ndarray:
        """Area vectors of the triangles (f, 3), outwards, mm²."""
        a, b, c = self.corners[self.faces].transpose(1, 0, 2)
        return np.cross(b - a, c - a) / 2

    @property
    def area(self) -> float:
        """mm²."""
        return float(np.linalg.norm(self.areas, axis=1).sum())

    @property
    def volume(self) -> float:
        """∮ x·dA / 3, mm³."""
        arms = self.corners[self.faces[:, 0]] - self.corners.mean(0)
        return float((arms * self.areas).sum() / 3)

    @property
    def diameter(self) -> float:
        """Largest distance between two corners, mm."""
        return float(farthest(self.corners))


def hull(columns: Columns, *, spacing: Spacing) -> Hull:
    """The convex hull of all corners of the mesh around a mask.

    A corner of the hull is an end of its column of mesh corners, and a corner of the hull of its slice across the
    first and across the second axis; all others are sorted out in whole numbers before Qhull sees them. The hull is
    found on the voxels' grid, where it never is flat, and then scaled: an affine map keeps it.
    Source: Barber 1996, doi:10.1145/235815.235821.

    Args:
        columns: of the mask.
        spacing: voxel edges, mm.

    Example:
        >>> import torch
        >>> from gradatim.radiomics.shape.columns import columns
        >>> one = hull(columns(torch.ones(1, 1, 1, dtype=torch.bool)), spacing=(1.0, 1.0, 2.0))
        >>> len(one.corners), len(one.faces), round(one.volume, 6)
        (6, 8, 0.333333)
    """
    return hull_of(candidates(columns) - 1, scale=np.array(spacing) / 2)


def hull_of(points: np.ndarray, *, scale: np.ndarray) -> Hull:
    """The convex hull of points that are not all in one plane, found as they are given and then scaled.

    Args:
        points: (n, 3).
        scale: mm along each axis, (3,).

    Example:
        >>> cube = hull_of(np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]), scale=np.ones(3))
        >>> cube.volume, cube.area, round(cube.diameter, 6)
        (1.0, 6.0, 1.732051)
    """
    found = ConvexHull(points)
    rank = np.full(len(points), -1)
    rank[found.vertices] = np.arange(len(found.vertices))
    faces, corners = rank[found.simplices], points[found.vertices]
    a, b, c = corners[faces].transpose(1, 0, 2)
    inwards = (np.cross(b - a, c - a) * found.equations[:, :3]).sum(1) < 0
    turned = np.where(inwards[:, None], [0, 2, 1], [0, 1, 2])
    normals = found.equations[:, :3] / scale
    return Hull(
        corners * scale,
        np.take_along_axis(faces, turned, 1),
        np.take_along_axis(found.neighbors, turned, 1),
        normals / np.linalg.norm(normals, axis=1, keepdims=True),
    )


def candidates(columns: Columns) -> np.ndarray:
    """Mesh corners among which are all of the convex hull (n, 3), int64, in half voxels; 2i + 1 is voxel i's centre."""
    ends = mesh_ends(columns.ends)
    keep = extreme(ends) & extreme(np.ascontiguousarray(ends.transpose(0, 2, 1))).transpose(0, 2, 1)
    keep[1] &= ~keep[0] | (ends[0] != ends[1])  # no corner twice
    side, x, y = np.nonzero(keep)
    return np.stack([x, y, ends[side, x, y]], axis=1)
