"""Vanishing and exploding gradients: watched part by part, clipped, and reported."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.solve.evaluate import norm
from gradatim.solve.solution import Progress, Solution, Stop
from gradatim.solve.stopping import StoppingRule

MOST_FADED = 1e-4
"""A part whose root-mean-square gradient is below this of the strongest part's hardly learns beside it."""
MOST_GROWN = 1e3
"""A gradient that grew this much since the first iteration has no use left for the first step size."""


@dataclass(frozen=True)
class GradientReport:
    """What became of the gradient's parts in a run.

    Args:
        names: of the parts.
        norms: ‖∇f‖ of each part, one tuple an iteration, unit of f per unit of θ.
        vanished: parts whose root mean square stood below ``MOST_FADED`` of the strongest part's at the end.
        exploded: parts that at some time were ``MOST_GROWN`` times as large as at first, or not finite.
    """

    names: tuple[str, ...]
    norms: tuple[tuple[float, ...], ...]
    vanished: tuple[str, ...]
    exploded: tuple[str, ...]

    @property
    def message(self) -> str:
        """One sentence for a reader; empty if all is well."""
        bad = [
            f"the gradient of {', '.join(parts)} {what}"
            for parts, what in ((self.vanished, "vanished"), (self.exploded, "exploded"))
            if parts
        ]
        return "; ".join(bad)


@dataclass(frozen=True)
class GradientWatch:
    """Looks at the gradient in parts, stretches of flattened θ such as one a layer, and clips it.

    A gradient that passes through many layers is a product of as many Jacobians, so its size tends to fall or
    grow geometrically with depth. Clipping g ← g·min(1, c/‖g‖) keeps a step bounded where it grows, and keeps
    its direction; nothing that is done to a gradient of zero brings it back: that needs another network (residual
    connections, normalisation, a better start). Norms are kept from before the clipping. Parts are compared with
    each other: where all are lost alike, as in a chain without biases whose signal fades too, none stands out.

    Args:
        names: of the parts; () to clip only.
        sizes: numbers in each part, in the order in which they lie in flattened θ; together all of θ.
        largest: c > 0, the longest gradient that passes, unit of f per unit of θ; inf to clip nothing.

    Raises:
        UsageError: GD-101 if c is not positive or a size is less than 1; GD-103 if names and sizes, or sizes
            and θ, do not agree.

    Source:
        Pascanu, Mikolov & Bengio, ICML 2013, algorithm 1; the same as torch.nn.utils.clip_grad_norm_.

    Example:
        >>> watch = GradientWatch(("first", "second"), (2, 1), largest=1.0)
        >>> g = torch.tensor([3.0, 0.0, 4.0])
        >>> watch.norms(g), [round(v, 3) for v in watch.clip(g).tolist()]
        ((3.0, 4.0), [0.6, 0.0, 0.8])
    """

    names: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    largest: float = math.inf

    def __post_init__(self) -> None:
        if not self.largest > 0 or any(size < 1 for size in self.sizes):
            raise UsageError(
                "GD-101",
                given=f"a longest gradient of {self.largest} and parts of {self.sizes}",
                allowed="a positive length, parts of at least 1",
                do="take inf to clip nothing",
            )
        if len(self.names) != len(self.sizes):
            raise UsageError(
                "GD-103",
                given=f"{len(self.names)} names for {len(self.sizes)} parts",
                allowed="one name a part",
                do="take names and sizes from ParameterVector",
            )

    def norms(self, gradient: Tensor) -> tuple[float, ...]:
        """‖·‖ of each part of a gradient."""
        if not self.sizes:
            return ()
        if sum(self.sizes) != gradient.numel():
            raise UsageError(
                "GD-103",
                given=f"parts of {sum(self.sizes)} numbers together for θ of {gradient.numel()}",
                allowed="parts that cover θ",
                do="take names and sizes from ParameterVector",
            )
        return tuple(norm(part) for part in gradient.reshape(-1).split(self.sizes))

    def clip(self, gradient: Tensor) -> Tensor:
        """The gradient, shortened to ``largest`` if it is longer."""
        if math.isinf(self.largest):
            return gradient
        length = torch.linalg.vector_norm(gradient)
        return gradient * (self.largest / length.clamp_min(torch.finfo(length.dtype).tiny)).clamp_max(1.0)

    def report(self, solution: Solution) -> GradientReport:
        """What the history of a run that was watched says.

        Raises:
            UsageError: GD-103 if the run was not watched by this watch.
        """
        norms = tuple(progress.parts for progress in solution.history)
        if any(len(parts) != len(self.names) for parts in norms):
            raise UsageError(
                "GD-103",
                given="a history without the norms of these parts",
                allowed="the history of a run with this watch",
                do="give the watch to the method's call",
            )
        vanished = _faded(norms[-1], self.sizes, MOST_FADED) if norms else []
        exploded = [i for i in range(len(self.names)) if _grew([parts[i] for parts in norms], MOST_GROWN)]
        return GradientReport(
            self.names, norms, tuple(self.names[i] for i in vanished), tuple(self.names[i] for i in exploded)
        )


@dataclass(frozen=True)
class LostGradient(StoppingRule):
    """Stops when the gradient exploded, or that of a watched part vanished beside the others.

    It ends a run that is a waste of time; it is no sign of quality, and ``Solution.converged`` is False. Needs a
    watched run to see a part vanish. Parts are compared by their norms, whatever their sizes. Fooled by a part
    that has done its work early.

    Args:
        faded: a part below this of the longest part's norm has vanished, > 0, without unit.
        grown: a gradient above this times the first one has exploded, > 0, without unit.

    Raises:
        UsageError: GD-101 if a limit is not positive.

    Example:
        >>> rule = LostGradient()
        >>> rule.check([Progress(change=1.0, gradient=1.0, parts=(1e-9, 1.0))]).name
        'VANISHED'
    """

    faded: float = MOST_FADED
    grown: float = MOST_GROWN

    def __post_init__(self) -> None:
        if not (self.faded > 0 and self.grown > 0):
            raise UsageError(
                "GD-101", given=f"limits {self.faded} and {self.grown}", allowed="positive numbers", do="check them"
            )

    def check(self, history: Sequence[Progress]) -> Stop | None:
        if _grew([history[0].gradient, history[-1].gradient], self.grown):
            return Stop.EXPLODED
        parts = history[-1].parts
        return Stop.VANISHED if _faded(parts, (1,) * len(parts), self.faded) else None


def _faded(norms: Sequence[float], sizes: Sequence[int], limit: float) -> list[int]:
    levels = [length / math.sqrt(size) for length, size in zip(norms, sizes, strict=True)]
    return [i for i, level in enumerate(levels) if level < limit * max(levels)]


def _grew(norms: Sequence[float], limit: float) -> bool:
    return any(not math.isfinite(length) or length > limit * norms[0] for length in norms)
