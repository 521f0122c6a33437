"""Functions f that an objective is summed from: value, proximal map, conjugate, constants."""

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor


class Function(ABC):
    """A function f of an image or of a vector field, as splitting methods and certificates see it.

    A member gives ``value`` and ``prox``, and whatever else it knows. What it does not know has an honest
    default: no conjugate, not smooth, not strongly convex. Values sum over every axis, batch axes too; weights
    that broadcast give each item of a batch its own. The inner product of complex images is Re⟨a, b⟩.

    Source:
        Parikh & Boyd, Proximal Algorithms, Found Trends Optim 1:127-239, 2014.
    """

    @abstractmethod
    def value(self, u: Tensor) -> Tensor:
        """f(u), a scalar summed in float64, differentiable; inf outside of the domain of f."""

    @abstractmethod
    def prox(self, v: Tensor, step: float | Tensor) -> Tensor:
        """argmin_u f(u) + ‖u − v‖² / (2·step), of the shape of v; ``step`` > 0, a number or a scalar tensor."""

    def conjugate(self, p: Tensor) -> Tensor | None:
        """f*(p) = sup_u ⟨p, u⟩ − f(u), a float64 scalar; None where no closed form is known."""
        return None

    def dual_point(self, p: Tensor) -> Tensor:
        """A point near p where f* is finite; p itself where f* is finite everywhere."""
        return p

    def dual_prox(self, p: Tensor, step: float | Tensor) -> Tensor:
        """The proximal map of f*, by Moreau's identity: p − step·prox_f(p/step, 1/step)."""
        return p - step * self.prox(p / step, 1.0 / step)

    def gradient(self, u: Tensor) -> Tensor:
        """∇f(u) where f is smooth; by automatic differentiation, again differentiable in u, if no member knows better.

        For complex u it is ∂f/∂Re u + i·∂f/∂Im u, the gradient under the inner product Re⟨a, b⟩.
        """
        traced = torch.is_grad_enabled() and u.requires_grad
        with torch.enable_grad():
            at = u if traced else u.detach().requires_grad_()
            (slope,) = torch.autograd.grad(self.value(at), at, create_graph=traced)
        return slope

    @property
    def smoothness(self) -> float:
        """Lipschitz constant of ∇f; inf where f is not smooth."""
        return math.inf

    @property
    def strong_convexity(self) -> float:
        """The largest known μ for which f − ½μ‖·‖² is convex; 0 where none is."""
        return 0.0

    @property
    def constraint(self) -> bool:
        """Whether f only tells what is allowed: 0 there and inf elsewhere."""
        return False

    @property
    def convex(self) -> bool:
        """Whether f is convex; a certificate needs that of every term."""
        return True
