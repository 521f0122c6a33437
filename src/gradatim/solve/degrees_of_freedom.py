"""How many numbers of the data a regularised fit has used up: the trace of its influence matrix."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.seeds import generator
from gradatim.linop.shift_invariant import ShiftInvariant
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.normal_equations import quadratic_weights
from gradatim.solve.norms import SquaredL2
from gradatim.solve.regularisation_path import RegularisationPath
from gradatim.solve.weights import root


def exact_degrees_of_freedom(path: RegularisationPath, weight: float) -> float | None:
    """tr ∂(A x̂)/∂y in closed form, Σ_k |a|²W / (|a|²W + λΣ|kᵢ|²), where Fourier makes everything diagonal.

    Args:
        path: the problem for each λ.
        weight: λ.

    Returns:
        The sum over all frequencies and all images of a batch; None unless every term is a
        :class:`SquaredDistance` or :class:`SquaredL2` of one weight behind a shift-invariant operator.

    Example:
        >>> from gradatim.linop.identity import Identity
        >>> from gradatim.solve.normal_equations import NormalEquations
        >>> from gradatim.solve.problem import Problem, Term
        >>> y, one = torch.full((2, 2), 2.0), Identity((2, 2))
        >>> ridge = lambda lam: Problem((Term(SquaredDistance(y), one), Term(SquaredL2(), one, lam)))
        >>> exact_degrees_of_freedom(RegularisationPath(ridge, NormalEquations(), 0 * y), 1.0)
        2.0
    """
    symbols = []
    for term in path.problem_at(weight).terms:
        f, operator = term.function, term.operator
        if not (isinstance(f, (SquaredDistance, SquaredL2)) and isinstance(operator, ShiftInvariant)):
            return None
        weights = quadratic_weights(f)
        if isinstance(weights, Tensor) and weights.numel() > 1:
            return None
        symbols.append(term.strength * float(weights) * operator.gram_symbol(path.start).double())
    total = sum(symbols[1:], symbols[0])
    used = torch.where(total > 0, symbols[0] / total, torch.zeros_like(total))
    shape = path.problem_at(weight).domain_shape
    if used.shape[-1] != shape[-1]:  # a half spectrum: all but the planes k = 0 and Nyquist stand for two
        used = 2.0 * used
        used[..., 0] /= 2.0
        if shape[-1] % 2 == 0:
            used[..., -1] /= 2.0
    images = path.start.numel() / math.prod(shape) * (2 if path.start.is_complex() else 1)  # two real ones in a complex
    return float(used.sum()) * images


@dataclass(frozen=True, eq=False)
class MonteCarloDegreesOfFreedom:
    """tr ∂(A x̂)/∂y from solutions for shifted data, ⟨b, √W A(x̂(y + εb/√W) − x̂(y))⟩/ε with b = ±1 by chance.

    Its expectation is the trace if x̂ is linear between the two data, which it is for a quadratic prior
    whatever ε is; the variance of a probe is twice the sum of the squared off-diagonal elements. The path
    of the shifted data is walked over the same λ in the same order by the same method, so that what a
    method leaves unsolved is the same in both and drops out. It must be asked from the first λ on.

    Args:
        path: the problem for each λ.
        step: ε, unit of √W·y; a tenth to one σ.
        probes: how many b; one will do for images.
        seed: of the b.

    Source:
        Girard, Numer Math 56:1-23, 1989; Hutchinson, Commun Stat Simul 19:433-450, 1990; Ramani, Blu & Unser,
        IEEE Trans Image Process 17:1540-1554, 2008 (for any method, by differences).
    """

    path: RegularisationPath
    step: float
    probes: int = 1
    seed: int | torch.Generator = 0
    shifted: list[tuple[Tensor, RegularisationPath]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        _, f = self.path.data(1.0)
        random = generator(self.seed)
        whitening = torch.as_tensor(root(f.weights), dtype=f.target.real.dtype, device=f.target.device)
        for _ in range(self.probes):
            b = _signs(f.target, random) * (whitening > 0)
            shift = self.step * b / whitening.masked_fill(whitening == 0, 1.0)
            self.shifted.append((b, self.path.shifted(shift)))

    def at(self, weight: float) -> float:
        """The estimate for λ = ``weight``, a mean over the probes."""
        here = self.path.residual(weight)
        total = 0.0
        for b, path in self.shifted:
            # the residual of the shifted path has the shift in it: √W(A x̂' − y − εb/√W)
            moved = path.residual(weight) - here + self.step * b
            total += float(torch.sum((b.conj() * moved).real if b.is_complex() else b * moved, dtype=torch.float64))
        return total / (self.step * self.probes)


def _signs(like: Tensor, random: torch.Generator) -> Tensor:
    def draw() -> Tensor:
        return 2.0 * torch.randint(0, 2, like.shape, generator=random, device=random.device) - 1.0

    signs = torch.complex(draw(), draw()) if like.is_complex() else draw()
    return signs.to(like)
