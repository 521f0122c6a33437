"""The fast path for ideally spoiled sequences: one coherence, a contrast for each voxel, and an exact Fourier sum."""

import itertools
import math
from collections import defaultdict
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.coherence import Turn, turns_by_use
from gradatim.base.raw import RawData
from gradatim.base.sequence import TICKS, Sequence
from gradatim.scanner.simulate.grid_sum import Column, GridSum, Lattice, column_count, columns
from gradatim.scanner.simulate.phase_graph_encoding import FourierSum, path_key
from gradatim.scanner.simulate.phase_graph_stretch import Stretch, stretches_of
from gradatim.scanner.simulate.record import raw_data
from gradatim.scanner.simulate.single_pathway import FromEquilibrium, Heard, Start, followed, not_exact
from gradatim.scanner.simulate.spins import Spins
from gradatim.scanner.simulate.voxel_shape import BoxVoxel, VoxelShape

LEFT = 0.01
"""Share of transverse magnetisation at an excitation above which it has to be spoiled."""
PERFECT = 1e-3
"""How far from 180° the pulses of a train may be, rad."""
CHUNK = 4096
"""Spins whose matrix products are made together."""
DEAR = 16.0
"""Making a spin's magnetisation over multiplying it in a matrix product, in time."""


@dataclass(frozen=True)
class FourierEncoding:
    """Simulates gradient echoes, single spin echoes and EPI as one coherence: s = Σ_v ρ_v·F_v(t)·exp(−2πi k(t)·r_v).

    F_v follows T1, T2, T2', offset, B1 and all flips exactly, under one idealisation: each excitation finds nothing
    transverse, and each refocusing pulse leaves the refocused part alone. A spoiled gradient echo of 15°, T1 1 s, T2
    0.1 s and TR 20 ms deviates from what spoiling by 117° truly gives by 0.5 %; :class:`PhaseGraph` has no such
    deviation. Off-resonance and decay act at each sample's own time, so that distortions and blurring are exact. The
    sum is exact too: for spins on a grid it is taken axis by axis, for others, or where that is cheaper, as a matrix
    product.
    Differentiable in density, T1, T2, T2', offset and B1. Every spin hears every pulse: of several slices, give one
    slice's spins and sequence at a time. Tried on the CPU only.

    Args:
        start: with which Z the sequence begins; from the steady state on every repetition is alike, dummies or not,
            and a long sequence on a fine grid takes seconds.
        shape: what one spin of a given ``size`` stands for.

    Raises:
        InputError: GD-837 (call) where one coherence is not all that is sampled: balanced or not RF-spoiled
            repetitions with transverse magnetisation left over, trains of imperfect refocusing, stored coherences;
            GD-835 for pulses that are no rotation; GD-804 without a readout.

    Source:
        Brown et al., Magnetic Resonance Imaging: Physical Principles and Sequence Design, 2nd ed. (2014), ch. 9, 18.

    Example:
        >>> from gradatim.base.sequence import Block, Pulse, Readout
        >>> from gradatim.scanner.simulate.spins import spins_at
        >>> b1 = torch.tensor([5.87164e-3 + 0j], dtype=torch.complex128)
        >>> hard = Pulse(0, torch.tensor([0, 1000]), b1, centre=500)
        >>> fid = Sequence((Block(1000, hard), Block(4000, readout=Readout(0, 1000, 4))))
        >>> water = spins_at(torch.zeros(1, 3), t1=1.0, t2=0.1)
        >>> [round(abs(s), 4) for s in FourierEncoding()(fid, water).samples[0].tolist()]
        [1.0, 1.0, 1.0, 1.0]
    """

    start: Start = FromEquilibrium()
    shape: VoxelShape = BoxVoxel()

    def __call__(self, sequence: Sequence, spins: Spins) -> RawData:
        """The raw data of a sequence played to spins.

        Args:
            sequence: what is played.
            spins: voxels or points.
        """
        stretches, turns = list(stretches_of(sequence)), turns_by_use(sequence)
        _require_one_coherence(stretches, turns, spins)
        heard = followed(stretches, turns, spins, self.start, lead=_lead(sequence, stretches))
        count = len(sequence.sample_times)
        silence = torch.zeros(count, dtype=spins.density.dtype.to_complex())
        return raw_data(sequence, self._sum(heard, spins, count) if heard and len(spins) else silence)

    def _sum(self, heard: list[Heard], spins: Spins, count: int) -> Tensor:
        lattice = Lattice.of(spins.position)
        samples = sum(len(each.stretch.samples) for each in heard)
        many = [column_count(heard, axis) for axis in range(3)]
        if DEAR * min(many) * max(math.prod(lattice.shape), len(spins)) < samples * len(spins):
            axis = many.index(min(many))
            return self._by_columns(heard, GridSum(spins, lattice, axis), columns(heard, axis), count)
        parts = [slice(start, start + CHUNK) for start in range(0, len(spins), CHUNK)]
        return torch.stack([self._by_paths(heard, spins[part], part, count) for part in parts]).sum(0)

    def _by_columns(self, heard: list[Heard], add: GridSum, found: list[Column], count: int) -> Tensor:
        values = torch.cat([add(column) for column in found])
        index, k = (torch.cat([getattr(column, name) for column in found]) for name in ("samples", "k"))
        phase = torch.zeros(count, dtype=torch.float64)
        for each in heard:
            phase[each.stretch.first : each.stretch.first + len(each.stretch.samples)] = each.phase
        seen = self.shape.seen(k, add.spins.size)
        turned = torch.polar(seen, phase[index]) if bool((seen >= 0).all()) else seen * torch.exp(1j * phase[index])
        return torch.zeros(count, dtype=values.dtype).index_add(0, index, values * turned.to(values.dtype))

    def _by_paths(self, heard: list[Heard], spins: Spins, part: slice, count: int) -> Tensor:
        encode = FourierSum(spins, self.shape)
        alike: dict[tuple[int, int, bytes], list[tuple[Heard, Tensor]]] = defaultdict(list)
        for each in heard:
            cuts = torch.tensor(each.stretch.readouts[1:], dtype=torch.int64)
            for inside in torch.arange(len(each.stretch.samples)).tensor_split(cuts):
                key = path_key(each.stretch.samples[inside])
                alike[each.group, round(float(each.dephasing[3]) * 1e9), key].append((each, inside))
        pieces = [torch.zeros(count, dtype=spins.density.dtype.to_complex())]
        for several in alike.values():
            first, since = several[0][0], torch.zeros(1, 4, dtype=torch.float64)
            since[0, 3] = first.dephasing[3]
            moved = torch.tensor([1.0, 1, 1, 0], dtype=torch.float64)
            samples = torch.stack([each.stretch.samples[inside] + moved * each.dephasing for each, inside in several])
            found = encode(first.amplitude[None, part], dephasing=since, samples=samples)
            phases = torch.tensor([each.phase for each, _ in several], dtype=torch.float64)[:, None]
            index = torch.cat([inside + each.stretch.first for each, inside in several])
            turned = (found * torch.exp(1j * phases).to(found)).flatten()
            pieces.append(torch.zeros(count, dtype=found.dtype).index_add(0, index, turned))
        return torch.stack(pieces).sum(0)


