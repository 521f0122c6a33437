"""Concomitant (Maxwell) fields: what every gradient brings along, and the phase it leaves."""

from collections.abc import Sequence as Sequence_

import torch
from torch import Tensor

from gradatim.base.coherence import Turn, coherence_signs
from gradatim.base.sequence import Sequence
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T

_NODES = (0.5 - 0.5 / 3**0.5, 0.5 + 0.5 / 3**0.5)


def maxwell_matrix(sequence: Sequence, until: float, turns: Sequence_[Turn] | None = None) -> Tensor:
    """M = ∫s·G Gᵀ dt, s the sign of the coherence: what is left of the products of gradients at a time.

    A symmetric spin echo leaves none. Two Gauss points an interval are exact, as G Gᵀ is quadratic there.

    Args:
        sequence: what is played.
        until: s from its beginning.
        turns: what each pulse does; by default as the pulses say they are used for.

    Returns:
        (3, 3), T²·s/m², symmetric, float64.

    Raises:
        InputError: GD-801 if nothing was excited before.

    Source:
        Szczepankiewicz, Westin & Nilsson, Magn Reson Med 82:1424-1437, 2019 (the matrix and its use as an index).
    """
    cuts, signs = coherence_signs(sequence, until, turns)
    waveform = sequence.waveform
    inside = waveform.edges[(waveform.edges > cuts[0]) & (waveform.edges < cuts[-1])]
    edges = torch.cat([inside, cuts]).unique()
    h = edges.diff()
    sign = torch.tensor(signs, dtype=torch.float64)[
        torch.searchsorted(cuts, 0.5 * (edges[1:] + edges[:-1]), right=True) - 1
    ]
    total = torch.zeros(3, 3, dtype=torch.float64)
    for node in _NODES:
        gradient = waveform.at(edges[:-1] + node * h)
        total = total + torch.einsum("i,ia,ib->ab", 0.5 * h * sign, gradient, gradient)
    return total


def concomitant_phase(maxwell: Tensor, position: Tensor, *, field_strength: float) -> Tensor:
    """φ = γ∫s·B_c dt, B_c = [(Gx² + Gy²)z² + Gz²(x² + y²)/4 − GxGz·xz − GyGz·yz] / (2B0), of a cylindrical coil.

    Args:
        maxwell: M of :func:`maxwell_matrix`, T²·s/m².
        position: (..., 3), m from the isocentre, z along B0.
        field_strength: B0, T.

    Returns:
        (...), rad.

    Source:
        Bernstein et al., Magn Reson Med 39:300-308, 1998, eq. 2 (lowest order).

    Example:
        >>> at = torch.tensor([0.0, 0.0, 0.1], dtype=torch.float64)
        >>> square = torch.diag(torch.tensor([0.04**2 * 0.02, 0.0, 0.0], dtype=torch.float64))  # 40 mT/m for 20 ms
        >>> round(concomitant_phase(square, at, field_strength=3.0).item(), 2)
        14.27
    """
    x, y, z = position.unbind(-1)
    across = (maxwell[0, 0] + maxwell[1, 1]) * z.square()
    along = maxwell[2, 2] * (x.square() + y.square()) / 4
    mixed = maxwell[0, 2] * x * z + maxwell[1, 2] * y * z
    return PROTON_GAMMA_RAD_PER_S_T / (2 * field_strength) * (across + along - mixed)
