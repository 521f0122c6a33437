"""A picture made to an objective, by descent from noise."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.seeds import generator
from gradatim.solve.descent import GradientMethod
from gradatim.solve.evaluate import Objective
from gradatim.solve.lbfgs import Lbfgs
from gradatim.solve.solution import Solution


@dataclass(frozen=True, eq=False)
class Synthesised:
    """A picture made to an objective.

    Args:
        value: the picture.
        solution: of the descent; the objective of its history is the wanted one plus the penalty.
        objective: the wanted one alone, at ``value``.

    Example:
        >>> print(Synthesis.__doc__.splitlines()[0])
        Makes a picture x with the least f(x) + λ R(x), from white noise.
    """

    value: Tensor
    solution: Solution
    objective: float


@dataclass(frozen=True, eq=False)
class Synthesis:
    """Makes a picture x with the least f(x) + λ R(x), from white noise.

    f is any differentiable map from a picture to one number: the distance of its statistics from those of an example
    (:mod:`gradatim.restore.texture`), the answer of a classifier with a minus before it, a physical cost. Where many
    pictures are equally good, as with statistics, the seed chooses among them.

    Args:
        objective: f.
        penalty: R, a picture → one number.
        weight: λ ≥ 0, unit of f per unit of R.
        method: what descends; L-BFGS finds its own steps.
        mean: of the first noise, unit of the picture.
        spread: its standard deviation, > 0, unit of the picture.
        dtype: of the picture, floating point or complex.
        seed: of the first noise.

    Raises:
        UsageError: GD-101 if λ or the spread is out of range.
        InputError: GD-656 or GD-657 for an objective that is not one number or cannot be differentiated.

    Source:
        Gatys, Ecker & Bethge, NIPS 2015, arXiv 1505.07376 (texture by descent on statistics).

    Example:
        >>> found = Synthesis(lambda x: (x.mean() - 3.0) ** 2)((4, 4))
        >>> round(found.value.mean().item(), 3), found.objective < 1e-6
        (3.0, True)
    """

    objective: Objective
    penalty: Objective = field(default=lambda x: x.new_zeros(()))
    weight: float = 0.0
    method: Lbfgs | GradientMethod = field(default=Lbfgs())
    mean: float = 0.0
    spread: float = 1.0
    dtype: torch.dtype = torch.float32
    seed: int | torch.Generator = 0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.weight) and self.weight >= 0 and math.isfinite(self.spread) and self.spread > 0):
            raise UsageError(
                "GD-101",
                given=f"λ = {self.weight} and a spread of {self.spread}",
                allowed="λ ≥ 0 and a positive spread",
                do="begin with λ = 0, and the mean and spread of the picture that is wanted",
            )

    def __call__(self, shape: tuple[int, ...]) -> Synthesised:
        """Make a picture of a shape."""
        noise = torch.randn(shape, generator=generator(self.seed), dtype=self.dtype)

        def total(x: Tensor) -> Tensor:
            wanted = self.objective(x)
            return wanted + self.weight * self.penalty(x) if self.weight > 0 else wanted

        solution = self.method(total, start=self.mean + self.spread * noise)
        with torch.no_grad():
            wanted = float(self.objective(solution.value))
        return Synthesised(solution.value, solution, wanted)
