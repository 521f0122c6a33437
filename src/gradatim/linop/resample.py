"""From one grid to another of any size over the same field of view, each axis by its own small matrix."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.operator import LinearOperator

CUBIC = -0.5
"""Keys' parameter a, the only one that reproduces quadratics."""

Weights = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Resample(LinearOperator):
    """y = (W₁ ⊗ W₂ ⊗ …) x for images of an *intensive* quantity: rows of every Wᵢ sum to 1.

    Both grids share their outer faces: voxel i of n has its centre at (i + ½)/n of the field of view. So
    flat images stay flat, and the adjoint keeps totals: ``Resample.area(new, old).H`` takes an *extensive*
    quantity (amounts a voxel) from the old grid to the new one.

    Make one by :meth:`area`, which goes to coarser grids without alias; :meth:`linear` or :meth:`cubic`,
    which go to finer ones smoothly. Going to coarser ones, both widen their kernel by the ratio, so that
    every voxel counts.

    Args:
        matrices: Wᵢ, (new size, old size) of each axis, float64. Gradients flow to them if they require them.

    Raises:
        UsageError: GD-103 if they are not matrices.

    Example:
        >>> Resample.area((4,), (2,)).apply(torch.tensor([1.0, 3.0, 5.0, 5.0])).tolist()
        [2.0, 5.0]
    """

    matrices: tuple[Tensor, ...]

    def __post_init__(self) -> None:
        if not self.matrices or any(matrix.ndim != 2 for matrix in self.matrices):
            raise UsageError(
                "GD-103",
                given=f"parts of shapes {[tuple(matrix.shape) for matrix in self.matrices]}",
                allowed="one matrix (new size, old size) an axis",
                do="make them by Resample.area, linear or cubic",
            )

    @classmethod
    def area(cls, shape: tuple[int, ...], new_shape: tuple[int, ...]) -> "Resample":
        """Each new voxel is the mean over its extent of an image that is constant in each old voxel.

        Raises:
            UsageError: GD-103 if the numbers of axes differ; GD-101 if a size is below 1.

        Example:
            >>> Resample.area((3,), (2,)).apply(torch.tensor([0.0, 3.0, 6.0])).tolist()
            [1.0, 5.0]
        """
        return cls(tuple(_overlaps(n, m) for n, m in _sizes(shape, new_shape)))

    @classmethod
    def linear(cls, shape: tuple[int, ...], new_shape: tuple[int, ...]) -> "Resample":
        """Interpolation by the hat 1 − |t|; beyond the outermost centres their value is kept.

        Raises:
            UsageError: GD-103 if the numbers of axes differ; GD-101 if a size is below 1.

        Example:
            >>> Resample.linear((2,), (4,)).apply(torch.tensor([0.0, 4.0])).tolist()
            [0.0, 1.0, 3.0, 4.0]
        """
        return cls(tuple(_interpolation(n, m, _hat, 1) for n, m in _sizes(shape, new_shape)))

    @classmethod
    def cubic(cls, shape: tuple[int, ...], new_shape: tuple[int, ...]) -> "Resample":
        """Interpolation by Keys' cubic, which reproduces quadratics; overshoots at edges.

        Raises:
            UsageError: GD-103 if the numbers of axes differ; GD-101 if a size is below 1.

        Source:
            Keys, IEEE Trans Acoust 29:1153-1160, 1981.

        Example:
            >>> squares = torch.arange(8.0).square()
            >>> Resample.cubic((8,), (16,)).apply(squares)[7].item() == (3.5 - 0.25) ** 2
            True
        """
        return cls(tuple(_interpolation(n, m, _keys, 2) for n, m in _sizes(shape, new_shape)))

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return tuple(matrix.shape[1] for matrix in self.matrices)

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return tuple(matrix.shape[0] for matrix in self.matrices)

    def norm_bound(self) -> float:
        """The product of the matrices' largest singular values, which is the norm."""
        return math.prod(float(torch.linalg.matrix_norm(matrix.detach(), 2)) for matrix in self.matrices)

    def _forward(self, x: Tensor) -> Tensor:
        return _along_axes(self.matrices, x)

    def _adjoint(self, y: Tensor) -> Tensor:
        return _along_axes(tuple(matrix.mT for matrix in self.matrices), y)


def _along_axes(matrices: tuple[Tensor, ...], x: Tensor) -> Tensor:
    if not (x.is_floating_point() or x.is_complex()):  # whole numbers must not round the matrices to theirs
        x = x.to(torch.get_default_dtype())
    first = x.ndim - len(matrices)
    # growing axes last, so that the arrays between stay small
    for i in sorted(range(len(matrices)), key=lambda i: matrices[i].shape[0] / matrices[i].shape[1]):
        matrix = matrices[i].to(device=x.device, dtype=x.dtype)
        after = math.prod(x.shape[first + i + 1 :])
        flat = x.reshape(-1, matrix.shape[1], after)
        found = (flat[..., 0] @ matrix.mT) if after == 1 else matrix @ flat
        x = found.reshape(*x.shape[: first + i], matrix.shape[0], *x.shape[first + i + 1 :])
    return x


def _sizes(shape: tuple[int, ...], new_shape: tuple[int, ...]) -> list[tuple[int, int]]:
    if len(shape) != len(new_shape):
        raise UsageError(
            "GD-103", given=f"grids {shape} and {new_shape}", allowed="as many axes", do="check the new shape"
        )
    if min(*shape, *new_shape) < 1:
        raise UsageError(
            "GD-101", given=f"grids {shape} and {new_shape}", allowed="sizes ≥ 1", do="check the new shape"
        )
    return list(zip(shape, new_shape, strict=True))


def _overlaps(old: int, new: int) -> Tensor:
    """Share of each new voxel that lies in each old one."""
    edges, new_edges = torch.arange(old + 1) * new, torch.arange(new + 1) * old  # in common whole units
    near = torch.maximum(edges[:-1], new_edges[:-1, None])
    far = torch.minimum(edges[1:], new_edges[1:, None])
    return (far - near).clamp(min=0).double() / old


def _interpolation(old: int, new: int, weights: Weights, reach: int) -> Tensor:
    """Weights of the old centres at the new ones; what would lie outside counts for the outermost voxel."""
    width = max(old / new, 1.0)
    at = (torch.arange(new, dtype=torch.float64) + 0.5) * (old / new) - 0.5
    taps = torch.arange(-math.ceil(reach * width), math.ceil(reach * width) + 2)
    places = at.floor().long()[:, None] + taps
    values = weights((places - at[:, None]) / width)
    values = values / values.sum(dim=1, keepdim=True)
    matrix = torch.zeros(new, old, dtype=torch.float64)
    return matrix.scatter_add_(1, places.clamp(0, old - 1), values)


def _hat(t: Tensor) -> Tensor:
    return (1.0 - t.abs()).clamp(min=0.0)


def _keys(t: Tensor) -> Tensor:
    t = t.abs()
    near = ((CUBIC + 2.0) * t - (CUBIC + 3.0)) * t.square() + 1.0
    far = CUBIC * (((t - 5.0) * t + 8.0) * t - 4.0)
    return torch.where(t <= 1.0, near, torch.where(t < 2.0, far, 0.0))
