"""To coarser grids by a whole factor, and back: block means, block sums, and picking every s-th sample."""

import math
from dataclasses import dataclass

from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.operator import LinearOperator


@dataclass(frozen=True)
class BlockMean(LinearOperator):
    """Down-sampling of an *intensive* quantity (concentration, ppm, HU): each coarse voxel is the mean of its block.

    The mean is the anti-alias filter of a detector that integrates over its pixel. Flat images stay flat. The
    adjoint shares a value equally among its block, so it is the up-sampling of an *extensive* quantity, and
    the total stays what it was. ``BlockMean @ BlockSum.H`` is the identity of the coarse grid.

    Args:
        shape: of the fine image, each size a multiple of its factor.
        factors: s, voxels a block, one an axis.

    Raises:
        UsageError: GD-123 if a factor does not divide its size.

    Example:
        >>> import torch
        >>> down = BlockMean((2, 4), (2, 2))
        >>> down.apply(torch.arange(8.0).view(2, 4)).tolist(), down.adjoint(torch.tensor([[4.0, 8.0]])).tolist()
        ([[2.5, 4.5]], [[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0]])
    """

    shape: tuple[int, ...]
    factors: tuple[int, ...]

    def __post_init__(self) -> None:
        _require_blocks(self.shape, self.factors)

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return _coarse(self.shape, self.factors)

    def norm_bound(self) -> float:
        """1/√(voxels a block): the rows are orthogonal."""
        return 1.0 / math.sqrt(math.prod(self.factors))

    def _forward(self, x: Tensor) -> Tensor:
        return _sum(x, self.shape, self.factors) / math.prod(self.factors)

    def _adjoint(self, y: Tensor) -> Tensor:
        return _repeat(y / math.prod(self.factors), self.shape, self.factors)


@dataclass(frozen=True)
class BlockSum(LinearOperator):
    """Down-sampling of an *extensive* quantity (counts, amounts a voxel): each coarse voxel is the sum of its block.

    The total stays. The adjoint repeats a value over its block, so it is the up-sampling of an *intensive*
    quantity (nearest neighbour), and flat images stay flat.

    Args:
        shape: of the fine image, each size a multiple of its factor.
        factors: s, voxels a block, one an axis.

    Raises:
        UsageError: GD-123 if a factor does not divide its size.

    Example:
        >>> import torch
        >>> down = BlockSum((4,), (2,))
        >>> down.apply(torch.arange(4.0)).tolist(), down.adjoint(torch.tensor([4.0, 8.0])).tolist()
        ([1.0, 5.0], [4.0, 4.0, 8.0, 8.0])
    """

    shape: tuple[int, ...]
    factors: tuple[int, ...]

    def __post_init__(self) -> None:
        _require_blocks(self.shape, self.factors)

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return _coarse(self.shape, self.factors)

    def norm_bound(self) -> float:
        """√(voxels a block)."""
        return math.sqrt(math.prod(self.factors))

    def _forward(self, x: Tensor) -> Tensor:
        return _sum(x, self.shape, self.factors)

    def _adjoint(self, y: Tensor) -> Tensor:
        return _repeat(y, self.shape, self.factors)


@dataclass(frozen=True)
class Decimate(LinearOperator):
    """Every s-th sample, x[o + s·m]; the adjoint puts zeros between the samples.

    Alone it aliases. After a blur it is the camera of super-resolution, ``Decimate @ Convolution``, with
    the adjoint of the pair exact. The blur's sum says what is kept: with 1 flat images stay flat, as an
    *intensive* quantity wants.

    Args:
        shape: of the fine image.
        factors: s, one an axis, ≥ 1.
        offsets: o, index of the first sample taken, 0 ≤ o < s; 0 by default.

    Raises:
        UsageError: GD-123 if a factor is below 1, an offset is not below its factor, or nothing is left.

    Example:
        >>> import torch
        >>> Decimate((5,), (2,), (1,)).apply(torch.arange(5.0)).tolist()
        [1.0, 3.0]
    """

    shape: tuple[int, ...]
    factors: tuple[int, ...]
    offsets: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "offsets", self.offsets or (0,) * len(self.shape))
        fits = len(self.shape) == len(self.factors) == len(self.offsets) and all(
            s >= 1 and 0 <= o < min(s, n) for n, s, o in zip(self.shape, self.factors, self.offsets, strict=True)
        )
        if not fits:
            raise UsageError(
                "GD-123",
                given=f"factors {self.factors} and offsets {self.offsets} for an image {self.shape}",
                allowed="one factor ≥ 1 an axis, 0 ≤ offset < factor, within the image",
                do="check the factors",
            )

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return tuple(-(-(n - o) // s) for n, s, o in zip(self.shape, self.factors, self.offsets, strict=True))

    def norm_bound(self) -> float:
        return 1.0

    def _forward(self, x: Tensor) -> Tensor:
        return x[self._places].clone()

    def _adjoint(self, y: Tensor) -> Tensor:
        out = y.new_zeros((*y.shape[: y.ndim - len(self.shape)], *self.shape))
        out[self._places] = y
        return out

    @property
    def _places(self) -> tuple:
        return (..., *(slice(o, None, s) for o, s in zip(self.offsets, self.factors, strict=True)))


def _require_blocks(shape: tuple[int, ...], factors: tuple[int, ...]) -> None:
    if len(shape) != len(factors) or any(s < 1 or n < s or n % s for n, s in zip(shape, factors, strict=True)):
        raise UsageError(
            "GD-123",
            given=f"blocks of {factors} in an image {shape}",
            allowed="one factor ≥ 1 an axis that divides its size",
            do="crop or pad the image to a multiple, or take Resample.area for any ratio",
        )


def _coarse(shape: tuple[int, ...], factors: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n // s for n, s in zip(shape, factors, strict=True))


def _sum(x: Tensor, shape: tuple[int, ...], factors: tuple[int, ...]) -> Tensor:
    split = [size for n, s in zip(shape, factors, strict=True) for size in (n // s, s)]
    return x.reshape(*x.shape[: x.ndim - len(shape)], *split).sum(dim=tuple(range(-2 * len(shape) + 1, 0, 2)))


def _repeat(y: Tensor, shape: tuple[int, ...], factors: tuple[int, ...]) -> Tensor:
    lead = y.shape[: y.ndim - len(shape)]
    thin = [size for n, s in zip(shape, factors, strict=True) for size in (n // s, 1)]
    full = [size for n, s in zip(shape, factors, strict=True) for size in (n // s, s)]
    return y.reshape(*lead, *thin).expand(*lead, *full).reshape(*lead, *shape)
