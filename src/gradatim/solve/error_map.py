"""How uncertain each voxel of a solution is: the diagonal of the Laplace approximation."""

import math
from dataclasses import dataclass, field
from enum import Enum

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.seeds import generator
from gradatim.linop.fft import irfftn
from gradatim.linop.shift_invariant import ShiftInvariant
from gradatim.solve.conjugate_gradient import ConjugateGradient
from gradatim.solve.curvature import curvature, resting_length
from gradatim.solve.normal_operator import NormalOperator
from gradatim.solve.problem import Problem, Term
from gradatim.solve.stopping import IterationBound, SmallResidual

DENSE = 2048
"""Up to so many unknowns the Hessian is made and inverted as a matrix."""
CHUNK = 8
"""Samples that are drawn together."""


class ErrorRule(Enum):
    """How the diagonal of the inverse was found."""

    FOURIER = "exactly, in Fourier space"
    DENSE = "exactly, by inverting the matrix"
    SAMPLED = "from random samples of the approximation"


@dataclass(frozen=True, eq=False)
class ErrorMap:
    """The standard error of every voxel.

    Args:
        value: posterior standard deviation, of the shape and unit of the solution.
        monte_carlo: relative standard error of ``value`` that comes from sampling; 0 where it is exact.
        rule: how it was found.
        epsilons: ε of each term whose curvature has a kink at 0, unit of K x; inf for the others.
    """

    value: Tensor
    monte_carlo: float
    rule: ErrorRule
    epsilons: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class LaplaceErrorMap:
    """Standard error of each voxel of a minimiser, by the Gaussian that fits the posterior around it.

    ::

        posterior(x) ∝ exp(−F(x)/σ²) ≈ N(x̂, C),     C = σ²·(Σ λᵢ Kᵢ* Dᵢ Kᵢ)⁻¹,     error = √diag C

    with F(x) = ½‖A x − y‖²_W + λR(x) and Dᵢ the curvature of each term at x̂: W for the data, the lagged
    diffusivity 1/|K x̂|_ε for total variation. It is the exact posterior for a quadratic prior. Otherwise it is
    an approximation, and it holds only what the prior lets vary: the bias that a prior brings is not in it.
    If nothing is said, ε is where a prior's parabola at 0 has the variance of the prior itself (for total
    variation in d dimensions (d + 1)σ²/λ), so that flat regions are neither frozen nor free; against Langevin
    samples the map is then about 20 % too large there. An axis of one voxel counts among the d.

    Exact in Fourier space where everything is shift-invariant, exact by a matrix up to 2048 unknowns, and
    otherwise from samples x = H⁻¹ Σ Kᵢ*√(λᵢDᵢ) n with white n, whose covariance is H⁻¹; each takes one solve
    by conjugate gradients. M samples know a standard deviation to 1/√(2M), which is reported. Memory: about 10
    volumes a sample, 8 at a time. Not differentiable.

    Args:
        sigma: standard deviation of the noise of data of weight 1; 1 where W are inverse variances.
        epsilon: ε for every term with a kink, unit of K x; None for the rule above.
        samples: M, where samples are needed.
        seed: of the samples.
        solver: for the samples.

    Raises:
        UsageError: GD-101 if σ or ε is not positive or there are fewer than 2 samples; GD-644 if a term's
            curvature is not known; GD-645 if data and prior together leave some direction free.

    Source:
        MacKay, Neural Comput 4:415-447, 1992 (Laplace); Vogel & Oman, SIAM J Sci Comput 17:227-238, 1996
        (lagged diffusivity); Papandreou & Yuille, NIPS 2010 (sampling by perturbing and solving).

    Example:
        >>> from gradatim.linop.identity import Identity
        >>> from gradatim.solve.distances import SquaredDistance
        >>> from gradatim.solve.norms import SquaredL2
        >>> one, y = Identity((2, 2)), torch.ones(2, 2)
        >>> ridge = Problem((Term(SquaredDistance(y), one), Term(SquaredL2(), one, 3.0)))
        >>> found = LaplaceErrorMap(sigma=0.1)(ridge, at=y / 4)
        >>> round(found.value[0, 0].item(), 4), found.rule.name
        (0.05, 'FOURIER')
    """

    sigma: float = 1.0
    epsilon: float | None = None
    samples: int = 64
    seed: int | torch.Generator = 0
    solver: ConjugateGradient = field(
        default_factory=lambda: ConjugateGradient(IterationBound(500) | SmallResidual(1e-4))
    )

    def __post_init__(self) -> None:
        known = (self.sigma, 1.0 if self.epsilon is None else self.epsilon)
        if not all(0 < value < math.inf for value in known) or self.samples < 2:
            raise UsageError(
                "GD-101",
                given=f"σ {self.sigma}, ε {self.epsilon}, {self.samples} samples",
                allowed="positive numbers, at least 2 samples",
                do="leave ε out; 64 samples know the error to 9 %",
            )

    def __call__(self, problem: Problem, *, at: Tensor) -> ErrorMap:
        """The error map of the solution of a problem.

        Args:
            problem: what was minimised.
            at: x̂, real, (..., *domain_shape).

        Returns:
            The map, of the shape of ``at``.
        """
        with torch.no_grad():
            epsilons = tuple(self._epsilon(term, at) for term in problem.terms)
            diagonals = tuple(
                term.strength * curvature(term.function, term.operator.apply(at), epsilon)
                for term, epsilon in zip(problem.terms, epsilons, strict=True)
            )
            hessian = NormalOperator(tuple(term.operator for term in problem.terms), diagonals)
            variance = _in_fourier_space(hessian, at)
            if variance is not None:
                return self._map(variance, at, ErrorRule.FOURIER, epsilons)
            if at.numel() <= DENSE:
                return self._map(_dense(hessian, at), at, ErrorRule.DENSE, epsilons)
            return self._map(self._sampled(hessian, at), at, ErrorRule.SAMPLED, epsilons)

    def _epsilon(self, term: Term, at: Tensor) -> float:
        if term.strength == 0:
            return math.inf
        rest = resting_length(term.function, term.operator.apply(at), self.sigma**2 / term.strength)
        return rest if self.epsilon is None or math.isinf(rest) else self.epsilon

    def _map(self, variance: Tensor, at: Tensor, rule: ErrorRule, epsilons: tuple[float, ...]) -> ErrorMap:
        value = self.sigma * variance.sqrt().to(at.dtype).expand(at.shape)
        return ErrorMap(
            value, 1.0 / math.sqrt(2.0 * self.samples) if rule is ErrorRule.SAMPLED else 0.0, rule, epsilons
        )

    def _sampled(self, hessian: NormalOperator, at: Tensor) -> Tensor:
        random, done = generator(self.seed, at.device), 0
        total = torch.zeros_like(at)
        while done < self.samples:
            count = min(CHUNK, self.samples - done)
            right = torch.zeros((count, *at.shape), dtype=at.dtype, device=at.device)
            for operator, diagonal in zip(hessian.operators, hessian.diagonals, strict=True):
                shape = (count, *operator.apply(at).shape)
                white = torch.randn(shape, generator=random, dtype=at.dtype, device=at.device)
                right = right + operator.adjoint(torch.as_tensor(diagonal, dtype=at.dtype).sqrt() * white)
            total += self.solver(right, system=hessian).value.square().sum(0)
            done += count
        return total / self.samples


