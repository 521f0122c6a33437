"""What fits of diffusion give back: estimates with intervals, and a verdict a voxel."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


class Verdict(enum.IntEnum):
    """What became of a voxel; the number is what a map of verdicts holds.

    Example:
        >>> Verdict(3).sentence
        'the fit did not settle within its iterations'
    """

    FITTED = 0
    OUTSIDE = 1
    DARK = 2
    UNSETTLED = 3
    UNIDENTIFIABLE = 4
    NOT_POSITIVE = 5

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        return _SENTENCES[self]


_SENTENCES = {
    Verdict.FITTED: "the fit is good as it is",
    Verdict.OUTSIDE: "the voxel lies outside of the mask",
    Verdict.DARK: "too few values above zero to tell the parameters",
    Verdict.UNSETTLED: "the fit did not settle within its iterations",
    Verdict.UNIDENTIFIABLE: "the data are explained as well by fewer parameters, so that these mean nothing",
    Verdict.NOT_POSITIVE: "the fitted tensor has a diffusivity below zero, which noise or motion made",
}


@dataclass(frozen=True, eq=False)
class Estimate:
    """One parameter of a fit.

    Args:
        value: (...), NaN where the voxel has no answer, 0 outside of the mask.
        error: (...), one standard error.
        low: (...), lower end of the interval; −inf or 0 where the data set no lower end.
        high: (...), upper end; inf where the data set none.
        unit: of all four; empty for a pure number or the signal's own unit.
    """

    value: Tensor
    error: Tensor
    low: Tensor
    high: Tensor
    unit: str


@dataclass(frozen=True, eq=False)
class DecayFit:
    """Parameters of a decay of signal over diffusion weighting.

    Args:
        estimates: name → estimate, e.g. ``"s0"``, ``"diffusivity"``.
        sigma: (...), standard deviation of the noise that the intervals reckon with, in the signal's unit: what was
            given, or the root mean square of the residuals over n − p.
        verdict: (...), uint8, :class:`Verdict`.
        level: what the intervals are to cover.
    """

    estimates: Mapping[str, Estimate]
    sigma: Tensor
    verdict: Tensor
    level: float

    def __getitem__(self, name: str) -> Estimate:
        return self.estimates[name]

    def count(self, verdict: Verdict) -> int:
        """How many voxels have a verdict."""
        return int((self.verdict == int(verdict)).sum())


def spread(values: Tensor, inside: Tensor) -> Tensor:
    """Values of voxels on the grid, 0 outside of the mask.

    Args:
        values: (voxel, *rest).
        inside: (...), bool.

    Returns:
        (..., *rest), of the values' type.

    Example:
        >>> spread(torch.tensor([5.0]), torch.tensor([False, True])).tolist()
        [0.0, 5.0]
    """
    image = values.new_zeros((*inside.shape, *values.shape[1:]))
    image[inside] = values
    return image


def verdicts(found: Tensor, inside: Tensor) -> Tensor:
    """Verdicts of voxels on the grid, ``OUTSIDE`` elsewhere.

    Args:
        found: (voxel), an integer type.
        inside: (...), bool.
    """
    image = torch.full(inside.shape, int(Verdict.OUTSIDE), dtype=torch.uint8, device=found.device)
    image[inside] = found.to(torch.uint8)
    return image
