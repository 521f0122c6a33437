"""One diffusivity: the decay S0·exp(−b·D), by least squares or greatest likelihood."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.diffusion.decay_fit import decay_fit, likelihood_of, require_iterations, verdict_of
from gradatim.diffusion.decay_input import decays
from gradatim.diffusion.fitted import DecayFit
from gradatim.diffusion.intervals import Intervals, QuadraticIntervals
from gradatim.diffusion.likelihood import DecayModel, climb
from gradatim.diffusion.log_linear import weighted_line
from gradatim.diffusion.noise_models import GaussianNoise, NoiseModel


@dataclass(frozen=True, eq=False)
class MonoExponentialDecay(DecayModel):
    """S = exp(u₀ − u₁·b/b_max): the decay of one diffusivity in coordinates of the order of 1.

    Args:
        b: (n,), s/m².
    """

    b: Tensor

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        return (("s0", ""), ("diffusivity", "m²/s"))

    @property
    def share(self) -> Tensor:
        """b over the largest b, (n,)."""
        return self.b / self.b.max()

    def signal(self, state: Tensor) -> Tensor:
        return torch.exp(state[..., :1] - state[..., 1:] * self.share)

    def slopes(self, state: Tensor) -> Tensor:
        signal = self.signal(state)
        return torch.stack([signal, -signal * self.share], -1)

    def natural(self, state: Tensor) -> Tensor:
        return torch.stack([state[..., 0].exp(), state[..., 1] / self.b.max()], -1)

    def start(self, data: Tensor) -> Tensor:
        """Coordinates of the weighted line through the logarithm, (voxel, 2).

        Args:
            data: (voxel, n).
        """
        line = weighted_line(data, self.share, rounds=1)[0]
        return line.nan_to_num(0.0).clamp(-700.0, 700.0)


@dataclass(frozen=True)
class MonoExponentialDiffusion:
    """Fits S = S0·exp(−b·D) to each voxel by the greatest likelihood.

    With Gaussian noise this is unweighted nonlinear least squares, which a signal in the noise floor does not pull as
    it pulls the logarithm; with Rician noise the floor itself is part of the model. D may come out negative: noise
    about zero is not clipped. Differentiable in the signal by the implicit function theorem.

    Args:
        noise: how noise lies on the signal.
        intervals: how they are found.
        iterations: at most so many steps.

    Raises:
        UsageError: GD-186 without an iteration; when called, GD-103 if sizes disagree.
        InputError: when called, GD-601, GD-603, GD-840, GD-841 and GD-843 as
            :func:`gradatim.diffusion.decay_input.decays`.

    Source:
        Stejskal & Tanner, J Chem Phys 42:288 (1965).

    Example:
        >>> b = torch.tensor([0.0, 0.5e9, 1e9, 2e9]).double()
        >>> fit = MonoExponentialDiffusion()(100 * torch.exp(-b * 2e-9), b=b)
        >>> f"{fit['diffusivity'].value.item():.3e}", round(fit["s0"].value.item(), 6)
        ('2.000e-09', 100.0)
    """

    noise: NoiseModel = GaussianNoise()
    intervals: Intervals = field(default=QuadraticIntervals())
    iterations: int = 60

    def __post_init__(self) -> None:
        require_iterations(self.iterations)

    def __call__(self, signal: Tensor, *, b: Tensor, mask: Tensor | None = None) -> DecayFit:
        """Fit every voxel.

        Args:
            signal: (n, ...), any voxel shape, also none.
            b: (n,), s/m².
            mask: (...), bool.

        Returns:
            ``"s0"`` and ``"diffusivity"``.
        """
        inside, data, b = decays(signal, b, mask, parameters=2)
        likelihood = likelihood_of(MonoExponentialDecay(b), self.noise, data)
        found = climb(likelihood, MonoExponentialDecay(b).start(data.detach()), iterations=self.iterations)
        verdict = verdict_of(found, data)
        return decay_fit(likelihood, found, verdict, intervals=self.intervals, inside=inside)
