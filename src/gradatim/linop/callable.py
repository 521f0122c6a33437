"""Anybody's pair of functions as an operator, once it is shown to be a pair."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.seeds import generator
from gradatim.linop.operator import LinearOperator
from gradatim.linop.tracing import transforming, watched

Map = Callable[[Tensor], Tensor]
Shape = tuple[int, ...]

MOST_MISMATCH = 1e-5
"""What single precision leaves between a map and its adjoint, with room; a wrong adjoint is far above."""


@dataclass(frozen=True, eq=False)
class Callables(LinearOperator):
    """The operator that :func:`from_callable` makes; its ``norm_bound`` is the generic one.

    Args:
        there: x → A x for one x of shape ``domain``.
        back: y → A* y for one y of shape ``codomain``.
        domain: shape of x.
        codomain: shape of A x.
        tensors: what ``there`` and ``back`` are made of, for its gradients.
    """

    there: Map
    back: Map
    domain: Shape
    codomain: Shape
    tensors: tuple[Tensor, ...] = ()

    @property
    def domain_shape(self) -> Shape:
        return self.domain

    @property
    def codomain_shape(self) -> Shape:
        return self.codomain

    def _forward(self, x: Tensor) -> Tensor:
        return self._each(self.there, x, self.domain, self.codomain)

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._each(self.back, y, self.codomain, self.domain)

    def _each(self, one: Map, x: Tensor, given: Shape, expected: Shape) -> Tensor:
        if not any(watched(t) for t in self.tensors):
            x = x.detach()  # NumPy takes no tensor that still asks for a gradient
        batch = x.shape[: x.ndim - len(given)]
        images = [one(item) for item in x.reshape(-1, *given).unbind(0)]
        for image in images:
            if tuple(image.shape) != expected:
                raise UsageError(
                    "GD-103",
                    given=f"a function that makes {tuple(image.shape)} of {given}",
                    allowed=f"the shape {expected}",
                    do="check domain_shape and codomain_shape",
                )
        return torch.stack(images).reshape(*batch, *expected) if images else x.new_zeros((*batch, *expected))


def from_callable(
    forward: Map,
    adjoint: Map,
    *,
    domain_shape: Shape,
    codomain_shape: Shape,
    tensors: tuple[Tensor, ...] = (),
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> LinearOperator:
    """A linear operator from two functions, whatever library they come from.

    The functions get and give one tensor without batch axes; batches are a loop over them. They may leave
    torch inside (NumPy, another package): the gradient of A is A*, so autograd need not see their steps.
    The pair is checked once, on a random probe, by :func:`check_adjoint`, except within a transform of
    ``torch.func``, where values cannot be looked at.

    Args:
        forward: x → A x, linear.
        adjoint: y → A* y, with ⟨A x, y⟩ = ⟨x, A* y⟩ (the conjugate transpose where values are complex).
        domain_shape: of x.
        codomain_shape: of A x.
        tensors: the tensors inside the functions to which gradients are to flow; then both functions must
            be made of torch's steps.
        dtype: of the probe; a complex one for functions that take only complex values.
        device: of the probe.

    Raises:
        UsageError: GD-110 if the functions are no adjoint pair; GD-103 if their shapes are not those given.

    Example:
        >>> flip = from_callable(lambda x: x.flip(0), lambda y: y.flip(0), domain_shape=(3,), codomain_shape=(3,))
        >>> flip.apply(torch.tensor([1.0, 2.0, 3.0])).tolist()
        [3.0, 2.0, 1.0]
    """
    operator = Callables(forward, adjoint, domain_shape, codomain_shape, tensors)
    if not transforming():
        check_adjoint(operator, dtype=dtype, device=device)
    return operator


def adjoint_mismatch(
    operator: LinearOperator,
    *,
    seed: int | torch.Generator = 0,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> float:
    """How far an operator's ``adjoint`` B is from the adjoint of its ``apply`` A, on one random probe.

    With x and y random, the larger of |⟨A x, y⟩ − ⟨x, B y⟩| / (‖A x‖·‖y‖) and, for x = B y, the same
    relative to ‖B y‖²: random vectors in many dimensions are nearly orthogonal, so the first alone would
    hardly see a wrong factor.

    Args:
        operator: A with its B.
        seed: of the probe.
        dtype: of the probe; y is complex wherever A x is.
        device: where to compute.

    Returns:
        About 1e-15 for an exact pair in float64, of the order of 1 for a wrong one; inf where a result is
        not finite.

    Example:
        >>> from gradatim.linop.difference import Gradient
        >>> adjoint_mismatch(Gradient((8, 8), (1.0, 0.5))) < 1e-14
        True
    """
    draw = generator(seed, device)
    with torch.no_grad():
        x = torch.randn(operator.domain_shape, generator=draw, dtype=dtype, device=device)
        image = operator.apply(x)
        kind = dtype.to_complex() if image.is_complex() else dtype
        y = torch.randn(operator.codomain_shape, generator=draw, dtype=kind, device=device)
        back = operator.adjoint(y)
        again = operator.apply(back)
        apart, along = _inner(image, y) - _inner(x, back), _inner(again, y) - _inner(back, back)
    if not back.is_complex():  # a real domain: of the complex codomain only real products count
        apart, along = complex(apart.real), complex(along.real)
    scales = (_length(image) * _length(y), max(_length(back) ** 2, _length(again) * _length(y)))
    found = max(_ratio(abs(apart), scales[0]), _ratio(abs(along), scales[1]))
    return found if math.isfinite(found) else math.inf


def check_adjoint(
    operator: LinearOperator,
    *,
    tolerance: float = MOST_MISMATCH,
    seed: int | torch.Generator = 0,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> None:
    """Refuses an operator whose ``adjoint`` is not the adjoint of its ``apply``.

    Args:
        operator: any.
        tolerance: largest :func:`adjoint_mismatch` that passes; the default lets single precision pass.
        seed: of the probe.
        dtype: of the probe.
        device: where to compute.

    Raises:
        UsageError: GD-110 if the mismatch is larger.
    """
    mismatch = adjoint_mismatch(operator, seed=seed, dtype=dtype, device=device)
    if mismatch > tolerance:
        raise UsageError(
            "GD-110",
            given=f"a pair with ⟨A x, y⟩ and ⟨x, A* y⟩ {mismatch:.2g} apart, relatively",
            allowed=f"at most {tolerance:g}",
            do="check linearity, factors, conjugates and borders of the two functions",
        )


def _inner(a: Tensor, b: Tensor) -> complex:
    kind = torch.complex128 if a.is_complex() or b.is_complex() else torch.float64
    return complex(torch.vdot(b.to(kind).flatten(), a.to(kind).flatten()))


def _length(x: Tensor) -> float:
    return float(torch.linalg.vector_norm(x.to(torch.complex128 if x.is_complex() else torch.float64)))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else (0.0 if part == 0 else math.inf)
