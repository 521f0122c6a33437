"""One diffusivity from a weighted line through the logarithm: closed form and fast."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.diffusion.decay_fit import lit, require_iterations
from gradatim.diffusion.decay_input import decays
from gradatim.diffusion.fitted import DecayFit, Estimate, Verdict, spread, verdicts
from gradatim.diffusion.intervals import QuadraticIntervals, quantile


@dataclass(frozen=True)
class LogLinearDiffusion:
    """Weighted least squares of ln S = ln S0 − b·D with weights S², iterated.

    The weights undo what the logarithm does to the noise, var ln S ≈ σ²/S². They are the measured values at first and
    the fitted ones after, which takes away the bias of weights that share the data's noise. A signal that has sunk
    to the noise floor still bends the line: use :class:`~gradatim.diffusion.mono_exponential.MonoExponentialDiffusion`
    there. Values ≤ 0 are left out. Differentiable in the signal.

    Args:
        rounds: how often the weights are renewed.
        level: coverage of the intervals.

    Raises:
        UsageError: GD-186 for no round or an impossible level; when called, GD-103 if sizes disagree.
        InputError: when called, as :func:`gradatim.diffusion.decay_input.decays`.

    Source:
        Salvador et al., Hum Brain Mapp 24:144 (2005) (weights); Veraart et al., NeuroImage 81:335 (2013) (iterated).

    Example:
        >>> b = torch.tensor([0.0, 0.5e9, 1e9, 2e9]).double()
        >>> fit = LogLinearDiffusion()(100 * torch.exp(-b * 2e-9), b=b)
        >>> f"{fit['diffusivity'].value.item():.6e}"
        '2.000000e-09'
    """

    rounds: int = 3
    level: float = 0.95

    def __post_init__(self) -> None:
        require_iterations(self.rounds)
        QuadraticIntervals(self.level)

    def __call__(self, signal: Tensor, *, b: Tensor, mask: Tensor | None = None) -> DecayFit:
        """Fit every voxel.

        Args:
            signal: (n, ...), any voxel shape.
            b: (n,), s/m².
            mask: (...), bool.

        Returns:
            ``"s0"`` and ``"diffusivity"``.
        """
        inside, data, b = decays(signal, b, mask, parameters=2)
        largest = b.max()
        line, variance, sigma = weighted_line(data, b / largest, rounds=self.rounds)
        some = data.detach() > 0
        apart = b.where(some, -math.inf).amax(1) > b.where(some, math.inf).amin(1)
        bright = lit(data, 3) & apart
        line = torch.where(bright[:, None], line, math.nan)
        values = torch.stack([line[:, 0].exp(), line[:, 1] / largest], 1)
        with torch.no_grad():
            errors = sigma[:, None] * variance.sqrt()
            half = quantile(self.level, len(b) - 2) * errors
            ends = [torch.stack([e[:, 0].exp(), e[:, 1] / largest], 1) for e in (line - half, line + half)]
            errors = errors * torch.stack([values[:, 0], (1 / largest).expand_as(values[:, 0])], 1)
        parts = [[spread(part[:, i], inside) for part in (values, errors, *ends)] for i in (0, 1)]
        estimates = {
            name: Estimate(value, error, low, high, unit)
            for (value, error, low, high), (name, unit) in zip(
                parts, (("s0", ""), ("diffusivity", "m²/s")), strict=True
            )
        }
        verdict = torch.where(bright, int(Verdict.FITTED), int(Verdict.DARK))
        sigma = torch.where(bright, sigma, math.nan).detach()
        return DecayFit(estimates, spread(sigma, inside), verdicts(verdict, inside), self.level)


def weighted_line(data: Tensor, place: Tensor, *, rounds: int) -> tuple[Tensor, Tensor, Tensor]:
    """The line ln S = u₀ − u₁·place, weighted with S²; what its variances are per unit σ², and σ.

    Args:
        data: (voxel, n); values ≤ 0 are left out.
        place: (n,).
        rounds: how often weights are renewed by the line's own values.

    Returns:
        (voxel, 2); its variances per σ², (voxel, 2); σ from Σ weighted squares over n − 2, (voxel).

    Example:
        >>> place = torch.tensor([0.0, 1.0, 2.0]).double()
        >>> line, _, _ = weighted_line(torch.exp(3.0 - 0.5 * place)[None], place, rounds=2)
        >>> [round(v, 9) for v in line[0].tolist()]
        [3.0, 0.5]
    """
    there = data > 0
    logs = torch.where(there, data, 1.0).log()
    weights = torch.where(there, data, 0.0).square()
    for turn in range(rounds):
        scale = weights.amax(1, keepdim=True)
        share = weights / scale
        total = share.sum(1, keepdim=True)
        centre = (share * place).sum(1, keepdim=True) / total
        lever = place - centre
        power = (share * lever.square()).sum(1, keepdim=True)
        slope = (share * lever * logs).sum(1, keepdim=True) / power
        start = (share * logs).sum(1, keepdim=True) / total - slope * centre
        fitted = start + slope * place
        if turn < rounds - 1:
            weights = torch.where(there, (2.0 * fitted).clamp(-600.0, 600.0).exp(), 0.0)
    misfit = (weights * (logs - fitted).square()).sum(1)
    variance = torch.cat([1.0 / total + centre.square() / power, 1.0 / power], 1) / scale
    sigma = (misfit / (there.sum(1) - 2).clamp_min(1)).sqrt()
    return torch.cat([start, -slope], 1), variance, sigma
