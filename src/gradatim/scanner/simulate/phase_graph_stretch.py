"""A sequence as a phase graph sees it: a pulse, then a stretch of dephasing with samples in it, and so on."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.sequence import TICKS, Sequence
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.simulate.instant_pulses import instant_pulses


@dataclass(frozen=True, eq=False)
class Stretch:
    """From one pulse's centre to the next.

    Args:
        flip: of the pulse that begins it, rad.
        phase: rad.
        duration: s.
        dephasing: (4,): γ̄∫G dt over it, 1/m, and its duration, s.
        samples: (j, 4): the same from the pulse to each sample taken in it.
        first: index of the first of these samples among all.
        readouts: where among these samples each readout begins.
    """

    flip: float
    phase: float
    duration: float
    dephasing: Tensor
    samples: Tensor
    first: int
    readouts: tuple[int, ...]


def stretches_of(sequence: Sequence) -> Iterator[Stretch]:
    """From each pulse's centre to the next, the last one to the end; what comes before the first pulse is silent.

    Args:
        sequence: what is played.

    Raises:
        InputError: GD-835 for pulses that are no rotation at their centre.

    Example:
        >>> from gradatim.base.sequence import Block
        >>> list(stretches_of(Sequence((Block(1000),))))
        []
    """
    pulses, times = instant_pulses(sequence), sequence.sample_times
    centres = torch.tensor([*(pulse.time for pulse in pulses), max(sequence.duration, 1) / TICKS], dtype=torch.float64)
    at_pulses = _places(sequence, centres)
    at_samples = _places(sequence, times)
    firsts = [*torch.searchsorted(times, centres[:-1].contiguous()).tolist(), len(times)]
    begins = torch.tensor([0] + [readout.samples for _, readout in sequence.readouts]).cumsum(0)
    cuts = torch.searchsorted(begins, torch.tensor(firsts)).tolist()
    for i, pulse in enumerate(pulses):
        first, end = firsts[i], firsts[i + 1]
        inside = [begin - first for begin in begins[cuts[i] : cuts[i + 1]].tolist() if begin > first]
        dephasing = at_pulses[i + 1] - at_pulses[i]
        yield Stretch(
            flip=pulse.flip,
            phase=pulse.phase,
            duration=float(dephasing[3]),
            dephasing=dephasing,
            samples=at_samples[first:end] - at_pulses[i],
            first=first if end > first else 0,
            readouts=(0, *inside) if end > first else (),
        )


def _places(sequence: Sequence, times: Tensor) -> Tensor:
    """γ̄∫G dt, 1/m, and time, s, at instants, (n, 4)."""
    moments = PROTON_GAMMA_BAR_HZ_PER_T * sequence.waveform.moment(times).detach()
    return torch.cat([moments, times[:, None]], 1)
