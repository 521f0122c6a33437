"""Images larger than memory, in tiles with a halo."""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.restore.restored import Restored

Window = tuple[slice, ...]


class Sliceable(Protocol):
    """What tiles are read from and written into: a memory-mapped array, a Zarr or HDF5 data set, an array in memory."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""

    def __getitem__(self, window: Any) -> Any: ...

    def __setitem__(self, window: Any, values: Any) -> None: ...


@dataclass(frozen=True, eq=False)
class Tiled:
    """Applies a method tile by tile: each is read with a halo around it, and only its inner part is kept.

    Exactly the whole image's result where the method is local and the halo at least its ``reach``
    (:class:`~gradatim.restore.local_cosine.LocalCosine`, :class:`~gradatim.restore.sharpen.UnsharpMask`). Others only
    come near, because a pixel feels the whole image: total variation through its plateaus (for it
    :class:`~gradatim.restore.sweeps.SweptTotalVariation` is exact), wavelet thresholds through their bands. A
    method that estimates its noise or its λ would do so anew in every tile, and is refused: give both.

    Memory: one tile with its halo, times what the method needs. A tile at the picture's edge has no halo there, so
    that the method's own border rule holds.

    Args:
        method: an image (tensor) → an image or a :class:`Restored`, of the same shape.
        tile: sizes along the last axes, which are space; axes before them are always whole.
        halo: pixels around a tile on each side, one number or one an axis; the method's reach.

    Raises:
        UsageError: GD-101 for sizes below 1 or a negative halo; GD-103 if a tile has more axes than the image, or the
            method changes the shape; GD-104 if the method would choose its parameters in every tile.

    Example:
        >>> from gradatim.restore.sharpen import UnsharpMask
        >>> image, sharpen = np.random.default_rng(0).random((50, 40), np.float32), UnsharpMask()
        >>> whole = sharpen(torch.from_numpy(image)).numpy()
        >>> tiled = Tiled(sharpen, tile=(16, 16), halo=sharpen.reach)(image, out=np.empty_like(image))
        >>> float(np.abs(tiled - whole).max()) < 1e-6
        True
    """

    method: Callable[[Tensor], Tensor | Restored]
    tile: tuple[int, ...]
    halo: int | tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.tile or min(self.tile) < 1 or min(self.halos) < 0:
            raise UsageError(
                "GD-101",
                given=f"tiles {self.tile} with a halo of {self.halo}",
                allowed="sizes of at least 1 and a halo of 0 or more",
                do="take tiles of some hundred pixels and the method's reach",
            )
        open_parameters = [name for name in ("noise", "weight") if getattr(self.method, name, 1.0) is None]
        if open_parameters:
            raise UsageError(
                "GD-104",
                given=f"{type(self.method).__name__} without {' and '.join(open_parameters)}",
                allowed="a method whose parameters are the same in every tile",
                do="find them on a part of the image first, and give them",
            )

    @property
    def halos(self) -> tuple[int, ...]:
        """The halo along each axis of a tile."""
        return (self.halo,) * len(self.tile) if isinstance(self.halo, int) else self.halo

    def __call__(self, source: Sliceable, *, out: Sliceable) -> Sliceable:
        """Read from one array, write into another.

        Args:
            source: (..., x, y) or (..., x, y, z).
            out: of the same shape; a different array than ``source``.

        Returns:
            ``out``.
        """
        if len(self.tile) > len(source.shape) or tuple(out.shape) != tuple(source.shape):
            raise UsageError(
                "GD-103",
                given=f"tiles {self.tile} of an array {tuple(source.shape)} into one of {tuple(out.shape)}",
                allowed="arrays of one shape, with at least as many axes as a tile",
                do="make the output like the input",
            )
        for inner, outer in windows(tuple(source.shape), self.tile, self.halos):
            part = torch.from_numpy(np.ascontiguousarray(np.asarray(source[outer])))
            found = self.method(part)
            value = found.value if isinstance(found, Restored) else found
            if value.shape != part.shape:
                raise UsageError(
                    "GD-103",
                    given=f"a method that makes {tuple(value.shape)} of {tuple(part.shape)}",
                    allowed="the same shape",
                    do="tile only methods that keep the grid",
                )
            out[inner] = value[within(inner, outer)].detach().cpu().numpy()
        return out


def windows(shape: tuple[int, ...], tile: tuple[int, ...], halos: tuple[int, ...]) -> Iterator[tuple[Window, Window]]:
    """Every tile of an array: where its inner part lies, and where it lies with its halo.

    Args:
        shape: of the array; axes before the last ``len(tile)`` are whole.
        tile: sizes.
        halos: on each side, cut at the array's edges.

    Example:
        >>> [(i[0].start, i[0].stop, o[0].start, o[0].stop) for i, o in windows((5,), (3,), (1,))]
        [(0, 3, 0, 4), (3, 5, 2, 5)]
    """
    before = tuple(slice(0, n) for n in shape[: len(shape) - len(tile)])
    space = shape[len(shape) - len(tile) :]
    counts = [range(math.ceil(n / size)) for n, size in zip(space, tile, strict=True)]
    for index in itertools.product(*counts):
        starts = [i * size for i, size in zip(index, tile, strict=True)]
        stops = [min(start + size, n) for start, size, n in zip(starts, tile, space, strict=True)]
        inner = tuple(slice(a, b) for a, b in zip(starts, stops, strict=True))
        outer = tuple(
            slice(max(a - h, 0), min(b + h, n)) for a, b, h, n in zip(starts, stops, halos, space, strict=True)
        )
        yield before + inner, before + outer


def within(inner: Window, outer: Window) -> Window:
    """Where the inner part lies in what was read with the halo.

    Example:
        >>> within((slice(3, 5),), (slice(2, 6),))
        (slice(1, 3, None),)
    """
    return tuple(slice(i.start - o.start, i.stop - o.start) for i, o in zip(inner, outer, strict=True))
