"""The signal of spins that each follow the Bloch equation on their own."""

from collections.abc import Sequence as Sequence_
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from gradatim.base.coherence import Turn
from gradatim.base.errors import UsageError
from gradatim.base.raw import RawData
from gradatim.base.sequence import Sequence
from gradatim.scanner.simulate.bloch import Magnetisation, precession, pulse_steps
from gradatim.scanner.simulate.lines import lines
from gradatim.scanner.simulate.played_pulses import PlayedPulses
from gradatim.scanner.simulate.record import raw_data
from gradatim.scanner.simulate.spins import Spins
from gradatim.scanner.simulate.timeline import Timeline, timeline

SAMPLES_AT_ONCE = 512
"""Samples of one line whose exponentials are held together."""

KEPT = 3
"""Times as many for each exponential and each step of a pulse, where they are kept for a derivative."""

COPIES = 6
"""Arrays of one size that live at the same time, for the memory's estimate."""


@dataclass(frozen=True)
class Isochromats:
    """Bloch simulation of points: s(t) = Σ M₊ of all spins, each with its own offset, relaxation and B1.

    Through a pulse every spin is turned about its effective field, in steps of constant B1 and mean gradient, so that
    slice profiles, off-resonance and imperfect inversion are what the pulse makes of them; relaxation is split off
    to second order in the step. Between pulses the solution is closed: phases follow from exact moments of the
    gradients, whatever their shape.

    **Cost.** n spins, L readouts of m samples, P different pulses of q steps: O(P·n·q) for pulses (those that differ in
    phase alone are solved once), O(n·(L + m·templates)) exponentials, and n·L·m multiplications as matrix products,
    since readouts that differ only in where they begin share their exponentials exactly: all lines of a Cartesian GRE
    are one template, those of an EPI two. Radial lines or spirals have one template each, and cost n·L·m exponentials.

    **Voxels.** Spins count as points here, whatever their ``size``: make several of each by
    :mod:`gradatim.scanner.simulate.ensembles` where a voxel's inside dephases. A finite ``t2_prime`` multiplies each
    sample by exp(−|τ|/T2'), τ the unrefocused time of the coherence that ``turns`` describe: exact where that coherence
    alone is sampled; for all others sample the offsets.

    Differentiable by all tensors of the spins and of the :class:`~gradatim.scanner.simulate.timeline.Timeline`: pulses,
    gradients and times. Precision and device are the spins'.

    Args:
        longest_step: of a pulse, s; a field that is constant for longer is cut.
        memory: bytes that arrays may take, approximately; spins go through in groups that fit.

    Raises:
        UsageError: GD-101 if a parameter is not positive; GD-103 if the coils' sensitivities do not fit.
        InputError: GD-832 if a sample is taken during a pulse; GD-804 if there is none.

    Example:
        >>> from gradatim.base.sequence import Block, Pulse, Readout
        >>> from gradatim.scanner.simulate.spins import spins_at
        >>> right = Pulse(0, torch.tensor([0, 100_000]), torch.tensor([5.8716e-5 + 0j], dtype=torch.complex128), 50_000)
        >>> scan = Sequence((Block(100_000, right), Block(1_000_000, readout=Readout(0, 250_000, 4))))
        >>> Isochromats()(scan, spins_at(torch.zeros(1, 3))).samples.abs().round(decimals=4).tolist()
        [[1.0, 1.0, 1.0, 1.0]]
    """

    longest_step: float = 1e-5
    memory: float = 512e6

    def __post_init__(self) -> None:
        if not (self.longest_step > 0 and self.memory > 0):
            raise UsageError(
                "GD-101",
                given=f"longest_step {self.longest_step} s, memory {self.memory} bytes",
                allowed="both above 0",
                do="leave the defaults",
            )

    def __call__(
        self,
        sequence: Sequence,
        spins: Spins,
        *,
        turns: Sequence_[Turn] | None = None,
        sensitivity: Tensor | None = None,
    ) -> RawData:
        """Raw data of a sequence.

        Args:
            sequence: what is played, from equilibrium on.
            spins: what it is played to.
            turns: what each pulse does to the coherence that is sampled; by default by their use.
            sensitivity: of the coils at the spins, (coils, n), complex; by default one coil of 1.
        """
        signal = self.signal(timeline(sequence, turns), spins, sensitivity=sensitivity)
        return raw_data(sequence, signal, turns=turns)

    def signal(self, played: Timeline, spins: Spins, *, sensitivity: Tensor | None = None) -> Tensor:
        """The transverse magnetisation at all samples, (coils, samples), complex, as a receiver of phase 0 sees it.

        Args:
            played: the sequence as tensors, whose derivatives are wanted.
            spins: what it is played to.
            sensitivity: (coils, n), complex.
        """
        coils = torch.ones_like(spins.density)[None] if sensitivity is None else sensitivity
        if coils.ndim != 2 or coils.shape[1] != len(spins):
            raise UsageError(
                "GD-103",
                given=f"sensitivities {tuple(coils.shape)} of {len(spins)} spins",
                allowed="(coils, n)",
                do="give each coil's sensitivity at each spin",
            )
        plan = _Plan(played, self.longest_step)
        tensors = [spins.position, spins.density, spins.t1, spins.t2, spins.offset, spins.t2_prime, spins.b1, coils]
        watched = [*tensors, played.times, played.waveform.left, played.waveform.right, played.waveform.edges]
        watched += [tensor for p in played.pulses for tensor in (p.edges, p.field, p.frequency)]
        derived = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in watched)
        group = max(1, int(self.memory / (16 * COPIES * plan.width(derived=derived))))
        again = derived and group < len(spins)
        total = torch.zeros(())
        for start in range(0, max(len(spins), 1), group):
            part = slice(start, start + group)
            if again:
                total = total + checkpoint(plan.signal, spins[part], coils[:, part], use_reentrant=False)
            else:
                total = total + plan.signal(spins[part], coils[:, part])
        return total


