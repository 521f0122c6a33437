"""The Bloch equation of many spins: exact precession between pulses, small steps through them.

Everywhere dM/dt = ω × M with ω = γ(B1x, B1y, G·r) + 2π(0, 0, Δf): a field above the scanner's own turns the
transverse magnetisation M₊ = Mx + iMy by exp(+iγBt), and a pulse of phase 0 turns M0 to −iM0·sin α.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T
from gradatim.base.waveform import Waveform
from gradatim.scanner.simulate.spins import Spins
from gradatim.scanner.simulate.timeline import PlayedPulse

TINY = 1e-30
"""Added to a squared angle, so that its root has a derivative where nothing turns."""


@dataclass(frozen=True, eq=False)
class Magnetisation:
    """The state of spins, in one column or in several independent ones.

    Args:
        transverse: M₊ = Mx + iMy, (n, columns), complex.
        longitudinal: Mz, (n, columns).
        equilibrium: what Mz relaxes to, (n or 1, columns).
    """

    transverse: Tensor
    longitudinal: Tensor
    equilibrium: Tensor

    def relaxed(self, along: Tensor, across: Tensor) -> "Magnetisation":
        """After relaxation alone.

        Args:
            along: exp(−t/T1), (n,).
            across: exp(−t/T2), (n,).
        """
        longitudinal = self.equilibrium + (self.longitudinal - self.equilibrium) * along[:, None]
        return Magnetisation(self.transverse * across[:, None], longitudinal, self.equilibrium)

    def rotated(self, across: Tensor, along: Tensor) -> "Magnetisation":
        """Turned by the vector w: M cos|w| + (w × M) sinc|w| + w(w·M)(1 − cos|w|)/|w|².

        Args:
            across: wx + iwy, (n,), rad, complex.
            along: wz, (n,), rad.
        """
        angle = torch.sqrt(across.real**2 + across.imag**2 + along**2 + TINY)
        sine, half = torch.sin(0.5 * angle), torch.cos(0.5 * angle)
        share = sine / angle
        cosine, first, second = (part[:, None] for part in (1 - 2 * sine**2, 2 * share * half, 2 * share**2))
        across, along = across[:, None], along[:, None]
        product = across.conj() * self.transverse
        shared = second * (product.real + along * self.longitudinal)
        transverse = (
            torch.complex(cosine, first * along) * self.transverse
            + torch.complex(shared, -first * self.longitudinal) * across
        )
        longitudinal = cosine * self.longitudinal + first * product.imag + shared * along
        return Magnetisation(transverse, longitudinal, self.equilibrium)


@dataclass(frozen=True, eq=False)
class Steps:
    """A pulse as steps of constant field, from its first edge to its last.

    Args:
        durations: (steps,), s.
        moments: ∫G dt over each, (steps, 3), T·s/m.
        field: B1 of each in the frame that turns with the pulse's frequency, (steps,), T, complex.
        frequency: of that frame, (), Hz.
    """

    durations: Tensor
    moments: Tensor
    field: Tensor
    frequency: Tensor

    @property
    def differentiable(self) -> bool:
        """Whether a derivative is asked for by anything in it."""
        return any(t.requires_grad for t in (self.durations, self.moments, self.field, self.frequency))


def pulse_steps(pulse: PlayedPulse, waveform: Waveform, *, longest: float) -> Steps:
    """Cut a pulse where its field or the gradients bend, and into equal parts where a step would be too long.

    Args:
        pulse: whose field is constant between its edges.
        waveform: the gradients; over a step their mean counts, which is exact to second order in the step.
        longest: s.
    """
    bends = waveform.edges[(waveform.edges > pulse.edges[0]) & (waveform.edges < pulse.edges[-1])]
    cuts = torch.cat([pulse.edges, bends])
    cuts = cuts[cuts.detach().argsort(stable=True)]
    apart = torch.cat([cuts.new_ones(1).bool(), cuts.detach().diff() > 1e-12])
    cuts = cuts[apart]
    parts = torch.ceil(cuts.detach().diff() / longest - 1e-6).clamp(min=1).long()
    first = (parts.cumsum(0) - parts).repeat_interleave(parts)
    share = (torch.arange(int(parts.sum()), device=cuts.device) - first) / parts.repeat_interleave(parts).to(cuts)
    begins = cuts[:-1].repeat_interleave(parts) + share * cuts.diff().repeat_interleave(parts)
    edges = torch.cat([begins, cuts[-1:]])
    middles = 0.5 * (edges[1:] + edges[:-1]).detach()
    index = (torch.searchsorted(pulse.edges.detach(), middles, right=True) - 1).clamp(0, len(pulse.field) - 1)
    return Steps(edges.diff(), waveform.moment(edges).diff(dim=0), pulse.field[index], pulse.frequency)


def through_pulse(steps: Steps, spins: Spins, before: Magnetisation) -> Magnetisation:
    """Magnetisation after a pulse: half a step of relaxation, the exact rotation, half a step of relaxation (Strang).

    The error is of second order in the steps, and none where nothing relaxes and gradients are constant. O(n·steps).

    Args:
        steps: of the pulse.
        spins: with their offsets, places and B1.
        before: at the pulse's first edge.
    """
    kind = spins.position
    durations, moments = steps.durations.to(kind), steps.moments.to(kind)
    field = (PROTON_GAMMA_RAD_PER_S_T * steps.field * steps.durations).to(before.transverse.dtype)
    offset = 2 * math.pi * (spins.offset - steps.frequency.to(kind))
    place = PROTON_GAMMA_RAD_PER_S_T * spins.position
    rests = 0.5 * torch.cat([durations[:1], durations[1:] + durations[:-1], durations[-1:]])
    decays = _decays(spins, rests)
    state = before.relaxed(*next(decays))
    for one, moment, duration, decay in zip(field, moments, durations, decays, strict=True):
        state = state.rotated(one * spins.b1, place @ moment + offset * duration).relaxed(*decay)
    turned = torch.exp(2j * math.pi * steps.frequency * steps.durations.sum()).to(state.transverse.dtype)
    return Magnetisation(state.transverse * turned, state.longitudinal, state.equilibrium)


def _decays(spins: Spins, rests: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """exp(−t/T1) and exp(−t/T2) of each rest; equal ones are computed once where no derivative is asked for."""
    known: dict[float, tuple[Tensor, Tensor]] = {}
    for rest, seconds in zip(rests, rests.tolist(), strict=True):
        key = round(seconds, 14)
        if rests.requires_grad or key not in known:
            known[key] = torch.exp(-rest / spins.t1), torch.exp(-rest / spins.t2)
        yield known[key]


def precession(spins: Spins, times: Tensor, moments: Tensor) -> Tensor:
    """What free precession multiplies M₊ by: exp(i(2πΔf·t + γ r·∫G dt) − t/T2), (n, m), complex. Exact. O(n·m).

    Args:
        spins: n of them.
        times: since the state that is known, (m,), s.
        moments: ∫G dt since then, (m, 3), T·s/m.
    """
    kind = spins.position
    place = torch.cat([PROTON_GAMMA_RAD_PER_S_T * spins.position, 2 * math.pi * spins.offset[:, None]], 1)
    angle = place @ torch.cat([moments, times[:, None]], 1).to(kind).mT
    size = torch.exp(-times.to(kind) / spins.t2[:, None])
    return torch.complex(size * torch.cos(angle), size * torch.sin(angle))
