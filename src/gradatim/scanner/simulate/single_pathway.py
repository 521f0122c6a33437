"""The one coherence that an ideally spoiled sequence samples: what is left of it, and where it lies in k-space."""

import abc
import math
from collections.abc import Sequence as Sequence_
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.coherence import Turn
from gradatim.base.errors import InputError
from gradatim.base.sequence import TICKS
from gradatim.scanner.simulate.phase_graph_stretch import Stretch
from gradatim.scanner.simulate.spins import Spins

SAME = 1e-9
"""Relative difference below which two excitations leave the same magnetisation."""
RECENT = 4
"""Amplitudes with which a new one is compared."""


@dataclass(frozen=True, eq=False)
class Heard:
    """The coherence in one stretch, as its samples hear it.

    Args:
        stretch: with its samples.
        amplitude: F right after the pulse, (v,), without its phase common to all spins.
        group: a number that stretches of the same amplitude share.
        phase: of F, rad.
        dephasing: κ and τ right after the pulse, (4,), 1/m and s.
    """

    stretch: Stretch
    amplitude: Tensor
    group: int
    phase: float
    dephasing: Tensor


class Start(abc.ABC):
    """The longitudinal magnetisation with which a sequence begins."""

    @abc.abstractmethod
    def __call__(self, gain: Tensor, growth: Tensor) -> Tensor:
        """Z at the beginning, (v,).

        Args:
            gain: a of the whole sequence's Z → a·Z + b, (v,).
            growth: b, (v,).
        """


@dataclass(frozen=True)
class FromEquilibrium(Start):
    """Spins that were left alone: Z = 1.

    Example:
        >>> FromEquilibrium()(torch.zeros(1), torch.ones(1)).tolist()
        [1.0]
    """

    def __call__(self, gain: Tensor, growth: Tensor) -> Tensor:
        return torch.ones_like(gain + growth)


@dataclass(frozen=True)
class FromSteadyState(Start):
    """A sequence that has been played for ever: Z = a·Z + b.

    Example:
        >>> FromSteadyState()(torch.tensor([0.5]), torch.tensor([0.1])).tolist()
        [0.20000000298023224]
    """

    def __call__(self, gain: Tensor, growth: Tensor) -> Tensor:
        return growth / (1 - gain)


def followed(
    stretches: list[Stretch], turns: Sequence_[Turn], spins: Spins, start: Start, *, lead: float = 0.0
) -> list[Heard]:
    """The coherence that each stretch with samples hears: the last excitation's, refocused by what refocuses.

    Every excitation finds Z alone: F = −i·e^{iφ}·sin(αB)·Z; a refocusing pulse makes e^{2iφ}·sin²(αB/2)·F*; and Z
    becomes cos(αB)·Z at each pulse.

    Args:
        stretches: of the sequence.
        turns: what each pulse does.
        spins: T1, T2, offset and B1.
        start: what Z begins with.
        lead: from the sequence's beginning to its first pulse, s.

    Raises:
        InputError: GD-837 for pulses that store or restore, or that act on a live coherence otherwise.
    """
    stored = start(*_cycle(stretches, spins, lead))
    across, phase, place = None, 0.0, torch.zeros(4, dtype=torch.float64)
    known: list[Tensor] = []
    found = []
    decays: dict[int, Tensor] = {}
    following = [*turns[1:], Turn.EXCITE]
    for stretch, turn, later in zip(stretches, turns, following, strict=False):
        flip = stretch.flip * spins.b1
        if turn is Turn.EXCITE:
            across, phase, place = (
                (flip.sin() * stored).to(stored.dtype.to_complex()),
                stretch.phase - math.pi / 2,
                0 * place,
            )
        elif turn is Turn.REFOCUS and across is not None:
            across, phase, place = (flip / 2).sin().square() * across.conj(), 2 * stretch.phase - phase, -place
        elif turn is Turn.PASS or across is None:
            across = None
        else:
            raise not_exact(f"a pulse that does {turn.name.lower()}", "store no coherence")
        if len(stretch.samples) and across is not None:
            group = _numbered(known, across)
            found.append(Heard(stretch, known[group], group, phase, place))
        ticks = round(stretch.duration * TICKS)
        if ticks not in decays:
            decays[ticks] = torch.exp(-stretch.duration / spins.t1)
        stored = 1 + (flip.cos() * stored - 1) * decays[ticks]
        if across is not None and later is not Turn.EXCITE:
            across = across * evolved(spins, stretch.duration)
            place = place + stretch.dephasing
    return found


def evolved(spins: Spins, time: float) -> Tensor:
    """exp((2πiΔf − 1/T2)·t), (v,).

    Args:
        spins: T2 and offset.
        time: s.
    """
    return torch.polar(torch.exp(-time / spins.t2), 2 * math.pi * time * spins.offset)


def not_exact(given: str, do: str) -> InputError:
    """That a sequence samples more than one coherence.

    Args:
        given: what it does.
        do: what else can be done.
    """
    return InputError(
        "GD-837", given=given, allowed="one excitation's coherence at a time, spoiled before the next", do=do
    )


def _cycle(stretches: list[Stretch], spins: Spins, lead: float) -> tuple[Tensor, Tensor]:
    """Z → a·Z + b from the first pulse to that of the next round."""
    gain, growth = torch.ones_like(spins.t1), torch.zeros_like(spins.t1)
    for stretch in stretches:
        decay = torch.exp(-stretch.duration / spins.t1)
        factor = (stretch.flip * spins.b1).cos() * decay
        gain, growth = factor * gain, factor * growth + 1 - decay
    decay = torch.exp(-lead / spins.t1)
    return decay * gain, decay * growth + 1 - decay


def _numbered(known: list[Tensor], amplitude: Tensor) -> int:
    """Which of the known amplitudes this is; a new one is kept."""
    for number, other in enumerate(reversed(known[-RECENT:])):
        if float((other - amplitude).detach().abs().max()) <= SAME * float(other.detach().abs().max()):
            return len(known) - 1 - number
    known.append(amplitude)
    return len(known) - 1
