"""Small sequences for tests of simulators."""

import math
from collections.abc import Sequence as Sequence_

import torch

from gradatim.base.sequence import Block, Lobe, Pulse, PulseUse, Readout, Sequence
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T

US, MS = 1_000, 1_000_000


def hard(flip: float, *, duration: int = 10 * US, phase: float = 0.0, frequency: float = 0.0, use=PulseUse.EXCITATION):
    """A rectangular pulse."""
    b1 = flip / PROTON_GAMMA_RAD_PER_S_T / (duration / 1e9)
    field = torch.tensor([b1], dtype=torch.complex128)
    return Pulse(0, torch.tensor([0, duration]), field, duration // 2, frequency, phase, use)


def play(pulse: Pulse, lobe: Lobe | None = None) -> Block:
    """A pulse in a block of its own."""
    return Block(max(pulse.duration, lobe.end if lobe else 0), pulse, (None, None, lobe))


def wait(time: int) -> Block:
    """Nothing."""
    return Block(time)


def listen(samples: int, dwell: int, *, lobes=(None, None, None), frequency: float = 0.0) -> Block:
    """A readout."""
    return Block(samples * dwell, lobes=lobes, readout=Readout(0, dwell, samples, frequency))


def sequence(blocks: Sequence_[Block]) -> Sequence:
    return Sequence(tuple(blocks))


RIGHT = 0.5 * math.pi
