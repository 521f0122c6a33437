"""Weighted least squares of the logarithm of a signal, many voxels at once: what tensors and kurtoses are fitted by."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.diffusion_series import DiffusionSeries
from gradatim.base.errors import InputError
from gradatim.base.soundness import require_sound

BLOCK = 1 << 20
"""Values that are fitted at a time, so that extra memory does not grow with the image."""

POOREST = 1e-5
"""Least over largest singular value of a design, its columns scaled to one length, that still determines its fit."""

UNEXPLAINED = 1e-12
"""Least part of a weighted column that is not made of the columns before it; below, rounding is all that is left."""


@dataclass(frozen=True, eq=False)
class LogSignalFit:
    """Coefficients c of ln S = X·c in each voxel.

    Args:
        coefficients: (voxel, p), NaN in voxels without signal, or whose weights leave them undetermined.
        covariance: (voxel, p, p), their covariance.
        sigma: (voxel), noise of the signal: √(Σ S²·r²/(n − p)), r the residuals of the logarithm.
    """

    coefficients: Tensor
    covariance: Tensor
    sigma: Tensor


def voxels_of(series: DiffusionSeries) -> Tensor:
    """Signals inside the mask, (voxel, n), float64; refuses what cannot be fitted.

    Args:
        series: the images.

    Raises:
        InputError: GD-601 if the mask is empty; GD-603 if a signal inside it is not finite; GD-843 if none is above 0.
    """
    require_sound(series.mask, series.signal)
    data = series.signal[:, series.mask].T.double()
    if not bool((data > 0).any()):
        raise InputError("GD-843", given="a series without signal", allowed="values above 0", do="check what was read")
    return data


def fit_log_signal(data: Tensor, design: Tensor, *, rounds: int) -> LogSignalFit:
    """First all logarithms with one weight, then ``rounds`` times each with the square of its fitted signal.

    Values ≤ 0 are taken as the smallest positive value of all. Differentiable in the data.

    Args:
        data: (voxel, n), signals.
        design: X, (n, p), in any scale of its columns; the first column is 1.
        rounds: how often weights are renewed, ≥ 1.

    Raises:
        InputError: GD-842 if the design does not determine its p coefficients, or n = p leaves nothing for the noise.

    Source:
        Basser, Mattiello & Le Bihan, J Magn Reson B 103:247 (1994); Veraart et al., NeuroImage 81:335 (2013).
    """
    scale = torch.linalg.vector_norm(design, dim=0)
    require_determined(design, scale)
    scaled = design / scale
    bright = (data > 0).any(1)
    filled = data.clamp_min(float(data.detach()[data > 0].min()))
    parts = [_block(part, scaled, rounds) for part in filled.split(max(1, BLOCK // len(design)))]
    coefficients, covariance, sigma = (torch.cat(each) for each in zip(*parts, strict=True))
    dark = ~bright
    return LogSignalFit(
        (coefficients / scale).masked_fill(dark[:, None], torch.nan),
        (covariance / (scale[:, None] * scale)).masked_fill(dark[:, None, None], torch.nan),
        sigma.masked_fill(dark, torch.nan),
    )


def require_determined(design: Tensor, scale: Tensor) -> None:
    """Refuse a design whose columns are not independent, or that leaves no degree of freedom.

    Args:
        design: X, (n, p).
        scale: length of each column.

    Raises:
        InputError: GD-842.
    """
    values = torch.linalg.svdvals(design / scale) if bool((scale > 0).all()) else torch.zeros(1)
    rank = int((values > POOREST * values.max()).sum())
    if rank < design.shape[1] or len(design) <= design.shape[1]:
        raise InputError(
            "GD-842",
            given=f"{len(design)} measurements whose weightings determine {rank} of {design.shape[1]} coefficients",
            allowed=f"more than {design.shape[1]} measurements with independent directions and weightings",
            do="use more directions, for a kurtosis two different b-values besides 0, or fit a simpler model",
        )


def _block(data: Tensor, design: Tensor, rounds: int) -> tuple[Tensor, Tensor, Tensor]:
    logs, count = data.log(), design.shape[1]
    fitted = (logs @ torch.linalg.pinv(design).T) @ design.T
    upper = torch.triu_indices(count, count)
    products = design[:, upper[0]] * design[:, upper[1]]
    place = torch.zeros(count, count, dtype=torch.long, device=design.device)
    place[upper[0], upper[1]] = place[upper[1], upper[0]] = torch.arange(upper.shape[1], device=design.device)
    for _ in range(rounds):
        peak = fitted.amax(1, keepdim=True)
        weights = (2.0 * (fitted - peak)).exp()
        information = (weights @ products)[:, place]
        size = information.diagonal(dim1=1, dim2=2).rsqrt()
        factor, failed = torch.linalg.cholesky_ex(information * size[:, :, None] * size[:, None, :])
        lost = (failed != 0) | ~(factor.detach().diagonal(dim1=1, dim2=2).square().amin(1) > UNEXPLAINED)
        factor = torch.where(lost[:, None, None], torch.eye(count).to(factor), factor)
        score = ((weights * logs) @ design * size)[..., None]
        coefficients = (torch.cholesky_solve(score, factor)[..., 0] * size).masked_fill(lost[:, None], torch.nan)
        fitted = coefficients @ design.T
    variance = (weights * (logs - fitted).square()).sum(1) / (len(design) - count)
    inverse = torch.cholesky_inverse(factor.detach()) * (size[:, :, None] * size[:, None, :]).detach()
    covariance = (inverse * variance.detach()[:, None, None]).masked_fill(lost[:, None, None], torch.nan)
    return coefficients, covariance, variance.sqrt() * peak[:, 0].exp()
