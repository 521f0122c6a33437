"""Small sequences made by hand, sound unless a fault is asked for."""

import math
from dataclasses import dataclass

import torch

from gradatim.base.sequence import Block, Lobe, Pulse, PulseUse, Readout, Sequence, trapezoid
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T, PROTON_GAMMA_RAD_PER_S_T

SLICE, READ, DWELL, FOV = 0.01, 1 / (PROTON_GAMMA_BAR_HZ_PER_T * 0.2 * 20e-6), 20_000, 0.2
HALF_SLICE = SLICE * 0.55e-3
STEP = 1 / (PROTON_GAMMA_BAR_HZ_PER_T * FOV)


def lobe(area: float, duration: int = 1_000_000) -> Lobe | None:
    if area == 0:
        return None
    return trapezoid(0, 100_000, duration - 200_000, 100_000, amplitude=area / (duration - 100_000) * 1e9)


def turning(flip: float, phase: float = 0.0, *, use: PulseUse = PulseUse.EXCITATION, frequency: float = 0.0) -> Block:
    """A pulse of 1 ms with its slice gradient, its centre 0.6 ms after the block's beginning."""
    edges = torch.arange(101) * 10_000
    field = torch.full((100,), flip / PROTON_GAMMA_RAD_PER_S_T / 1e-3, dtype=torch.complex128)
    pulse = Pulse(100_000, edges, field, 500_000, phase=phase, use=use, frequency=frequency)
    return Block(1_200_000, pulse, (None, None, trapezoid(0, 100_000, 1_000_000, 100_000, amplitude=SLICE)))


def reading(samples: int, phase: float = 0.0, *, dwell: int = DWELL, wait: int = 0) -> Block:
    flat = -(-samples * dwell // 20_000) * 20_000
    readout = Readout(100_000, dwell, samples, phase=phase)
    return Block(
        200_000 + flat + wait, None, (trapezoid(0, 100_000, flat, 100_000, amplitude=READ), None, None), readout
    )


@dataclass(frozen=True)
class Gre:
    """A spoiled gradient echo, 16 × 12."""

    increment: float = 117.0
    flip: float = math.radians(1)
    dummies: int = 0
    lines: int = 12
    samples: int = 16
    early: float = 0.5
    slice_left: float = 0.0
    rewound: float = 1.0
    receiver: float = 1.0
    irregular: float = 0.0
    missing: tuple[int, ...] = ()
    late: int = 0
    wait: int = 0

    def __call__(self) -> Sequence:
        blocks: list[Block] = []
        for shot in range(-self.dummies, self.lines):
            phase = math.radians(self.increment) * shot * (shot + 1) / 2 + self.irregular * (shot % 3) ** 2
            line = (max(shot, 0) - self.lines // 2) * STEP * (shot not in self.missing)
            before = READ * (50e-6 + (self.samples // 2 + self.early) * DWELL / 1e9)
            blocks.append(turning(self.flip, phase))
            move = (lobe(-before), lobe(line), lobe(self.slice_left - HALF_SLICE))
            blocks.append(Block(1_000_000 + self.late * (shot == 3), None, move))
            read = reading(self.samples, self.receiver * phase)
            blocks.append(read if shot >= 0 else Block(read.duration, None, read.lobes))
            blocks.append(Block(1_000_000 + self.wait, None, (None, lobe(-self.rewound * line), lobe(2e-5))))
        return Sequence(tuple(blocks), definitions={"FOV": (FOV, FOV, 0.003)})


@dataclass(frozen=True)
class Balanced:
    """A balanced train, whose pulses alternate."""

    left: float = 0.0

    def __call__(self) -> Sequence:
        blocks: list[Block] = []
        for shot in range(12):
            phase, line = math.pi * (shot % 2), (shot - 6) * STEP
            before = READ * 220e-6
            whole = READ * 420e-6
            blocks.append(turning(math.radians(1), phase))
            blocks.append(Block(1_000_000, None, (lobe(-before), lobe(line), lobe(-HALF_SLICE))))
            blocks.append(reading(16, phase))
            back = (lobe(before - whole + self.left), lobe(-line), lobe(-HALF_SLICE))
            blocks.append(Block(1_000_000, None, back))
        return Sequence(tuple(blocks), definitions={"FOV": (FOV, FOV, 0.003)})


@dataclass(frozen=True)
class Tse:
    """Two trains of four spin echoes after a dummy train, 1.5 s apart."""

    phase: float = 90.0
    shift: int = 0
    surplus: float = 0.0
    unwound: float = 0.0
    crusher: float = 1.7e-5
    dummies: int = 1
    trains: int = 2

    def __call__(self) -> Sequence:
        blocks: list[Block] = []
        for train in range(-self.dummies, self.trains):
            blocks.append(turning(math.pi / 2, math.radians(self.phase)))
            half = READ * 0.5 * 440e-6 + self.surplus
            move = (lobe(half, 670_000), None, lobe(self.crusher - HALF_SLICE, 670_000))
            blocks.append(Block(670_000 + self.shift, None, move))
            for echo in range(4):
                line = (echo + 4 * max(train, 0) - 4) * STEP
                blocks.append(turning(math.pi, use=PulseUse.REFOCUSING))
                blocks.append(Block(1_000_000, None, (None, lobe(line), lobe(self.crusher))))
                read = reading(17, -math.radians(self.phase))
                blocks.append(read if train >= 0 else Block(read.duration, None, read.lobes))
                blocks.append(Block(1_000_000, None, (None, lobe(-line + self.unwound), lobe(self.crusher))))
            blocks.append(Block(1_500_000_000))
        return Sequence(tuple(blocks), definitions={"FOV": (FOV, FOV, 0.003)})
