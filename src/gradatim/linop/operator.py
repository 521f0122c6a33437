"""What a linear map is: apply, adjoint, composition, sum, norm."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, is_dataclass
from typing import Any

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.seeds import generator
from gradatim.linop.lanczos import eigenvalue_bound
from gradatim.linop.tracing import transforming, watched

Shape = tuple[int, ...]
Map = Callable[[Tensor], Tensor]


class LinearOperator(ABC):
    """A linear map A with its exact adjoint A*, ⟨A x, y⟩ = ⟨x, A* y⟩.

    A acts on the trailing axes, which must equal ``domain_shape``; every axis before them is batch. It
    works in the precision and on the device of its input, and on complex input as on real input.

    Applying is differentiable to any order, in reverse and in forward mode, and under ``torch.func``
    (``grad``, ``jvp``, ``vmap``, ``hessian``): the backward of A is A*, that of A* is A, and A is its own
    derivative. Gradients flow also to the tensors that an operator is made of (weights, a symbol, coil
    maps), if they require one; then autograd records the operator's own arithmetic.

    A subclass gives the two shapes and the two private methods, and an analytic ``norm_bound`` where one is
    known. If it holds tensors, its private methods must be made of steps that autograd can follow whenever
    :func:`gradatim.linop.tracing.watched` says so of one of them; otherwise they may write into buffers.

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
        return self._run(x, self._forward, self._adjoint)

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
        return self._run(y, self._adjoint, self._forward)

    def _run(self, x: Tensor, there: Map, back: Map) -> Tensor:
        if (watched(x) or transforming()) and not any(watched(t) for t in _tensors(self)):
            return _Differentiable.apply(x, there, back)
        return there(x)

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
        # a real start serves complex operators too: it has a part along every singular vector
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

    def norm_bound(self) -> float:
        """An upper bound of ‖A‖, from which a step size is safe without a margin.

        Analytic where a member knows better. Otherwise from a Lanczos iteration on A*A in float64, with the
        guarantee of :func:`gradatim.linop.lanczos.eigenvalue_bound`: at most 1.06·‖A‖, and below ‖A‖ with a
        probability under 1e-9. Computed anew at each call, on the device of the operator's tensors.

        Returns:
            The bound, 0 for the zero operator; not differentiable.
        """
        device = next((t.device for t in _tensors(self)), torch.device("cpu"))
        with torch.no_grad():
            largest = eigenvalue_bound(lambda x: self.adjoint(self.apply(x)), self.domain_shape, device=device)
        return math.sqrt(largest)


class _Differentiable(torch.autograd.Function):
    """The operator as autograd sees it: the backward is the other half of the pair."""

    @staticmethod
    def forward(x: Tensor, there: Map, back: Map) -> Tensor:
        return there(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Map, Map], output: Tensor) -> None:
        x, ctx.there, ctx.back = inputs
        ctx.real = not x.is_complex()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        found = _Differentiable.apply(gradients[0], ctx.back, ctx.there)
        # real x in a complex space: its gradient is what of A*g lies in the real subspace
        return (found.real if ctx.real and found.is_complex() else found), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *_: None) -> Tensor:
        return _Differentiable.apply(tangent, ctx.there, ctx.back)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int, None, None], x: Tensor, there: Map, back: Map) -> tuple[Tensor, int]:
        return _Differentiable.apply(x.movedim(in_dims[0], 0), there, back), 0


def _tensors(part: object) -> Iterator[Tensor]:
    """The tensors that an operator is made of, those of its parts included."""
    if isinstance(part, Tensor):
        yield part
    elif isinstance(part, LinearOperator) or is_dataclass(part):
        for field in vars(part).values():
            yield from _tensors(field)
    elif isinstance(part, tuple | list):
        for item in part:
            yield from _tensors(item)


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

    def norm_bound(self) -> float:
        return self.operator.norm_bound()


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

    def norm_bound(self) -> float:
        return self.outer.norm_bound() * self.inner.norm_bound()


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

    def norm_bound(self) -> float:
        return self.first.norm_bound() + self.second.norm_bound()


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

    def norm_bound(self) -> float:
        return abs(self.factor) * self.operator.norm_bound()
