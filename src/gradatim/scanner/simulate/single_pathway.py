"""The one coherence that an ideally spoiled sequence samples: what is left of it, and where it lies in k-space."""

import abc
import math
from collections.abc import Callable
from collections.abc import Sequence as Sequence_
from dataclasses import dataclass, field

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
FACTORS = 64
"""Factors of flips and durations that are held."""


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
        InputError: GD-837 for pulses that store or restore, and for samples that hear no excitation since another
            pulse.
    """
    factors = _Factors(spins)
    stored = start(*_cycle(stretches, factors, lead))
    across, phase, place = None, 0.0, torch.zeros(4, dtype=torch.float64)
    known: list[Tensor] = []
    found = []
    excited: tuple[float, Tensor, Tensor] | None = None
    steady: tuple[float, float, Tensor] | None = None
    following = [*turns[1:], Turn.EXCITE]
    for stretch, turn, later in zip(stretches, turns, following, strict=False):
        if turn is Turn.EXCITE:
            if excited is None or excited[0] != stretch.flip or excited[1] is not stored:
                made = (factors.sine(stretch.flip) * stored).to(stored.dtype.to_complex())
                excited = stretch.flip, stored, made
            across, phase, place = excited[2], stretch.phase - math.pi / 2, 0 * place
        elif turn is Turn.REFOCUS and across is not None:
            turned = factors.half_sine(stretch.flip).square() * across.conj()
            across, phase, place = turned, 2 * stretch.phase - phase, -place
        elif turn is Turn.PASS or across is None:
            across = None
        else:
            raise not_exact(f"a pulse that does {turn.name.lower()}", "store no coherence")
        if len(stretch.samples) and across is None:
            raise not_exact("samples after a pulse that is no excitation's", "say what the pulses before them are for")
        if len(stretch.samples) and across is not None:
            group = _numbered(known, across)
            found.append(Heard(stretch, known[group], group, phase, place))
        if steady is None or steady[0] != stretch.flip or steady[1] != stretch.duration or steady[2] is not stored:
            grown = 1 + (factors.cosine(stretch.flip) * stored - 1) * factors.decay(stretch.duration)
            steady = (stretch.flip, stretch.duration, stored) if _alike(grown, stored) else None
            stored = stored if steady else grown
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


@dataclass(frozen=True, eq=False)
class _Factors:
    """What pulses and waiting do to each spin, computed once for each flip and each duration.

    Args:
        spins: T1 and B1.
    """

    spins: Spins
    _known: dict[tuple[str, float], Tensor] = field(default_factory=dict)

    def sine(self, flip: float) -> Tensor:
        """sin(αB), (v,)."""
        return self._once("sine", flip, lambda: (flip * self.spins.b1).sin())

    def half_sine(self, flip: float) -> Tensor:
        """sin(αB/2), (v,)."""
        return self._once("half sine", flip, lambda: (0.5 * flip * self.spins.b1).sin())

    def cosine(self, flip: float) -> Tensor:
        """cos(αB), (v,)."""
        return self._once("cosine", flip, lambda: (flip * self.spins.b1).cos())

    def decay(self, duration: float) -> Tensor:
        """exp(−t/T1), (v,), t to the clock's tick."""
        seconds = round(duration * TICKS) / TICKS
        return self._once("decay", seconds, lambda: torch.exp(-seconds / self.spins.t1))

    def _once(self, what: str, value: float, make: Callable[[], Tensor]) -> Tensor:
        if (what, value) not in self._known:
            while len(self._known) >= FACTORS:
                del self._known[next(iter(self._known))]
            self._known[what, value] = make()
        return self._known[what, value]


def _cycle(stretches: list[Stretch], factors: _Factors, lead: float) -> tuple[Tensor, Tensor]:
    """Z → a·Z + b from the first pulse to that of the next round."""
    gain, growth = torch.ones_like(factors.spins.t1), torch.zeros_like(factors.spins.t1)
    for stretch in stretches:
        decay = factors.decay(stretch.duration)
        factor = factors.cosine(stretch.flip) * decay
        gain, growth = factor * gain, factor * growth + 1 - decay
    decay = factors.decay(lead)
    return decay * gain, decay * growth + 1 - decay


def _numbered(known: list[Tensor], amplitude: Tensor) -> int:
    """Which of the known amplitudes this is; a new one is kept."""
    for number, other in enumerate(reversed(known[-RECENT:])):
        if other is amplitude or _alike(amplitude, other):
            return len(known) - 1 - number
    known.append(amplitude)
    return len(known) - 1


def _alike(one: Tensor, other: Tensor) -> bool:
    """Whether two states of all spins are the same but for rounding."""
    return float((one - other).detach().abs().max()) <= SAME * float(other.detach().abs().max())
