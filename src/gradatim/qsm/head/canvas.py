"""Property maps that are painted layer on layer, with soft edges."""

import itertools
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradatim.base.grid import Grid
from gradatim.qsm.head.shapes import Point, Points
from gradatim.qsm.head.tissue import AIR, Tissue

Box = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class Canvas:
    """Susceptibility, R2*, proton density and labels of a volume, and where its voxels lie in the head.

    Painting a tissue with fraction f replaces every value v by (1 − f)·v + f·tissue. So a voxel is always
    a mixture whose parts sum to 1, whatever is painted over what.

    Args:
        points: positions in the coordinates of the anatomy, mm, three tensors (x, y, z).
        to_index: (3, 4), from those coordinates (without a warp) to voxel indices.
        width: cube root of the voxel volume, mm of the anatomy.
        susceptibility: (x, y, z), ppm.
        r2_star: (x, y, z), 1/s.
        proton_density: (x, y, z), relative to cerebrospinal fluid.
        labels: (x, y, z), int16; the last tissue that fills more than half of the voxel.
    """

    points: Points
    to_index: np.ndarray
    width: float
    susceptibility: Tensor
    r2_star: Tensor
    proton_density: Tensor
    labels: Tensor

    @classmethod
    def of_air(cls, grid: Grid, *, scale: float, origin: Point) -> "Canvas":
        """An empty canvas whose centre voxel shows ``origin`` of the anatomy.

        Args:
            grid: where the voxels lie in the world; only its orientation and spacing matter.
            scale: mm of the world per mm of the anatomy.
            origin: the point of the anatomy at the centre of the volume.
        """
        turn = grid.matrix[:3, :3] / scale
        middle = (np.array(grid.shape) - 1) / 2
        shift = np.array(origin) - turn @ middle
        indices = [
            torch.arange(n, dtype=torch.float32).view([-1 if axis == i else 1 for axis in range(3)])
            for i, n in enumerate(grid.shape)
        ]
        x, y, z = (
            sum((float(turn[row, i]) * indices[i] for i in range(3)), start=torch.zeros(grid.shape)) + float(shift[row])
            for row in range(3)
        )
        back = np.linalg.inv(turn)
        return cls(
            points=(x, y, z),
            to_index=np.concatenate([back, -(back @ shift)[:, None]], axis=1),
            width=float(np.abs(np.linalg.det(turn)) ** (1 / 3)),
            susceptibility=torch.full(grid.shape, AIR.susceptibility),
            r2_star=torch.full(grid.shape, AIR.r2_star),
            proton_density=torch.full(grid.shape, AIR.proton_density),
            labels=torch.zeros(grid.shape, dtype=torch.int16),
        )

    def paint(self, fraction: Tensor, tissue: Tissue, *, label: int = 0, texture: Tensor | None = None) -> None:
        """Mix a tissue into the maps, in place.

        Args:
            fraction: (x, y, z), between 0 and 1.
            tissue: its properties.
            label: written where ``fraction`` > ½; 0 erases.
            texture: added to the tissue's susceptibility, ppm.
        """
        susceptibility = tissue.susceptibility if texture is None else tissue.susceptibility + texture
        self.susceptibility.add_(fraction * (susceptibility - self.susceptibility))
        self.r2_star.add_(fraction * (tissue.r2_star - self.r2_star))
        self.proton_density.add_(fraction * (tissue.proton_density - self.proton_density))
        self.labels[fraction > 0.5] = label

    def box(self, low: Point, high: Point) -> Box:
        """The voxels of a box of the anatomy and of 8 mm around it, where a warp may have moved them."""
        corners = np.array(list(itertools.product(*((a - 8.0, b + 8.0) for a, b in zip(low, high, strict=True)))))
        indices = corners @ self.to_index[:, :3].T + self.to_index[:, 3]
        first = np.clip(np.floor(indices.min(axis=0)).astype(int), 0, self.labels.shape)
        last = np.clip(np.ceil(indices.max(axis=0)).astype(int) + 1, 0, self.labels.shape)
        x, y, z = (slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
        return x, y, z

    def part(self, box: Box) -> "Canvas":
        """A box of voxels as a canvas of its own; painting it paints this one."""
        shifted = self.to_index.copy()
        shifted[:, 3] -= [s.start for s in box]
        x, y, z = (c[box] for c in self.points)
        return Canvas(
            points=(x, y, z),
            to_index=shifted,
            width=self.width,
            susceptibility=self.susceptibility[box],
            r2_star=self.r2_star[box],
            proton_density=self.proton_density[box],
            labels=self.labels[box],
        )

    def around(self, low: Point, high: Point) -> "Canvas":
        """The part that holds a box of the anatomy."""
        return self.part(self.box(low, high))

    @property
    def empty(self) -> bool:
        """Whether the part holds no voxel."""
        return self.labels.numel() == 0

    @property
    def step(self) -> Point:
        """Distance between neighbouring voxels along each array axis, mm of the anatomy."""
        x, y, z = (float(v) for v in np.linalg.norm(np.linalg.inv(self.to_index[:, :3]), axis=0))
        return x, y, z
