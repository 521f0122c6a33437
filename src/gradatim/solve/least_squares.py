"""Weighted linear least squares by conjugate gradients."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.linop.operator import LinearOperator
from gradatim.solve.solution import Progress, Solution, Stop
from gradatim.solve.stopping import IterationBound, SmallResidual, StoppingRule
from gradatim.solve.weights import inner, squares


@dataclass(frozen=True)
class ConjugateGradientLeastSquares:
    """Minimises ½‖A x − y‖²_W by conjugate gradients on A*W A x = A*W y, never forming A*W A (CGLS).

    Stopped early it regularises: components that A weakens come last. Batch axes are solved together. The
    residual of the history is ‖A*W(y − A x)‖ / ‖A*W y‖. Real or complex; differentiable by unrolling.

    Args:
        rule: when to stop; sees ``change``, ``residual`` and ``misfit``, so ``Discrepancy`` works.

    Raises:
        UsageError: GD-103 if shapes disagree.

    Source:
        Björck, Numerical Methods for Least Squares Problems, SIAM 1996, algorithm 7.4.1.

    Example:
        >>> from gradatim.linop.diagonal import Diagonal
        >>> y, A = torch.tensor([2.0, 9.0]), Diagonal(torch.tensor([1.0, 3.0]))
        >>> [round(v, 4) for v in ConjugateGradientLeastSquares()(y, operator=A).value.tolist()]
        [2.0, 3.0]
    """

    rule: StoppingRule = field(default=IterationBound(200) | SmallResidual(1e-6))

    def __call__(
        self,
        data: Tensor,
        *,
        operator: LinearOperator,
        weights: Tensor | None = None,
        start: Tensor | None = None,
    ) -> Solution:
        """Solve for x.

        Args:
            data: y, (..., *codomain_shape).
            operator: A.
            weights: diagonal of W ≥ 0, inverse variances, broadcasts to y; 1 by default.
            start: first iterate, zero by default.

        Returns:
            The solution x, (..., *domain_shape).
        """
        weights = torch.ones((), dtype=data.dtype.to_real(), device=data.device) if weights is None else weights
        counted = float((weights > 0).expand(data.shape).sum())
        scale = float(torch.linalg.vector_norm(operator.adjoint(weights * data).detach()))
        residual = data if start is None else data - operator.apply(start)
        gradient = operator.adjoint(weights * residual)
        x = torch.zeros_like(gradient) if start is None else start
        direction, squared = gradient, inner(gradient, gradient)
        if not math.isfinite(scale):
            return Solution(x, Stop.NON_FINITE, 0, ())
        if float(squared.detach()) <= (torch.finfo(data.dtype).eps * scale) ** 2:
            return Solution(x, Stop.RESIDUAL, 0, ())
        history: list[Progress] = []
        while True:
            image = operator.apply(direction)
            curvature = torch.sum(weights * squares(image))
            if not float(curvature.detach()) > 0:  # direction in the kernel, or rounding has eaten the curvature
                reason = Stop.RESIDUAL if torch.isfinite(curvature) else Stop.NON_FINITE
                return Solution(x, reason, len(history), tuple(history))
            step = squared / curvature
            x = x + step * direction
            residual = residual - step * image
            gradient = operator.adjoint(weights * residual)
            previous, squared = squared, inner(gradient, gradient)
            history.append(
                Progress(
                    change=_ratio(step * direction, x),
                    residual=float(squared.detach()) ** 0.5 / scale,
                    misfit=(float(torch.sum(weights * squares(residual)).detach()) / max(counted, 1.0)) ** 0.5,
                )
            )
            reason_found = self.rule.check(history)
            if reason_found is not None:
                return Solution(x, reason_found, len(history), tuple(history))
            direction = gradient + (squared / previous) * direction


def _ratio(update: Tensor, x: Tensor) -> float:
    length = float(torch.linalg.vector_norm(x.detach()))
    return float(torch.linalg.vector_norm(update.detach())) / length if length > 0 else 0.0