def _in_fourier_space(hessian: NormalOperator, at: Tensor) -> Tensor | None:
    """diag H⁻¹, the same for all voxels, where every part of H is a periodic convolution; None elsewhere."""
    symbol: Tensor | None = None
    for operator, diagonal in zip(hessian.operators, hessian.diagonals, strict=True):
        if not isinstance(operator, ShiftInvariant) or torch.as_tensor(diagonal).numel() > 1:
            return None
        part = float(diagonal) * operator.gram_symbol(at).double()
        symbol = part if symbol is None else symbol + part
    if symbol is None or not float(symbol.min()) > torch.finfo(at.dtype).eps * float(symbol.max()):
        raise _free()
    # the value at the origin of the inverse's kernel
    kernel = irfftn(symbol.reciprocal().to(torch.complex128), hessian.domain_shape)
    return kernel[(0,) * kernel.ndim]


def _dense(hessian: NormalOperator, at: Tensor) -> Tensor:
    """diag H⁻¹ by way of the matrix, in float64; each image of a batch has its own unknowns."""
    size = at.numel()
    columns = torch.eye(size, dtype=torch.float64, device=at.device).view(size, *at.shape)
    matrix = hessian.apply(columns).reshape(size, size)
    factor, failed = torch.linalg.cholesky_ex(0.5 * (matrix + matrix.T))
    smallest, largest = float(factor.diagonal().min()), float(factor.diagonal().max())
    if int(failed) or smallest < torch.finfo(torch.float32).eps * largest:
        raise _free()
    return torch.cholesky_inverse(factor).diagonal().view(at.shape)


def _free() -> InputError:
    return InputError(
        "GD-645",
        given="a problem whose Hessian is singular: some change of x costs nothing",
        allowed="data and prior that together determine every voxel",
        do="add a weak SquaredL2 prior, or leave the unseen part out of x",
    )
