"""What a linear map is: apply, adjoint, composition, sum, norm."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.seeds import generator

Shape = tuple[int, ...]
Map = Callable[[Tensor], Tensor]


class LinearOperator(ABC):
    """A linear map A with its exact adjoint A*, ⟨A x, y⟩ = ⟨x, A* y⟩.

    A acts on the trailing axes, which must equal ``domain_shape``; every axis before them is batch. It
    works in the dtype and on the device of its input. Applying is differentiable to any order: the
    backward of A is A*, and the backward of A* is A. The tensors an operator is made of are constants;
    no gradient flows to them.

    A subclass gives the two shapes and the two private methods, and nothing else.

    Example:
        >>> from gradatim.linop.diagonal import Diagonal
        >>> A = Diagonal(torch.tensor([1.0, 2.0])) @ Diagonal(torch.tensor([3.0, 4.0]))
        >>> A.apply(torch.ones(2)).tolist()
        [3.0, 8.0]
    """

    @property
    @abstractmethod
    def domain_shape(self) -> Shape:
        """Shape of the trailing axes of x."""

    @property
    @abstractmethod
    def codomain_shape(self) -> Shape:
        """Shape of the trailing axes of A x."""

    @abstractmethod
    def _forward(self, x: Tensor) -> Tensor: ...

    @abstractmethod
    def _adjoint(self, y: Tensor) -> Tensor: ...

    def apply(self, x: Tensor) -> Tensor:
        """A x.

        Args:
            x: (..., *domain_shape).

        Returns:
            (..., *codomain_shape).

        Raises:
            UsageError: GD-103 if the trailing axes are not ``domain_shape``.
        """
        _check(self, x, self.domain_shape, "domain")
        return _Differentiable.apply(x, self._forward, self._adjoint)

    def adjoint(self, y: Tensor) -> Tensor:
        """A* y.

        Args:
            y: (..., *codomain_shape).

        Returns:
            (..., *domain_shape).

        Raises:
            UsageError: GD-103 if the trailing axes are not ``codomain_shape``.
        """
        _check(self, y, self.codomain_shape, "codomain")
        return _Differentiable.apply(y, self._adjoint, self._forward)

    @property
    def H(self) -> "LinearOperator":  # noqa: N802 - the letter of every textbook
        """The adjoint as an operator of its own."""
        return Adjoint(self)

    def __matmul__(self, other: "LinearOperator") -> "LinearOperator":
        return Composition(self, other)

    def __add__(self, other: "LinearOperator") -> "LinearOperator":
        return Sum(self, other)

    def __rmul__(self, factor: float) -> "LinearOperator":
        return Scaled(factor, self)

    def norm(
        self,
        *,
        iterations: int = 100,
        tolerance: float = 1e-6,
        seed: int | torch.Generator = 0,
        device: torch.device | str = "cpu",
    ) -> float:
        """Spectral norm ‖A‖ by power iteration on A*A, in float64.

        The estimate rises towards ‖A‖ from below: a step size made from it needs a margin.

        Args:
            iterations: at most this many.
            tolerance: stop when the estimate grows by less than this, relatively.
            seed: of the random start.
            device: where to compute.

        Returns:
            A lower bound of ‖A‖, 0 for the zero operator.
        """
        x = torch.randn(self.domain_shape, generator=generator(seed, device), dtype=torch.float64, device=device)
        with torch.no_grad():
            x /= torch.linalg.vector_norm(x)
            estimate = 0.0
            for _ in range(iterations):
                y = self.apply(x)
                previous, estimate = estimate, float(torch.linalg.vector_norm(y))
                x = self.adjoint(y)
                length = torch.linalg.vector_norm(x)
                if length == 0 or estimate - previous < tolerance * estimate:
                    break
                x = x / length
        return estimate


class _Differentiable(torch.autograd.Function):
    """The operator as autograd sees it: the backward is the other half of the pair."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, there: Map, back: Map) -> Tensor:
        ctx.there, ctx.back = there, back
        return there(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return _Differentiable.apply(gradients[0], ctx.back, ctx.there), None, None


def _check(operator: LinearOperator, x: Tensor, shape: Shape, side: str) -> None:
    if tuple(x.shape[x.ndim - len(shape) :]) != shape:
        raise UsageError(
            "GD-103",
            given=f"a tensor of shape {tuple(x.shape)} for {type(operator).__name__}",
            allowed=f"trailing axes {shape}, its {side}",
            do="bring the tensor and the operator to one grid",
        )


def _require_equal(first: Shape, second: Shape, what: str) -> None:
    if first != second:
        raise UsageError(
            "GD-103", given=f"{what} of shapes {first} and {second}", allowed="equal shapes", do="check the operators"
        )


@dataclass(frozen=True, eq=False)
class Adjoint(LinearOperator):
    """A* as an operator of its own; its adjoint is A.

    Args:
        operator: A.
    """

    operator: LinearOperator

    @property
    def domain_shape(self) -> Shape:
        return self.operator.codomain_shape

    @property
    def codomain_shape(self) -> Shape:
        return self.operator.domain_shape

    def _forward(self, x: Tensor) -> Tensor:
        return self.operator.adjoint(x)

    def _adjoint(self, y: Tensor) -> Tensor:
        return self.operator.apply(y)


@dataclass(frozen=True, eq=False)
class Composition(LinearOperator):
    """outer ∘ inner: x → outer(inner(x)), written ``outer @ inner``.

    Args:
        outer: applied last.
        inner: applied first.

    Raises:
        UsageError: GD-103 if the codomain of ``inner`` is not the domain of ``outer``.
    """

    outer: LinearOperator
    inner: LinearOperator

    def __post_init__(self) -> None:
        _require_equal(self.inner.codomain_shape, self.outer.domain_shape, "codomain and domain")

    @property
    def domain_shape(self) -> Shape:
        return self.inner.domain_shape

    @property
    def codomain_shape(self) -> Shape:
        return self.outer.codomain_shape

    def _forward(self, x: Tensor) -> Tensor:
        return self.outer.apply(self.inner.apply(x))

    def _adjoint(self, y: Tensor) -> Tensor:
        return self.inner.adjoint(self.outer.adjoint(y))


@dataclass(frozen=True, eq=False)
class Sum(LinearOperator):
    """first + second.

    Args:
        first: one operator.
        second: another with the same domain and codomain.

    Raises:
        UsageError: GD-103 if domains or codomains differ.
    """

    first: LinearOperator
    second: LinearOperator

    def __post_init__(self) -> None:
        _require_equal(self.first.domain_shape, self.second.domain_shape, "domains")
        _require_equal(self.first.codomain_shape, self.second.codomain_shape, "codomains")

    @property
    def domain_shape(self) -> Shape:
        return self.first.domain_shape

    @property
    def codomain_shape(self) -> Shape:
        return self.first.codomain_shape

    def _forward(self, x: Tensor) -> Tensor:
        return self.first.apply(x) + self.second.apply(x)

    def _adjoint(self, y: Tensor) -> Tensor:
        return self.first.adjoint(y) + self.second.adjoint(y)


@dataclass(frozen=True, eq=False)
class Scaled(LinearOperator):
    """factor · A with a real factor, written ``factor * A``.

    Args:
        factor: a finite real number.
        operator: A.

    Raises:
        UsageError: GD-101 if the factor is not finite.
    """

    factor: float
    operator: LinearOperator

    def __post_init__(self) -> None:
        if not math.isfinite(self.factor):
            raise UsageError("GD-101", given=f"factor {self.factor}", allowed="a finite number", do="check the factor")

    @property
    def domain_shape(self) -> Shape:
        return self.operator.domain_shape

    @property
    def codomain_shape(self) -> Shape:
        return self.operator.codomain_shape

    def _forward(self, x: Tensor) -> Tensor:
        return self.factor * self.operator.apply(x)

    def _adjoint(self, y: Tensor) -> Tensor:
        return self.factor * self.operator.adjoint(y)
