"""The diffusion weighting of a waveform, exactly: b-matrix and moments of anything piecewise linear."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.coherence import Turn, effective_waveform, trajectory, turns_by_use
from gradatim.base.errors import InputError, UsageError
from gradatim.base.sequence import TICKS, Sequence
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T
from gradatim.base.waveform import GAUSS_NODES, GAUSS_WEIGHTS, Waveform


def b_matrix(waveform: Waveform) -> Tensor:
    """B = ∫q qᵀ dt with q(t) = γ∫G dt from the first edge on; b is its trace.

    Exact, γ² times :meth:`~gradatim.base.waveform.Waveform.squared_moment`. Differentiable in the
    waveform's edges and values.

    Args:
        waveform: the gradients as the coherence feels them, signs of refocusing included
            (:func:`~gradatim.base.coherence.effective_waveform`).

    Returns:
        (3, 3), s/m², symmetric, float64; 1000 s/mm² is 1e9.

    Source:
        Stejskal & Tanner, J Chem Phys 42:288-292, 1965; Basser, Mattiello & Le Bihan, J Magn Reson B 103:247-254,
        1994 (the matrix); Gauss-Legendre rule.

    Example:
        >>> step = torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64)
        >>> constant = Waveform(torch.tensor([0.0, 1.0], dtype=torch.float64), step, step)
        >>> round((b_matrix(constant)[2, 2] / PROTON_GAMMA_RAD_PER_S_T**2).item(), 12)  # ∫t² dt
        0.333333333333
    """
    return PROTON_GAMMA_RAD_PER_S_T**2 * waveform.squared_moment()


def moments(waveform: Waveform, *, orders: tuple[int, ...] = (0, 1, 2)) -> Tensor:
    """M_n = ∫(t − t₀)ⁿ G dt, t₀ the first edge: position, velocity and acceleration that the phase γ·M remembers.

    Args:
        waveform: as the coherence feels it.
        orders: n, each 0 to 4, for which the rule is exact.

    Returns:
        (orders, 3), T·sⁿ⁺¹/m, float64.

    Raises:
        UsageError: GD-101 for another order.

    Example:
        >>> one = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
        >>> found = moments(Waveform(torch.tensor([0.0, 2.0], dtype=torch.float64), one, one))
        >>> [round(moment, 6) for moment in found[:, 0].tolist()]
        [2.0, 2.0, 2.666667]
    """
    if any(order not in range(5) for order in orders):
        raise UsageError("GD-101", given=f"orders {orders}", allowed="0 to 4", do="higher ones are not exact here")
    h = waveform.edges.diff()[:, None]
    s = GAUSS_NODES[:, None, None].to(h.device)
    gradient = waveform.left + (waveform.right - waveform.left) * s
    times = waveform.edges[:-1, None] - waveform.edges[0] + h * s
    powers = torch.stack([times**order for order in orders])
    return torch.einsum("s,osij,sij->oj", GAUSS_WEIGHTS.to(h.device), powers * h, gradient)


@dataclass(frozen=True, eq=False)
class Weighting:
    """The diffusion weighting of one excitation of a sequence, at the sample nearest the centre of k-space.

    Args:
        time: of that sample, s from the sequence's beginning.
        echo_time: s since the excitation's centre.
        b: (3, 3), s/m², imaging gradients included.
        centre: |k| at the sample, 1/m.
    """

    time: float
    echo_time: float
    b: Tensor
    centre: float


def weightings(sequence: Sequence, turns: tuple[Turn, ...] | None = None) -> tuple[Weighting, ...]:
    """The b-matrix that each excitation of a sequence delivers, imaging gradients and cross terms included.

    Args:
        sequence: what is played, e.g. a file that was read.
        turns: what each pulse does; by default as the pulses say they are used for.

    Returns:
        One for each excitation that is read out; samples before the first, of noise, are passed over, and so are
        readouts labelled ``NAV`` or ``NOISE``, since navigators cross the centre of k-space before the image does.

    Raises:
        UsageError: GD-103 unless there is one turn a pulse.
        InputError: GD-804 if the sequence has no samples.

    Example:
        >>> from gradatim.base.sequence import Block
        >>> from gradatim.base.sequence import Pulse, Readout, trapezoid
        >>> pulse = Pulse(0, torch.tensor([0, 1000]), torch.ones(1, dtype=torch.complex128), centre=500)
        >>> lobe = trapezoid(0, 100_000, 800_000, 100_000, amplitude=0.04)
        >>> second = Block(1_000_000, lobes=(lobe, None, None), readout=Readout(0, 10, 9))
        >>> played = Sequence((Block(1000, pulse), second))
        >>> [round(weighting.echo_time * 1e9) for weighting in weightings(played)]
        [505]
    """
    times = sequence.sample_times
    if not len(times):
        raise InputError(
            "GD-804", given="a sequence without readouts", allowed="one readout at least", do="give the whole sequence"
        )
    turns = turns_by_use(sequence) if turns is None else turns
    distance = trajectory(sequence, times, turns).norm(dim=1)
    excitations = [pulse for pulse, turn in zip(sequence.pulses, turns, strict=True) if turn is Turn.EXCITE]
    centres = torch.tensor([(start + pulse.centre) / TICKS for start, pulse in excitations], dtype=torch.float64)
    aside = [any(readout.labels.get(label) for label in ("NAV", "NOISE")) for _, readout in sequence.readouts]
    lengths = torch.tensor([readout.samples for _, readout in sequence.readouts])
    latest = torch.searchsorted(centres, times) - 1
    latest = torch.where(torch.tensor(aside).repeat_interleave(lengths), -1, latest)
    found = []
    for excitation in latest[latest >= 0].unique().tolist():
        mine = torch.nonzero(latest == excitation)[:, 0]
        best = int(mine[distance[mine].argmin()])
        time = float(times[best])
        found.append(
            Weighting(
                time=time,
                echo_time=time - float(centres[excitation]),
                b=b_matrix(effective_waveform(sequence, time, turns)),
                centre=float(distance[best]),
            )
        )
    return tuple(found)
