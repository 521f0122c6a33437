"""The operator of normal equations: what a sum of quadratics has as its Hessian."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.operator import LinearOperator, Shape


@dataclass(frozen=True, eq=False)
class NormalOperator(LinearOperator):
    """S = Σᵢ Kᵢ* Dᵢ Kᵢ with diagonal Dᵢ ≥ 0: self-adjoint and positive semi-definite.

    Args:
        operators: Kᵢ, at least one, of one domain.
        diagonals: Dᵢ, one an operator; a number, or a tensor that broadcasts to Kᵢ x.

    Raises:
        UsageError: GD-101 if there is no operator; GD-103 if the lists differ in length, or the domains.

    Example:
        >>> from gradatim.linop.identity import Identity
        >>> NormalOperator((Identity((2, 2)), Identity((2, 2))), (1.0, 2.0)).apply(torch.ones(2, 2))[0].tolist()
        [3.0, 3.0]
    """

    operators: tuple[LinearOperator, ...]
    diagonals: tuple[float | Tensor, ...]

    def __post_init__(self) -> None:
        if not self.operators:
            raise UsageError("GD-101", given="no operators", allowed="at least one", do="give the terms' operators")
        domains = {operator.domain_shape for operator in self.operators}
        if len(domains) > 1 or len(self.operators) != len(self.diagonals):
            raise UsageError(
                "GD-103",
                given=f"{len(self.operators)} operators on {sorted(domains)}, {len(self.diagonals)} diagonals",
                allowed="one domain, and one diagonal an operator",
                do="pair them",
            )

    @property
    def domain_shape(self) -> Shape:
        return self.operators[0].domain_shape

    @property
    def codomain_shape(self) -> Shape:
        return self.operators[0].domain_shape

    def _forward(self, x: Tensor) -> Tensor:
        total = torch.zeros_like(x)
        for operator, diagonal in zip(self.operators, self.diagonals, strict=True):
            total = total + operator.adjoint(diagonal * operator.apply(x))
        return total

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._forward(y)
