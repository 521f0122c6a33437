"""What is assumed of an image before it is seen: an object that restores from any observation."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.linop.difference import Gradient, PeriodicGradient
from gradatim.linop.identity import Identity
from gradatim.restore.observation import Observation
from gradatim.restore.restored import Restored, require_positive
from gradatim.solve.admm import Admm
from gradatim.solve.constraints import Box
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.norms import GroupL1
from gradatim.solve.pdhg import Pdhg
from gradatim.solve.problem import Problem, Term
from gradatim.solve.selection import Selected
from gradatim.solve.stopping import IterationBound, SmallGap, SmallResidual, StoppingRule
from gradatim.solve.sure import Sure

LEAST, MOST = 0.003, 2.0
"""Range of λ in units of σ times the smallest edge: from a strong blur with little noise to none with much."""
POINTS = 7
"""Of the first grid over that range; a factor of three from each to the next."""
QUICK = IterationBound(120) | SmallGap(5e-3) | SmallResidual(3e-3)
"""For the solves on the way to λ, which need to be alike rather than exact."""
AROUND = 0.05
"""λ beyond the picture over λ within: enough to keep what no datum sees from running away."""


class Prior(ABC):
    """Restores an image from an observation of it; inpainting, deblurring and super-resolution take one."""

    @abstractmethod
    def restored(self, seen: Observation, noise: float) -> Restored:
        """The picture, given the noise.

        Args:
            seen: what is known.
            noise: σ of the data; 0 keeps known pixels as they are, which only an observation without blur allows.
        """


@dataclass(frozen=True)
class VariationPrior(Prior):
    """Minimises ½‖√W(h*x − y)‖² + λ Σ |∇x|₂, the λ of the least estimated error of h*x; flat regions, sharp edges.

    Solved by ADMM with an exact step in Fourier space. The certificate holds for every image within its radius.
    For σ = 0 the known pixels are constraints, λ does not matter, and the primal-dual method keeps them exactly.

    Args:
        weight: λ, unit of the image times mm; None to choose it.
        rule: when the solve ends; those on the way to λ are quicker.
        exact: the same where known pixels are kept.

    Raises:
        UsageError: GD-101 if λ is not positive.

    Source:
        Rudin & Osher, ICIP 1994; free borders: Almeida & Figueiredo, IEEE Trans Image Process 22:3074-3086, 2013;
        λ: Stein's estimate for the blurred image, Eldar, IEEE Trans Signal Process 57:471-481, 2009.

    Example:
        >>> VariationPrior(weight=0.1).weight
        0.1
    """

    weight: float | None = None
    rule: StoppingRule = field(default=IterationBound(500) | SmallGap(1e-3) | SmallResidual(3e-4))
    exact: StoppingRule = field(default=IterationBound(1500) | SmallGap(1e-3) | SmallResidual(1e-4))

    def __post_init__(self) -> None:
        require_positive(self.weight, "weight")

    def restored(self, seen: Observation, noise: float) -> Restored:
        axes = len(seen.spacing)
        reach = tuple(o + 1 for o in seen.offset)
        counted = torch.where(seen.inside(max(reach)), 1.0, AROUND).to(seen.data.dtype)
        gradient = PeriodicGradient(seen.canvas, seen.spacing)
        start = seen.first_guess()

        def prior(weight: float) -> Term:
            return Term(GroupL1(counted, axis=-1 - axes), gradient, weight)

        def problem_at(weight: float) -> Problem:
            return Problem((Term(SquaredDistance(seen.data, seen.weights), seen.blur), prior(weight)))

        if noise == 0:
            free = Term(GroupL1(axis=-1 - axes), Gradient(seen.canvas, seen.spacing))
            solution = Pdhg(self.exact)(Problem((Term(_fixed(seen), Identity(seen.canvas)), free)), start=start)
            return Restored(seen.picture(solution.value), 0.0, None, solution)
        weight, message = self.weight, ""
        if weight is None:
            unit = noise * min(seen.spacing)
            chosen = Selected(Sure(noise), Admm(QUICK), (LEAST * unit, MOST * unit), POINTS)(problem_at, start=start)
            weight, message, start = chosen.weight, chosen.message, chosen.value
        solution = Admm(self.rule)(problem_at(weight), start=start)
        return Restored(seen.picture(solution.value), noise, weight, solution, message)


def _fixed(seen: Observation) -> Box:
    """Known pixels are what they are; the others are free."""
    free = torch.full_like(seen.data, torch.inf)
    known = seen.known.expand(seen.data.shape)
    return Box(torch.where(known, seen.data, -free), torch.where(known, seen.data, free))


def spread(seen: Observation) -> float:
    """Standard deviation of the known data, unit of the image; 1 where they are all equal.

    Example:
        >>> from gradatim.restore.observation import observe
        >>> spread(observe(torch.zeros(4, 4), spacing=(1.0, 1.0)))
        1.0
    """
    values: Tensor = seen.data[seen.known.expand(seen.data.shape)]
    found = float(values.std()) if values.numel() > 1 else 0.0
    return found if found > 0 else 1.0
