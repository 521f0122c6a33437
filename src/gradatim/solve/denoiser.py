"""A denoiser as prior: plug and play."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.solve.function import Function

Denoise = Callable[[Tensor, float | Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Denoiser(Function):
    """A prior known only by what it does to noise: its prox is a denoiser, and its value is NaN.

    If −log of a prior density is f, then the most probable image under white noise of standard deviation σ is
    prox of f at step σ². So prox(v, step) = denoise(v, strength·√step); the weight λ of a term enters as
    σ = strength·√(step·λ).

    No certificate: there need be no f at all, so it counts as not convex, has no conjugate, and a solver with
    it has no objective to report. Where the denoiser contracts (Lipschitz constant below 1 of its residual)
    ADMM and proximal gradients converge to a fixed point.

    Args:
        denoise: (image, σ) → image of the same shape, σ in units of the image; a network, or any callable.
        strength: factor of σ, > 0; larger smooths more.

    Raises:
        UsageError: GD-101 if the strength is not positive; GD-103 if the denoiser changes the shape.

    Source:
        Venkatakrishnan, Bouman & Wohlberg, GlobalSIP 2013; Ryu et al., ICML 2019 (convergence).

    Example:
        >>> Denoiser(lambda image, sigma: image / (1 + sigma**2)).prox(torch.tensor([2.0]), 1.0).tolist()
        [1.0]
    """

    denoise: Denoise
    strength: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.strength) and self.strength > 0):
            raise UsageError("GD-101", given=f"strength {self.strength}", allowed="> 0", do="begin with 1")

    def value(self, u: Tensor) -> Tensor:
        return torch.full((), math.nan, dtype=torch.float64, device=u.device)

    def prox(self, v: Tensor, step: float | Tensor) -> Tensor:
        """The denoised v, σ = strength·√step."""
        found = self.denoise(v, self.strength * step**0.5)
        if found.shape != v.shape:
            raise UsageError(
                "GD-103",
                given=f"a denoiser that makes {tuple(found.shape)} of {tuple(v.shape)}",
                allowed="the same shape",
                do="pad inside the denoiser and crop again",
            )
        return found

    @property
    def convex(self) -> bool:
        return False
