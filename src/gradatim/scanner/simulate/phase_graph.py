"""The phase graph of any sequence: configuration states with real dephasings, and the signal that they draw."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import partial
from typing import cast

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from gradatim.base.errors import UsageError
from gradatim.base.raw import RawData
from gradatim.base.sequence import Sequence
from gradatim.scanner.simulate.phase_graph_draft import Tissue
from gradatim.scanner.simulate.phase_graph_encoding import FourierSum, path_key
from gradatim.scanner.simulate.phase_graph_layers import Layer, LayersOf
from gradatim.scanner.simulate.phase_graph_stretch import Stretch, stretches_of
from gradatim.scanner.simulate.record import raw_data
from gradatim.scanner.simulate.spins import Spins
from gradatim.scanner.simulate.voxel_shape import BoxVoxel, VoxelShape

CHUNK = 4096
"""Spins that are followed together, so that their states stay small."""
REPRESENTATIVES = 8
"""Spins that decide which states matter."""


@dataclass(frozen=True)
class PhaseGraph:
    """Simulates any sequence of pulses taken as instantaneous, with all its echoes, in every voxel.

    Magnetisation is a sum of states: F(κ), transverse, wound up by the gradients to κ cycles a metre, and Z(κ),
    stored along B0. A pulse mixes F(κ), F*(−κ) and Z(κ); a gradient moves F's κ by γ̄∫G dt; states of one κ are one.
    Relaxation and off-resonance are exact in each voxel. A sample hears F(κ) as far as the voxel's shape passes
    κ + k: s = Σ_κ ŝ(κ + k)·Σ_v ρ_v·F_v(κ)·exp(2πi(κ + k)·r_v), with exp(−|τ|/T2') for the time τ that the state
    has been transverse, less the time refocused.

    Which states matter is found beforehand with a few representative spins: those whose size, times the largest
    factor by which any later sample hears them, passes the threshold. The error falls with it. Differentiable in
    density, T1, T2, T2', offset and B1. Every spin hears every pulse: of several slices, give one slice's spins and
    sequence at a time. Tried on the CPU only.

    Args:
        threshold: smallest contribution of a state that is kept, over the largest of any, ≥ 0.
        shape: what one spin of a given ``size`` stands for.
        merge: cycles across the object within which two dephasings are the same, > 0.
        states: how many may be followed at a time.

    Raises:
        UsageError: GD-101 if a parameter is not possible.
        InputError: GD-835 (call) for pulses that are no rotation at their centre; GD-836 for more states than allowed;
            GD-804 without a readout.

    Source:
        Endres et al., Magn Reson Med 92:1189-1204 (2024); Weigel, J Magn Reson Imaging 41:266-295 (2015); Hennig,
        Concepts Magn Reson 3:125-143 (1991).

    Example:
        >>> from gradatim.base.sequence import Block, Pulse, Readout
        >>> from gradatim.scanner.simulate.spins import spins_at
        >>> b1 = torch.tensor([5.87164e-3 + 0j], dtype=torch.complex128)
        >>> hard = Pulse(0, torch.tensor([0, 1000]), b1, centre=500)
        >>> fid = Sequence((Block(1000, hard), Block(4000, readout=Readout(0, 1000, 4))))
        >>> water = spins_at(torch.zeros(1, 3), t1=1.0, t2=0.1)
        >>> [round(abs(s), 4) for s in PhaseGraph()(fid, water).samples[0].tolist()]
        [1.0, 1.0, 1.0, 1.0]
    """

    threshold: float = 1e-3
    shape: VoxelShape = BoxVoxel()
    merge: float = 0.01
    states: int = 20_000

    def __post_init__(self) -> None:
        if not (0 <= self.threshold < 1 and 0 < self.merge < math.inf and self.states > 0):
            raise UsageError(
                "GD-101",
                given=f"threshold {self.threshold}, merge {self.merge}, {self.states} states",
                allowed="0 ≤ threshold < 1, merge > 0, a state at least",
                do="use 1e-3 and 0.01",
            )

    def __call__(self, sequence: Sequence, spins: Spins) -> RawData:
        """The raw data of a sequence played to spins.

        Args:
            sequence: what is played.
            spins: voxels or points.
        """
        stretches = list(stretches_of(sequence))
        layers = self.layers(stretches, spins)
        signal = partial(self._signal, stretches, layers, len(sequence.sample_times))
        total = torch.zeros(
            len(sequence.sample_times), dtype=spins.density.dtype.to_complex(), device=spins.density.device
        )
        for start in range(0, len(spins), CHUNK):
            part = spins[start : start + CHUNK]
            total = total + _recomputed(signal, part)
        return raw_data(sequence, total)

    def layers(self, stretches: list[Stretch], spins: Spins) -> list[Layer]:
        """The states that matter between each pulse and the next."""
        t1, t2, offset, b1 = (v.detach().double().cpu() for v in (spins.t1, spins.t2, spins.offset, spins.b1))
        order = t2.argsort(stable=True)[torch.linspace(0, len(t2) - 1, REPRESENTATIVES).round().long()]
        chosen = torch.cat([order, torch.stack([t1.argmin(), t1.argmax(), b1.argmin(), b1.argmax()])]).unique()
        tissue = Tissue(t1[chosen], t2[chosen], offset[chosen], b1[chosen])
        place = spins.position.double().cpu()
        extent = place.amax(0) - place.amin(0) + torch.tensor(spins.size, dtype=torch.float64)
        apart = [self.merge / extent, torch.tensor([1e-5 if bool(spins.t2_prime.isfinite().any()) else math.inf])]
        return LayersOf(tissue, self.shape, spins.size, torch.cat(apart), self.threshold, self.states)(stretches)

    def _signal(self, stretches: list[Stretch], layers: list[Layer], samples: int, spins: Spins) -> Tensor:
        """The samples that some spins give, (n,)."""
        dtype = spins.density.dtype.to_complex()
        plus, minus, stored = (torch.zeros(1, len(spins), dtype=dtype, device=spins.density.device) for _ in range(3))
        stored = stored + 1.0
        encode, pieces = FourierSum(spins, self.shape), [torch.zeros(samples, dtype=dtype)]
        following = [*(len(layer.dephasing) for layer in layers[1:]), 1][: len(layers)]
        for stretch, layer, count in zip(stretches, layers, following, strict=True):
            plus, minus, stored = _turned(plus, minus, stored, stretch, spins.b1)
            if len(layer.heard):
                pieces += _heard(encode, _flows(plus, minus, layer.heard), stretch, layer, samples)
            plus, minus, stored = _moved(plus, minus, stored, stretch, layer, count, spins)
        return torch.stack(pieces).sum(0)


def _recomputed(function: Callable[[Spins], Tensor], spins: Spins) -> Tensor:
    """A function of spins whose inner values are made again for its gradient, not kept."""
    names = [item.name for item in fields(Spins) if item.name != "size"]
    values = [getattr(spins, name) for name in names]
    if not (torch.is_grad_enabled() and any(value.requires_grad for value in values)):
        return function(spins)
    found = checkpoint(
        lambda *given: function(Spins(**dict(zip(names, given, strict=True)), size=spins.size)),
        *values,
        use_reentrant=False,
    )
    return cast(Tensor, found)


def _turned(plus: Tensor, minus: Tensor, stored: Tensor, stretch: Stretch, b1: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The states after a pulse."""
    flip, turn = b1 * stretch.flip, complex(math.cos(stretch.phase), math.sin(stretch.phase))
    same, cross, sine = (flip / 2).cos().square(), (flip / 2).sin().square(), flip.sin()
    return (
        same * plus + turn**2 * cross * minus - 1j * turn * sine * stored,
        same * minus + turn.conjugate() ** 2 * cross * plus + 1j * turn.conjugate() * sine * stored,
        flip.cos() * stored + 0.5j * turn * sine * minus - 0.5j * turn.conjugate() * sine * plus,
    )


def _flows(plus: Tensor, minus: Tensor, chosen: Tensor) -> Tensor:
    """F(κ) of chosen states and sides, (f, v)."""
    return torch.where((chosen % 2 == 1)[:, None], minus[chosen // 2].conj(), plus[chosen // 2])


def _moved(
    plus: Tensor, minus: Tensor, stored: Tensor, stretch: Stretch, layer: Layer, count: int, spins: Spins
) -> tuple[Tensor, Tensor, Tensor]:
    """The states at the end of a stretch."""
    turn = torch.polar(torch.exp(-stretch.duration / spins.t2), 2 * math.pi * stretch.duration * spins.offset)
    along = torch.exp(-stretch.duration / spins.t1)
    flows = _flows(plus, minus, layer.source) * turn
    empty = torch.zeros(count, len(spins), dtype=plus.dtype, device=plus.device)
    ahead, back = ~layer.mirrored, layer.mirrored
    plus = empty.index_add(0, layer.target[ahead], flows[ahead])
    minus = empty.index_add(0, layer.target[back], flows[back].conj())
    minus = torch.cat([plus[:1].conj(), minus[1:]])
    kept = empty.index_add(0, layer.stored_target, stored[layer.stored] * along)
    return plus, minus, torch.cat([kept[:1] + (1.0 - along), kept[1:]])


def _heard(encode: FourierSum, values: Tensor, stretch: Stretch, layer: Layer, samples: int) -> Iterator[Tensor]:
    """What the readouts of a stretch hear, each in its place among all samples, (n,)."""
    dephasing = torch.where(layer.heard % 2 == 1, -1.0, 1.0)[:, None] * layer.dephasing[layer.heard // 2]
    paths: dict[bytes, list[Tensor]] = {}
    for inside in torch.arange(len(stretch.samples)).tensor_split(
        torch.tensor(stretch.readouts[1:], dtype=torch.int64)
    ):
        paths.setdefault(path_key(stretch.samples[inside]), []).append(inside)
    for places in paths.values():
        index = torch.stack(places)
        found = encode(values, dephasing=dephasing, samples=stretch.samples[index])
        silent = torch.zeros(samples, dtype=found.dtype, device=found.device)
        yield silent.index_add(0, index.flatten() + stretch.first, found.flatten())
