"""The diffusion tensor with no negative diffusivity, by the greatest likelihood of the signal itself."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.diffusion_series import DiffusionSeries
from gradatim.diffusion.decay_fit import likelihood_of, require_iterations, variance_of
from gradatim.diffusion.fitted import Verdict
from gradatim.diffusion.intervals import covariance
from gradatim.diffusion.likelihood import DecayModel, attached, climb
from gradatim.diffusion.log_signal import fit_log_signal, voxels_of
from gradatim.diffusion.noise_models import GaussianNoise, NoiseModel
from gradatim.diffusion.tensor_fit import TensorFit, six, symmetric, tensor_design

SMALLEST = 1e-3
"""Least b_max·D of the start, so that its Cholesky factor has a slope to climb."""


@dataclass(frozen=True, eq=False)
class CholeskyTensor(DecayModel):
    """S = exp(u₀ − X·(L Lᵀ)) with L lower triangular: L Lᵀ has no negative eigenvalue.

    Args:
        design: of the six elements of b_max·D, (n, 6), as exponents' growth.
    """

    design: Tensor

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        return (("ln s0", ""), *((f"l{place}", "") for place in ("xx", "yy", "zz", "yx", "zx", "zy")))

    def signal(self, state: Tensor) -> Tensor:
        return torch.exp((state[..., :1] + self.elements(state) @ self.design.T).clamp_max(700.0))

    def slopes(self, state: Tensor) -> Tensor:
        xx, yy, zz, yx, zx, zy = state[..., 1:].unbind(-1)
        none = torch.zeros_like(xx)
        jacobian = torch.stack(  # of xx, yy, zz, xy, xz, yz by the six of L
            [
                torch.stack([2 * xx, none, none, yx, zx, none], -1),
                torch.stack([none, 2 * yy, none, none, none, zy], -1),
                torch.stack([none, none, 2 * zz, none, none, none], -1),
                torch.stack([none, 2 * yx, none, xx, none, zx], -1),
                torch.stack([none, none, 2 * zx, none, xx, yx], -1),
                torch.stack([none, none, 2 * zy, none, none, yy], -1),
            ],
            -1,
        )
        signal = self.signal(state)[..., None]
        return torch.cat([signal, signal * (self.design @ jacobian)], -1)

    def bend(self, state: Tensor, pull: Tensor) -> Tensor:
        """2·P for each column of L, P the positive part of −∂ ln likelihood/∂D: it holds a column at 0 at the bound."""
        score = ((pull * self.signal(state)) @ self.design).nan_to_num(0.0, 0.0, 0.0)  # or overflow
        against = -symmetric(score * score.new_tensor([1.0, 1.0, 1.0, 0.5, 0.5, 0.5]))
        values, vectors = torch.linalg.eigh(against)
        positive = (vectors * values.clamp_min(0.0)[:, None, :]) @ vectors.mT
        found = state.new_zeros((len(state), 7, 7))
        for rows, places in (((0, 1, 2), (1, 4, 5)), ((1, 2), (2, 6)), ((2,), (3,))):
            for i, place in zip(rows, places, strict=True):
                found[:, place, list(places)] = 2.0 * positive[:, i, list(rows)]
        return found

    def natural(self, state: Tensor) -> Tensor:
        return state

    def elements(self, state: Tensor) -> Tensor:
        """The six elements of L Lᵀ, (..., 6).

        Args:
            state: coordinates.
        """
        xx, yy, zz, yx, zx, zy = state[..., 1:].unbind(-1)
        return torch.stack(
            [xx * xx, yx * yx + yy * yy, zx * zx + zy * zy + zz * zz, xx * yx, xx * zx, yx * zx + yy * zy], -1
        )


@dataclass(frozen=True)
class PositiveTensor:
    """Fits S = S0·exp(−B : L Lᵀ) to the signal, so that no diffusivity is negative.

    Started from the weighted fit of the logarithm, its eigenvalues raised above 0. With Rician noise the floor is part
    of the model, and FA and MD keep their values where strong weightings sink into it. The covariance is that of D
    without the bound: at it (a diffusivity of 0) errors are too large rather than too small. Differentiable in the
    signal, except where a diffusivity is 0.

    Args:
        noise: how noise lies on the signal.
        iterations: at most so many steps.

    Raises:
        UsageError: GD-186 without an iteration.
        InputError: when called, as :class:`~gradatim.diffusion.tensor.WeightedTensor`.

    Source:
        Koay et al., J Magn Reson 182:115 (2006) (constrained nonlinear least squares); Wang et al., IEEE Trans Med
        Imaging 23:930 (2004) (Cholesky).

    Example:
        >>> PositiveTensor(GaussianNoise(2.0)).iterations
        60
    """

    noise: NoiseModel = GaussianNoise()
    iterations: int = 60

    def __post_init__(self) -> None:
        require_iterations(self.iterations)

    def __call__(self, series: DiffusionSeries) -> TensorFit:
        """Fit every voxel of the mask.

        Args:
            series: images with a b-matrix each.
        """
        data, design = voxels_of(series), tensor_design(series.b)
        largest = float(series.weighting.max())
        model = CholeskyTensor(design[:, 1:] / largest)
        bright = (data > 0).any(1)
        start = _start(fit_log_signal(data.detach(), design, rounds=1).coefficients.nan_to_num(0.0), largest)
        likelihood = likelihood_of(model, self.noise, data)
        found = climb(likelihood, start, iterations=self.iterations)
        state = attached(likelihood, found.state)
        coefficients = torch.cat([state[:, :1], model.elements(state) / largest], 1)
        with torch.no_grad():
            signal = model.signal(found.state)
            weight = self.noise.information(signal, likelihood.sigma) * signal.square()
            spread = covariance(torch.einsum("vn,np,nq->vpq", weight, design, design))
            unit = variance_of(likelihood, found)
        verdict = torch.where(found.settled, int(Verdict.FITTED), int(Verdict.UNSETTLED))
        verdict = torch.where(bright, verdict, int(Verdict.DARK)).to(torch.uint8)
        lost = verdict != int(Verdict.FITTED)
        return TensorFit(
            coefficients.masked_fill(lost[:, None], math.nan),
            (spread * unit[:, None, None]).masked_fill(lost[:, None, None], math.nan),
            (likelihood.sigma[:, 0] * unit.sqrt()).masked_fill(lost, math.nan),
            verdict,
            series.mask,
            series.grid,
        )


def _start(coefficients: Tensor, largest: float) -> Tensor:
    """Coordinates of the nearest tensor whose eigenvalues are above 0."""
    values, vectors = torch.linalg.eigh(symmetric(coefficients[:, 1:] * largest))
    raised = (vectors * values.clamp_min(SMALLEST)[:, None, :]) @ vectors.mT
    factor = torch.linalg.cholesky(raised)
    return torch.cat([coefficients[:, :1], six(factor.mT)], 1)
