"""Gradient, divergence and Laplacian by forward differences on anisotropic grids."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.linop.fft import frequencies, rfftn
from gradatim.linop.operator import LinearOperator
from gradatim.linop.shift_invariant import ShiftInvariant

Shape3 = tuple[int, int, int]
Vector = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Gradient(LinearOperator):
    """Forward differences (x(r + eᵢ) − x(r)) / hᵢ with zero flux through the far faces (Neumann).

    Args:
        shape: (x, y, z).
        spacing: voxel edges hᵢ, mm.

    Returns (apply):
        (..., 3, x, y, z), unit of the input per mm.

    Example:
        >>> ramp = torch.arange(4.0)[:, None, None].expand(4, 2, 2)
        >>> Gradient((4, 2, 2), (2.0, 1.0, 1.0)).apply(ramp)[0, :, 0, 0].tolist()
        [0.5, 0.5, 0.5, 0.0]
    """

    shape: Shape3
    spacing: Vector

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return (3, *self.shape)

    def _forward(self, x: Tensor) -> Tensor:
        out = x.new_zeros((*x.shape[:-3], 3, *self.shape))
        for axis, (part, edge) in enumerate(zip(out.unbind(-4), self.spacing, strict=True)):
            near, far, steps = _steps(x, part, axis - 3)
            torch.sub(far, near, out=steps).mul_(1.0 / edge)
        return out

    def _adjoint(self, y: Tensor) -> Tensor:
        out = y.new_zeros((*y.shape[:-4], *self.shape))
        for axis, (part, edge) in enumerate(zip(y.unbind(-4), self.spacing, strict=True)):
            near, far, steps = _steps(out, part, axis - 3)
            near.sub_(steps, alpha=1.0 / edge)
            far.add_(steps, alpha=1.0 / edge)
        return out


@dataclass(frozen=True, eq=False)
class PeriodicGradient(ShiftInvariant):
    """Forward differences (x(r + eᵢ) − x(r)) / hᵢ on a volume that repeats itself.

    Its Gram operator has the symbol Σᵢ (2 sin(π kᵢ hᵢ) / hᵢ)², so that ‖∇‖² ≤ Σᵢ 4/hᵢ².

    Args:
        shape: (x, y, z).
        spacing: voxel edges hᵢ, mm.

    Returns (apply):
        (..., 3, x, y, z), unit of the input per mm.

    Example:
        >>> ramp = torch.arange(4.0)[:, None, None].expand(4, 2, 2)
        >>> PeriodicGradient((4, 2, 2), (2.0, 1.0, 1.0)).apply(ramp)[0, :, 0, 0].tolist()
        [0.5, 0.5, 0.5, -1.5]
    """

    shape: Shape3
    spacing: Vector

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return (3, *self.shape)

    def _forward(self, x: Tensor) -> Tensor:
        out = x.new_empty((*x.shape[:-3], 3, *self.shape))
        for axis, (part, edge) in enumerate(zip(out.unbind(-4), self.spacing, strict=True)):
            near, far, steps = _steps(x, part, axis - 3)
            torch.sub(far, near, out=steps).mul_(1.0 / edge)
            first, last = x.narrow(axis - 3, 0, 1), x.narrow(axis - 3, self.shape[axis] - 1, 1)
            torch.sub(first, last, out=part.narrow(axis - 3, self.shape[axis] - 1, 1)).mul_(1.0 / edge)
        return out

    def _adjoint(self, y: Tensor) -> Tensor:
        out = y.new_zeros((*y.shape[:-4], *self.shape))
        for axis, (part, edge) in enumerate(zip(y.unbind(-4), self.spacing, strict=True)):
            out.sub_(part, alpha=1.0 / edge)
            _, far, steps = _steps(out, part, axis - 3)
            far.add_(steps, alpha=1.0 / edge)
            out.narrow(axis - 3, 0, 1).add_(part.narrow(axis - 3, self.shape[axis] - 1, 1), alpha=1.0 / edge)
        return out

    def gram_symbol(self, like: Tensor) -> Tensor:
        total = torch.zeros((), dtype=torch.float64, device=like.device)
        for k, edge in zip(frequencies(self.shape, self.spacing, device=like.device), self.spacing, strict=True):
            total = total + (2.0 * torch.sin(math.pi * k * edge) / edge).square()
        return total.to(like.dtype)

    def adjoint_spectrum(self, y: Tensor) -> Tensor:
        return rfftn(self._adjoint(y))

    def forward_from(self, spectrum: Tensor, x: Tensor) -> Tensor:
        return self._forward(x)


@dataclass(frozen=True, eq=False)
class Divergence(LinearOperator):
    """The negative adjoint of a gradient: backward differences, summed over the axes.

    Args:
        gradient: whose boundary and spacing it shares.

    Returns (apply):
        (..., x, y, z) from (..., 3, x, y, z), unit of the input per mm.
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


@dataclass(frozen=True, eq=False)
class Laplacian(LinearOperator):
    """The seven-point Laplacian Δ = div ∘ grad = −∇*∇, self-adjoint and negative.

    Args:
        gradient: whose boundary and spacing it takes; for a periodic one Δ has the symbol
            ``−gradient.gram_symbol``.

    Returns (apply):
        (..., x, y, z), unit of the input per mm².

    Example:
        >>> x2 = torch.arange(5.0).square()[:, None, None].expand(5, 3, 3)
        >>> Laplacian(Gradient((5, 3, 3), (1.0, 1.0, 1.0))).apply(x2)[2, 1, 1].item()
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


def _steps(x: Tensor, part: Tensor, axis: int) -> tuple[Tensor, Tensor, Tensor]:
    """Views of all voxels but the last, all but the first, and the differences between them."""
    size = x.shape[axis]
    return x.narrow(axis, 0, size - 1), x.narrow(axis, 1, size - 1), part.narrow(axis, 0, size - 1)
