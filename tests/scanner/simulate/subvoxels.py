"""A voxel as a regular grid of points, for comparing phase graphs with isochromats exactly; and Bloch's equation."""

import cmath
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.sequence import Sequence
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.simulate.instant_pulses import instant_pulses
from gradatim.scanner.simulate.record import receiver
from gradatim.scanner.simulate.spins import Spins
from gradatim.scanner.simulate.voxel_shape import VoxelShape


@dataclass(frozen=True)
class Subvoxels(VoxelShape):
    """The Fourier transform of m points in the middles of m equal parts: sin(πkΔ)/(m·sin(πkΔ/m))."""

    parts: tuple[int, int, int]

    def seen(self, k: Tensor, size: tuple[float, float, float]) -> Tensor:
        parts = torch.tensor(self.parts, dtype=k.dtype)
        angle = math.pi * k * torch.tensor(size, dtype=k.dtype)
        lower = parts * (angle / parts).sin()
        at_peak = angle.cos() / (angle / parts).cos()
        return torch.where(lower.abs() < 1e-9, at_peak, angle.sin() / lower).prod(-1)


def rotated_points(sequence: Sequence, spins: Spins) -> Tensor:
    """What points give for pulses that turn them at once, as a receiver writes it, (n,): one spin after the other."""
    events = [(pulse.time, pulse) for pulse in instant_pulses(sequence)]
    events += [(time, index) for index, time in enumerate(sequence.sample_times.tolist())]
    events.sort(key=lambda event: event[0])
    moments = PROTON_GAMMA_BAR_HZ_PER_T * sequence.waveform.moment(
        torch.tensor([time for time, _ in events], dtype=torch.float64)
    )
    across, along = torch.zeros(len(spins), dtype=torch.complex128), torch.ones(len(spins), dtype=torch.float64)
    found = torch.zeros(len(sequence.sample_times), dtype=torch.complex128)
    now, moment = 0.0, torch.zeros(3, dtype=torch.float64)
    for (time, what), later in zip(events, moments, strict=True):
        turns = spins.position @ (later - moment) + spins.offset * (time - now)
        across = across * torch.exp(-(time - now) / spins.t2) * torch.exp(2j * math.pi * turns)
        along = 1 + (along - 1) * torch.exp(-(time - now) / spins.t1)
        now, moment = time, later
        if isinstance(what, int):
            found[what] = (spins.density * across).sum()
        else:
            frame, flip = cmath.exp(1j * what.phase), what.flip * spins.b1
            seen = across / frame
            side, along = seen.imag * flip.cos() - along * flip.sin(), seen.imag * flip.sin() + along * flip.cos()
            across = torch.complex(seen.real, side) * frame
    return found * receiver([readout for _, readout in sequence.readouts])
