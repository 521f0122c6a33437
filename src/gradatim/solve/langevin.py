"""Langevin dynamics: descent with noise, whose iterates are samples of a posterior."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.seeds import generator
from gradatim.solve.descent import known, require_step
from gradatim.solve.evaluate import Evaluate, Evaluated, Gradient, Objective
from gradatim.solve.step_size import curvature

BATCHES = 25
"""Stretches of the chain whose means tell the error of the whole mean."""
WANTED = 0.574
"""Part of the proposals that an adjusted chain accepts where it moves fastest, in many dimensions."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Moments of a chain of samples, of which none is kept but the last.

    Args:
        mean: of the samples, of the shape of θ.
        variance: of the samples, of the shape of θ, squared unit of θ.
        standard_error: of the mean, from the scatter of the means of 25 stretches of the chain, unit of θ. It
            knows of the samples' correlation if the stretches are longer than that lasts.
        accepted: part of the proposals that was taken; 1 for a chain that asks nothing.
        step_size: ε of the chain.
        count: samples that the moments were made from.
        last: the last sample.
    """

    mean: Tensor
    variance: Tensor
    standard_error: Tensor
    accepted: float
    step_size: float
    count: int
    last: Tensor


class LangevinState(NamedTuple):
    """State of a chain.

    Attributes:
        theta: the sample.
        at: U and ∇U there.
    """

    theta: Tensor
    at: Evaluated


class Sampler(ABC):
    """A Markov chain that draws from the density ∝ exp(−U(θ)); the call runs it and streams its moments."""

    step_size: float | None
    count: int
    burn_in: int

    @abstractmethod
    def step(self, state: LangevinState, evaluate: Evaluate, seed: torch.Generator) -> tuple[LangevinState, bool]:
        """The next state, and whether the proposal was taken."""

    @abstractmethod
    def settled(self, state: LangevinState, evaluate: Evaluate, seed: torch.Generator) -> tuple["Sampler", Tensor]:
        """The sampler with its step size, and the sample at the end of the burn-in."""

    def init(self, theta: Tensor, evaluate: Evaluate) -> LangevinState:
        """The state in θ."""
        return LangevinState(theta, evaluate(theta))

    def __call__(
        self, energy: Objective, *, start: Tensor, seed: int | torch.Generator = 0, gradient: Gradient | None = None
    ) -> Samples:
        """Sample.

        Args:
            energy: U, θ → a real scalar without unit, minus the logarithm of the density up to a constant: the
                objective of a maximum-a-posteriori estimate whose data term has inverse variances as weights.
            start: θ at the beginning, real.
            seed: of the noise.
            gradient: ∇U, if it is not to be found by automatic differentiation.

        Returns:
            Mean, variance and the mean's standard error.
        """
        if start.is_complex():
            raise InputError(
                "GD-650", given=f"a start of {start.dtype}", allowed="real numbers", do="sample view_as_real(θ)"
            )
        evaluate, noise = Evaluate(energy, gradient), generator(seed, start.device)
        chain, theta = self.settled(self.init(start.detach(), evaluate), evaluate, noise)
        state, moments, accepted = chain.init(theta, evaluate), _Moments(self.count, theta), 0
        for _ in range(self.count):
            state, taken = chain.step(state, evaluate, noise)
            accepted += taken
            moments.add(state.theta)
        return Samples(
            moments.mean,
            moments.square / (self.count - 1),
            moments.standard_error,
            accepted / self.count,
            known(chain.step_size),
            self.count,
            state.theta,
        )


@dataclass(frozen=True)
class Langevin(Sampler):
    """The unadjusted chain θ ← θ − ε∇U(θ) + √(2ε)·ξ with standard normal ξ.

    Every step is taken, so that the chain samples a neighbour of the density: for a Gaussian the mean is right and
    the variance in a direction of curvature λ is too large by 1/(1 − ½ελ). The error of the default, ε = 0.1/L, is
    5 % in the steepest direction and less in all others. Above ε = 2/L the chain runs away.

    Args:
        step_size: ε > 0, squared unit of θ; None for 0.1/L, L the curvature at the start.
        count: samples that the moments are made from, ≥ 50.
        burn_in: samples before those, ≥ 0.

    Raises:
        UsageError: GD-101 if a parameter is out of its range; GD-103 for a gradient of another shape.
        InputError: GD-650 for complex θ; GD-656 or GD-657 for U.

    Source:
        Roberts & Tweedie, Bernoulli 2:341-363, 1996; Durmus, Moulines & Pereyra, SIAM J Imaging Sci 11:473-506, 2018.

    Example:
        >>> drawn = Langevin(0.1, count=2000)(lambda x: 0.5 * x.square().sum(), start=torch.zeros(100))
        >>> bool(abs(drawn.variance.mean() - 1 / 0.95) < 0.05)
        True
    """

    step_size: float | None = None
    count: int = 10_000
    burn_in: int = 1000

    def __post_init__(self) -> None:
        _require(self.step_size, self.count, self.burn_in)

    def step(self, state: LangevinState, evaluate: Evaluate, seed: torch.Generator) -> tuple[LangevinState, bool]:
        proposal = _proposal(state, known(self.step_size), seed)
        return LangevinState(proposal, evaluate(proposal)), True

    def settled(self, state: LangevinState, evaluate: Evaluate, seed: torch.Generator) -> tuple["Langevin", Tensor]:
        step = self.step_size or 0.1 / curvature(evaluate, state.theta, state.at)
        chain = Langevin(step, self.count, self.burn_in)
        for _ in range(self.burn_in):
            state, _ = chain.step(state, evaluate, seed)
        return chain, state.theta


@dataclass(frozen=True)
class AdjustedLangevin(Sampler):
    """The chain of :class:`Langevin` with the Metropolis test: its samples are of the density itself.

    A proposal θ' is taken with probability min(1, a), a = e^{U(θ) − U(θ')}·q(θ|θ')/q(θ'|θ) with the density q of
    a proposal; otherwise the chain stays. The step must fall with the dimension n as n^{−1/3}. Without a step
    size the burn-in finds the one at which 57 % are taken, the fastest in many dimensions.

    Args:
        step_size: ε > 0, squared unit of θ; None to find it in the burn-in, which then must not be 0.
        count: samples that the moments are made from, ≥ 50.
        burn_in: samples before those, ≥ 0.

    Raises:
        UsageError: GD-101 if a parameter is out of its range; GD-104 if there is neither step size nor burn-in;
            GD-103 for a gradient of another shape.
        InputError: GD-650 for complex θ; GD-656 or GD-657 for U.

    Source:
        Roberts & Tweedie, Bernoulli 2:341-363, 1996; Roberts & Rosenthal, J R Stat Soc B 60:255-268, 1998.

    Example:
        >>> drawn = AdjustedLangevin(count=2000)(lambda x: 0.5 * x.square().sum(), start=torch.zeros(10))
        >>> bool(abs(drawn.variance.mean() - 1) < 0.1), 0.4 < drawn.accepted < 0.75
        (True, True)
    """

    step_size: float | None = None
    count: int = 10_000
    burn_in: int = 1000

    def __post_init__(self) -> None:
        _require(self.step_size, self.count, self.burn_in)
        if self.step_size is None and self.burn_in == 0:
            raise UsageError(
                "GD-104", given="no step size and no burn-in", allowed="one of them", do="allow 1000 samples to find it"
            )

    def step(self, state: LangevinState, evaluate: Evaluate, seed: torch.Generator) -> tuple[LangevinState, bool]:
        step = known(self.step_size)
        proposal = _proposal(state, step, seed)
        draw = float(torch.rand((), generator=seed, dtype=torch.float64, device=proposal.device))
        after = LangevinState(proposal, evaluate(proposal))
        logarithm = state.at.objective - after.at.objective + _way(after, state, step) - _way(state, after, step)
        taken = math.isfinite(logarithm) and math.log(draw or 1e-300) < logarithm
        return (after, True) if taken else (state, False)

    def settled(
        self, state: LangevinState, evaluate: Evaluate, seed: torch.Generator
    ) -> tuple["AdjustedLangevin", Tensor]:
        given = self.step_size
        step = given or 1.0 / (curvature(evaluate, state.theta, state.at) * state.theta.numel() ** (1 / 3))
        for k in range(self.burn_in):
            state, taken = AdjustedLangevin(step, self.count, self.burn_in).step(state, evaluate, seed)
            if given is None:  # Robbins and Monro's iteration for the logarithm of the step
                step *= math.exp((taken - WANTED) / (k + 1) ** 0.6)
        return AdjustedLangevin(step, self.count, self.burn_in), state.theta


class _Moments:
    """Running mean and sum of squares of samples, and of the means of equal stretches of them."""

    def __init__(self, count: int, like: Tensor) -> None:
        self.length, self.seen, self.batches = count // BATCHES, 0, 0
        self.mean, self.square, self.batch = (torch.zeros_like(like, dtype=torch.float64) for _ in range(3))
        self.between, self.centre = torch.zeros_like(self.mean), torch.zeros_like(self.mean)

    def add(self, sample: Tensor) -> None:
        """Take in one sample."""
        self.seen += 1
        away = sample - self.mean
        self.mean = self.mean + away / self.seen
        self.square = self.square + away * (sample - self.mean)
        self.batch = self.batch + sample / self.length
        if self.seen % self.length == 0 and self.batches < BATCHES:
            self.batches += 1
            off = self.batch - self.centre
            self.centre = self.centre + off / self.batches
            self.between = self.between + off * (self.batch - self.centre)
            self.batch = torch.zeros_like(self.batch)

    @property
    def standard_error(self) -> Tensor:
        """Of the mean."""
        return (self.between / (self.batches - 1) / self.batches).sqrt()


def _proposal(state: LangevinState, step: float, seed: torch.Generator) -> Tensor:
    theta = state.theta
    noise = torch.randn(theta.shape, generator=seed, dtype=theta.dtype, device=theta.device)
    return theta - step * state.at.gradient + math.sqrt(2.0 * step) * noise


def _way(before: LangevinState, after: LangevinState, step: float) -> float:
    """Logarithm of the density of the proposal ``after`` from ``before``, up to a constant."""
    off = after.theta - before.theta + step * before.at.gradient
    return -float(torch.sum(off * off, dtype=torch.float64)) / (4.0 * step)


def _require(step_size: float | None, count: int, burn_in: int) -> None:
    require_step(step_size)
    if count < 2 * BATCHES or burn_in < 0:
        raise UsageError(
            "GD-101",
            given=f"{count} samples after {burn_in}",
            allowed=f"at least {2 * BATCHES}, and a burn-in ≥ 0",
            do="draw thousands",
        )
