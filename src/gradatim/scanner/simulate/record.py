"""From what the spins emit to raw data as a receiver writes it."""

import math
from collections.abc import Mapping
from collections.abc import Sequence as Sequence_

import torch
from torch import Tensor

from gradatim.base.coherence import Turn, trajectory, turns_by_use
from gradatim.base.errors import InputError, UsageError
from gradatim.base.raw import RawData
from gradatim.base.sequence import TICKS, Readout, Sequence


def raw_data(
    sequence: Sequence,
    samples: Tensor,
    *,
    turns: Sequence_[Turn] | None = None,
    matrix: tuple[int, int, int] | None = None,
    extent: tuple[float, float, float] | None = None,
) -> RawData:
    """Raw data of simulated samples: where and when each was taken, and through which receiver.

    Everywhere a field B above the scanner's own turns magnetisation by exp(+iγBt), gradients and offsets alike. So the
    sample s = ∫ρ·exp(+2πi γ̄∫G dt·r) dr is the Fourier component s(k) = ∫ρ·exp(−2πi k·r) dr at

        k = −γ̄ ∫G dt,

    the negative of :func:`gradatim.base.coherence.trajectory`. An image from these k has the phase +2πΔf·TE, and is
    shifted by an offset in the direction in which the gradient's field grows. The receiver multiplies by
    exp(−i(2πf·t + φ)), t from the beginning of its readout.

    Args:
        sequence: what is played.
        samples: (n,) or (coils, n), complex: the transverse magnetisation in the frame that turns with the scanner's
            frequency, in the order of :attr:`Sequence.sample_times`.
        turns: what each pulse does, in order; by default by their use.
        matrix: voxels that the measurement was made for, x, y, z; by default the sequence's ``Matrix``, with 1 along z
            where there are several slices, which are as many images.
        extent: field of view of an image, m; by default the sequence's ``FOV``, with its ``SliceThickness`` along z
            where there are several slices.

    Returns:
        RawData, with times since the last excitation's centre (from the beginning, where there was none), and with the
        counters that any of the readouts has, 0 where one has it not.

    Raises:
        UsageError: GD-103 unless there is one sample for each instant.
        InputError: GD-804 if the sequence takes no samples.

    Example:
        >>> from gradatim.base.sequence import Block
        >>> sequence = Sequence((Block(4000, readout=Readout(0, 1000, 4, phase=math.pi)),))
        >>> raw_data(sequence, torch.ones(4, dtype=torch.complex128)).samples.real.tolist()
        [[-1.0, -1.0, -1.0, -1.0]]
    """
    times, readouts = sequence.sample_times, [readout for _, readout in sequence.readouts]
    if not readouts:
        raise InputError(
            "GD-804", given="a sequence without a readout", allowed="one readout at least", do="add a block with one"
        )
    if samples.shape[-1] != len(times) or samples.ndim > 2:
        raise UsageError(
            "GD-103",
            given=f"samples {tuple(samples.shape)} for {len(times)} instants",
            allowed="(coils, n), one sample an instant",
            do="simulate at the sequence's sample times",
        )
    lengths, counters = torch.tensor([readout.samples for readout in readouts]), _counters(readouts)
    voxels, field_of_view = _box(sequence, counters)
    return RawData(
        samples=torch.atleast_2d(samples) * receiver(readouts).to(samples),
        position=-trajectory(sequence, times, turns).to(samples.device),
        times=(times - _excited(sequence, times, turns)).to(samples.device),
        readout=torch.arange(len(readouts)).repeat_interleave(lengths).to(samples.device),
        counters=counters,
        matrix=matrix or voxels,
        extent=extent or field_of_view,
    )


def receiver(readouts: Sequence_[Readout]) -> Tensor:
    """exp(−i(2πf·t + φ)) of every sample, (n,), complex128; t from the beginning of each readout.

    Args:
        readouts: in the order of play.
    """
    angles = [2 * math.pi * r.frequency * (r.times - r.delay / TICKS) + r.phase for r in readouts]
    return torch.exp(-1j * torch.cat(angles))


def _excited(sequence: Sequence, times: Tensor, turns: Sequence_[Turn] | None) -> Tensor:
    """The centre of the last excitation before each instant, s; 0 where there was none."""
    kinds = turns_by_use(sequence) if turns is None else turns
    pulses = zip(sequence.pulses, kinds, strict=True)
    centres = [0.0] + [(start + p.centre) / TICKS for (start, p), turn in pulses if turn is Turn.EXCITE]
    found = torch.tensor(centres, dtype=torch.float64)
    return found[torch.searchsorted(found[1:], times, right=True)]


def _counters(readouts: Sequence_[Readout]) -> dict[str, Tensor]:
    names = sorted({name for readout in readouts for name in readout.labels})
    return {name: torch.tensor([readout.labels.get(name, 0) for readout in readouts]) for name in names}


def _box(
    sequence: Sequence, counters: Mapping[str, Tensor]
) -> tuple[tuple[int, int, int] | None, tuple[float, float, float] | None]:
    """The voxels and the field of view, m, that the sequence says one image has; each slice is an image."""
    count, length = (_three(sequence.definitions.get(name)) for name in ("Matrix", "FOV"))
    matrix = None if count is None or not all(n.is_integer() and n >= 1 for n in count) else count
    if "SLC" in counters and len(counters["SLC"].unique()) > 1:
        thickness = _numbers(sequence.definitions.get("SliceThickness"))
        length = (*length[:2], thickness[0]) if length is not None and len(thickness) == 1 else length
        matrix = None if matrix is None else (*matrix[:2], 1.0)
    return None if matrix is None else (int(matrix[0]), int(matrix[1]), int(matrix[2])), length


def _three(value: str | tuple[float, ...] | None) -> tuple[float, float, float] | None:
    found = _numbers(value)
    return (found[0], found[1], found[2]) if len(found) == 3 else None


def _numbers(value: str | tuple[float, ...] | None) -> tuple[float, ...]:
    """A definition's numbers; none where it is missing, or text."""
    return () if value is None or isinstance(value, str) else tuple(map(float, value))
