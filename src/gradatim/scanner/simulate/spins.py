"""What is in the scanner: spins at points, each with its equilibrium magnetisation, relaxation times and field."""

import math
from collections.abc import Callable
from collections.abc import Sequence as Sequence_
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid

Value = Tensor | float


@dataclass(frozen=True, eq=False)
class Spins:
    """Spins (isochromats), each at one place, with one field and one pair of relaxation times.

    Args:
        position: r, (n, 3), m, along the gradients' axes x, y, z, from the isocentre.
        density: m0, (n,), the equilibrium magnetisation that each spin stands for, any linear unit; a signal is a sum.
        t1: (n,), s, > 0; inf does not relax.
        t2: (n,), s, > 0.
        offset: Δf, (n,), Hz, of each spin from the scanner's frequency.
        t2_prime: (n,), s, > 0: 1/T2' = 1/T2* − 1/T2, the width of the offsets inside of each spin's voxel; inf for one
            offset alone.
        b1: (n,), the pulses' field there over the nominal one; it is real.
        size: edges of the box that each spin stands for, m; 0 for points. What a simulator makes of it, it says.

    Raises:
        UsageError: GD-103 if the sizes disagree; GD-101 if ``size`` is negative or not finite.
        InputError: GD-830 if a relaxation time is not positive; GD-831 if another value is not finite.

    Example:
        >>> water = spins_at(torch.zeros(1, 3), t1=3.0, t2=2.0)
        >>> len(water), water.offset.tolist()
        (1, [0.0])
    """

    position: Tensor
    density: Tensor
    t1: Tensor
    t2: Tensor
    offset: Tensor
    t2_prime: Tensor
    b1: Tensor
    size: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        count = len(self.position)
        if self.position.shape != (count, 3) or any(value.shape != (count,) for value in self._values().values()):
            raise UsageError(
                "GD-103",
                given=f"positions {tuple(self.position.shape)} with "
                + ", ".join(f"{name} {tuple(value.shape)}" for name, value in self._values().items()),
                allowed="positions (n, 3) and n values of all else",
                do="give one value a spin",
            )
        if len(self.size) != 3 or not all(math.isfinite(edge) and edge >= 0 for edge in self.size):
            raise UsageError(
                "GD-101", given=f"size {self.size}", allowed="three edges of 0 m or more", do="give metres"
            )
        for name in ("t1", "t2", "t2_prime"):
            if not bool((getattr(self, name) > 0).all()):
                raise InputError(
                    "GD-830",
                    given=f"{name} of {float(getattr(self, name).min()):g} s",
                    allowed="relaxation times above 0 s",
                    do="mask out what does not relax, such as air; inf stands for no relaxation",
                )
        for name in ("position", "density", "offset", "b1"):
            if not bool(getattr(self, name).isfinite().all()):
                raise InputError(
                    "GD-831", given=f"{name} with a value that is not finite", allowed="finite numbers",
                    do="mask out the voxels where the map is undefined",
                )  # fmt: skip

    def _values(self) -> dict[str, Tensor]:
        return {item.name: getattr(self, item.name) for item in fields(self) if item.name not in {"position", "size"}}

    def __len__(self) -> int:
        """How many spins."""
        return len(self.position)

    def __getitem__(self, chosen: Tensor | slice) -> "Spins":
        """Some of the spins, by mask, indices or slice."""
        return self._each(lambda value: value[chosen])

    def to(self, target: torch.dtype | torch.device | str) -> "Spins":
        """The same spins in another precision or on another device."""
        return self._each(lambda value: value.to(target))

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Spins":
        return Spins(
            position=change(self.position),
            density=change(self.density),
            t1=change(self.t1),
            t2=change(self.t2),
            offset=change(self.offset),
            t2_prime=change(self.t2_prime),
            b1=change(self.b1),
            size=self.size,
        )


