"""The symmetrised gradient of vector fields, the second stage of total generalised variation."""

import math
from dataclasses import dataclass

from torch import Tensor

from gradatim.linop.difference import Gradient, PeriodicGradient, Shape, Spacing, require_spacing
from gradatim.linop.operator import LinearOperator


@dataclass(frozen=True, eq=False)
class SymmetrisedGradient(LinearOperator):
    """E w = (∇w + ∇wᵀ)/2 of a vector field by backward differences, with a free boundary.

    The partner of :class:`gradatim.linop.difference.Gradient`: wᵢ stands where (∇x)ᵢ does, on the face
    between two voxels, and backward differences bring E ∇x back to the voxels, as the matrix of second
    derivatives. A difference that would need a face outside of the image is 0: along an axis of N voxels
    wᵢ has N − 1 faces (the last entry is no face, as in ∇x), and all other components have N. So E ∇x = 0
    for every affine x, up to the edge.

    The d(d+1)/2 components are those on and above the diagonal, row by row: xx, xy, xz, yy, yz, zz. The
    off-diagonal ones carry a factor √2, so that the Euclidean norm over components is the Frobenius norm of
    the matrix, which counts them twice. ``norm_bound`` is the gradient's, since symmetrising only projects.

    Args:
        shape: of the image, e.g. (x, y) or (x, y, z); d axes.
        spacing: voxel edges hᵢ, mm, one an axis.

    Returns (apply):
        (..., d(d+1)/2, x, y, z) from (..., d, x, y, z), unit of the input per mm.

    Raises:
        UsageError: GD-103 if shape and spacing differ in length; GD-101 if an edge is not positive and finite.

    Source:
        Bredies, Kunisch & Pock, SIAM J Imaging Sci 3:492-526, 2010.

    Example:
        >>> import torch
        >>> x = torch.arange(5.0)[:, None] * torch.arange(4.0)
        >>> mixed = SymmetrisedGradient((5, 4), (1.0, 1.0)).apply(Gradient((5, 4), (1.0, 1.0)).apply(x))[1]
        >>> round(mixed[2, 2].item() / math.sqrt(2.0), 6)
        1.0
    """

    shape: Shape
    spacing: Spacing

    def __post_init__(self) -> None:
        require_spacing(self.shape, self.spacing)

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return (len(self.shape), *self.shape)

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return (len(_pairs(len(self.shape))), *self.shape)

    def _forward(self, x: Tensor) -> Tensor:
        out, fields = _vacant(x, self.codomain_shape), x.unbind(-len(self.shape) - 1)
        for part, (i, j) in zip(out.unbind(-len(self.shape) - 1), _pairs(len(self.shape)), strict=True):
            for field, axis, scale in _contributions(i, j, self.spacing):
                near, far, steps = self._views(fields[field], part, axis, field)
                steps.add_(far, alpha=scale).sub_(near, alpha=scale)
        return out

    def _adjoint(self, y: Tensor) -> Tensor:
        out = _vacant(y, self.domain_shape)
        fields = out.unbind(-len(self.shape) - 1)
        for part, (i, j) in zip(y.unbind(-len(self.shape) - 1), _pairs(len(self.shape)), strict=True):
            for field, axis, scale in _contributions(i, j, self.spacing):
                near, far, steps = self._views(fields[field], part, axis, field)
                far.add_(steps, alpha=scale)
                near.sub_(steps, alpha=scale)
        return out

    def norm_bound(self) -> float:
        return Gradient(self.shape, self.spacing).norm_bound()

    def _views(self, source: Tensor, part: Tensor, axis: int, field: int) -> tuple[Tensor, Tensor, Tensor]:
        """Of component ``field`` the faces before and behind, and where their difference along ``axis`` stands."""
        count = max(self.shape[axis] - (2 if field == axis else 1), 0)
        at = axis - len(self.shape)
        return source.narrow(at, 0, count), source.narrow(at, 1, count), part.narrow(at, 1, count)


@dataclass(frozen=True, eq=False)
class PeriodicSymmetrisedGradient(LinearOperator):
    """E w = (∇w + ∇wᵀ)/2 by backward differences on a vector field that repeats itself.

    The partner of :class:`gradatim.linop.difference.PeriodicGradient`. Order and scale of the components are
    those of :class:`SymmetrisedGradient`. ‖E‖ is the norm of the gradient, reached by w = ∇x of the highest
    frequency.

    Args:
        shape: of the image, e.g. (x, y) or (x, y, z); d axes.
        spacing: voxel edges hᵢ, mm, one an axis.

    Returns (apply):
        (..., d(d+1)/2, x, y, z) from (..., d, x, y, z), unit of the input per mm.

    Raises:
        UsageError: GD-103 if shape and spacing differ in length; GD-101 if an edge is not positive and finite.

    Source:
        Bredies, Kunisch & Pock, SIAM J Imaging Sci 3:492-526, 2010.

    Example:
        >>> import torch
        >>> w = torch.zeros(2, 4, 4); w[0, 1] = 1.0
        >>> PeriodicSymmetrisedGradient((4, 4), (0.5, 1.0)).apply(w)[0, :, 0].tolist()
        [0.0, 2.0, -2.0, 0.0]
    """

    shape: Shape
    spacing: Spacing

    def __post_init__(self) -> None:
        require_spacing(self.shape, self.spacing)

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return (len(self.shape), *self.shape)

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return (len(_pairs(len(self.shape))), *self.shape)

    def _forward(self, x: Tensor) -> Tensor:
        out, fields = _vacant(x, self.codomain_shape), x.unbind(-len(self.shape) - 1)
        for part, (i, j) in zip(out.unbind(-len(self.shape) - 1), _pairs(len(self.shape)), strict=True):
            for field, axis, scale in _contributions(i, j, self.spacing):
                source = fields[field]
                part.add_(source, alpha=scale).sub_(source.roll(1, axis - len(self.shape)), alpha=scale)
        return out

    def _adjoint(self, y: Tensor) -> Tensor:
        out = _vacant(y, self.domain_shape)
        fields = out.unbind(-len(self.shape) - 1)
        for part, (i, j) in zip(y.unbind(-len(self.shape) - 1), _pairs(len(self.shape)), strict=True):
            for field, axis, scale in _contributions(i, j, self.spacing):
                fields[field].add_(part, alpha=scale).sub_(part.roll(-1, axis - len(self.shape)), alpha=scale)
        return out

    def norm_bound(self) -> float:
        return PeriodicGradient(self.shape, self.spacing).norm_bound()


def _pairs(axes: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(axes) for j in range(i, axes)]


def _contributions(i: int, j: int, spacing: Spacing) -> list[tuple[int, int, float]]:
    """What component (i, j) sums: of which field the difference, along which axis, times what."""
    if i == j:
        return [(i, i, 1.0 / spacing[i])]
    return [(i, j, math.sqrt(0.5) / spacing[j]), (j, i, math.sqrt(0.5) / spacing[i])]


def _vacant(like: Tensor, shape: Shape) -> Tensor:
    return like.new_zeros((*like.shape[: like.ndim - len(shape)], *shape))
