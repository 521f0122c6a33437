"""What the steps of a walk weigh in the phase of a waveform: integrals of each step, exact for straight ways."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T
from gradatim.base.waveform import Waveform

_NODES = torch.tensor([0.5 - 0.5 * 0.6**0.5, 0.5, 0.5 + 0.5 * 0.6**0.5], dtype=torch.float64)
_WEIGHTS = torch.tensor([5.0, 8.0, 5.0], dtype=torch.float64) / 18.0


@dataclass(frozen=True, eq=False)
class StepWeights:
    """φ = Σ near_j·x_j + far_j·x_(j+1), and the share of b that lies within the steps.

    Args:
        near: (steps, 3), rad/m, weight of the place before each step.
        far: (steps, 3), rad/m, weight of the place after it.
        within: ∫|Q − Q̄|² dt, s/m², Q̄ the mean of Q over its step: between two ends a spin does not go straight, which
            takes exp(−D·within) of the signal, the same for all.
    """

    near: Tensor
    far: Tensor
    within: float


def step_weights(waveform: Waveform, *, steps: int, step: float) -> StepWeights:
    """The weights of equal steps from the waveform's first edge on; after its last edge nothing counts.

    γ∫G·x dt over a step from x₀ to x₁ is γ·[x₀·(M̄ − M₀) + x₁·(M₁ − M̄)], M(t) = ∫G dt and M̄ its mean over the step.
    With M piecewise quadratic, three Gauss points between all edges are exact for M̄ and for ∫M² dt.

    Args:
        waveform: as the coherence feels it.
        steps: how many.
        step: s.

    Example:
        >>> one = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
        >>> steady = Waveform(torch.tensor([0.0, 1.0], dtype=torch.float64), one, one)
        >>> weights = step_weights(steady, steps=2, step=0.5)
        >>> (weights.near[0] / PROTON_GAMMA_RAD_PER_S_T).tolist()
        [0.25, 0.0, 0.0]
    """
    ends = waveform.edges[0] + step * torch.arange(steps + 1, dtype=torch.float64)
    inner = waveform.edges[(waveform.edges > ends[0]) & (waveform.edges < ends[-1])]
    cuts = torch.cat([ends, inner]).sort().values
    lengths = cuts.diff()
    owner = (torch.searchsorted(ends, 0.5 * (cuts[1:] + cuts[:-1]), right=True) - 1).clamp(0, steps - 1)
    moment = waveform.moment(cuts[:-1, None] + lengths[:, None] * _NODES)
    first = torch.einsum("k,i,ika->ia", _WEIGHTS, lengths, moment)
    mean = torch.zeros(steps, 3, dtype=torch.float64).index_add_(0, owner, first) / step
    apart = (moment - mean[owner][:, None]).square().sum(2)
    within = PROTON_GAMMA_RAD_PER_S_T**2 * float(torch.einsum("k,i,ik->", _WEIGHTS, lengths, apart))
    at = waveform.moment(ends)
    near, far = (PROTON_GAMMA_RAD_PER_S_T * part for part in (mean - at[:-1], at[1:] - mean))
    return StepWeights(near, far, within)