def spins_at(
    position: Tensor,
    *,
    density: Value = 1.0,
    t1: Value = math.inf,
    t2: Value = math.inf,
    offset: Value = 0.0,
    t2_prime: Value = math.inf,
    b1: Value = 1.0,
) -> Spins:
    """Spins at points; a number holds for all of them.

    Args:
        position: (n, 3), m.
        density: (n,) or a number; the others likewise, units as in :class:`Spins`.
        t1: s.
        t2: s.
        offset: Hz.
        t2_prime: s.
        b1: relative.

    Example:
        >>> spins_at(torch.zeros(2, 3), offset=torch.tensor([0.0, 10.0])).offset.tolist()
        [0.0, 10.0]
    """
    place = position.double()
    return Spins(
        position=place,
        density=_filled(density, place),
        t1=_filled(t1, place),
        t2=_filled(t2, place),
        offset=_filled(offset, place),
        t2_prime=_filled(t2_prime, place),
        b1=_filled(b1, place),
    )


def voxel_spins(
    grid: Grid,
    *,
    density: Tensor,
    t1: Value = math.inf,
    t2: Value = math.inf,
    offset: Value = 0.0,
    t2_prime: Value = math.inf,
    b1: Value = 1.0,
) -> Spins:
    """One spin in the middle of each voxel that has any density.

    The array's axes are the gradients' axes x, y, z, and voxel i lies at (i − n//2)·spacing from the isocentre: the
    positions at which a discrete Fourier transform of n samples, k = (j − n//2)/(n·spacing), puts its pixels, so that
    Cartesian samples of points are exact. The grid's affine says where the image lies in the patient and turns nothing.

    Args:
        grid: the maps' voxels.
        density: (x, y, z); voxels of 0 make no spin. It counts a voxel, not a volume.
        t1: s, (x, y, z) or a number; the others likewise, units as in :class:`Spins`.
        t2: s.
        offset: Hz.
        t2_prime: s.
        b1: relative.

    Raises:
        UsageError: GD-103 if a map does not lie on the grid.

    Example:
        >>> voxel_spins(Grid((2, 1, 1), (3.0, 3.0, 3.0)), density=torch.ones(2, 1, 1)).position[:, 0].tolist()
        [-0.003, 0.0]
    """
    values = {"density": density, "t1": t1, "t2": t2, "offset": offset, "t2_prime": t2_prime, "b1": b1}
    odd = {n: tuple(v.shape) for n, v in values.items() if isinstance(v, Tensor) and v.ndim and v.shape != grid.shape}
    if odd:
        raise UsageError("GD-103", given=f"maps {odd}", allowed=f"maps of {grid.shape}", do="resample to one grid")
    full = density != 0
    voxels = full.nonzero()
    middle = torch.tensor([n // 2 for n in grid.shape], device=voxels.device)
    size = torch.tensor(grid.spacing, dtype=torch.float64, device=voxels.device) / 1e3
    chosen = {n: v[full] if isinstance(v, Tensor) and v.ndim else v for n, v in values.items()}
    spins = spins_at((voxels - middle) * size, **chosen)
    return replace(spins, size=tuple(size.tolist()))


def join(groups: Sequence_[Spins]) -> Spins:
    """Several groups of spins as one.

    Args:
        groups: one at least, of one ``size``.

    Raises:
        UsageError: GD-103 if there is none, or if they stand for boxes of different size.
    """
    if len({group.size for group in groups}) != 1:
        raise UsageError(
            "GD-103",
            given=f"groups of spins of sizes {sorted({group.size for group in groups})}",
            allowed="one group at least, all of one size",
            do="simulate spins of different size one after the other and add the signals",
        )
    return Spins(
        position=torch.cat([group.position for group in groups]),
        density=torch.cat([group.density for group in groups]),
        t1=torch.cat([group.t1 for group in groups]),
        t2=torch.cat([group.t2 for group in groups]),
        offset=torch.cat([group.offset for group in groups]),
        t2_prime=torch.cat([group.t2_prime for group in groups]),
        b1=torch.cat([group.b1 for group in groups]),
        size=groups[0].size,
    )


def _filled(value: Value, place: Tensor) -> Tensor:
    """A number, or one for each place, as one for each in the places' precision."""
    return torch.as_tensor(value, dtype=place.dtype, device=place.device).expand(len(place))
