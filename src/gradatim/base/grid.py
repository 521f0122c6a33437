"""Where voxels lie in the world."""

import math
from dataclasses import dataclass, field

import numpy as np

from gradatim.base.errors import UsageError

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Grid:
    """A regular voxel grid: array axes are NIfTI's (x, y, z), lengths are mm, the world is RAS.

    World position of voxel index i: p = A·(i, 1), A the affine (voxel → RAS mm). The columns of A's
    3×3 part must have the lengths given by ``spacing`` and must be orthogonal (no shear).

    Args:
        shape: number of voxels along each array axis.
        spacing: voxel edge along each array axis, mm, > 0.
        affine: 4×4, voxel → RAS mm; by default the diagonal of ``spacing``.

    Raises:
        UsageError: GD-101 if a size or spacing is not positive and finite, or the affine is singular,
            sheared or contradicts the spacing.

    Example:
        >>> Grid((8, 8, 4), (1.0, 1.0, 2.0)).b0_direction
        (0.0, 0.0, 1.0)
    """

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    affine: Matrix = field(default=())

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or any(n < 1 for n in self.shape):
            raise UsageError(
                "GD-101",
                given=f"grid shape {self.shape}",
                allowed="three sizes of at least 1",
                do="give the array's three spatial sizes",
            )
        if len(self.spacing) != 3 or any(not (math.isfinite(s) and s > 0) for s in self.spacing):
            raise UsageError(
                "GD-101",
                given=f"voxel spacing {self.spacing}",
                allowed="three positive lengths in mm",
                do="give the voxel edges in mm",
            )
        affine = self.affine or tuple(map(tuple, np.diag([*self.spacing, 1.0]).tolist()))
        matrix = np.asarray(affine, dtype=np.float64)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
            raise UsageError(
                "GD-101", given=f"affine {affine}", allowed="a finite 4×4 matrix", do="give voxel → RAS mm"
            )
        object.__setattr__(self, "affine", tuple(map(tuple, matrix.tolist())))
        edges = matrix[:3, :3] / np.asarray(self.spacing)
        if np.abs(edges.T @ edges - np.eye(3)).max() > 1e-3:
            raise UsageError(
                "GD-101",
                given=f"affine {affine} with spacing {self.spacing}",
                allowed="orthogonal columns whose lengths are the spacing",
                do="repair the header, or resample to an unsheared grid",
            )

    @classmethod
    def from_affine(cls, shape: tuple[int, int, int], affine: np.ndarray) -> "Grid":
        """The grid of an affine (4×4, voxel → RAS mm): spacing = lengths of its columns."""
        matrix = np.asarray(affine, dtype=np.float64)
        spacing = tuple(float(s) for s in np.linalg.norm(matrix[:3, :3], axis=0))
        return cls(tuple(int(n) for n in shape), spacing, tuple(map(tuple, matrix.tolist())))  # type: ignore[arg-type]

    @property
    def matrix(self) -> np.ndarray:
        """The affine as a float64 array, 4×4."""
        return np.asarray(self.affine, dtype=np.float64)

    @property
    def b0_direction(self) -> tuple[float, float, float]:
        """Unit vector of the scanner's z (B0 of a supine head in a cylindrical magnet) in array axes.

        Third row of the direction-cosine matrix R, because R maps array axes to the world.
        """
        cosines = self.matrix[:3, :3] / np.asarray(self.spacing)
        row = cosines[2] / np.linalg.norm(cosines[2])
        x, y, z = (float(v) for v in row)
        return x, y, z

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel, mm³."""
        return float(np.prod(self.spacing))

    def same_space(self, other: "Grid") -> bool:
        """Whether two grids hold the same voxels: equal shape, affines equal within 1e-3 of a voxel."""
        tolerance = 1e-3 * min(self.spacing)
        return self.shape == other.shape and bool(np.abs(self.matrix - other.matrix).max() <= tolerance)
