"""Inversion of a generator: which latent numbers make the picture behind the data."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.seeds import generator
from gradatim.linop.operator import LinearOperator
from gradatim.solve.adaptive import Adam
from gradatim.solve.descent import GradientMethod
from gradatim.solve.gradient_stopping import Plateau, RelativeGradient
from gradatim.solve.gradient_watch import GradientReport, GradientWatch
from gradatim.solve.lbfgs import Lbfgs
from gradatim.solve.solution import Solution
from gradatim.solve.stopping import IterationBound, RelativeChange


@dataclass(frozen=True, eq=False)
class Inverted:
    """Latent numbers, and what they make.

    Args:
        latent: z.
        value: G(z), the picture.
        solution: of the refinement; the objective of its history is the objective.
        searches: one solution a start; one history each, with the gradient's norm as it was before clipping.
        gradients: what became of the gradient in the search that led to z.

    Example:
        >>> print(LatentInversion.__doc__.splitlines()[0])
        Finds z with the least ½‖A G(z) − y‖²_W + λ½‖z‖², from several starts.
    """

    latent: Tensor
    value: Tensor
    solution: Solution
    searches: tuple[Solution, ...]
    gradients: GradientReport


@dataclass(frozen=True, eq=False)
class LatentInversion:
    """Finds z with the least ½‖A G(z) − y‖²_W + λ½‖z‖², from several starts.

    G is any differentiable map from latent numbers to a picture: a trained generator, a decoder, a model of a few
    parameters. The objective is not convex: the search goes down from several random z, white and of unit variance, by
    a method with momentum, and the best of them is refined to the end by L-BFGS. With W the inverse variance of the
    noise and λ = 1 the result is the most probable z under the prior that such generators are trained with. No start
    is sure to end in the deepest valley: searches that end at one objective are a good sign, and all are kept.

    Args:
        generator: G, z → (..., *domain); its own parameters are left alone.
        shape: of z.
        weight: λ ≥ 0, without unit where W is an inverse variance.
        starts: how many, ≥ 1.
        search: from each start.
        refine: from the best.
        longest: gradient that passes unclipped in the search, unit of the objective; inf to clip nothing.
        seed: of the starts.

    Raises:
        UsageError: GD-101 if λ or the number of starts is out of range; GD-103 if the generator's picture, the operator
            and the data do not agree.
        InputError: GD-656 or GD-657 if the generator cannot be differentiated.

    Source:
        Bora, Jalal, Price & Dimakis, Compressed Sensing using Generative Models, ICML 2017, arXiv 1703.03208.

    Example:
        >>> from gradatim.linop.identity import Identity
        >>> ramp = torch.linspace(0, 1, 5)
        >>> found = LatentInversion(lambda z: (z * ramp).tanh(), shape=(1,), weight=0.0, starts=2)(
        ...     (0.7 * ramp).tanh(), operator=Identity((5,)))
        >>> round(found.latent.item(), 3)
        0.7
    """

    generator: Callable[[Tensor], Tensor]
    shape: tuple[int, ...]
    weight: float = 1.0
    starts: int = 4
    search: GradientMethod = field(default=Adam(step_size=0.05, rule=IterationBound(150) | Plateau(30, 1e-4)))
    refine: Lbfgs = field(default=Lbfgs(IterationBound(200) | RelativeGradient(1e-6) | RelativeChange(1e-6)))
    longest: float = math.inf
    seed: int | torch.Generator = 0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.weight) and self.weight >= 0) or self.starts < 1:
            raise UsageError(
                "GD-101",
                given=f"λ = {self.weight} and {self.starts} starts",
                allowed="λ ≥ 0, and at least one start",
                do="take λ = 1 and a few starts",
            )

    def __call__(self, data: Tensor, *, operator: LinearOperator, weights: Tensor | float = 1.0) -> Inverted:
        """Find z.

        Args:
            data: y, (..., *codomain); data of weight 0 may hold anything.
            operator: A, from the picture to the data.
            weights: W ≥ 0, broadcasts to the data.
        """
        weights = torch.as_tensor(weights, dtype=data.real.dtype, device=data.device)
        clean = torch.where(weights > 0, data, torch.zeros_like(data))

        def objective(z: Tensor) -> Tensor:
            seen = operator.apply(self.generator(z))
            if seen.shape != data.shape:
                raise UsageError(
                    "GD-103",
                    given=f"a generator whose picture gives data of shape {tuple(seen.shape)}",
                    allowed=f"{tuple(data.shape)}, as the data",
                    do="bring generator, operator and data to one grid",
                )
            misfit = 0.5 * (weights * (seen - clean).abs().square()).sum()
            return misfit + 0.5 * self.weight * z.square().sum()

        watch = GradientWatch(("z",), (math.prod(self.shape),), self.longest)
        starts = torch.randn((self.starts, *self.shape), generator=generator(self.seed)).to(clean.real)
        searches = tuple(self.search(objective, start=z, watch=watch) for z in starts)
        best = min(searches, key=_objective)
        refined = self.refine(objective, start=best.value)
        with torch.no_grad():
            value = self.generator(refined.value)
        return Inverted(refined.value, value, refined, searches, watch.report(best))


def _objective(found: Solution) -> float:
    """The objective that a search ended at; inf for one that was lost."""
    return found.history[-1].objective if found.history else math.inf
