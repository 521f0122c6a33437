"""A surface whose corners move with the image: IBSI's mesh, differentiable in the field that it cuts."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from scipy.spatial import ConvexHull
from skimage.measure import marching_cubes
from torch import Tensor

from gradatim.base.errors import InputError


@dataclass(frozen=True, eq=False)
class LevelSurface:
    """The surface field = level, as the triangles of marching cubes, and the shape features that follow from it.

    Which edges of the voxel grid are cut is decided by where the field exceeds the level, and has no gradient. Where
    they are cut is x = (level − a)/(b − a) of the way from voxel centre a to voxel centre b, differentiable in both.
    A mask of 0 and 1 at level ½ is cut half-way: exactly IBSI's mesh. A field that is linear across the
    surface, as a signed distance is, is cut where it reaches the level; an occupied fraction, or an image
    at its threshold, where linear interpolation puts it. A corner that marching cubes puts into
    the middle of a cell of ambiguous sign stays there.

    The derivative of the volume is that of the smoothed Heaviside integral, ∫ δ(field − level)·d field: only
    voxels beside the surface have one. It jumps where a voxel crosses the level.

    Args:
        field: (x, y, z), float64, > level inside.
        spacing: voxel edges, mm.
        level: where the field is cut, in its unit.
        outside: what the field is beyond the box, < level.

    Raises:
        InputError: when a surface is asked for, GD-727 if the field nowhere exceeds the level, or is not finite.

    Source:
        Lorensen 1987, doi:10.1145/37402.37422; topology: Lewiner 2003, doi:10.1080/10867651.2003.10487582.

    Example:
        >>> field = torch.zeros(3, 3, 3, dtype=torch.float64)
        >>> field[1, 1, 1] = 1.0
        >>> surface = LevelSurface(field, spacing=(1.0, 1.0, 1.0))
        >>> round(float(surface.volume), 4), round(float(surface.area), 4)  # an octahedron around one voxel
        (0.1667, 1.7321)
    """

    field: Tensor
    spacing: tuple[float, float, float]
    level: float = 0.5
    outside: float = 0.0

    @cached_property
    def _mesh(self) -> tuple[Tensor, Tensor]:
        inside = self.field.detach() > self.level
        if not bool(inside.any()) or not bool(self.field.isfinite().all()) or not self.outside < self.level:
            raise InputError(
                "GD-727",
                given=f"a field with {int(inside.sum())} of {inside.numel()} voxels above {self.level}",
                allowed=f"a finite field that exceeds its level somewhere and is {self.outside} < level beyond the box",
                do="give the level in the field's unit, with the inside above it",
            )
        mask = torch.nn.functional.pad(inside.cpu().to(torch.float32), (1,) * 6).numpy()
        corners, faces, _, _ = marching_cubes(mask, level=0.5)
        halves = torch.from_numpy((2 * corners).astype("int64", order="C"))  # on the cut mask they are exact halves
        return halves.to(self.field.device), torch.from_numpy(faces.astype("int64", order="C")).to(self.field.device)

    @cached_property
    def vertices(self) -> Tensor:
        """Corners of the mesh (v, 3), mm from the first voxel centre of the box."""
        halves, _ = self._mesh
        low, odd = halves // 2, halves % 2
        padded = torch.nn.functional.pad(self.field, (1,) * 6, value=self.outside)
        on_edge = odd.sum(1, keepdim=True) == 1
        x, y, z = low.unbind(1)
        a, b = padded[x, y, z], padded[tuple((low + odd * on_edge).unbind(1))]
        there = on_edge.squeeze(1)
        way = torch.where(there, (self.level - a) / torch.where(there, b - a, 1.0), 0.5)
        return (low + odd * way.unsqueeze(1) - 1) * self._edges

    @property
    def faces(self) -> Tensor:
        """Triangles (f, 3), int64, as numbers of corners."""
        return self._mesh[1]

    @cached_property
    def _edges(self) -> Tensor:
        return torch.tensor(self.spacing, dtype=torch.float64, device=self.field.device)

    @cached_property
    def _triangles(self) -> tuple[Tensor, Tensor, Tensor]:
        centre = self.vertices.detach().mean(0)
        a, b, c = (self.vertices - centre)[self.faces].unbind(1)
        return a, b, c

    @cached_property
    def volume(self) -> Tensor:
        """Volume inside the mesh, |Σ a·(b × c)|/6 over its triangles (), mm³."""
        a, b, c = self._triangles
        return (a * torch.linalg.cross(b, c)).sum().abs() / 6

    @cached_property
    def area(self) -> Tensor:
        """Area of the mesh, Σ |(b − a) × (c − a)|/2 over its triangles (), mm²."""
        a, b, c = self._triangles
        return torch.linalg.cross(b - a, c - a).norm(dim=1).sum() / 2

    @cached_property
    def disproportion(self) -> Tensor:
        """The area over that of a sphere of the same volume (), 1 for a sphere."""
        return self.area / (36 * math.pi * self.volume**2) ** (1 / 3)

    @cached_property
    def diameter(self) -> Tensor:
        """Largest distance between two corners of the mesh (), mm; moves with those two alone."""
        places = self.vertices.detach().cpu().numpy()
        hull = self.vertices[torch.from_numpy(ConvexHull(places).vertices.astype("int64")).to(self.field.device)]
        far = torch.pdist(hull.detach()).argmax()
        pairs = torch.combinations(torch.arange(len(hull), device=hull.device))
        return (hull[pairs[far, 0]] - hull[pairs[far, 1]]).norm()


@dataclass(frozen=True, eq=False)
class Occupancy:
    """How much of each voxel is occupied: the volume by counting, and the axes, as sums of fractions.

    Args:
        fraction: (x, y, z), float64, 0 … 1.
        spacing: voxel edges, mm.

    Example:
        >>> half = Occupancy(torch.full((2, 1, 1), 0.5, dtype=torch.float64), spacing=(1.0, 1.0, 2.0))
        >>> float(half.voxel_volume)
        2.0
    """

    fraction: Tensor
    spacing: tuple[float, float, float]

    @classmethod
    def of_distance(cls, distance: Tensor, *, spacing: tuple[float, float, float], width_mm: float) -> "Occupancy":
        """The smoothed Heaviside function of a signed distance, clamp(½ + distance/width, 0, 1).

        Args:
            distance: (x, y, z), mm, positive inside.
            spacing: voxel edges, mm.
            width_mm: over how many mm a voxel passes from empty to full; about a voxel's edge.
        """
        return cls((0.5 + distance / width_mm).clamp(0, 1), spacing)

    @cached_property
    def voxel_volume(self) -> Tensor:
        """Σ fraction × a voxel's volume (), mm³; IBSI's volume by voxel counting for a mask of 0 and 1."""
        return self.fraction.sum() * math.prod(self.spacing)

    @cached_property
    def axes(self) -> Tensor:
        """Full axes of the ellipsoid that has the occupied places' covariance, 4√λ, longest first (3,), mm.

        The covariance divides by Σ fraction − 1; its derivative needs three different axes.
        """
        edges = torch.tensor(self.spacing, dtype=torch.float64, device=self.fraction.device)
        weight = self.fraction.flatten()
        places = torch.ones_like(self.fraction).nonzero().to(torch.float64) * edges
        arms = places - (weight[:, None] * places).sum(0) / weight.sum()
        covariance = (weight[:, None] * arms).T @ arms / (weight.sum() - 1)
        return 4 * torch.linalg.eigvalsh(covariance).clamp(min=0).sqrt().flip(0)
