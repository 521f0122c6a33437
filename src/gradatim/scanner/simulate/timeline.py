"""A sequence as tensors of seconds: what a simulator really plays, with derivatives by every time and value."""

from collections.abc import Sequence as Sequence_
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gradatim.base.coherence import Turn, dephasing, turns_by_use
from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, Pulse, Sequence
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.base.waveform import Waveform


@dataclass(frozen=True, eq=False)
class PlayedPulse:
    """A pulse at its place in time: B1(t) = field·exp(2πi·frequency·(t − first edge)).

    Args:
        edges: (n + 1,), s from the sequence's beginning.
        field: (n,), T, complex, constant between edges; its phase is in it.
        frequency: offset from the scanner's, (), Hz.
        centre: when the magnetisation counts as turned, (), s.
    """

    edges: Tensor
    field: Tensor
    frequency: Tensor
    centre: Tensor


@dataclass(frozen=True, eq=False)
class Timeline:
    """A sequence in real numbers: gradients, pulses and samples, none of them bound to a raster.

    A :class:`Sequence` counts whole nanoseconds, which have no derivative. Here all times are tensors: take the leaves,
    ask for their gradient, simulate, and go back. What is found is rounded up when a sequence is made of it again.

    Args:
        waveform: G(t) of the whole.
        pulses: in the order of play.
        turns: what each pulse does to the coherence that is sampled.
        times: of all samples, (n,), s from the beginning.
        lengths: samples of each readout, in the order of play.

    Raises:
        UsageError: GD-103 if turns and pulses, or samples and readouts, disagree.

    Example:
        >>> from gradatim.base.sequence import Block, Readout
        >>> late = timeline(Sequence((Block(4000, readout=Readout(0, 1000, 4)),))).delayed(2e-6, torch.tensor(1e-6))
        >>> [round(time * 1e6, 3) for time in late.times.tolist()]
        [0.5, 1.5, 3.5, 4.5]
    """

    waveform: Waveform
    pulses: tuple[PlayedPulse, ...]
    turns: tuple[Turn, ...]
    times: Tensor
    lengths: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.turns) != len(self.pulses) or sum(self.lengths) != len(self.times):
            raise UsageError(
                "GD-103",
                given=f"{len(self.turns)} turns for {len(self.pulses)} pulses, and {len(self.times)} samples in "
                f"readouts of {sum(self.lengths)}",
                allowed="one turn a pulse, and readouts that hold all samples",
                do="build it by timeline(sequence)",
            )

    @property
    def centres(self) -> Tensor:
        """When each pulse turns, (pulses,), s."""
        return torch.stack([p.centre for p in self.pulses]) if self.pulses else self.times.new_zeros(0)

    @property
    def position(self) -> Tensor:
        """k = −γ̄∫G dt of every sample, (n, 3), 1/m, as :func:`~gradatim.scanner.simulate.record.raw_data` has it."""
        moved = dephasing(self.waveform, self.times, centres=self.centres, turns=self.turns)
        return -PROTON_GAMMA_BAR_HZ_PER_T * moved

    @property
    def unrefocused(self) -> Tensor:
        """Time since excitation that no pulse has refocused, of every sample, (n,), s; 0 at a spin echo."""
        one = self.times.new_ones(1, 3)
        clock = Waveform(torch.stack([self.waveform.edges[0], self.waveform.edges[-1]]), one, one)
        return dephasing(clock, self.times, centres=self.centres, turns=self.turns)[:, 0]

    def delayed(self, after: float, by: Tensor) -> "Timeline":
        """The same with everything later than an instant moved; a gradient that is on then is stretched.

        Args:
            after: s from the beginning; what lies there stays.
            by: (), s.
        """

        def moved(times: Tensor) -> Tensor:
            return torch.where(times.detach() > after, times + by, times)

        pulses = tuple(replace(p, edges=moved(p.edges), centre=moved(p.centre)) for p in self.pulses)
        waveform = replace(self.waveform, edges=moved(self.waveform.edges))
        return replace(self, waveform=waveform, pulses=pulses, times=moved(self.times))


def timeline(sequence: Sequence, turns: Sequence_[Turn] | None = None) -> Timeline:
    """A sequence as tensors; those that it holds, the values of gradients and pulses, keep their derivatives.

    Args:
        sequence: what is played.
        turns: what each pulse does, in order; by default by their use.
    """
    return Timeline(
        waveform=sequence.waveform,
        pulses=tuple(_played(start, pulse) for start, pulse in sequence.pulses),
        turns=turns_by_use(sequence) if turns is None else tuple(turns),
        times=sequence.sample_times,
        lengths=tuple(readout.samples for _, readout in sequence.readouts),
    )


def _played(start: int, pulse: Pulse) -> PlayedPulse:
    turn = torch.polar(torch.ones((), dtype=torch.float64), torch.tensor(pulse.phase, dtype=torch.float64))
    return PlayedPulse(
        edges=(start + pulse.edges).double() / TICKS,
        field=pulse.field * turn,
        frequency=torch.tensor(pulse.frequency, dtype=torch.float64),
        centre=torch.tensor((start + pulse.centre) / TICKS, dtype=torch.float64),
    )