def _require_one_coherence(stretches: list[Stretch], turns: tuple[Turn, ...], spins: Spins) -> None:
    """Refuse what samples more than one coherence."""
    do = "simulate the phase graph or isochromats"
    excitations = [i for i, turn in enumerate(turns) if turn is Turn.EXCITE]
    far, left = _far(stretches, turns, spins), []
    for begin, end in itertools.pairwise([*excitations, len(turns)]):
        refocusing = [s for s, turn in zip(stretches[begin:end], turns[begin:end], strict=True) if turn is Turn.REFOCUS]
        off = max((float((s.flip * spins.b1 - math.pi).abs().max()) for s in refocusing), default=0.0)
        if len(refocusing) > 1 and off > PERFECT:
            raise not_exact(
                f"{len(refocusing)} refocusing pulses in a train, up to {math.degrees(off):.3g}° off 180°", do
            )
        if end < len(turns):
            left.append(_left_over(stretches[begin:end], turns[begin:end], spins, far))
    if any(kept and not wound for kept, wound in left):
        raise not_exact("gradients that leave transverse magnetisation in phase at the next excitation", do)
    phases = torch.tensor([stretches[i].phase for i in excitations], dtype=torch.float64)
    bends = torch.exp(1j * phases.diff().diff()) - 1
    if any(kept for kept, _ in left) and len(phases) > 2 and float(bends.abs().max()) < 1e-3:
        raise not_exact("repetitions shorter than T2 whose pulses' phases do not spoil", do)


def _far(stretches: list[Stretch], turns: tuple[Turn, ...], spins: Spins) -> Tensor:
    """The dephasing along each axis that no sample sees: a turn across a voxel, or the width of k-space, 1/m."""
    heard = [s.samples[:, :3] for s, turn in zip(stretches, turns, strict=True) if turn is not Turn.PASS]
    seen = torch.cat([torch.zeros(0, 3, dtype=torch.float64), *heard])
    width = seen.amax(0) - seen.amin(0) if len(seen) else torch.zeros(3, dtype=torch.float64)
    width = torch.where(width > 1e-3, width, math.inf)
    return torch.minimum(width, 0.99 / torch.tensor(spins.size, dtype=torch.float64))


def _left_over(stretches: list[Stretch], turns: tuple[Turn, ...], spins: Spins, far: Tensor) -> tuple[bool, bool]:
    """Whether transverse magnetisation is left at the end of a repetition, and whether it is wound up there."""
    place = torch.zeros(4, dtype=torch.float64)
    for stretch, turn in zip(stretches, turns, strict=True):
        place = (-place if turn is Turn.REFOCUS else place) + stretch.dephasing
    time = sum(stretch.duration for stretch in stretches)
    kept = float(torch.exp(-time / spins.t2.detach().double()).max()) > LEFT if len(spins) else False
    return kept, bool((place[:3].abs() >= far).any())


def _lead(sequence: Sequence, stretches: list[Stretch]) -> float:
    """From the sequence's beginning to its first pulse's centre, s."""
    return sequence.duration / TICKS - sum(stretch.duration for stretch in stretches)
