"""The open voxels of a binary image as a pore space."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.diffusion.walks import walk_kernel
from gradatim.diffusion.walks.spaces import Space, Walkers
from gradatim.diffusion.walks.walk_tensors import phases_of, step_voxels


@dataclass(frozen=True, eq=False)
class VoxelPores(Space):
    """Liquid in the open voxels of an image that repeats itself; walls are the faces towards closed voxels.

    Stairs of voxels have more surface than the wall they stand for, up to half as much again, however fine they are.

    Args:
        pores: (x, y, z), bool, True where liquid is.
        spacing: edges of a voxel, m.

    Raises:
        UsageError: GD-195 if no voxel is open, or an edge is not positive.

    Example:
        >>> slit = torch.zeros(4, 1, 1, dtype=torch.bool)
        >>> slit[1:3] = True
        >>> path = VoxelPores(slit, (1e-6, 1e-6, 1e-6)).enter(9, generator=torch.Generator(), reach=1e-7).path
        >>> bool(((path[:, 0] >= 1e-6) & (path[:, 0] <= 3e-6)).all())
        True
    """

    pores: Tensor
    spacing: tuple[float, float, float]

    def __post_init__(self) -> None:
        sound = self.pores.ndim == 3 and self.pores.dtype == torch.bool and bool(self.pores.any())
        if not sound or not all(0 < edge < math.inf for edge in self.spacing):
            raise UsageError(
                "GD-195",
                given=f"an image {tuple(self.pores.shape)} of {self.pores.dtype} with voxels of {self.spacing} m",
                allowed="a Boolean image (x, y, z) with an open voxel at least, and positive edges",
                do="say True where the liquid is, and give metres",
            )

    @property
    def finest(self) -> float:
        return min(self.spacing)

    def enter(self, count: int, *, generator: torch.Generator, reach: float) -> Walkers:
        device = generator.device
        pores, spacing = self.pores.to(device), torch.tensor(self.spacing, dtype=torch.float64, device=device)
        open_ = pores.nonzero()
        voxel = open_[torch.randint(len(open_), (count,), generator=generator, device=device)]
        inside = torch.rand(count, 3, dtype=torch.float64, device=device, generator=generator)
        return _Among((voxel + inside) * spacing, voxel.contiguous(), inside, pores.contiguous(), spacing)


@dataclass(eq=False)
class _Among(Walkers):
    path: Tensor
    voxel: Tensor
    inside: Tensor
    pores: Tensor
    spacing: Tensor

    def advance(self, increments: Tensor, near: Tensor, far: Tensor, phases: Tensor) -> None:
        if increments.device.type == "cpu":
            given = (self.path, self.pores, self.spacing, increments, near, far, phases)
            place = (self.voxel.numpy(), self.inside.numpy())
            walk_kernel.walk_voxels(place, *(v.numpy() for v in given))
            return
        for step in range(increments.shape[1]):
            rest = increments[:, step] / self.spacing
            self.voxel, self.inside, gone = step_voxels(self.voxel, self.inside, rest, pores=self.pores)
            new = self.path + gone * self.spacing
            phases += phases_of(self.path, new, near[:, step], far[:, step])
            self.path = new
