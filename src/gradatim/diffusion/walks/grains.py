"""The space between solid spheres or cylinders in a periodic box."""

import itertools
import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.diffusion.walks import walk_kernel
from gradatim.diffusion.walks.spaces import Space, Walkers
from gradatim.diffusion.walks.walk_tensors import phases_of, step_grains

_CELLS = 48
_VAIN = 10
_PAIRS = 2_000_000


@dataclass(frozen=True, eq=False)
class Grains(Space):
    """Liquid between solid grains, in a box that repeats itself; grains may touch and overlap.

    Args:
        centres: (m, 3), m, within the box.
        radii: (m,), m, each up to half the box.
        box: edges of the box along x, y and z, m.
        axes: 3 for spheres, 2 for cylinders along z.

    Raises:
        UsageError: GD-195 for sizes that disagree, radii beyond half the box or none, centres outside of the box, or
            when entered where no liquid is found.

    Example:
        >>> one = Grains(torch.full((1, 3), 5e-6).double(), torch.tensor([4e-6]).double(), (1e-5, 1e-5, 1e-5))
        >>> one.enter(5, generator=torch.Generator().manual_seed(1), reach=1e-7).path.shape
        torch.Size([5, 3])
    """

    centres: Tensor
    radii: Tensor
    box: tuple[float, float, float]
    axes: int = 3

    def __post_init__(self) -> None:
        edges, axes = torch.tensor(self.box, dtype=torch.float64), self.axes
        shaped = tuple(self.centres.shape) == (len(self.radii), 3) and len(self.radii) and axes in {2, 3}
        sound = shaped and bool((edges.isfinite() & (edges > 0)).all())
        if sound:
            half = 0.5 * float(edges[:axes].min()) * (1 + 1e-9)
            held = ((self.centres >= 0) & (self.centres <= edges))[:, :axes]
            sound = bool(held.all()) and bool(((self.radii > 0) & (self.radii <= half)).all())
        if not sound:
            raise UsageError(
                "GD-195",
                given=f"centres {tuple(self.centres.shape)} and radii {tuple(self.radii.shape)} in a box {self.box} m",
                allowed="a centre within the box for each radius, radii up to half the box, 2 or 3 axes",
                do="give metres, in a box that is large enough",
            )

    @property
    def finest(self) -> float:
        return float(self.radii.min())

    def enter(self, count: int, *, generator: torch.Generator, reach: float) -> Walkers:
        device, box = generator.device, torch.tensor(self.box, dtype=torch.float64, device=generator.device)
        margin = math.sqrt(3.0) * reach
        balls = self._images(margin).to(device)
        found, lacking, vain = [], count, 0
        tries = max(1, min(4096, _PAIRS // len(balls)))
        while lacking:
            tried = torch.rand(tries, 3, dtype=torch.float64, device=device, generator=generator) * box
            apart = (tried[:, None, : self.axes] - balls[:, : self.axes]).square().sum(2)
            found.append(tried[(apart > balls[:, 3].square()).all(1)][:lacking])
            lacking, vain = lacking - len(found[-1]), vain + (len(found[-1]) == 0)
            if vain > _VAIN:
                raise UsageError(
                    "GD-195", given="grains that fill the box", allowed="liquid between them", do="use fewer grains"
                )
        local = torch.cat(found)
        return _Between(local.clone(), local, self.axes, box, balls, _cells(balls, self.box, self.axes, margin))

    def _images(self, margin: float) -> Tensor:
        """Centre and radius of all grains and their periodic images that reach into the box and its margin, (m, 4)."""
        box = torch.tensor(self.box, dtype=torch.float64)
        near = [math.ceil(margin / edge) + 1 if axis < self.axes else 0 for axis, edge in enumerate(self.box)]
        shifts = torch.tensor(list(itertools.product(*(range(-n, n + 1) for n in near))), dtype=torch.float64) * box
        centres = (self.centres.double()[None] + shifts[:, None]).reshape(-1, 3)
        radii = self.radii.double().repeat(len(shifts))[:, None]
        kept = ((centres + radii >= -margin) & (centres - radii <= box + margin))[:, : self.axes].all(1)
        return torch.cat([centres, radii], 1)[kept]


@dataclass(eq=False)
class _Between(Walkers):
    path: Tensor
    local: Tensor
    axes: int
    box: Tensor
    balls: Tensor
    cells: "_Cells"

    def advance(self, increments: Tensor, near: Tensor, far: Tensor, phases: Tensor) -> None:
        if increments.device.type == "cpu":
            rest = (v.numpy() for v in (increments, near, far, phases))
            box, balls = self.box.numpy(), self.balls.numpy()
            grains = (self.axes, box, balls, *self.cells.arrays)
            walk_kernel.walk_grains(self.local.numpy(), self.path.numpy(), grains, *rest)
            return
        for step in range(increments.shape[1]):
            local, gone = step_grains(self.local, increments[:, step], balls=self.balls, axes=self.axes)
            new = self.path + gone
            phases += phases_of(self.path, new, near[:, step], far[:, step])
            self.local, self.path = local - self.box * (local / self.box).floor(), new


@dataclass(frozen=True, eq=False)
class _Cells:
    """Which balls reach into which cell: those of cell i are members[starts[i]:starts[i + 1]]."""

    starts: NDArray[np.int64]
    members: NDArray[np.int64]
    shape: NDArray[np.int64]
    corner: float
    cell: NDArray[np.float64]

    @property
    def arrays(self) -> tuple[object, ...]:
        """As the kernel takes them."""
        return self.starts, self.members, self.shape, self.corner, self.cell


def _cells(balls: Tensor, box: tuple[float, float, float], axes: int, margin: float) -> _Cells:
    """Cells over the box and its margin, about as many an axis as keep a few balls in each."""
    places, edges = balls.cpu().numpy(), np.array(box) + 2 * margin
    count = min(_CELLS, max(1, round((8 * len(places)) ** (1 / axes))))
    shape = np.where(np.arange(3) < axes, count, 1)
    cell = edges / shape
    low = np.clip(((places[:, :3] - places[:, 3:] + margin) / cell).astype(np.int64), 0, shape - 1)
    high = np.clip(((places[:, :3] + places[:, 3:] + margin) / cell).astype(np.int64), 0, shape - 1)
    low[:, axes:], high[:, axes:] = 0, 0
    lists: list[list[int]] = [[] for _ in range(int(shape.prod()))]
    for ball, (first, last) in enumerate(zip(low, high, strict=True)):
        for ix, iy, iz in itertools.product(*(range(a, b + 1) for a, b in zip(first, last, strict=True))):
            lists[(ix * shape[1] + iy) * shape[2] + iz].append(ball)
    starts = np.concatenate([[0], np.cumsum([len(each) for each in lists])]).astype(np.int64)
    members = np.array([ball for each in lists for ball in each], dtype=np.int64)
    return _Cells(starts, members, shape.astype(np.int64), -margin, cell)
