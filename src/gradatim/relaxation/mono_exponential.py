"""R2* by a mono-exponential fit that knows the noise floor."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.nouns import MultiEcho
from gradatim.relaxation.log_linear import line
from gradatim.relaxation.maps import RelaxationMaps, assemble, blocks, voxels_inside
from gradatim.solve.noise import estimate_noise

SILENT = 1e-6
"""Smallest noise that is reckoned with, as a share of the brightest magnitude: keeps noise-free input solvable."""


@dataclass(frozen=True)
class MonoExponential:
    """Fit of S_e = S0·exp(−R2*·TE_e) to squared magnitudes with their exact Rician mean and variance.

    A magnitude in Gaussian noise of σ per channel obeys E[M²] = S² + 2σ² and Var[M²] = 4σ²(S² + σ²) at any signal, so

        Σ_e (M_e² − S_e² − 2σ²)/Var_e · ∂S_e²/∂(ln S0, R2*) = 0

    is unbiased however low the signal. It is solved per voxel by Fisher scoring with step control on the
    quasi-likelihood Σ[(M² − σ²)·ln(S² + σ²) − S²], started from the weighted log-linear line through
    M² − 2σ². Standard errors are the square roots of (JᵀVar⁻¹J)⁻¹ at the solution: thermal noise only, not
    misfit of the model. Voxels are fitted block by block in float64.

    A voxel has no answer where no echo rises above the noise (M² > 2σ² in at least two echoes is asked for),
    where the fit does not settle within ``iterations``, or where |R2*| would exceed ``largest``.
    Differentiable in the magnitude (one Newton step at the solution carries the implicit gradient); the noise
    level counts as constant.

    Args:
        noise: σ per channel in the magnitude's unit, > 0; None asks :func:`gradatim.solve.noise.estimate_noise`.
        largest: bound of |R2*|, 1/s, > 0.
        iterations: most steps per voxel, ≥ 1.

    Raises:
        UsageError: GD-101 if a parameter is out of range; GD-103 if the mask has another shape.
        InputError: GD-604 with one echo; GD-601 empty mask; GD-603 non-finite magnitude; GD-640 no noise level.

    Source:
        Moments: Gudbjartsson & Patz, Magn Reson Med 34:910 (1995). Estimating equation: Wedderburn, Biometrika
        61:439 (1974).

    Example:
        >>> from gradatim.base.grid import Grid
        >>> times = (0.004, 0.012, 0.020)
        >>> decay = torch.stack([torch.full((2, 2, 2), 100.0 * math.exp(-40.0 * t)) for t in times])
        >>> scan = MultiEcho(decay, torch.zeros_like(decay), times, 3.0, Grid((2, 2, 2), (1.0, 1.0, 1.0)))
        >>> maps = MonoExponential(noise=0.5)(scan)
        >>> round(float(maps.r2star.value[0, 0, 0]), 1), maps.r2star.unit
        (40.0, '1/s')
    """

    noise: float | None = None
    largest: float = 2000.0
    iterations: int = 50

    def __post_init__(self) -> None:
        if not ((self.noise is None or 0 < self.noise < math.inf) and self.largest > 0 and self.iterations >= 1):
            raise UsageError(
                "GD-101",
                given=f"noise {self.noise}, largest {self.largest} 1/s, {self.iterations} iterations",
                allowed="noise > 0 or none, largest > 0, at least one iteration",
                do="choose values in these ranges",
            )

    def __call__(self, signal: MultiEcho, *, mask: Tensor | None = None) -> RelaxationMaps:
        """Fit every voxel.

        Args:
            signal: at least two echoes.
            mask: (x, y, z), bool; None takes voxels with magnitude in all echoes.
        """
        inside, magnitude = voxels_inside(signal, mask)
        noise = self.noise if self.noise is not None else estimate_noise(signal.magnitude, mask=inside).sigma
        noise = max(noise, SILENT * float(magnitude.detach().max()))
        times = torch.tensor(signal.echo_times, dtype=torch.float64, device=magnitude.device)
        values = [self._fit((block.double() / noise).square(), times) for block in blocks(magnitude)]
        found = torch.cat(values, dim=1)
        found = torch.cat([found[:1] + math.log(noise), found[1:]])
        return assemble(found.to(signal.magnitude.dtype), mask=inside, grid=signal.grid, noise=noise)

    def _fit(self, power: Tensor, times: Tensor) -> Tensor:
        """(4, voxel) from M²/σ² (voxel, echo): ln(S0/σ), R2* and their standard errors, NaN where undefined."""
        data = power.detach()
        floorless = (data - 2.0).clamp(min=0.1)
        intercept, slope = line(0.5 * floorless.log(), floorless.square(), times)
        state = torch.stack([intercept, -slope])
        active = ((data > 2.0).sum(1) >= 2).nonzero().flatten()
        settled = torch.zeros(len(data), dtype=torch.bool, device=data.device)
        for _ in range(self.iterations):
            if len(active) == 0:
                break
            here, there = state[:, active], data[active]
            score, information = _score(here, there, times)
            step = _solve(information, score)
            here = _climb(here, step, there, times)
            state[:, active] = here
            done = (step.abs() <= 1e-8 * _error(information).clamp(max=1.0)).all(0)
            settled[active[done]] = True
            active = active[~done & (here[1].abs() <= self.largest)]
        return self._finish(state, power, times, settled)

    def _finish(self, state: Tensor, power: Tensor, times: Tensor, settled: Tensor) -> Tensor:
        """Errors, undefined voxels and, where asked for, the implicit gradient."""
        _, information = _score(state, power.detach(), times)
        errors = _error(information)
        known = settled & (state[1].abs() <= self.largest) & torch.isfinite(errors).all(0)
        if power.requires_grad:
            state, power = torch.where(known, state, 0.0), torch.where(known.unsqueeze(1), power, 3.0)
            score, _ = _score(state, power, times)
            state = state + _solve(_curvature(state, power.detach(), times), score)
        return torch.where(known, torch.cat([state, errors]), math.nan)


def _model(state: Tensor, times: Tensor) -> Tensor:
    """S²/σ², (voxel, echo), for ln(S0/σ) and R2*."""
    return torch.exp((2.0 * (state[0].unsqueeze(1) - state[1].unsqueeze(1) * times)).clamp(-80.0, 80.0))


def _moments(weights: Tensor, times: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Entries 00, 01, 11 of Σ w·(1, −t)(1, −t)ᵀ, each (voxel)."""
    return weights.sum(1), -(weights * times).sum(1), (weights * times.square()).sum(1)


