"""What a measurement can know before it is made: Fisher information and the Cramér-Rao bound of any model."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError

Model = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class CramerRao:
    """Bound of every unbiased estimate: cov(θ̂) ⪰ F⁻¹, F = Re(Jᴴ J)/σ², J = ∂model/∂θ.

    Noise is Gaussian, independent, of one standard deviation σ in each real channel; complex samples have two. The
    bound is reached by maximum likelihood at high signal-to-noise ratio. It is differentiable in whatever the model
    and σ depend on, so that a protocol can descend on the error it will have.

    Args:
        model: θ (p,) → noise-free samples (n,), real or complex, made of torch operations.

    Raises:
        UsageError: GD-103 if θ or the samples are not vectors; GD-101 if σ is not positive.
        InputError: GD-645 if the samples do not determine all of θ.

    Source:
        Kay, Fundamentals of Statistical Signal Processing I: Estimation Theory, 1993, ch. 3.

    Example:
        >>> times = torch.tensor([0.0, 1.0], dtype=torch.float64)
        >>> line = CramerRao(lambda theta: theta[0] + theta[1] * times)
        >>> line(torch.zeros(2, dtype=torch.float64), sigma=0.1).diagonal().sqrt().tolist()
        [0.1, 0.1414213562373095]
    """

    model: Model

    def __call__(self, theta: Tensor, *, sigma: Tensor | float) -> Tensor:
        """The smallest possible covariance of θ̂, (p, p), in θ's units.

        Args:
            theta: θ, (p,), where the bound is asked for.
            sigma: σ, one number or one for each sample, in the samples' unit.
        """
        information = self.information(theta, sigma=sigma)
        scale = information.detach().diagonal().sqrt()
        unit = information / (scale[:, None] * scale[None, :])
        lowest = torch.linalg.eigvalsh(unit.detach()).amin() if bool(scale.gt(0).all()) else torch.zeros(1)
        if not float(lowest) > 1e-13:
            raise InputError(
                "GD-645",
                given=f"{unit.shape[0]} parameters, their information with an eigenvalue of {float(lowest):.2g}",
                allowed="samples that determine every parameter",
                do="measure at more places, or ask for fewer parameters",
            )
        return torch.linalg.inv(unit) / (scale[:, None] * scale[None, :])

    def information(self, theta: Tensor, *, sigma: Tensor | float) -> Tensor:
        """Fisher's information F, (p, p), in the inverse square of θ's units.

        Args:
            theta: θ, (p,).
            sigma: σ, one number or one for each sample.
        """
        spread = torch.as_tensor(sigma, dtype=theta.dtype, device=theta.device)
        if not bool((spread > 0).all()):
            raise UsageError(
                "GD-101", given="a standard deviation that is not positive", allowed="σ > 0", do="give the noise"
            )
        slope = torch.func.jacfwd(self._parts)(theta)
        if theta.ndim != 1 or slope.ndim != 3:
            raise UsageError(
                "GD-103",
                given=f"θ of shape {tuple(theta.shape)} and a Jacobian of {slope.ndim} axes",
                allowed="a vector θ and a vector of samples",
                do="flatten both",
            )
        weighted = slope / spread.expand(slope.shape[1])[:, None]
        return torch.einsum("cni,cnj->ij", weighted, weighted)

    def _parts(self, theta: Tensor) -> Tensor:
        """Real and imaginary parts of the samples, (1 or 2, n)."""
        samples = self.model(theta)
        return torch.stack([samples.real, samples.imag]) if samples.is_complex() else samples[None]
