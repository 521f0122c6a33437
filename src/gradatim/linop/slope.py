"""An image stacked with its slope: the unknown of total generalised variation, and the maps on it."""

import math
from dataclasses import dataclass

from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.difference import Gradient, Shape, Spacing
from gradatim.linop.operator import LinearOperator


@dataclass(frozen=True, eq=False)
class ValuePart(LinearOperator):
    """(x, s) → x, the image out of a stack of image and slope.

    ``A @ ValuePart(shape)`` lets an operator A of images act on the stack, and ``ValuePart(shape).adjoint(x)``
    is the stack (x, 0).

    Args:
        shape: of the image; d axes.

    Returns (apply):
        (..., x, y, z) from (..., 1 + d, x, y, z).

    Example:
        >>> import torch
        >>> ValuePart((2, 2)).apply(torch.arange(3.0)[:, None, None].expand(3, 2, 2)).tolist()
        [[0.0, 0.0], [0.0, 0.0]]
    """

    shape: Shape

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return (1 + len(self.shape), *self.shape)

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return self.shape

    def _forward(self, x: Tensor) -> Tensor:
        return x.select(-len(self.shape) - 1, 0).clone()  # a view of the input must not leave an autograd function

    def _adjoint(self, y: Tensor) -> Tensor:
        axes = len(self.shape)
        out = y.new_zeros((*y.shape[: y.ndim - axes], *self.domain_shape))
        out.select(-axes - 1, 0).copy_(y)
        return out

    def norm_bound(self) -> float:
        return 1.0


@dataclass(frozen=True, eq=False)
class SlopePart(LinearOperator):
    """(x, s) → s, the slope out of a stack of image and slope.

    Args:
        shape: of the image; d axes.

    Returns (apply):
        (..., d, x, y, z) from (..., 1 + d, x, y, z).

    Example:
        >>> import torch
        >>> SlopePart((2, 2)).apply(torch.arange(3.0)[:, None, None].expand(3, 2, 2))[:, 0, 0].tolist()
        [1.0, 2.0]
    """

    shape: Shape

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return (1 + len(self.shape), *self.shape)

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return (len(self.shape), *self.shape)

    def _forward(self, x: Tensor) -> Tensor:
        return x.narrow(-len(self.shape) - 1, 1, len(self.shape)).clone()

    def _adjoint(self, y: Tensor) -> Tensor:
        axes = len(self.shape)
        out = y.new_zeros((*y.shape[: y.ndim - axes - 1], *self.domain_shape))
        out.narrow(-axes - 1, 1, axes).copy_(y)
        return out

    def norm_bound(self) -> float:
        return 1.0


@dataclass(frozen=True, eq=False)
class SlopeMismatch(LinearOperator):
    """(x, s) → ∇x − s/ℓ, by how much the slope in the stack is not that of the image.

    s is the change of x over the length ℓ, so that both parts have one unit, whatever that of lengths is; ∇ is
    :class:`gradatim.linop.difference.Gradient`. ‖(x, s) ↦ ∇x − s/ℓ‖² = ‖∇‖² + 1/ℓ², which ``norm_bound`` gives.

    Args:
        shape: of the image; d axes.
        spacing: voxel edges, mm, one an axis.
        length: ℓ, mm.

    Returns (apply):
        (..., d, x, y, z) from (..., 1 + d, x, y, z), unit of x per mm.

    Raises:
        UsageError: GD-103 if shape and spacing differ in length; GD-101 if a length is not positive and finite.

    Example:
        >>> import torch
        >>> ramp = torch.arange(4.0)[:, None].expand(4, 2)
        >>> stack = torch.stack([ramp, torch.ones(4, 2), torch.zeros(4, 2)])
        >>> SlopeMismatch((4, 2), (1.0, 1.0), 2.0).apply(stack)[0, :, 0].tolist()
        [0.5, 0.5, 0.5, -0.5]
    """

    shape: Shape
    spacing: Spacing
    length: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.length) and self.length > 0):
            raise UsageError("GD-101", given=f"length {self.length}", allowed="> 0 mm", do="take the mean voxel edge")
        Gradient(self.shape, self.spacing)  # refuses what is no spacing

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return (1 + len(self.shape), *self.shape)

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return (len(self.shape), *self.shape)

    def _forward(self, x: Tensor) -> Tensor:
        axes = len(self.shape)
        image, slope = x.select(-axes - 1, 0), x.narrow(-axes - 1, 1, axes)
        return Gradient(self.shape, self.spacing).apply(image).sub_(slope, alpha=1.0 / self.length)

    def _adjoint(self, y: Tensor) -> Tensor:
        axes = len(self.shape)
        out = y.new_empty((*y.shape[: y.ndim - axes - 1], *self.domain_shape))
        out.select(-axes - 1, 0).copy_(Gradient(self.shape, self.spacing).adjoint(y))
        out.narrow(-axes - 1, 1, axes).copy_(y).mul_(-1.0 / self.length)
        return out

    def norm_bound(self) -> float:
        return math.hypot(Gradient(self.shape, self.spacing).norm_bound(), 1.0 / self.length)
