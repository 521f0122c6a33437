"""An objective with penalties on its unknowns: what other tools call weight decay."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.solve.evaluate import Objective


@dataclass(frozen=True, eq=False)
class Penalised:
    """F(θ) = f(θ) + λ₁‖θ‖₁ + ½λ₂‖θ‖², an objective for any method.

    A smooth method on F with λ₂ does what torch.optim does with ``weight_decay=λ₂``, step for step, and its
    history shows the objective that is being minimised. The gradient of |θ| at 0 is taken as 0, and so a smooth
    method leaves small numbers where λ₁ asks for zeros; :class:`Fista` with an :class:`L1` term gives the zeros.

    Args:
        objective: f, θ → a real scalar.
        l1: λ₁ ≥ 0, unit of f per unit of θ.
        l2: λ₂ ≥ 0, unit of f per squared unit of θ.

    Raises:
        UsageError: GD-101 if a weight is negative or not finite.

    Example:
        >>> Penalised(lambda x: x.sum(), l1=1.0, l2=2.0)(torch.tensor([-3.0])).item()
        9.0
    """

    objective: Objective
    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        if not all(math.isfinite(weight) and weight >= 0 for weight in (self.l1, self.l2)):
            raise UsageError(
                "GD-101", given=f"weights {self.l1} and {self.l2}", allowed="finite numbers ≥ 0", do="check λ"
            )

    def __call__(self, theta: Tensor) -> Tensor:
        """F(θ)."""
        size = theta.abs()
        return self.objective(theta) + self.l1 * size.sum() + 0.5 * self.l2 * torch.sum(size * size)
