"""Editing under a mask: the gradients of one image inside a region, the values of another around it."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.linop.difference import Gradient
from gradatim.linop.operator import LinearOperator
from gradatim.restore.restored import Restored, require_image, require_spacing
from gradatim.solve.conjugate_gradient import ConjugateGradient
from gradatim.solve.stopping import IterationBound, SmallResidual, StoppingRule

RULE = IterationBound(5000) | SmallResidual(1e-6)


@dataclass(frozen=True)
class SeamlessEdit:
    """Puts a source into a target without a seam: min Σ |∇x − ∇source|² over a region, x = target outside of it.

    The seam's step is spread over the region as a harmonic function, Δx = Δsource inside with the target's values on
    the border. A constant or any harmonic offset of the source does not matter, so light and ground colour are the
    target's. With a flat source the region is filled by the smoothest membrane. The picture's own edge is a free
    border. Solved by conjugate gradients to the relative residual of ``rule``; channels lead and are solved together.

    Args:
        spacing: edges of a pixel or voxel, mm; their number says how many trailing axes are space.
        rule: when the solve ends.

    Raises:
        UsageError: GD-101 for a spacing that is not positive; GD-103 if shapes disagree.
        InputError: GD-660 if values are not finite; GD-663 if the region is empty or is the whole image.

    Source:
        Pérez, Gangnet & Blake, ACM Trans Graph 22:313-318, 2003.

    Example:
        >>> target, source = torch.full((9, 9), 5.0), torch.full((9, 9), 80.0)
        >>> region = torch.zeros(9, 9, dtype=torch.bool); region[3:6, 3:6] = True
        >>> round(float((SeamlessEdit()(target, source=source, region=region).value - 5.0).abs().max()), 4)
        0.0
    """

    spacing: tuple[float, ...] = (1.0, 1.0)
    rule: StoppingRule = field(default=RULE)

    def __post_init__(self) -> None:
        require_spacing(self.spacing)

    def __call__(self, target: Tensor, *, source: Tensor, region: Tensor) -> Restored:
        """Edit.

        Args:
            target: (..., x, y) or (..., x, y, z), the image to change.
            source: of the same shape and unit, the image to take gradients from.
            region: bool, (x, y) or (x, y, z), where.
        """
        gradient = _gradient(target, source, region, self.spacing)
        return _filled(target, region, gradient.apply(source), gradient, self.rule)


@dataclass(frozen=True)
class MixedEdit:
    """As :class:`SeamlessEdit`, but of both images' differences the larger is kept at each step between pixels.

    For sources with holes or transparent parts: where the source is flat, the target's texture shows through.

    Args:
        spacing: edges of a pixel or voxel, mm.
        rule: when the solve ends.

    Raises:
        UsageError: GD-101 for a spacing that is not positive; GD-103 if shapes disagree.
        InputError: GD-660 if values are not finite; GD-663 if the region is empty or is the whole image.

    Source:
        Pérez, Gangnet & Blake, ACM Trans Graph 22:313-318, 2003, section 3.

    Example:
        >>> image = torch.arange(81.0).view(9, 9)
        >>> region = torch.zeros(9, 9, dtype=torch.bool); region[3:6, 3:6] = True
        >>> found = MixedEdit()(image, source=torch.zeros(9, 9), region=region).value
        >>> round(float((found - image).abs().max()), 2)
        0.0
    """

    spacing: tuple[float, ...] = (1.0, 1.0)
    rule: StoppingRule = field(default=RULE)

    def __post_init__(self) -> None:
        require_spacing(self.spacing)

    def __call__(self, target: Tensor, *, source: Tensor, region: Tensor) -> Restored:
        """Edit; arguments as for :class:`SeamlessEdit`."""
        gradient = _gradient(target, source, region, self.spacing)
        here, there = gradient.apply(target), gradient.apply(source)
        return _filled(target, region, torch.where(there.abs() > here.abs(), there, here), gradient, self.rule)


@dataclass(frozen=True, eq=False)
class _Inside(LinearOperator):
    """x → M ∇*∇ M x, the Laplacian of a region with fixed values around it."""

    gradient: Gradient
    mask: Tensor

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.gradient.domain_shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return self.gradient.domain_shape

    def _forward(self, x: Tensor) -> Tensor:
        return self.mask * self.gradient.adjoint(self.gradient.apply(self.mask * x))

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._forward(y)


def _gradient(target: Tensor, source: Tensor, region: Tensor, spacing: tuple[float, ...]) -> Gradient:
    axes = len(spacing)
    for image in (target, source):
        require_image(image, axes)
    shape = tuple(target.shape[target.ndim - axes :])
    if source.shape != target.shape or tuple(region.shape) != shape or region.dtype != torch.bool:
        raise UsageError(
            "GD-103",
            given=f"target {tuple(target.shape)}, source {tuple(source.shape)}, region {tuple(region.shape)}",
            allowed="a source of the target's shape and a bool region of its spatial shape",
            do="crop or pad the source to where it shall stand in the target",
        )
    if not bool(region.any()) or bool(region.all()):
        raise InputError(
            "GD-663",
            given="a region that is empty or the whole image",
            allowed="some pixels inside and some outside",
            do="give True where the source shall stand",
        )
    return Gradient(shape, spacing)


def _filled(target: Tensor, region: Tensor, wanted: Tensor, gradient: Gradient, rule: StoppingRule) -> Restored:
    """The image with the wanted gradient inside the region, in double precision."""
    mask = region.to(torch.float64)
    around = target.double() * (1.0 - mask)
    right = mask * gradient.adjoint(wanted.double() - gradient.apply(around))
    solution = ConjugateGradient(rule)(right, system=_Inside(gradient, mask))
    value = torch.where(region, solution.value.to(target.dtype), target)
    return Restored(value, noise=0.0, solution=solution)
