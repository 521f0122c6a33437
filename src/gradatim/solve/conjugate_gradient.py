"""Conjugate gradients for symmetric positive systems."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.operator import LinearOperator
from gradatim.solve.solution import Progress, Solution, Stop
from gradatim.solve.stopping import IterationBound, SmallResidual, StoppingRule
from gradatim.solve.weights import inner


@dataclass(frozen=True)
class ConjugateGradient:
    """Solves S x = b for a self-adjoint, positive (semi-)definite operator S, real or complex.

    Each step minimises ½⟨x, S x⟩ − ⟨b, x⟩ over a growing Krylov space. Batch axes are solved together as
    one block-diagonal system. The residual of the history is ‖b − S x‖ / ‖b‖. Differentiable by unrolling.

    Args:
        rule: when to stop; sees ``change`` and ``residual``.

    Raises:
        UsageError: GD-103 if ``system`` is not square or shapes disagree.

    Source:
        Hestenes & Stiefel, J Res Natl Bur Stand 49:409-436, 1952.

    Example:
        >>> from gradatim.linop.diagonal import Diagonal
        >>> found = ConjugateGradient()(torch.tensor([2.0, 9.0]), system=Diagonal(torch.tensor([1.0, 3.0])))
        >>> [round(v, 4) for v in found.value.tolist()], found.iterations
        ([2.0, 3.0], 2)
    """

    rule: StoppingRule = field(default=IterationBound(200) | SmallResidual(1e-6))

    def __call__(self, right: Tensor, *, system: LinearOperator, start: Tensor | None = None) -> Solution:
        """Solve for x.

        Args:
            right: b, (..., *shape).
            system: S, self-adjoint and positive.
            start: first iterate, zero by default.

        Returns:
            The solution x, (..., *shape).
        """
        if system.domain_shape != system.codomain_shape:
            raise UsageError(
                "GD-103",
                given=f"a system from {system.domain_shape} to {system.codomain_shape}",
                allowed="a square, self-adjoint operator",
                do="solve the normal equations with ConjugateGradientLeastSquares",
            )
        x = torch.zeros_like(right) if start is None else start
        residual = right - system.apply(x)
        scale = float(torch.linalg.vector_norm(right.detach()))
        direction, squared = residual, inner(residual, residual)
        if not math.isfinite(scale):
            return Solution(x, Stop.NON_FINITE, 0, ())
        if scale == 0:  # then the residual has no scale, and zero is the solution from any start
            return Solution(torch.zeros_like(right), Stop.RESIDUAL, 0, ())
        if float(squared.detach()) <= (torch.finfo(right.dtype).eps * scale) ** 2:
            return Solution(x, Stop.RESIDUAL, 0, ())
        history: list[Progress] = []
        while True:
            image = system.apply(direction)
            curvature = inner(direction, image)
            if not float(curvature.detach()) > 0:  # direction in the kernel, or rounding has eaten the curvature
                reason = Stop.RESIDUAL if torch.isfinite(curvature) else Stop.NON_FINITE
                return Solution(x, reason, len(history), tuple(history))
            step = squared / curvature
            x = x + step * direction
            residual = residual - step * image
            previous, squared = squared, inner(residual, residual)
            history.append(_progress(step * direction, x, float(squared.detach()) ** 0.5 / scale))
            reason_found = self.rule.check(history)
            if reason_found is not None:
                return Solution(x, reason_found, len(history), tuple(history))
            direction = residual + (squared / previous) * direction


def _progress(update: Tensor, x: Tensor, residual: float) -> Progress:
    length = float(torch.linalg.vector_norm(x.detach()))
    change = float(torch.linalg.vector_norm(update.detach())) / length if length > 0 else 0.0
    return Progress(change=change, residual=residual)
