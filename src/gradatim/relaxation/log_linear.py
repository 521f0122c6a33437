"""R2* by a weighted line through the logarithm: closed form, no noise floor."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.nouns import MultiEcho
from gradatim.relaxation.maps import RelaxationMaps, assemble, blocks, voxels_inside


@dataclass(frozen=True)
class LogLinear:
    """Weighted least squares of ln M_e = ln S0 − R2*·TE_e with weights M_e².

    The weights undo what the logarithm does to the noise (var ln M ≈ σ²/M²). Exact without noise, but late
    echoes that have sunk to the noise floor bend the line: R2* comes out low below a signal of about 3σ. Use
    :class:`gradatim.relaxation.mono_exponential.MonoExponential` there. Differentiable in the magnitude.

    The maps carry no standard error.

    Raises:
        InputError: GD-601, GD-603, GD-604; UsageError: GD-103 (see :func:`gradatim.relaxation.maps.voxels_inside`).

    Example:
        >>> from gradatim.base.grid import Grid
        >>> times = (0.004, 0.012, 0.020)
        >>> decay = torch.stack([torch.full((2, 2, 2), 100.0 * math.exp(-40.0 * t)) for t in times])
        >>> scan = MultiEcho(decay, torch.zeros_like(decay), times, 3.0, Grid((2, 2, 2), (1.0, 1.0, 1.0)))
        >>> round(float(LogLinear()(scan).r2star.value[0, 0, 0]), 3)
        40.0
    """

    def __call__(self, signal: MultiEcho, *, mask: Tensor | None = None) -> RelaxationMaps:
        """Fit every voxel.

        Args:
            signal: at least two echoes.
            mask: (x, y, z), bool; None takes voxels with magnitude in all echoes.
        """
        inside, magnitude = voxels_inside(signal, mask)
        times = torch.tensor(signal.echo_times, dtype=torch.float64, device=magnitude.device)
        values = torch.cat([_fit(block.double(), times) for block in blocks(magnitude)], dim=1)
        return assemble(values.to(signal.magnitude.dtype), mask=inside, grid=signal.grid, noise=math.nan)


def _fit(magnitude: Tensor, times: Tensor) -> Tensor:
    """(2, voxel): ln S0 and R2*."""
    logs = magnitude.clamp(min=torch.finfo(magnitude.dtype).tiny).log()
    intercept, slope = line(logs, magnitude.square(), times)
    return torch.stack([intercept, -slope])


def line(values: Tensor, weights: Tensor, times: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted straight line through (voxel, echo) values.

    Returns:
        Intercept at time 0 and slope, each (voxel); NaN where all weights are 0.

    Example:
        >>> t = torch.tensor([1.0, 2.0, 3.0])
        >>> [round(float(v), 3) for v in line(5.0 - 2.0 * t.unsqueeze(0), torch.ones(1, 3), t)]
        [5.0, -2.0]
    """
    total = weights.sum(1)
    centre = (weights * times).sum(1) / total
    offset = times - centre.unsqueeze(1)
    slope = (weights * offset * values).sum(1) / (weights * offset.square()).sum(1)
    return (weights * values).sum(1) / total - slope * centre, slope
