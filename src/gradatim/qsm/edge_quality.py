"""How far the phase step between two neighbouring voxels can be trusted."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from gradatim.qsm.wrapping import wrap


@torch.no_grad()
def edge_weights(
    phase: Tensor,
    *,
    magnitude: Tensor | None = None,
    later: Sequence[tuple[Tensor, float]] = (),
) -> Tensor:
    """Quality of every edge between face neighbours: a product of coherences, each in [0, 1].

    With d = wrap(φ_j − φ_i) over the edge from i to j:

    - spatial coherence, 1 − |d|/π;
    - linearity, 1 − |wrap(d − d′)|/π for the edge before and the edge behind on the same axis;
    - temporal coherence, max(0, 1 − |d − wrap(Δφ_later)·t/t_later|), where a later echo is given;
    - magnitude coherence, (min(M_i, M_j)/max(M_i, M_j))², where a magnitude is given.

    Args:
        phase: (x, y, z), rad.
        magnitude: (x, y, z), ≥ 0; None leaves that factor out.
        later: pairs of a later phase (x, y, z), rad, and the ratio t/t_later ≤ 1 of the two evolution times.

    Returns:
        (3, x, y, z) in [0, 1]: entry [d, v] belongs to the edge from v to v + 1 along axis d; 0 where that
        leaves the image. Not differentiable in a useful way: it orders edges.

    Source:
        Dymerska et al., Phase unwrapping with a rapid opensource minimum spanning tree algorithm (ROMEO),
        Magn Reson Med 85:2294 (2021).

    Example:
        >>> ramp = torch.linspace(0.0, 6.0, 5).reshape(5, 1, 1)
        >>> [round(float(w), 3) for w in edge_weights(ramp)[0].flatten()]
        [0.523, 0.523, 0.523, 0.523, 0.0]
    """
    weights = phase.new_zeros((3, *phase.shape))
    for axis in range(3):
        length = phase.shape[axis] - 1
        step = wrap(torch.diff(phase, dim=axis))
        weight = 1.0 - step.abs() / math.pi
        if length > 1:
            bend = (1.0 - wrap(torch.diff(step, dim=axis)).abs() / math.pi).clamp(min=0.0)
            weight.narrow(axis, 1, length - 1).mul_(bend)
            weight.narrow(axis, 0, length - 1).mul_(bend)
        for other, ratio in later:
            drift = (step - wrap(torch.diff(other, dim=axis)) * ratio).abs()
            weight *= (1.0 - drift).clamp(min=0.0)
        if magnitude is not None:
            before, behind = magnitude.narrow(axis, 0, length), magnitude.narrow(axis, 1, length)
            tiny = torch.finfo(magnitude.dtype).tiny
            weight *= (torch.minimum(before, behind) / torch.maximum(before, behind).clamp(min=tiny)).square()
        weights[axis].narrow(axis, 0, length).copy_(weight.clamp(0.0, 1.0))
    return weights


@torch.no_grad()
def voxel_quality(weights: Tensor, mask: Tensor) -> Tensor:
    """Mean weight of a voxel's edges inside the mask, in [0, 1]; 0 outside and for a voxel without any.

    Args:
        weights: (3, x, y, z) from :func:`edge_weights`.
        mask: (x, y, z), bool.

    Returns:
        (x, y, z).

    Example:
        >>> pair = torch.zeros(3, 2, 1, 1); pair[0, 0] = 0.5
        >>> voxel_quality(pair, torch.ones(2, 1, 1, dtype=torch.bool)).flatten().tolist()
        [0.5, 0.5]
    """
    total, count = torch.zeros_like(weights[0]), torch.zeros_like(weights[0])
    for axis in range(3):
        length = mask.shape[axis] - 1
        inside = (mask.narrow(axis, 0, length) & mask.narrow(axis, 1, length)).to(weights.dtype)
        weight = weights[axis].narrow(axis, 0, length) * inside
        for start in (0, 1):
            total.narrow(axis, start, length).add_(weight)
            count.narrow(axis, start, length).add_(inside)
    return total / count.clamp(min=1.0)
