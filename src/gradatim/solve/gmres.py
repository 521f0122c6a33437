"""Generalised minimal residuals, for linear systems that are not symmetric."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.solve.solution import Progress, Solution, Stop
from gradatim.solve.stopping import IterationBound, SmallResidual, StoppingRule


@dataclass(frozen=True)
class Gmres:
    """Solves M x = b for any square linear M, by the least residual in growing Krylov spaces.

    An orthonormal basis of span{b, M b, M²b, …} is kept; each iteration adds a vector, and x is the point of
    the space with the least ‖b − M x‖. After ``restart`` vectors it begins anew from there. A singular but
    consistent system is solved. Memory: ``restart`` copies of x. Not differentiable.

    Args:
        rule: when to stop; sees ``residual``, ‖b − M x‖/‖b‖.
        restart: vectors that are kept.

    Raises:
        UsageError: GD-101 if ``restart`` < 1.

    Source:
        Saad & Schultz, SIAM J Sci Stat Comput 7:856-869, 1986.

    Example:
        >>> turn = lambda x: torch.stack([x[0] + x[1], x[1] - x[0]])
        >>> found = Gmres()(torch.tensor([2.0, 0.0]), system=turn)
        >>> [round(v, 4) for v in found.value.tolist()], found.iterations
        ([1.0, 1.0], 2)
    """

    rule: StoppingRule = field(default=IterationBound(1000) | SmallResidual(1e-6))
    restart: int = 50

    def __post_init__(self) -> None:
        if self.restart < 1:
            raise UsageError("GD-101", given=f"restart {self.restart}", allowed="at least 1", do="use 50")

    def __call__(self, right: Tensor, *, system: Callable[[Tensor], Tensor]) -> Solution:
        """Solve for x, from zero.

        Args:
            right: b, of any shape, real.
            system: x → M x, of the shape of b.

        Returns:
            The solution, of the shape of b.
        """
        with torch.no_grad():
            scale = float(torch.linalg.vector_norm(right))
            x, history = torch.zeros_like(right), list[Progress]()
            if scale == 0 or not math.isfinite(scale):
                return Solution(x, Stop.RESIDUAL if scale == 0 else Stop.NON_FINITE, 0, ())
            while True:
                residual = right - system(x)
                update, reason = self._cycle(residual, system, scale, history)
                x = x + update
                if reason is not None:
                    return Solution(x, reason, len(history), tuple(history))

    def _cycle(
        self, residual: Tensor, system: Callable[[Tensor], Tensor], scale: float, history: list[Progress]
    ) -> tuple[Tensor, Stop | None]:
        """The best update in one Krylov space, and why to stop after it."""
        length = torch.linalg.vector_norm(residual)
        eps = torch.finfo(residual.dtype).eps
        if float(length) <= eps * scale:
            return torch.zeros_like(residual), Stop.RESIDUAL
        basis = [residual / length]
        H = torch.zeros(self.restart + 1, self.restart, dtype=torch.float64)
        reason, count = None, 0
        while reason is None and count < self.restart:
            image = system(basis[-1])
            size = float(torch.linalg.vector_norm(image))
            for _ in range(2):  # once more, because rounding leaves a part behind
                for i, q in enumerate(basis):
                    part = torch.sum(q * image)
                    H[i, count] += float(part)
                    image = image - part * q
            beyond = torch.linalg.vector_norm(image)
            H[count + 1, count] = float(beyond)
            count += 1
            right = torch.zeros(count + 1, 1, dtype=torch.float64)
            right[0] = float(length)
            weights = torch.linalg.lstsq(H[: count + 1, :count], right, driver="gelsd").solution
            rest = float(torch.linalg.vector_norm(right - H[: count + 1, :count] @ weights)) / scale
            history.append(Progress(change=math.nan, residual=rest))
            reason = self.rule.check(history) if math.isfinite(rest) else Stop.NON_FINITE
            if float(beyond) <= 10.0 * eps * size:  # the space is complete: nothing better exists
                reason = reason or (Stop.RESIDUAL if rest <= 100.0 * eps else Stop.BOUND)
            else:
                basis.append(image / beyond)
        update = torch.zeros_like(residual)
        for w, q in zip(weights.flatten().tolist(), basis, strict=False):
            update = update + w * q
        return update, reason
