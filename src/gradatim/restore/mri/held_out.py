"""The weight of a prior from samples that the reconstruction was not shown."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.seeds import generator
from gradatim.restore.mri.kspace import KSpace
from gradatim.restore.mri.periphery_noise import distance_from_middle
from gradatim.solve.criterion import Choice

PASSED = 1
"""Steps of the grid that may be worse than the best before the rest of it is left out."""

Reconstruct = Callable[[KSpace, float], Tensor]
"""Some samples and λ → the image, (*shape)."""


@dataclass(frozen=True)
class HeldOut:
    """The λ whose image best predicts samples that were held out: cross-validation in k-space.

    A share of the samples outside the middle is set aside at random, images are made from the others for λ on
    a geometric grid, and each image is asked for the samples set aside::

        score(λ) = ‖M' F S x̂_λ − y'‖² / ‖y'‖²

    It needs neither the truth nor a noise level. Noise adds the same amount to every score. Where the data
    have no noise the score falls to the lower edge of the range or is flat there, and the choice says so.

    Args:
        share: of the samples outside the middle, set aside.
        middle: radius within which nothing is set aside, as a share of each axis' half.
        range: least and largest λ, as shares of the largest value of the image from all samples, unregularised.
        points: of the grid over the range.
        seed: of the draw.

    Raises:
        UsageError: GD-101 if a parameter is out of range.
        InputError: GD-683 if the draw sets nothing aside that holds a value.

    Source:
        Ward, IEEE Signal Process Lett 16:830-833, 2009 (cross-validation in compressed sensing).

    Example:
        >>> HeldOut().range
        (0.0001, 0.03)
    """

    share: float = 0.1
    middle: float = 0.1
    range: tuple[float, float] = (1e-4, 3e-2)
    points: int = 6
    seed: int | torch.Generator = 0

    def __post_init__(self) -> None:
        low, high = self.range
        if not (0 < self.share < 1 and 0 <= self.middle < 1 and 0 < low < high and self.points >= 3):
            raise UsageError(
                "GD-101",
                given=f"share {self.share}, middle {self.middle}, range {self.range}, {self.points} points",
                allowed="0 < share < 1, 0 ≤ middle < 1, 0 < least < largest, at least 3 points",
                do="leave them out to have the defaults",
            )

    def choose(self, kspace: KSpace, maps: Tensor | None, reconstruct: Reconstruct, *, scale: float) -> Choice:
        """The best λ, with the curve.

        Args:
            kspace: all samples.
            maps: (coil, *shape), or None for a single coil of sensitivity 1.
            reconstruct: makes an image from some of the samples with a λ.
            scale: largest value of the image, which turns ``range`` into λ.
        """
        aside = self.draw(kspace)
        energy = float(kspace.samples[:, aside].abs().square().sum())
        if not energy > 0:
            raise InputError(
                "GD-683",
                given=f"{int(aside.sum())} samples held out of {int(kspace.mask.sum())}, all of them 0",
                allowed="at least one that is not 0",
                do="hold out a larger share, or give λ",
            )
        shown, hidden = kspace.only(~aside), kspace.only(aside)
        model, target = hidden.model(maps), hidden.samples[0] if maps is None else hidden.samples
        low, high = self.range
        scores: list[float] = []
        weights = [scale * low * (high / low) ** (i / (self.points - 1)) for i in range(self.points)]
        for weight in weights:
            missed = model.apply(reconstruct(shown, weight)) - target
            scores.append(float(missed.abs().square().sum()) / energy)
            if scores.index(min(scores)) < len(scores) - 1 - PASSED:
                break
        return _choice(weights, scores)

    def draw(self, kspace: KSpace) -> Tensor:
        """Which samples are set aside, (*shape), bool."""
        outside = kspace.mask.cpu() & (distance_from_middle(kspace.shape) > self.middle)
        # which of the samples, not which places: a mask drawn with the same seed must not decide it
        places = outside.flatten().nonzero().flatten()
        drawn = places[
            torch.randperm(len(places), generator=generator(self.seed, "cpu"))[: round(self.share * len(places))]
        ]
        aside = torch.zeros(outside.numel(), dtype=torch.bool)
        aside[drawn] = True
        return aside.view(kspace.shape).to(kspace.mask.device)


def _choice(weights: list[float], scores: list[float]) -> Choice:
    best = scores.index(min(scores))
    edge = {0: "lower", len(weights) - 1: "upper"}.get(best, "")
    message = f"the samples held out are predicted best at the {edge} edge of the range, λ = {weights[best]:.3g}"
    tried = tuple(weights[: len(scores)])
    return Choice(weights[best], tried, tuple(scores), bool(edge), message if edge else "")