def _score(state: Tensor, power: Tensor, times: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """Estimating function (2, voxel) and its expected slope, the information."""
    signal = _model(state, times)
    pull = signal * (power - signal - 2.0) / (2.0 * (signal + 1.0))
    score = torch.stack([pull.sum(1), -(pull * times).sum(1)])
    return score, _moments(signal.square() / (signal + 1.0), times)


def _curvature(state: Tensor, power: Tensor, times: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Minus the observed slope of the estimating function."""
    signal = _model(state, times)
    bend = signal * (signal / (signal + 1.0) - (power - signal - 2.0) / (signal + 1.0).square())
    return _moments(bend, times)


def _solve(matrix: tuple[Tensor, Tensor, Tensor], right: Tensor) -> Tensor:
    a, b, c = matrix
    return torch.stack([c * right[0] - b * right[1], a * right[1] - b * right[0]]) / (a * c - b * b)


def _error(information: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Square roots of the diagonal of the inverse, (2, voxel)."""
    a, b, c = information
    return (torch.stack([c, a]) / (a * c - b * b)).sqrt()


def _climb(state: Tensor, step: Tensor, power: Tensor, times: Tensor) -> Tensor:
    """Take the step, halved up to ten times where the quasi-likelihood would fall."""

    def likelihood(at: Tensor) -> Tensor:
        signal = _model(at, times)
        return ((power - 1.0) * (signal + 1.0).log() - signal).sum(1)

    before = likelihood(state)
    scale = torch.ones_like(before)
    for _ in range(10):
        worse = ~(likelihood(state + scale * step) >= before - 1e-9 * before.abs())
        if not bool(worse.any()):
            break
        scale = torch.where(worse, 0.5 * scale, scale)
    return state + scale * step
