"""Where walkers may be: free liquid, closed pores, between grains, and the open voxels of an image."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.diffusion.walks import walk_kernel
from gradatim.diffusion.walks.walk_tensors import phases_of, step_closed


class Walkers(ABC):
    """A crowd on its way.

    Args:
        path: where each walker is, (n, 3), m, going on through periodic boundaries.
    """

    path: Tensor

    @abstractmethod
    def advance(self, increments: Tensor, near: Tensor, far: Tensor, phases: Tensor) -> None:
        """Take steps, and add to the phases in place.

        Args:
            increments: (n, steps, 3), m, as they would be without walls.
            near: (waveforms, steps, 3), rad/m, weight of the place before each step.
            far: (waveforms, steps, 3), rad/m, weight of the place after it.
            phases: (n, waveforms), rad.
        """


class Space(ABC):
    """A pore space with walls that nothing passes (their permeability is zero) and at which nothing relaxes."""

    @property
    @abstractmethod
    def finest(self) -> float:
        """The smallest radius or voxel, m; infinite without walls."""

    @abstractmethod
    def enter(self, count: int, *, generator: torch.Generator, reach: float) -> Walkers:
        """Walkers that are spread evenly over the pore space.

        Args:
            count: n.
            generator: draws their places.
            reach: longest increment along an axis, m.
        """


@dataclass(frozen=True)
class FreeSpace(Space):
    """Liquid without walls.

    Example:
        >>> FreeSpace().enter(2, generator=torch.Generator(), reach=1e-6).path.tolist()
        [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """

    @property
    def finest(self) -> float:
        return math.inf

    def enter(self, count: int, *, generator: torch.Generator, reach: float) -> Walkers:
        return _Free(torch.zeros(count, 3, dtype=torch.float64, device=generator.device))


@dataclass(frozen=True)
class ClosedPores(Space):
    """Separate spheres, cylinders or slabs of liquid; the larger hold more walkers, as their volume says.

    Args:
        radii: of each pore, m; half the spacing of a slab.
        axes: 3 for spheres, 2 for cylinders along z, 1 for slabs with walls perpendicular to x.

    Raises:
        UsageError: GD-195 for radii that are not positive, or other axes.

    Example:
        >>> pores = ClosedPores((5e-6,), axes=3)
        >>> bool((pores.enter(9, generator=torch.Generator(), reach=1e-7).path.norm(dim=1) <= 5e-6).all())
        True
    """

    radii: tuple[float, ...]
    axes: int = 3

    def __post_init__(self) -> None:
        if not self.radii or self.axes not in {1, 2, 3} or not all(0 < radius < math.inf for radius in self.radii):
            raise UsageError(
                "GD-195",
                given=f"{len(self.radii)} pores of radii {self.radii[:3]} m over {self.axes} axes",
                allowed="positive radii over 1, 2 or 3 axes",
                do="give metres: 5 µm are 5e-6",
            )

    @property
    def finest(self) -> float:
        return min(self.radii)

    def enter(self, count: int, *, generator: torch.Generator, reach: float) -> Walkers:
        device = generator.device
        sizes = torch.tensor(self.radii, dtype=torch.float64, device=device)
        share = (sizes / sizes.max()) ** self.axes
        radii = sizes[torch.multinomial(share, count, replacement=True, generator=generator)]
        path = torch.zeros(count, 3, dtype=torch.float64, device=device)
        direction = torch.randn(count, self.axes, dtype=torch.float64, device=device, generator=generator)
        depth = torch.rand(count, dtype=torch.float64, device=device, generator=generator) ** (1.0 / self.axes)
        path[:, : self.axes] = direction / direction.norm(dim=1, keepdim=True) * (depth * radii)[:, None]
        return _Closed(path, radii, self.axes)


@dataclass(eq=False)
class _Free(Walkers):
    path: Tensor

    def advance(self, increments: Tensor, near: Tensor, far: Tensor, phases: Tensor) -> None:
        if increments.device.type == "cpu":
            walk_kernel.walk_free(*(v.numpy() for v in (self.path, increments, near, far, phases)))
            return
        for step in range(increments.shape[1]):
            new = self.path + increments[:, step]
            phases += phases_of(self.path, new, near[:, step], far[:, step])
            self.path = new


@dataclass(eq=False)
class _Closed(Walkers):
    path: Tensor
    radii: Tensor
    axes: int

    def advance(self, increments: Tensor, near: Tensor, far: Tensor, phases: Tensor) -> None:
        if increments.device.type == "cpu":
            rest = (v.numpy() for v in (increments, near, far, phases))
            walk_kernel.walk_closed(self.path.numpy(), self.radii.numpy(), self.axes, *rest)
            return
        for step in range(increments.shape[1]):
            new = step_closed(self.path, increments[:, step], radii=self.radii, axes=self.axes)
            phases += phases_of(self.path, new, near[:, step], far[:, step])
            self.path = new