class _Plan:
    """What is the same for every group of spins: steps of the pulses, gaps between them, lines of samples."""

    def __init__(self, played: Timeline, longest_step: float) -> None:
        self.lines = lines(played)
        self.count = len(played.times)
        self.pulses = PlayedPulses([pulse_steps(p, played.waveform, longest=longest_step) for p in played.pulses])
        ends = torch.stack([played.waveform.edges[0], *(p.edges[-1] for p in played.pulses)])
        begins = torch.stack([*(p.edges[0] for p in played.pulses), ends[-1]])
        self.begins, self.lasting = ends, begins - ends
        self.moments = played.waveform.moment(ends)
        self.moved = played.waveform.moment(begins) - self.moments
        self.inside: list[list[int]] = [[] for _ in range(len(played.pulses) + 1)]
        for index, line in enumerate(self.lines):
            self.inside[line.gap].append(index)
        kinds: dict = {}
        for index, line in enumerate(self.lines):
            kinds.setdefault(line.kind, []).append(index)
        self.templates = list(kinds.values())

    def width(self, *, derived: bool) -> int:
        """Complex numbers a spin that are held together; a derivative holds all steps and exponentials."""
        if not derived:
            return len(self.lines) + SAMPLES_AT_ONCE
        exponentials = sum(len(self.lines[members[0]].times) for members in self.templates)
        return len(self.lines) + KEPT * (exponentials + self.pulses.steps_solved)

    def signal(self, spins: Spins, coils: Tensor) -> Tensor:
        """The samples of a group of spins, (coils, samples)."""
        starts = self._line_starts(spins)
        kind = starts[0].dtype if starts else torch.complex128
        pieces, order = [], []
        for members in self.templates:
            line = self.lines[members[0]]
            weights = torch.stack([starts[i] for i in members])
            weighted = [weights * coil for coil in coils.to(kind)]
            for part in torch.arange(len(line.times)).split(SAMPLES_AT_ONCE):
                shape = _damped(spins, precession(spins, line.times[part], line.moments[part]), line.dephasings[part])
                pieces.append(torch.stack([weight @ shape for weight in weighted]).flatten(1))
                order += [part + self.lines[i].samples.start for i in members]
        if not pieces:
            return torch.zeros(len(coils), 0, dtype=kind)
        places = torch.cat(order).to(coils.device)
        return torch.zeros(len(coils), self.count, dtype=kind, device=coils.device).index_copy(
            1, places, torch.cat(pieces, 1)
        )

    def _line_starts(self, spins: Spins) -> list[Tensor]:
        """M₊ at the first sample of every line, (n,) each, damped to the line's least dephasing."""
        found: list[Tensor] = []
        density = spins.density[:, None]
        none = torch.zeros_like(density)
        state = Magnetisation(torch.complex(none, none), density, density)
        pulses = self.pulses.on(spins)
        for gap, members in enumerate(self.inside):
            if gap:
                state = pulses(gap - 1, state)
            inside = [self.lines[i] for i in members]
            times = torch.stack([*(line.time - self.begins[gap] for line in inside), self.lasting[gap]])
            moments = torch.stack([*(line.moment - self.moments[gap] for line in inside), self.moved[gap]])
            precessed = state.transverse * precession(spins, times, moments)
            for column, line in enumerate(inside):
                found.append(_damped(spins, precessed[:, column : column + 1], line.dephasing[None])[:, 0])
            kept = torch.exp(-self.lasting[gap].to(density) / spins.t1)[:, None]
            state = Magnetisation(precessed[:, -1:], density + (state.longitudinal - density) * kept, density)
        return found


def _damped(spins: Spins, values: Tensor, dephasings: Tensor) -> Tensor:
    """Values (n, m) times exp(−|τ|/T2')."""
    if not bool(spins.t2_prime.isfinite().any()):
        return values
    return values * torch.exp(-dephasings.to(spins.t2_prime) / spins.t2_prime[:, None])
