"""The stretched exponential: one distributed diffusion coefficient and how far it is spread."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.diffusion.decay_fit import decay_fit, likelihood_of, require_iterations, verdict_of
from gradatim.diffusion.decay_input import decays
from gradatim.diffusion.fitted import DecayFit
from gradatim.diffusion.intervals import Intervals, QuadraticIntervals
from gradatim.diffusion.likelihood import DecayModel, climb
from gradatim.diffusion.mono_exponential import MonoExponentialDecay
from gradatim.diffusion.noise_models import GaussianNoise, NoiseModel


@dataclass(frozen=True, eq=False)
class StretchedExponentialDecay(DecayModel):
    """S = exp(u₀ − (b/b_max·e^u₁)^α), α = e^u₂.

    Args:
        b: (n,), s/m².
    """

    b: Tensor

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        return (("s0", ""), ("diffusivity", "m²/s"), ("alpha", ""))

    def signal(self, state: Tensor) -> Tensor:
        return torch.exp(state[..., :1] - self._reached(state)[0])

    def slopes(self, state: Tensor) -> Tensor:
        spent, power = self._reached(state)
        signal = torch.exp(state[..., :1] - spent)
        return torch.stack([signal, -signal * spent * state[..., 2:].exp(), -signal * spent * power], -1)

    def natural(self, state: Tensor) -> Tensor:
        return torch.stack([state[..., 0].exp(), state[..., 1].exp() / self.b.max(), state[..., 2].exp()], -1)

    def _reached(self, state: Tensor) -> tuple[Tensor, Tensor]:
        """(b·D)^α, 0 at b = 0, and its logarithm."""
        some = self.b > 0
        logs = torch.where(some, self.b / self.b.max(), 1.0).log()
        power = (state[..., 2:].exp() * (logs + state[..., 1:2])).clamp_max(60.0)
        return torch.where(some, power.exp(), 0.0), torch.where(some, power, 0.0)


@dataclass(frozen=True)
class StretchedExponentialDiffusion:
    """Fits S = S0·exp(−(b·DDC)^α) to each voxel by the greatest likelihood.

    α = 1 is one diffusivity, α < 1 a distribution of them. α is not bounded by 1, so that noise about 1 does not
    bias it; where an interval of α holds 1, one diffusivity explains the data. Differentiable in the signal.

    Args:
        noise: how noise lies on the signal.
        intervals: how they are found.
        iterations: at most so many steps.

    Raises:
        UsageError: GD-186 without an iteration; when called, GD-103 if sizes disagree.
        InputError: when called, as :func:`gradatim.diffusion.decay_input.decays`.

    Source:
        Bennett et al., Magn Reson Med 50:727 (2003).

    Example:
        >>> b = torch.linspace(0.0, 3e9, 8).double()
        >>> fit = StretchedExponentialDiffusion()(100 * torch.exp(-((b * 1e-9) ** 0.7)), b=b)
        >>> f"{fit['diffusivity'].value.item():.4e}", round(fit["alpha"].value.item(), 6)
        ('1.0000e-09', 0.7)
    """

    noise: NoiseModel = GaussianNoise()
    intervals: Intervals = field(default=QuadraticIntervals())
    iterations: int = 100

    def __post_init__(self) -> None:
        require_iterations(self.iterations)

    def __call__(self, signal: Tensor, *, b: Tensor, mask: Tensor | None = None) -> DecayFit:
        """Fit every voxel.

        Args:
            signal: (n, ...), any voxel shape.
            b: (n,), s/m².
            mask: (...), bool.

        Returns:
            ``"s0"``, ``"diffusivity"`` (the distributed coefficient) and ``"alpha"``.
        """
        inside, data, b = decays(signal, b, mask, parameters=3)
        likelihood = likelihood_of(StretchedExponentialDecay(b), self.noise, data)
        line = MonoExponentialDecay(b).start(data.detach())
        spent = line[:, 1].clamp_min(1e-3)
        start = torch.stack([line[:, 0], spent.log(), torch.full_like(spent, -0.1)], 1)
        found = climb(likelihood, start, iterations=self.iterations)
        decaying = found.state[:, 1] > -12.0  # otherwise there is no decay to be stretched
        verdict = verdict_of(found, data, identified=decaying)
        return decay_fit(likelihood, found, verdict, intervals=self.intervals, inside=inside)
