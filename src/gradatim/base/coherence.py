"""What gradients do to magnetisation between pulses: the effective waveform and the trajectory in k-space."""

import enum
from collections.abc import Sequence as Sequence_

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.sequence import TICKS, PulseUse, Sequence
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.base.waveform import Waveform


class Turn(enum.Enum):
    """What a pulse does to the coherence that is followed."""

    EXCITE = "a new coherence begins"
    REFOCUS = "its dephasing changes sign"
    STORE = "it is kept along B0, where gradients do nothing"
    RESTORE = "it comes back from there with its dephasing's sign changed"
    PASS = "nothing happens to it"


_BY_USE = {PulseUse.EXCITATION: Turn.EXCITE, PulseUse.REFOCUSING: Turn.REFOCUS}


def turns_by_use(sequence: Sequence) -> tuple[Turn, ...]:
    """One turn a pulse: excitations begin, refocusing pulses refocus, all others pass.

    A definition ``Turns`` of the sequence, such as ``excite store restore``, says it instead, over and over again:
    Pulseq's uses of pulses have no word for those that store or restore.

    Args:
        sequence: whose pulses say what they are for.

    Raises:
        InputError: GD-826 if the definition has an unknown word, or does not fit the number of pulses.
    """
    declared = sequence.definitions.get("Turns")
    if declared is None:
        return tuple(_BY_USE.get(pulse.use, Turn.PASS) for _, pulse in sequence.pulses)
    words = str(declared).upper().split()
    if not words or any(word not in Turn.__members__ for word in words) or len(sequence.pulses) % len(words):
        raise InputError(
            "GD-826",
            given=f"Turns {str(declared)!r} for {len(sequence.pulses)} pulses",
            allowed=f"{', '.join(name.lower() for name in Turn.__members__)}, as many as divide the pulses",
            do="say what each pulse of one repetition does, or leave the definition out",
        )
    return tuple(Turn[word] for word in words) * (len(sequence.pulses) // len(words))


def trajectory(sequence: Sequence, times: Tensor, turns: Sequence_[Turn] | None = None) -> Tensor:
    """k(t) = γ̄ ∫G dt since the last excitation's centre, its sign changed by each refocusing pulse's centre.

    Args:
        sequence: what is played.
        times: (n,), s from its beginning.
        turns: what each pulse does, in order; by default :func:`turns_by_use`.

    Returns:
        (n, 3), 1/m; zero before the first excitation.

    Raises:
        UsageError: GD-103 unless there is one turn a pulse.

    Example:
        >>> from gradatim.base.sequence import Block, trapezoid
        >>> silent = Sequence((Block(1000),))
        >>> trajectory(silent, torch.zeros(2).double()).tolist()
        [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    turns = _checked(sequence, turns)
    _, centres = _stretches(sequence)
    return PROTON_GAMMA_BAR_HZ_PER_T * dephasing(sequence.waveform, times, centres=centres, turns=turns)


def dephasing(waveform: Waveform, times: Tensor, *, centres: Tensor, turns: Sequence_[Turn]) -> Tensor:
    """∫G dt as the last excited coherence has it at each time; gradients flow to the waveform and to all times.

    A constant waveform of 1 gives the time since excitation that is not refocused, whose size counts for T2'.

    Args:
        waveform: G, from before the first pulse on.
        times: (n,), s.
        centres: (pulses,), s, increasing, when each pulse turns.
        turns: what each pulse does.

    Returns:
        (n, 3), T·s/m; zero before the first excitation.

    Example:
        >>> one = torch.ones(1, 3).double()
        >>> clock = Waveform(torch.tensor([0.0, 1.0]).double(), one, one)
        >>> turns, centres = (Turn.EXCITE, Turn.REFOCUS), torch.tensor([0.25, 0.5]).double()
        >>> dephasing(clock, torch.tensor([0.75]).double(), centres=centres, turns=turns)[0, 0].item()
        0.0
    """
    begins = waveform.moment(torch.cat([waveform.edges[:1], centres]))
    position = torch.zeros_like(begins[0])
    live, positions, lives = False, [position], [False]
    for area, turn in zip(begins.diff(dim=0), turns, strict=True):
        position, live = _turned(position + area if live else position, live, turn)
        positions.append(position)
        lives.append(live)
    stretch = torch.searchsorted(centres.detach(), times.detach(), right=True)
    moving = torch.tensor(lives, device=stretch.device)[stretch][:, None]
    since = waveform.moment(times) - begins[stretch]
    return torch.stack(positions)[stretch] + torch.where(moving, since, 0.0)


def effective_waveform(sequence: Sequence, until: float, turns: Sequence_[Turn] | None = None) -> Waveform:
    """The gradients as one coherence feels them, from its excitation's centre to a time, its sign +1 at the end.

    Between pulses G_eff = s·G with s = ±1, or 0 while the coherence is stored; s changes at each refocusing, and is
    chosen +1 at the end, so that γ∫G_eff dt is its dephasing there.

    Args:
        sequence: what is played.
        until: s from its beginning, e.g. the echo.
        turns: what each pulse does, in order; by default :func:`turns_by_use`.

    Returns:
        Waveform with times from the excitation's centre on.

    Raises:
        UsageError: GD-103 unless there is one turn a pulse.
        InputError: GD-801 if no coherence exists at that time.
    """
    return _signed(sequence.waveform, *coherence_signs(sequence, until, turns))


def coherence_signs(
    sequence: Sequence, until: float, turns: Sequence_[Turn] | None = None
) -> tuple[Tensor, tuple[float, ...]]:
    """When one coherence changes its sign: s(t) on stretches from its excitation to a time, +1 on the last.

    Args:
        sequence: what is played.
        until: s from its beginning.
        turns: what each pulse does, in order; by default :func:`turns_by_use`.

    Returns:
        The n + 1 edges of the stretches, s, and s on each of them: ±1, or 0 while the coherence is stored.

    Raises:
        UsageError: GD-103 unless there is one turn a pulse.
        InputError: GD-801 if no coherence exists at that time.
    """
    turns = _checked(sequence, turns)
    _, centres = _stretches(sequence)
    past = int((centres < until).sum())
    first = max((i for i in range(past) if turns[i] is Turn.EXCITE), default=-1)
    if first < 0:
        raise InputError(
            "GD-801",
            given=f"no excitation before {until:.6g} s",
            allowed="a time after a pulse that excites",
            do="say what each pulse does if the file does not",
        )
    cuts = torch.cat([centres[first:past], torch.tensor([until], dtype=torch.float64)])
    return cuts, tuple(_signs(turns[first:past]))


def echo_time(sequence: Sequence, sample: float) -> float:
    """Time from the last excitation's centre to a sample, s.

    Args:
        sequence: what is played.
        sample: s from its beginning.

    Raises:
        InputError: GD-801 if nothing was excited before.
    """
    return sample - float(effective_waveform(sequence, sample).edges[0])


def _checked(sequence: Sequence, turns: Sequence_[Turn] | None) -> tuple[Turn, ...]:
    found = turns_by_use(sequence) if turns is None else tuple(turns)
    if len(found) != len(sequence.pulses):
        raise UsageError(
            "GD-103",
            given=f"{len(found)} turns for {len(sequence.pulses)} pulses",
            allowed="one turn a pulse",
            do="say what each pulse does, in the order of play",
        )
    return found


def _stretches(sequence: Sequence) -> tuple[Tensor, Tensor]:
    """The edges of the stretches between pulses' centres, beginning and end included, and the centres, s."""
    centres = torch.tensor([(start + p.centre) / TICKS for start, p in sequence.pulses], dtype=torch.float64)
    ends = torch.tensor([0.0, sequence.duration / TICKS], dtype=torch.float64)
    return torch.cat([ends[:1], centres, ends[1:]]), centres


def _turned(position: Tensor, live: bool, turn: Turn) -> tuple[Tensor, bool]:  # noqa: FBT001 - a state, not a switch
    """Where a coherence is after a pulse, and whether gradients move it from there."""
    return {
        Turn.EXCITE: (torch.zeros_like(position), True),
        Turn.REFOCUS: (-position, live),
        Turn.STORE: (position, False),
        Turn.RESTORE: (-position, True),
        Turn.PASS: (position, live),
    }[turn]


def _signs(turns: Sequence_[Turn]) -> list[float]:
    """The sign of the gradients after each turn, +1 after the last, 0 while stored; the first turn excites."""
    acting = [turn for turn in turns if turn is not Turn.PASS]
    sign, stored, found = 1.0, acting[-1] is Turn.STORE, []
    for turn in reversed(turns):
        found.append(0.0 if stored else sign)
        stored = turn is Turn.RESTORE or (stored and turn is not Turn.STORE)
        sign = -sign if turn in {Turn.REFOCUS, Turn.RESTORE} else sign
    return found[::-1]


def _signed(waveform: Waveform, cuts: Tensor, signs: tuple[float, ...]) -> Waveform:
    """A waveform between the first and the last cut, each stretch between cuts times its sign."""
    inside = waveform.edges[(waveform.edges > cuts[0]) & (waveform.edges < cuts[-1])]
    edges = torch.cat([inside, cuts]).unique()
    middle = 0.5 * (edges[1:] + edges[:-1])
    sign = torch.tensor(signs, dtype=torch.float64)[torch.searchsorted(cuts, middle, right=True) - 1][:, None]
    left, centre = waveform.at(edges[:-1]), waveform.at(middle)
    return Waveform(edges, sign * left, sign * (2.0 * centre - left))
