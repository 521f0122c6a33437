"""Two diffusivities: a slow and a fast compartment, or tissue and perfusion (IVIM)."""

from dataclasses import dataclass, field

import torch
from scipy.special import chdtri, fdtri
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.diffusion.decay_fit import decay_fit, freedom_of, likelihood_of, require_iterations, verdict_of
from gradatim.diffusion.decay_input import decays
from gradatim.diffusion.fitted import DecayFit
from gradatim.diffusion.intervals import Intervals, ProfileIntervals
from gradatim.diffusion.likelihood import Ascent, DecayModel, Likelihood, climb
from gradatim.diffusion.mono_exponential import MonoExponentialDecay
from gradatim.diffusion.noise_models import GaussianNoise, NoiseModel

RATES = 20
"""Diffusivities among which pairs are tried as a start."""
ROUNDING = 1e-12
"""Noise that is always reckoned with, over the largest value: data without any leave rounding, which tells nothing."""


@dataclass(frozen=True, eq=False)
class BiExponentialDecay(DecayModel):
    """S = e^u₀·[(1 − f)·exp(−b·D) + f·exp(−b·D*)], f = 1/(1 + e^−u₁), D = e^u₂/b_max, D* = e^u₃/b_max.

    Args:
        b: (n,), s/m².
    """

    b: Tensor

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        return (("s0", ""), ("fraction", ""), ("slow", "m²/s"), ("fast", "m²/s"))

    def signal(self, state: Tensor) -> Tensor:
        slow, fast = self._decays(state)
        part = state[..., 1:2].sigmoid()
        return state[..., :1].exp() * ((1.0 - part) * slow + part * fast)

    def slopes(self, state: Tensor) -> Tensor:
        slow, fast = self._decays(state)
        size, part, share = state[..., :1].exp(), state[..., 1:2].sigmoid(), self.b / self.b.max()
        left, right = size * (1.0 - part) * slow, size * part * fast
        rates = state[..., 2:3].exp(), state[..., 3:4].exp()
        return torch.stack(
            [
                left + right,
                size * part * (1.0 - part) * (fast - slow),
                -left * share * rates[0],
                -right * share * rates[1],
            ],
            -1,
        )

    def natural(self, state: Tensor) -> Tensor:
        rates = state[..., 2:].exp() / self.b.max()
        return torch.cat([state[..., :1].exp(), state[..., 1:2].sigmoid(), rates], -1)

    def start(self, data: Tensor) -> Tensor:
        """The best of a grid of pairs of diffusivities, with the amplitudes that fit each best; (voxel, 4).

        Args:
            data: (voxel, n).
        """
        share = self.b / self.b.max()
        least = float(share[share > 0].min())
        rates = torch.logspace(-1.5, 1.0, RATES, dtype=data.dtype, device=data.device)
        rates = torch.cat([rates, torch.logspace(1.0, 0.5 + max(0.6, -_log10(least)), 6).to(data)[1:]])
        first, second = torch.combinations(torch.arange(len(rates), device=data.device)).T
        basis = torch.exp(-rates[:, None] * share)
        pairs = torch.stack([basis[first], basis[second]], 1)
        amplitudes = torch.einsum("pkn,vn->vpk", torch.linalg.pinv(pairs.mT), data).clamp_min(0.0)
        misfit = torch.stack([(data - a @ p).square().sum(1) for a, p in zip(amplitudes.unbind(1), pairs, strict=True)])
        best = misfit.argmin(0)
        size = amplitudes[torch.arange(len(data), device=data.device), best]
        total = size.sum(1).clamp_min(torch.finfo(data.dtype).tiny)
        part = (size[:, 1] / total).clamp(0.01, 0.99)
        return torch.stack([total.log(), part.logit(), rates[first[best]].log(), rates[second[best]].log()], 1)

    def ordered(self, state: Tensor) -> Tensor:
        """The same signal with the slower compartment first, (voxel, 4).

        Args:
            state: coordinates.
        """
        turned = torch.stack([state[:, 0], -state[:, 1], state[:, 3], state[:, 2]], 1)
        return torch.where((state[:, 2] > state[:, 3])[:, None], turned, state)

    def _decays(self, state: Tensor) -> tuple[Tensor, Tensor]:
        share = self.b / self.b.max()
        slow, fast = (state[..., i : i + 1].clamp(-60.0, 60.0).exp() for i in (2, 3))
        return torch.exp(-slow * share), torch.exp(-fast * share)


