"""The difference between forward and backward lines of echo-planar imaging, which makes ghosts at half the image."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from gradatim.base.errors import InputError


@dataclass(frozen=True, eq=False)
class Lines:
    """Profiles of lines along the readout.

    Args:
        profiles: (coils, lines, x), complex.
        backward: (lines,), bool, which of them run towards negative k.
    """

    profiles: Tensor
    backward: Tensor

    def turned(self, phase: Tensor) -> "Lines":
        """The same with exp(−iφ(x)) on the backward lines.

        Args:
            phase: φ, (x,), rad.
        """
        factor = torch.exp(-1j * phase).to(self.profiles)
        profiles = torch.where(self.backward[:, None], self.profiles * factor, self.profiles)
        return replace(self, profiles=profiles)


class GhostCorrection(Protocol):
    """What makes backward lines agree with forward ones."""

    def __call__(self, lines: Lines, navigators: Lines | None, image: Callable[[Tensor], Tensor]) -> Lines:
        """Correct lines, given navigators and what makes an image (coils, x, y, z) of profiles."""


@dataclass(frozen=True)
class NavigatorPhase:
    """Corrects a constant and a linear phase φ(x) = a + b·x between directions, measured on navigators.

    Navigators are lines without phase encoding, at least one in each direction (``NAV`` = 1). b is the mean phase step
    of d(x) = backward·forward* from voxel to voxel, a the mean phase that is left.

    Raises (call):
        InputError: GD-814 if navigators of both directions are not there.

    Source:
        Bruder et al., Magn Reson Med 23:311-323, 1992; Ahn & Cho, IEEE Trans Med Imaging 6:32-36, 1987 (linear phase
        from the autocorrelation).

    Example:
        >>> x, one = torch.arange(8).double() - 4, torch.ones(1, 1, 8).double()
        >>> pair = torch.cat([one + 0j, torch.exp(1j * (0.3 + 0.1 * x))[None, None]], 1)
        >>> lines = Lines(pair, torch.tensor([False, True]))
        >>> float((NavigatorPhase()(lines, lines, lambda p: p).profiles - 1).abs().max()) < 1e-12
        True
    """

    def __call__(self, lines: Lines, navigators: Lines | None, image: Callable[[Tensor], Tensor]) -> Lines:
        if navigators is None or not (bool(navigators.backward.any()) and bool((~navigators.backward).any())):
            raise InputError(
                "GD-814",
                given="no navigators in both directions",
                allowed="one line without phase encoding in each direction, with NAV = 1",
                do="use MinimumEntropy, which needs none",
            )
        backward = navigators.profiles[:, navigators.backward].mean(1)
        forward = navigators.profiles[:, ~navigators.backward].mean(1)
        product = (backward * forward.conj()).sum(0)
        slope = (product[1:] * product[:-1].conj()).sum().angle()
        places = torch.arange(len(product), device=product.device) - len(product) // 2
        constant = (product * torch.exp(-1j * slope * places)).sum().angle()
        return lines.turned(constant + slope * places)


@dataclass(frozen=True)
class MinimumEntropy:
    """Corrects the constant and linear phase between directions that make the image's magnitudes least spread.

    The entropy −Σ q·log q of q = |m|²/Σ|m|² is searched on a grid of both parameters, which is then halved about its
    best point. It needs no reference, and errs where the object fills the field of view. A constant phase of π moves
    the image by half the field of view and leaves its entropy, so that phases up to π/2 are searched.

    Args:
        reach: the largest linear phase across the field of view, turns: a shift of so many steps of k.
        halvings: of the grid's step.

    Source:
        Clare, Proc Intl Soc Magn Reson Med 16, 2008 (iterative Nyquist ghost correction by an entropy measure).

    Example:
        >>> MinimumEntropy().reach
        1.0
    """

    reach: float = 1.0
    halvings: int = 8

    def __call__(self, lines: Lines, navigators: Lines | None, image: Callable[[Tensor], Tensor]) -> Lines:
        n = lines.profiles.shape[-1]
        places = (torch.arange(n, device=lines.profiles.device) - n // 2) / n
        constant, slope = 0.0, 0.0
        step, stride = math.pi / 4, self.reach * 2 * math.pi / 4
        counts = (range(-2, 3), range(-4, 5))
        for _ in range(self.halvings + 1):
            tried = [(constant + i * step, slope + j * stride) for i in counts[0] for j in counts[1]]
            spread = [_entropy(image(lines.turned(a + b * places).profiles)) for a, b in tried]
            constant, slope = tried[min(range(len(tried)), key=spread.__getitem__)]
            step, stride, counts = step / 2, stride / 2, (range(-1, 2), range(-1, 2))
        return lines.turned(constant + slope * places)


def _entropy(image: Tensor) -> float:
    power = image.detach().abs().square().sum(0).flatten()
    share = power / power.sum()
    return float(-torch.special.xlogy(share, share).sum())
