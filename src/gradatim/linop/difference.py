"""Gradient, divergence and Laplacian by forward differences, on anisotropic grids of any dimension."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.fft import frequencies, rfftn
from gradatim.linop.operator import LinearOperator
from gradatim.linop.shift_invariant import ShiftInvariant

Shape = tuple[int, ...]
Spacing = tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Gradient(LinearOperator):
    """Forward differences (x(r + eᵢ) − x(r)) / hᵢ with zero flux through the far faces.

    The boundary is Neumann's: the last difference along each axis is 0, as if the image went on unchanged.
    ‖∇‖² = Σᵢ (2 cos(π/2Nᵢ)/hᵢ)², which ``norm_bound`` gives.

    Args:
        shape: of the image, e.g. (x, y) or (x, y, z); d axes.
        spacing: voxel edges hᵢ, mm, one an axis.

    Returns (apply):
        (..., d, x, y, z), unit of the input per mm.

    Raises:
        UsageError: GD-103 if shape and spacing differ in length; GD-101 if an edge is not positive and finite.

    Example:
        >>> ramp = torch.arange(4.0)[:, None].expand(4, 2)
        >>> Gradient((4, 2), (2.0, 1.0)).apply(ramp)[0, :, 0].tolist()
        [0.5, 0.5, 0.5, 0.0]
    """

    shape: Shape
    spacing: Spacing

    def __post_init__(self) -> None:
        require_spacing(self.shape, self.spacing)

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return (len(self.shape), *self.shape)

    def _forward(self, x: Tensor) -> Tensor:
        axes = len(self.shape)
        out = x.new_zeros((*x.shape[: x.ndim - axes], axes, *self.shape))
        for axis, (part, edge) in enumerate(zip(out.unbind(-axes - 1), self.spacing, strict=True)):
            near, far, steps = _steps(x, part, axis - axes)
            torch.sub(far, near, out=steps).mul_(1.0 / edge)
        return out

    def _adjoint(self, y: Tensor) -> Tensor:
        axes = len(self.shape)
        out = y.new_zeros((*y.shape[: y.ndim - axes - 1], *self.shape))
        for axis, (part, edge) in enumerate(zip(y.unbind(-axes - 1), self.spacing, strict=True)):
            near, far, steps = _steps(out, part, axis - axes)
            near.sub_(steps, alpha=1.0 / edge)
            far.add_(steps, alpha=1.0 / edge)
        return out

    def norm_bound(self) -> float:
        return math.sqrt(
            sum((2.0 * math.cos(math.pi / (2 * n)) / h) ** 2 for n, h in zip(self.shape, self.spacing, strict=True))
        )


@dataclass(frozen=True, eq=False)
class PeriodicGradient(ShiftInvariant):
    """Forward differences (x(r + eᵢ) − x(r)) / hᵢ on an image that repeats itself.

    Its Gram operator has the symbol Σᵢ (2 sin(π kᵢ hᵢ) / hᵢ)²; its root's largest value is ``norm_bound``.

    Args:
        shape: of the image, e.g. (x, y) or (x, y, z); d axes.
        spacing: voxel edges hᵢ, mm, one an axis.

    Returns (apply):
        (..., d, x, y, z), unit of the input per mm.

    Raises:
        UsageError: GD-103 if shape and spacing differ in length; GD-101 if an edge is not positive and finite.

    Example:
        >>> ramp = torch.arange(4.0)[:, None].expand(4, 2)
        >>> PeriodicGradient((4, 2), (2.0, 1.0)).apply(ramp)[0, :, 0].tolist()
        [0.5, 0.5, 0.5, -1.5]
    """

    shape: Shape
    spacing: Spacing

    def __post_init__(self) -> None:
        require_spacing(self.shape, self.spacing)

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return (len(self.shape), *self.shape)

    def _forward(self, x: Tensor) -> Tensor:
        axes = len(self.shape)
        out = x.new_empty((*x.shape[: x.ndim - axes], axes, *self.shape))
        for axis, (part, edge) in enumerate(zip(out.unbind(-axes - 1), self.spacing, strict=True)):
            near, far, steps = _steps(x, part, axis - axes)
            torch.sub(far, near, out=steps).mul_(1.0 / edge)
            first, last = x.narrow(axis - axes, 0, 1), x.narrow(axis - axes, self.shape[axis] - 1, 1)
            torch.sub(first, last, out=part.narrow(axis - axes, self.shape[axis] - 1, 1)).mul_(1.0 / edge)
        return out

    def _adjoint(self, y: Tensor) -> Tensor:
        axes = len(self.shape)
        out = y.new_zeros((*y.shape[: y.ndim - axes - 1], *self.shape))
        for axis, (part, edge) in enumerate(zip(y.unbind(-axes - 1), self.spacing, strict=True)):
            out.sub_(part, alpha=1.0 / edge)
            _, far, steps = _steps(out, part, axis - axes)
            far.add_(steps, alpha=1.0 / edge)
            out.narrow(axis - axes, 0, 1).add_(part.narrow(axis - axes, self.shape[axis] - 1, 1), alpha=1.0 / edge)
        return out

    def norm_bound(self) -> float:
        # an odd axis misses the Nyquist frequency, and its highest one is half a step below
        highest = [1.0 if n % 2 == 0 else math.cos(math.pi / (2 * n)) for n in self.shape]
        return math.sqrt(sum((2.0 * c / h) ** 2 for c, h in zip(highest, self.spacing, strict=True)))

    def gram_symbol(self, like: Tensor) -> Tensor:
        total = torch.zeros((), dtype=torch.float64, device=like.device)
        for k, edge in zip(frequencies(self.shape, self.spacing, device=like.device), self.spacing, strict=True):
            total = total + (2.0 * torch.sin(math.pi * k * edge) / edge).square()
        return total.to(like.dtype.to_real())

    def adjoint_spectrum(self, y: Tensor) -> Tensor:
        return rfftn(self.adjoint(y), ndim=len(self.shape))

    def forward_from(self, spectrum: Tensor, x: Tensor) -> Tensor:
        return self.apply(x)


@dataclass(frozen=True, eq=False)
class Divergence(LinearOperator):
    """The negative adjoint of a gradient: backward differences, summed over the axes.

    Args:
        gradient: whose boundary and spacing it shares.

    Returns (apply):
        (..., x, y, z) from (..., d, x, y, z), unit of the input per mm.
    """

    gradient: Gradient | PeriodicGradient

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.gradient.codomain_shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return self.gradient.domain_shape

    def _forward(self, x: Tensor) -> Tensor:
        return self.gradient.adjoint(x).neg()

    def _adjoint(self, y: Tensor) -> Tensor:
        return self.gradient.apply(y).neg()

    def norm_bound(self) -> float:
        return self.gradient.norm_bound()


@dataclass(frozen=True, eq=False)
class Laplacian(LinearOperator):
    """The Laplacian of nearest neighbours, Δ = div ∘ grad = −∇*∇, self-adjoint and negative.

    Seven points in 3-D, five in 2-D; the boundary is the gradient's.

    Args:
        gradient: whose boundary and spacing it takes; for a periodic one Δ has the symbol
            ``−gradient.gram_symbol``.

    Returns (apply):
        (..., x, y, z), unit of the input per mm².

    Example:
        >>> x2 = torch.arange(5.0).square()[:, None].expand(5, 3)
        >>> Laplacian(Gradient((5, 3), (1.0, 1.0))).apply(x2)[2, 1].item()
        2.0
    """

    gradient: Gradient | PeriodicGradient

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.gradient.domain_shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return self.gradient.domain_shape

    def _forward(self, x: Tensor) -> Tensor:
        return self.gradient.adjoint(self.gradient.apply(x)).neg()

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._forward(y)

    def norm_bound(self) -> float:
        return self.gradient.norm_bound() ** 2


def require_spacing(shape: Shape, spacing: Spacing) -> None:
    """One positive, finite edge an axis.

    Raises:
        UsageError: GD-103 if shape and spacing differ in length; GD-101 if an edge is not positive and finite.
    """
    if len(shape) != len(spacing):
        raise UsageError(
            "GD-103",
            given=f"{len(spacing)} voxel edges for the shape {shape}",
            allowed="one an axis",
            do="give an edge for every axis",
        )
    if not all(math.isfinite(h) and h > 0 for h in spacing):
        raise UsageError(
            "GD-101", given=f"voxel edges {spacing}", allowed="positive, finite mm", do="check the image's spacing"
        )


def _steps(x: Tensor, part: Tensor, axis: int) -> tuple[Tensor, Tensor, Tensor]:
    """Views of all voxels but the last, all but the first, and the differences between them."""
    size = x.shape[axis]
    return x.narrow(axis, 0, size - 1), x.narrow(axis, 1, size - 1), part.narrow(axis, 0, size - 1)
