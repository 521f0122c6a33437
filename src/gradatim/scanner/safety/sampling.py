"""A waveform or a sequence as samples on a raster, as a model of stimulation takes them."""

import math

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.sequence import Sequence
from gradatim.base.waveform import Waveform

MOST_SAMPLES = 2**28
"""More steps than these are refused: 45 minutes at 10 µs."""


def waveform_of(played: Waveform | Sequence) -> Waveform:
    """The gradients of whatever is played."""
    return played.waveform if isinstance(played, Sequence) else played


def samples_of_axes(gradients: Tensor) -> Tensor:
    """Gradients that were sampled elsewhere, float64.

    Args:
        gradients: (n, 3), T/m.

    Raises:
        UsageError: GD-176 unless they are finite and three an instant.

    Example:
        >>> samples_of_axes(torch.zeros(2, 3)).dtype
        torch.float64
    """
    if gradients.ndim != 2 or gradients.shape[1] != 3 or not bool(torch.isfinite(gradients).all()):
        raise UsageError(
            "GD-176",
            given=f"gradients of shape {tuple(gradients.shape)}",
            allowed="(n, 3) finite values in T/m",
            do="give the samples of x, y and z",
        )
    return gradients.double()


def raster_midpoints(waveform: Waveform, step: float) -> Tensor:
    """t₀ + (i + ½)·step until the waveform has ended, the last one after it, (n,), s, float64.

    Args:
        waveform: what is sampled.
        step: s.

    Raises:
        UsageError: GD-175 if the step is not positive, or so short that there would be too many samples.

    Example:
        >>> block = Waveform(torch.tensor([0.0, 2e-5]).double(), torch.ones(1, 3).double(), torch.ones(1, 3).double())
        >>> [round(1e6 * t, 3) for t in raster_midpoints(block, 1e-5).tolist()]
        [5.0, 15.0, 25.0]
    """
    first, last = float(waveform.edges[0].detach()), float(waveform.edges[-1].detach())
    possible = math.isfinite(step) and step > 0 and (last - first) / step < MOST_SAMPLES
    if not possible:
        raise UsageError(
            "GD-175",
            given=f"a step of {step:g} s over {last - first:g} s",
            allowed=f"a positive step, at most {MOST_SAMPLES:,} of them",
            do="give the gradient raster in s, e.g. 1e-5",
        )
    count = math.ceil((last - first) / step - 1e-6) + 1
    return first + (torch.arange(count, dtype=torch.float64, device=waveform.edges.device) + 0.5) * step
