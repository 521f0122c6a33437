"""Background removal by solving Laplace's equation inside the mask."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.base.nouns import FieldMap
from gradatim.linop.operator import LinearOperator
from gradatim.qsm.unwrap_space import bounding_box, restore
from gradatim.solve.conjugate_gradient import ConjugateGradient
from gradatim.solve.solution import Solution, Stop
from gradatim.solve.stopping import IterationBound, SmallResidual, StoppingRule


@dataclass(frozen=True, eq=False)
class LocalField:
    """A field without its background.

    Args:
        field: the local field; its mask is what the method kept.
        solution: how the iteration ended, None for a direct method.
    """

    field: FieldMap
    solution: Solution | None = None


@dataclass(frozen=True)
class LaplacianBoundaryValue:
    """Removes the background as the harmonic function that agrees with the field on the mask's rim.

    Sources outside the mask make a field with ∇²h = 0 inside it. Voxels of the mask with a face neighbour
    outside are the rim; there h = f − ``rim``, and inside Σᵢ (h(r+eᵢ) − 2h(r) + h(r−eᵢ))/hᵢ² = 0 (seven
    points, anisotropic voxels). The local field is f − h on the mask without its rim. With ``rim`` = 0 this
    is the published method, which assumes that tissue makes no field at the rim; a prediction of the local
    field there, from a susceptibility map, mends that assumption
    (:class:`gradatim.qsm.two_pass.TwoPass`).

    B0 plays no part: a harmonic field is harmonic at any orientation. The standard error is passed on as it
    is; errors at the rim, which spread inward as a smooth field, are not in it. Differentiable in ``total``
    and ``rim``: the gradient solves the same system once more.

    Args:
        rule: when the conjugate gradients stop.

    Raises:
        InputError: GD-601 if the mask has no voxel inside its rim; GD-603 if the field is not finite inside it.

    Source:
        Zhou et al., NMR Biomed 27:312 (2014).

    Example:
        >>> from gradatim.base.grid import Grid
        >>> x = torch.linspace(-1.0, 1.0, 12).reshape(12, 1, 1).expand(12, 12, 12).contiguous()
        >>> everywhere = torch.ones(12, 12, 12, dtype=torch.bool)
        >>> linear = FieldMap(x, torch.zeros_like(x), everywhere, 3.0, Grid((12, 12, 12), (1.0, 1.0, 1.0)))
        >>> bool(LaplacianBoundaryValue()(linear).field.field.abs().max() < 1e-4)
        True
    """

    rule: StoppingRule = field(default=IterationBound(400) | SmallResidual(1e-5))

    def __call__(self, total: FieldMap, *, rim: Tensor | None = None) -> LocalField:
        """Remove the background.

        Args:
            total: field in Hz.
            rim: (x, y, z), Hz, local field expected on the rim; zero by default.

        Returns:
            The local field on the mask without its rim.
        """
        box = bounding_box(total.mask)
        mask = torch.nn.functional.pad(total.mask[box], (1, 1, 1, 1, 1, 1))
        inner = _inner(mask)
        if not bool(inner.any()):
            raise InputError(
                "GD-601",
                given=f"a mask of {int(mask.sum())} voxels, all of them on its rim",
                allowed="a mask at least three voxels thick",
                do="give a larger mask",
            )
        values = torch.nn.functional.pad(total.field[box], (1, 1, 1, 1, 1, 1))
        expected = torch.zeros_like(values) if rim is None else torch.nn.functional.pad(rim[box], (1, 1, 1, 1, 1, 1))
        edge = torch.where(mask & ~inner, values - expected, 0.0)
        system = _InnerLaplacian(inner, total.grid.spacing)
        right = -system.stencil(edge)
        solution = ConjugateGradient(self.rule)(
            right.detach(), system=system, start=torch.where(inner, values.detach(), 0.0)
        )
        if solution.reason is Stop.NON_FINITE:
            raise InputError(
                "GD-603", given="a field with non-finite values", allowed="finite values", do="repair the field"
            )
        harmonic = solution.value + self._gradient(right, system)
        local = torch.where(inner, values - harmonic, 0.0)[1:-1, 1:-1, 1:-1]
        kept = restore(inner[1:-1, 1:-1, 1:-1], box, total.grid.shape)
        error = torch.where(kept, total.error, 0.0)
        shape = total.grid.shape
        return LocalField(FieldMap(restore(local, box, shape), error, kept, total.field_strength, total.grid), solution)

    def _gradient(self, right: Tensor, system: "_InnerLaplacian") -> Tensor:
        """Zero, with the derivative of the solution: the system is its own adjoint."""
        carrier = right - right.detach()
        if carrier.requires_grad:
            solve = ConjugateGradient(self.rule)
            carrier.register_hook(lambda upstream: solve(upstream * system.inner, system=system).value)
        return carrier


def _inner(mask: Tensor) -> Tensor:
    """Voxels whose six face neighbours are in the mask too; the mask must not touch the edge."""
    inner = mask.clone()
    for axis in range(3):
        inner &= mask.roll(1, axis) & mask.roll(-1, axis)
    return inner


@dataclass(frozen=True, eq=False)
class _InnerLaplacian(LinearOperator):
    """−∇² by seven points on the inner voxels, zero elsewhere: symmetric and positive definite there."""

    inner: Tensor
    spacing: tuple[float, float, float]

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return tuple(self.inner.shape)

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return tuple(self.inner.shape)

    def stencil(self, x: Tensor) -> Tensor:
        """−∇² x on the inner voxels, with x as it is outside them."""
        out = x * (2.0 * sum(edge**-2 for edge in self.spacing))
        for axis, edge in zip((-3, -2, -1), self.spacing, strict=True):
            size = x.shape[axis] - 1
            out.narrow(axis, 1, size).sub_(x.narrow(axis, 0, size), alpha=edge**-2)
            out.narrow(axis, 0, size).sub_(x.narrow(axis, 1, size), alpha=edge**-2)
        return out * self.inner

    def _forward(self, x: Tensor) -> Tensor:
        return self.stencil(x * self.inner)

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._forward(y)
