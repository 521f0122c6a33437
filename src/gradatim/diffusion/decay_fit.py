"""From the greatest likelihood of a decay to estimates with errors, intervals and verdicts."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.diffusion.fitted import DecayFit, Estimate, Verdict, spread, verdicts
from gradatim.diffusion.intervals import Intervals, covariance
from gradatim.diffusion.likelihood import Ascent, DecayModel, Likelihood, attached
from gradatim.diffusion.noise_models import NoiseModel


def likelihood_of(model: DecayModel, noise: NoiseModel, data: Tensor) -> Likelihood:
    """The likelihood of voxels, with σ where it is known and 1 where the residuals are to tell it.

    Args:
        model: of the signal.
        noise: on it.
        data: (voxel, n).
    """
    sigma = 1.0 if noise.known is None else noise.known
    return Likelihood(model, noise, data, torch.full_like(data[:, :1].detach(), sigma))


def lit(data: Tensor, parameters: int) -> Tensor:
    """Voxels with as many values above zero as a fit has parameters, (voxel), bool.

    Args:
        data: (voxel, n).
        parameters: of the fit.
    """
    return (data.detach() > 0).sum(1) >= parameters


def verdict_of(found: Ascent, data: Tensor, *, identified: Tensor | None = None) -> Tensor:
    """What became of each voxel, (voxel); ``DARK`` counts before ``UNIDENTIFIABLE``, and that before ``UNSETTLED``.

    Args:
        found: where the likelihood is greatest.
        data: (voxel, n).
        identified: (voxel), bool, where the parameters mean something; without it everywhere.
    """
    verdict = torch.where(found.settled, int(Verdict.FITTED), int(Verdict.UNSETTLED))
    if identified is not None:
        verdict = torch.where(identified, verdict, int(Verdict.UNIDENTIFIABLE))
    return torch.where(lit(data, found.state.shape[1]), verdict, int(Verdict.DARK))


def require_iterations(count: int) -> None:
    """Refuse a number of iterations below 1.

    Args:
        count: iterations.

    Raises:
        UsageError: GD-186.
    """
    if count < 1:
        raise UsageError("GD-186", given=f"{count} iterations", allowed="one or more", do="leave it at its default")


def freedom_of(likelihood: Likelihood, parameters: int) -> float:
    """Degrees of freedom of the noise: n − p, or inf where σ is known.

    Args:
        likelihood: of the data.
        parameters: of the fit.
    """
    return math.inf if likelihood.noise.known is not None else float(likelihood.data.shape[1] - parameters)


def variance_of(likelihood: Likelihood, found: Ascent) -> Tensor:
    """What variances are multiplied by: σ² of the residuals over n − p, or 1 where σ is known; (voxel).

    Args:
        likelihood: of the data.
        found: where it is greatest.
    """
    freedom = freedom_of(likelihood, found.state.shape[1])
    return torch.ones_like(found.deviance) if math.isinf(freedom) else found.deviance / freedom


def decay_fit(
    likelihood: Likelihood, found: Ascent, verdict: Tensor, *, intervals: Intervals, inside: Tensor
) -> DecayFit:
    """Estimates on the grid.

    Args:
        likelihood: of the voxels.
        found: where it is greatest.
        verdict: (voxel), of each; all but ``FITTED`` become NaN.
        intervals: how they are found.
        inside: (...), bool, where the voxels lie.
    """
    good = (verdict == int(Verdict.FITTED)).nonzero().flatten()
    part = likelihood.at(good)
    best = Ascent(found.state[good], found.deviance[good], found.information[good], found.settled[good])
    unit, freedom = variance_of(part, best), freedom_of(part, found.state.shape[1])
    with torch.no_grad():
        low, high = intervals.ends(
            Likelihood(part.model, part.noise, part.data.detach(), part.sigma), best, unit=unit, freedom=freedom
        )
        slope = torch.func.jvp(part.model.natural, (best.state,), (torch.ones_like(best.state),))[1]
        errors = slope * (covariance(best.information).diagonal(dim1=-2, dim2=-1) * unit[:, None]).sqrt()
        low, high = part.model.natural(low), part.model.natural(high)
    values = part.model.natural(attached(part, best.state))
    parts = {"value": values, "error": errors, "low": low, "high": high}
    sigma = torch.full((len(verdict),), torch.nan, dtype=torch.float64, device=inside.device)
    sigma[good] = part.sigma[:, 0] * unit.sqrt()
    return DecayFit(
        _estimates(part.model, {name: _among(value, good, len(verdict)) for name, value in parts.items()}, inside),
        spread(sigma, inside),
        verdicts(verdict, inside),
        intervals.covers,
    )


def _among(values: Tensor, good: Tensor, count: int) -> Tensor:
    """Values of good voxels among all of them, NaN elsewhere."""
    every = torch.full((count, values.shape[1]), torch.nan, dtype=values.dtype, device=values.device)
    return every.index_copy(0, good, values)


def _estimates(model: DecayModel, parts: Mapping[str, Tensor], inside: Tensor) -> dict[str, Estimate]:
    def on_grid(part: str, i: int) -> Tensor:
        return spread(parts[part][:, i], inside)

    return {
        name: Estimate(on_grid("value", i), on_grid("error", i), on_grid("low", i), on_grid("high", i), unit)
        for i, (name, unit) in enumerate(model.names)
    }
