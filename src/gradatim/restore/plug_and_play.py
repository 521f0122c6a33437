"""Any denoiser as prior: half quadratic splitting from strong noise down to that of the data."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.fft import irfftn
from gradatim.linop.identity import Identity
from gradatim.restore.local_cosine import LocalCosine
from gradatim.restore.observation import Observation
from gradatim.restore.prior import Prior, spread
from gradatim.restore.restored import Restored
from gradatim.solve.conjugate_gradient import ConjugateGradient
from gradatim.solve.denoiser import Denoise
from gradatim.solve.normal_operator import NormalOperator
from gradatim.solve.stopping import IterationBound, SmallResidual

STRONGEST = 0.7
"""First strength of the denoiser over the standard deviation of the data; 49 of 255 on a typical photograph."""
WEAKEST = 0.02
"""Last strength at least, in the same unit, where the data have less noise than that."""
INNER = IterationBound(25) | SmallResidual(1e-3)


@dataclass(frozen=True)
class PlugAndPlay(Prior):
    """An image is what a denoiser leaves alone: alternates between the data and a denoiser of falling strength.

    For s from strong down to σ, evenly in log s::

        x ← argmin ‖√W(h*x − y)‖² + a·(σ/s)²·‖x − z‖²
        z ← denoise(x, s)

    The x-step is exact in Fourier space where all is known, else by conjugate gradients. There is no objective, and
    so no certificate and no λ: it is judged by its results, which with :class:`LocalCosine` lie one decibel above
    total variation on photographs.

    Args:
        denoise: (image, σ) → image; a :class:`LocalCosine` of the image's axes, a network, any callable.
        steps: how many strengths, ≥ 2.
        anchor: a > 0, how much the denoised image counts.

    Raises:
        UsageError: GD-101 for fewer than two steps or an anchor that is not positive.

    Source:
        Venkatakrishnan, Bouman & Wohlberg, GlobalSIP 2013; the falling strengths and a = 0.23: Zhang et al., IEEE
        Trans Pattern Anal Mach Intell 44:6360-6376, 2022.

    Example:
        >>> PlugAndPlay().steps
        8
    """

    denoise: Denoise = field(default_factory=LocalCosine)
    steps: int = 8
    anchor: float = 0.23

    def __post_init__(self) -> None:
        if self.steps < 2 or not (math.isfinite(self.anchor) and self.anchor > 0):
            raise UsageError(
                "GD-101",
                given=f"{self.steps} steps, anchor {self.anchor}",
                allowed="at least 2 steps and an anchor above 0",
                do="see the defaults",
            )

    def restored(self, seen: Observation, noise: float) -> Restored:
        strongest = STRONGEST * spread(seen)
        weakest = min(max(noise, WEAKEST * strongest), strongest)
        z = seen.first_guess()
        for step in range(self.steps):
            strength = strongest * (weakest / strongest) ** (step / (self.steps - 1))
            z = self.denoise(self._nearer(seen, z, self.anchor * (noise / strength) ** 2), strength)
        value = torch.where(seen.known, seen.data, z) if noise == 0 else z
        return Restored(seen.picture(value), noise)

    def _nearer(self, seen: Observation, z: Tensor, pull: float) -> Tensor:
        """The image between z and the data."""
        if isinstance(seen.blur, Identity):
            weights = seen.weights
            return torch.where(seen.known, (weights * seen.data + pull * z) / (weights + pull), z)
        if bool(seen.known.all()):
            total = seen.blur.adjoint_spectrum(seen.data) + pull * Identity(seen.canvas).adjoint_spectrum(z)
            return irfftn(total / (seen.blur.gram_symbol(z) + pull), seen.canvas)
        system = NormalOperator((seen.blur, Identity(seen.canvas)), (seen.weights, pull))
        right = seen.blur.adjoint(seen.weights * seen.data) + pull * z
        return ConjugateGradient(INNER)(right, system=system, start=z).value
