"""The largest eigenvalue of a positive operator, from above, with a stated chance of error."""

import math
from collections.abc import Callable

import scipy.linalg
import torch
from torch import Tensor

from gradatim.base.seeds import generator

RELATIVE_GAP = 0.1
"""ε: the bound lies at most 1/(1 − ε) above the largest eigenvalue."""
CHANCE_OF_ERROR = 1e-9
"""The probability, over random starts, that the largest eigenvalue lies above the bound."""


def eigenvalue_bound(
    gram: Callable[[Tensor], Tensor], shape: tuple[int, ...], *, seed: int = 0, device: torch.device | str = "cpu"
) -> float:
    """An upper bound of the largest eigenvalue of a self-adjoint G ≥ 0, by Lanczos from a random start.

    After k steps the largest Ritz value θ is at most λ, and the probability that θ < (1 − ε)·λ is below
    1.648·√n·exp(−√ε·(2k − 1)). k is chosen so that this is below 1e-9 at ε = 0.1 (45 steps for a million
    unknowns), and θ/(1 − ε) is returned: between λ and 1.12·λ. Where the Krylov space ends before, θ is λ.

    Args:
        gram: x → G x for float64 and complex128, of shape ``shape``.
        shape: of x.
        seed: of the random start.
        device: where to compute.

    Returns:
        The bound; 0 for G = 0, inf if G x is not finite.

    Source:
        Kuczyński & Woźniakowski, SIAM J Matrix Anal Appl 13:1094-1122, 1992, theorem 4.2.

    Example:
        >>> 9.0 <= eigenvalue_bound(lambda x: x * torch.tensor([1.0, 4.0, 9.0]), (3,)) < 10.0
        True
    """
    draw = generator(seed, device)
    v = torch.randn(shape, generator=draw, dtype=torch.float64, device=device)
    unknowns = v.numel()
    if gram(v).is_complex():  # a real start would not be a random one among complex vectors
        v, unknowns = torch.randn(shape, generator=draw, dtype=torch.complex128, device=device), 2 * unknowns
    steps = math.log(1.648 * math.sqrt(unknowns) / CHANCE_OF_ERROR) / math.sqrt(RELATIVE_GAP)
    v, before, coupling = v / torch.linalg.vector_norm(v), torch.zeros_like(v), 0.0
    diagonal: list[float] = []
    beside: list[float] = []
    for _ in range(math.ceil((steps + 1.0) / 2.0)):
        image = gram(v)
        diagonal.append(float((v.conj() * image).real.sum()))
        image = image - diagonal[-1] * v - coupling * before
        coupling = float(torch.linalg.vector_norm(image))
        if not (math.isfinite(coupling) and math.isfinite(diagonal[-1])):
            return math.inf
        if coupling <= 1e-12 * _largest(diagonal, beside):
            return _largest(diagonal, beside) * (1.0 + 1e-10)
        before, v = v, image / coupling
        beside.append(coupling)
    return _largest(diagonal, beside[:-1]) / (1.0 - RELATIVE_GAP)


def _largest(diagonal: list[float], beside: list[float]) -> float:
    """Largest eigenvalue of a symmetric tridiagonal matrix."""
    last = len(diagonal) - 1
    found = scipy.linalg.eigh_tridiagonal(diagonal, beside, eigvals_only=True, select="i", select_range=(last, last))
    return max(float(found[0]), 0.0)
