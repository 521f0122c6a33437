"""The pulses of a sequence on a group of spins, each different pulse solved once for each different spin."""

import itertools
import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.scanner.simulate.bloch import Magnetisation, Steps, through_pulse
from gradatim.scanner.simulate.spins import Spins

QUANTUM = 1.0471e-10
"""Pulses whose fields differ by less than this share of the strongest are one; no round number, which halves hit."""


class PlayedPulses:
    """Pulses in steps, and which of them differ in their phase alone.

    Args:
        steps: of each pulse, in the order of play.
    """

    def __init__(self, steps: list[Steps]) -> None:
        self.steps = steps
        self.phases = [_phase(one) for one in steps]
        keys = [_key(one, phase) for one, phase in zip(steps, self.phases, strict=True)]
        first: dict = {}
        self.same = [first.setdefault(index if key is None else key, index) for index, key in enumerate(keys)]
        self.shared = {index for index, many in itertools.groupby(sorted(self.same)) if len(list(many)) > 1}

    @property
    def steps_solved(self) -> int:
        """Steps of all different pulses."""
        return sum(len(self.steps[index].durations) for index in set(self.same))

    def on(self, spins: Spins) -> "PulsesOnSpins":
        """The pulses, ready to turn some spins.

        Args:
            spins: one group.
        """
        return PulsesOnSpins(self, spins)


@dataclass(frozen=True, eq=False)
class PulsesOnSpins:
    """What the pulses do to a group of spins; the solutions are kept while it lives.

    A pulse is a linear map of (Mx, My, Mz, M0). Where no derivative by the spins is asked for it is found once for all
    that no step can tell apart: equal in T1, T2, offset, B1 and in their places along the gradients of that pulse.

    Args:
        pulses: of the sequence.
        spins: the group.
    """

    pulses: PlayedPulses
    spins: Spins
    known: dict[int, Magnetisation] = field(default_factory=dict)
    alike: dict[tuple[bool, ...], tuple[Tensor, Tensor]] = field(default_factory=dict)

    def __call__(self, index: int, before: Magnetisation) -> Magnetisation:
        """Magnetisation after a pulse.

        Args:
            index: which pulse.
            before: at its first edge, one column.
        """
        same = self.pulses.same[index]
        if same not in self.known:
            kept, place = self._alike(same)
            if same not in self.pulses.shared and 4 * len(kept) > len(place):
                return through_pulse(self.pulses.steps[index], self.spins, before)
            some = self.spins[kept] if len(kept) < len(place) else self.spins
            solved = through_pulse(self.pulses.steps[same], some, _basis(some, before))
            if len(kept) < len(place):
                solved = Magnetisation(solved.transverse[place], solved.longitudinal[place], solved.equilibrium)
            self.known[same] = solved
        angle = self.pulses.phases[index] - self.pulses.phases[same]
        turn = torch.exp(1j * torch.tensor(angle, dtype=torch.float64)).to(before.transverse)
        turned = before.transverse * turn.conj()
        state = torch.cat([turned.real, turned.imag, before.longitudinal, before.equilibrium], 1)
        solved = self.known[same]
        transverse = (solved.transverse * state).sum(1, keepdim=True) * turn
        return Magnetisation(transverse, (solved.longitudinal * state).sum(1, keepdim=True), before.equilibrium)

    def _alike(self, index: int) -> tuple[Tensor, Tensor]:
        """One of each kind of spins that a pulse can tell apart, and for each spin its kind; all where unwise."""
        spins = self.spins
        axes = tuple(bool(acting) for acting in (self.pulses.steps[index].moments != 0).any(0))
        if axes not in self.alike:
            places = [spins.position[:, i] for i in range(3) if axes[i]]
            seen = [*places, spins.offset, spins.b1, spins.t1, spins.t2]
            every = torch.arange(len(spins), device=spins.position.device)
            kept, place = every, every
            if len(spins) and not any(values.requires_grad for values in seen):
                _, place = torch.unique(torch.stack(seen, 1), dim=0, return_inverse=True)
                kept = torch.zeros_like(every[: int(place.max()) + 1]).scatter_(0, place, every)
            self.alike[axes] = kept, place
        return self.alike[axes]


def _basis(spins: Spins, like: Magnetisation) -> Magnetisation:
    """Columns Mx, My, Mz of 1 without equilibrium, and an empty one that relaxes to 1."""
    rows, kind = len(spins), like.longitudinal
    across = torch.tensor([1, 1j, 0, 0], dtype=like.transverse.dtype, device=kind.device).expand(rows, 4)
    along = torch.tensor([0, 0, 1, 0]).to(kind).expand(rows, 4)
    return Magnetisation(across, along, torch.tensor([[0, 0, 0, 1]]).to(kind))


def _phase(steps: Steps) -> float:
    """The phase of a pulse where it is strongest, rad."""
    strongest = steps.field.detach()
    return float(strongest[strongest.abs().argmax()].angle())


def _key(steps: Steps, phase: float) -> tuple[bytes | str, ...] | None:
    """Equal for pulses that differ in phase alone; None where a derivative is asked for."""
    if steps.differentiable:
        return None
    turned = steps.field * complex(math.cos(phase), -math.sin(phase))
    strongest = turned.abs().max().clamp(min=1e-30)
    scaled = (
        torch.view_as_real(turned) / (QUANTUM * strongest),
        steps.durations / (QUANTUM * 1e-3),
        steps.moments / (QUANTUM * 1e-6),
        steps.frequency / (QUANTUM * 1e4),
    )
    return f"{float(strongest):.10e}", *(tensor.round().long().numpy(force=True).tobytes() for tensor in scaled)
