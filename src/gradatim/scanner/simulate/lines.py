"""Samples in lines that share their exponentials: readouts that differ only in where they begin."""

import itertools
from collections.abc import Hashable
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T
from gradatim.scanner.simulate.timeline import Timeline

TIME_QUANTUM = 1e-12
"""s; two instants nearer than this are one."""

PHASE_QUANTUM = 1e-7
"""rad/m; two moments nearer than this, times γ, are one: 1e-8 rad over 0.1 m."""


@dataclass(frozen=True, eq=False)
class Line:
    """Samples of one readout after one pulse.

    Args:
        samples: which, as a slice of all samples.
        gap: after how many pulses they were taken.
        time: of the first of them, (), s.
        moment: ∫G dt until then from the sequence's beginning, (3,), T·s/m.
        times: since the first, (m,), s.
        moments: since the first, (m, 3), T·s/m.
        dephasing: the shortest unrefocused time of the samples, (), s, ≥ 0.
        dephasings: unrefocused times beyond it, (m,), s, ≥ 0.
    """

    samples: slice
    gap: int
    time: Tensor
    moment: Tensor
    times: Tensor
    moments: Tensor
    dephasing: Tensor
    dephasings: Tensor

    @property
    def kind(self) -> Hashable:
        """Equal for lines that share their exponentials; of its own where a derivative is asked for."""
        if any(tensor.requires_grad for tensor in (self.times, self.moments, self.dephasings)):
            return self.samples.start
        phases = (self.moments * (PROTON_GAMMA_RAD_PER_S_T / PHASE_QUANTUM)).round().long()
        clock = (torch.stack([self.times, self.dephasings]) / TIME_QUANTUM).round().long()
        return phases.numpy(force=True).tobytes(), clock.numpy(force=True).tobytes()


def lines(played: Timeline) -> list[Line]:
    """All samples in lines, in the order of play.

    Args:
        played: whose samples they are.

    Raises:
        InputError: GD-832 if a sample is taken during a pulse.
    """
    firsts = torch.stack([p.edges[0] for p in played.pulses]).detach() if played.pulses else played.times.new_zeros(0)
    lasts = torch.stack([p.edges[-1] for p in played.pulses]).detach() if played.pulses else firsts
    instants = played.times.detach()
    gaps = torch.searchsorted(firsts, instants, right=True)
    if len(firsts) and bool((instants < torch.cat([lasts.new_zeros(1), lasts])[gaps] - TIME_QUANTUM).any()):
        raise InputError(
            "GD-832",
            given="a sample that is taken during a pulse",
            allowed="samples between pulses",
            do="move the readout behind the pulse's end",
        )
    readout = torch.arange(len(played.lengths)).repeat_interleave(torch.tensor(played.lengths, dtype=torch.int64))
    moments, away = played.waveform.moment(played.times), played.unrefocused.abs()
    new = torch.cat([torch.ones(1, dtype=torch.bool), (gaps.diff() != 0).cpu() | (readout.diff() != 0)])
    starts = [*new.nonzero()[:, 0].tolist(), len(instants)] if len(instants) else []
    found = []
    for a, b in itertools.pairwise(starts):
        least = away[a:b].detach().argmin() + a
        found.append(
            Line(
                samples=slice(a, b),
                gap=int(gaps[a]),
                time=played.times[a],
                moment=moments[a],
                times=played.times[a:b] - played.times[a],
                moments=moments[a:b] - moments[a],
                dephasing=away[least],
                dephasings=away[a:b] - away[least],
            )
        )
    return found
