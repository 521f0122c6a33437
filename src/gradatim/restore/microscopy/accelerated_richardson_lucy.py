"""Richardson-Lucy with vector extrapolation, guarded so that the data never become less likely."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from gradatim.restore.microscopy.em_sweeps import EmSweeps, Figures
from gradatim.restore.microscopy.field_blur import Border
from gradatim.restore.microscopy.photon_counts import PhotonCounts
from gradatim.solve.drive import drive
from gradatim.solve.solution import Progress, Solution
from gradatim.solve.stopping import Discrepancy, IterationBound, StoppingRule


class Extrapolation(NamedTuple):
    """Where the iteration stands.

    Attributes:
        y: the iterate: last step's result, carried on along the line from the one before.
        x: that result.
        gain: x − (the y it came from); None before the first step and after a refused extrapolation.
        figures: how well y explains the data.
        change: relative change that led to y.
    """

    y: Tensor
    x: Tensor
    gain: Tensor | None
    figures: Figures
    change: float


@dataclass(frozen=True)
class AcceleratedRichardsonLucy:
    """y_{k+1} = max(x_{k+1} + α (x_{k+1} − x_k), 0), x_{k+1} one step of :class:`RichardsonLucy` from y_k.

    α = ⟨g_k, g_{k−1}⟩ / ‖g_{k−1}‖², g_k = x_{k+1} − y_k, kept in [0, 1). An extrapolation that makes the data
    less likely is refused, at the price of one more blur, and the plain step, which cannot, takes its place;
    so the deviance never rises. Gets where the plain method is after k iterations in a small multiple of √k.
    The iterates lie on another path than the plain method's: compare at equal deviance. Memory: 15 to 30 volumes,
    for each step makes new ones.

    Args:
        rule: when to stop; sees ``change``, ``misfit`` and ``objective``.
        border: what lies outside the field.

    Raises:
        UsageError: GD-101 and GD-103, InputError: GD-603, GD-670 and GD-671, as :meth:`PhotonCounts.of` says.

    Source:
        Biggs & Andrews, Appl Opt 36:1766-1775, 1997; the guard is ours.

    Example:
        >>> image, psf = torch.full((6, 6), 4.0), torch.ones(3, 3) / 9
        >>> found = AcceleratedRichardsonLucy(IterationBound(5))(image, psf=psf)
        >>> bool((found.value - 4.0).abs().max() < 1e-4)
        True
    """

    rule: StoppingRule = IterationBound(50) | Discrepancy()
    border: Border = Border.OPEN

    def __call__(
        self,
        image: Tensor,
        *,
        psf: Tensor,
        background: float | Tensor = 0.0,
        mask: Tensor | None = None,
        start: Tensor | None = None,
    ) -> Solution:
        """Deconvolve one image; arguments and value as those of :class:`RichardsonLucy`."""
        counts = PhotonCounts.of(image, psf, border=self.border, background=background, mask=mask)
        sweeps = EmSweeps(counts)
        x = sweeps.first(start)
        return drive(
            lambda state: extrapolated_step(sweeps, state),
            Extrapolation(x, x, None, sweeps.compare(x), 0.0),
            rule=self.rule,
            measure=_progress,
            value=lambda state: state.y[counts.blur.window].clone(),
        )


def extrapolated_step(sweeps: EmSweeps, state: Extrapolation) -> Extrapolation:
    """One step; the state before stays as it was."""
    x = sweeps.corrected(state.y)
    gain = x - state.y
    weight = _weight(gain, state.gain)
    if weight > 0:
        y = torch.lerp(state.x, x, 1.0 + weight).clamp_min_(0.0)
        figures = sweeps.compare(y)
        if figures.deviance <= state.figures.deviance:
            return Extrapolation(y, x, gain, figures, _change(y, state.y))
    return Extrapolation(x, x, gain if weight == 0 else None, sweeps.compare(x), _change(x, state.y))


def _weight(gain: Tensor, before: Tensor | None) -> float:
    if before is None:
        return 0.0
    length = float(torch.dot(before.flatten(), before.flatten()))
    along = float(torch.dot(gain.flatten(), before.flatten()))
    return min(max(along / length, 0.0), 0.999) if length > 0 else 0.0


def _change(now: Tensor, before: Tensor) -> float:
    length = float(torch.linalg.vector_norm(now))
    slabs = zip(now.split(8), before.split(8), strict=True)  # the difference is never there as a whole
    moved = math.hypot(*(float(torch.dist(a, b)) for a, b in slabs))
    return moved / length if length > 0 else 0.0


def _progress(before: Extrapolation, after: Extrapolation) -> Progress:
    return Progress(change=after.change, misfit=after.figures.misfit, objective=after.figures.deviance)