@dataclass(frozen=True)
class BiExponentialDiffusion:
    """Fits S = S0·[(1 − f)·exp(−b·D) + f·exp(−b·D*)], D < D*, to each voxel by the greatest likelihood.

    It starts from the best pair of a grid of diffusivities, the amplitudes of which are linear, so that it needs no
    guess. Where one diffusivity explains the data as well, to the level given, f, D and D* mean nothing: the voxel is
    ``UNIDENTIFIABLE`` and NaN. The test compares both likelihoods (χ² with 2 degrees of freedom, or F where the
    residuals tell σ). Intervals are profiles by default, because the likelihood is far from a parabola.
    Differentiable in the signal.

    Args:
        noise: how noise lies on the signal.
        intervals: how they are found.
        iterations: at most so many steps.
        evidence: level of the test for a second compartment.

    Raises:
        UsageError: GD-186 without an iteration or for an impossible level; when called, GD-103 if sizes disagree.
        InputError: when called, as :func:`gradatim.diffusion.decay_input.decays`.

    Source:
        Le Bihan et al., Radiology 168:497 (1988) (IVIM); Golub & Pereyra, SIAM J Numer Anal 10:413 (1973) (amplitudes
        taken out).

    Example:
        >>> b = torch.linspace(0.0, 3e9, 12).double()
        >>> fit = BiExponentialDiffusion()(70 * torch.exp(-b * 0.5e-9) + 30 * torch.exp(-b * 5e-9), b=b)
        >>> [f"{fit[name].value.item():.4g}" for name in ("s0", "fraction", "slow", "fast")]
        ['100', '0.3', '5e-10', '5e-09']
    """

    noise: NoiseModel = GaussianNoise()
    intervals: Intervals = field(default=ProfileIntervals())
    iterations: int = 200
    evidence: float = 0.95

    def __post_init__(self) -> None:
        require_iterations(self.iterations)
        if not 0 < self.evidence < 1:
            raise UsageError(
                "GD-186", given=f"evidence {self.evidence}", allowed="a level between 0 and 1", do="use 0.95"
            )

    def __call__(self, signal: Tensor, *, b: Tensor, mask: Tensor | None = None) -> DecayFit:
        """Fit every voxel.

        Args:
            signal: (n, ...), any voxel shape.
            b: (n,), s/m².
            mask: (...), bool.

        Returns:
            ``"s0"``, ``"fraction"`` (of the fast compartment), ``"slow"`` and ``"fast"``.
        """
        inside, data, b = decays(signal, b, mask, parameters=4)
        model = BiExponentialDecay(b)
        likelihood = likelihood_of(model, self.noise, data)
        found = climb(likelihood, model.start(data.detach()), iterations=self.iterations)
        state = model.ordered(found.state)
        found = Ascent(state, found.deviance, likelihood.quadratic(state)[1].detach(), found.settled)
        verdict = verdict_of(found, data, identified=self._needed(likelihood, found, b))
        return decay_fit(likelihood, found, verdict, intervals=self.intervals, inside=inside)

    def _needed(self, likelihood: Likelihood, found: Ascent, b: Tensor) -> Tensor:
        """Whether a single diffusivity leaves more than noise, (voxel)."""
        single = MonoExponentialDecay(b)
        alone = Likelihood(single, likelihood.noise, likelihood.data.detach(), likelihood.sigma)
        one = climb(alone, single.start(alone.data), iterations=self.iterations)
        gain, freedom = one.deviance - found.deviance, freedom_of(likelihood, 4)
        if freedom == float("inf"):
            return gain > float(chdtri(2, 1.0 - self.evidence))
        rounding = (ROUNDING * likelihood.data.detach().abs().amax(1)).square()
        return gain > 2.0 * float(fdtri(2, freedom, self.evidence)) * torch.maximum(found.deviance / freedom, rounding)


def _log10(value: float) -> float:
    return float(torch.tensor(value, dtype=torch.float64).log10())
