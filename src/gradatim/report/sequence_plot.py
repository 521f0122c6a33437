"""A drawing of a pulse sequence: one repetition of its waveforms, and where its samples lie in k-space."""

from collections.abc import Callable
from collections.abc import Sequence as Sequence_
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gradatim.base.coherence import Turn, trajectory, turns_by_use
from gradatim.base.errors import InputError
from gradatim.base.optional import matplotlib_figure
from gradatim.base.sequence import TICKS, Sequence
from gradatim.report.content import Figure
from gradatim.report.picture import svg

_INK, _RULE, _DOT, _PALE = "#2b2f2e", "#dfe2e0", "#b3541e", "#b9c2bf"
_AXES = (("Gx", "#0b6b77"), ("Gy", "#b3541e"), ("Gz", "#5b4b8a"))
_MOST_SAMPLES, _PATH = 40_000, 3000


@dataclass(frozen=True)
class SequencePlot:
    """B1, its phase, the three gradients and the samples over one repetition, beside all samples in k-space.

    The plane of k-space is that of the two axes along which the samples, or else the path to them, reach furthest; the
    path of that repetition is grey.

    Args:
        window: what to show of the time, s from the sequence's beginning; None for the repetition that is read out
            and has the most gradient, from its excitation to its last event.
        width: inches.
        height: inches.
        encode: how the drawing becomes bytes: :func:`gradatim.report.picture.svg` or ``png``.

    Raises:
        InputError: GD-825, when called, if the sequence plays nothing at that time.
        ResourceError: GD-501, when called, if matplotlib is missing.

    Example:
        >>> from gradatim.base.sequence import Block, Readout, trapezoid
        >>> lobe = trapezoid(0, 100_000, 800_000, 100_000, amplitude=0.01)
        >>> played = Sequence((Block(1_000_000, lobes=(lobe, None, None), readout=Readout(100_000, 10_000, 80)),))
        >>> SequencePlot()(played).mime
        'image/svg+xml'
    """

    window: tuple[float, float] | None = None
    width: float = 9.6
    height: float = 5.2
    encode: Callable[[Any, str, str], Figure] = svg

    def __call__(self, sequence: Sequence, *, turns: Sequence_[Turn] | None = None) -> Figure:
        """Draw it.

        Args:
            sequence: what is played.
            turns: what each pulse does to the coherence that is read; by default as the pulses say.
        """
        turns = turns_by_use(sequence) if turns is None else turns
        begin, end = self.window or _one_repetition(sequence, turns)
        if not begin < end:
            raise InputError(
                "GD-825",
                given=f"nothing between {begin:.6g} s and {end:.6g} s",
                allowed="a window in which the sequence plays something",
                do="give the window in seconds from the sequence's beginning",
            )
        figure = matplotlib_figure().Figure(figsize=(self.width, self.height), facecolor="white", layout="constrained")
        left, right = figure.subfigures(1, 2, width_ratios=(1.7, 1))
        _waveforms(left, sequence, begin, end)
        _samples(right.add_subplot(), sequence, turns, (begin, end))
        name = sequence.definitions.get("Name", "sequence")
        samples = len(sequence.sample_times)
        return self.encode(
            figure,
            f"{name}: from {1e3 * begin:.4g} to {1e3 * end:.4g} ms, and all its samples in k-space.",
            f"RF, gradients and samples over time, and {samples} samples in k-space: {name}.",
        )


def _one_repetition(sequence: Sequence, turns: Sequence_[Turn]) -> tuple[float, float]:
    """From an excitation after which something is read to the last event before the next one, s."""
    played, read, excited = [], [], []
    doing = iter(turns)
    for start, block in zip(sequence.starts, sequence.blocks, strict=True):
        for event in (block.pulse, block.readout):
            played += [] if event is None else [(start, start + event.delay + event.duration, 0.0)]
        played += [(start, start + lobe.end, abs(lobe.area)) for lobe in block.lobes if lobe is not None]
        read += [] if block.readout is None else [start]
        excited += [start] if block.pulse is not None and next(doing) is Turn.EXCITE else []
    stops = [*excited[1:], sequence.duration]
    spans = [
        (start, stop) for start, stop in zip(excited, stops, strict=False) if any(start <= at < stop for at in read)
    ]
    totals = [sum(area for first, _, area in played if start <= first < stop) for start, stop in spans]
    most = next((span for span, total in zip(spans, totals, strict=True) if total > 0.9999 * max(totals)), None)
    begin, stop = most or (0, sequence.duration)
    return begin / TICKS, max((end for first, end, _ in played if begin <= first < stop), default=begin) / TICKS


def _waveforms(figure: Any, sequence: Sequence, begin: float, end: float) -> None:
    rows = figure.subplots(6, 1, sharex=True, gridspec_kw={"height_ratios": (1, 0.8, 1, 1, 1, 0.4)})
    for row, name in zip(rows, ("|B1| (µT)", "phase (rad)", "Gx (mT/m)", "Gy (mT/m)", "Gz (mT/m)", "ADC"), strict=True):
        row.set_ylabel(name, fontsize=8, rotation=0, ha="right", va="center")
        row.axhline(0, color=_RULE, linewidth=0.8)
        row.spines[["top", "right"]].set_visible(False)
        row.tick_params(labelsize=7)
    for start, pulse in sequence.pulses:
        if start / TICKS < end and (start + pulse.duration) / TICKS > begin:
            times = 1e3 * (start + pulse.edges).double() / TICKS
            middle = 0.5 * (times[1:] + times[:-1])
            turning = 2e-3 * torch.pi * pulse.frequency * (middle - times[0]) + pulse.phase
            angle = (pulse.field * torch.polar(torch.ones_like(turning), turning)).angle()
            rows[0].stairs(1e6 * pulse.field.abs().numpy(), times.numpy(), color=_INK, baseline=0, linewidth=1)
            ends = torch.stack([times[:-1], times[1:]], 1).flatten()
            rows[1].plot(ends.numpy(), angle.repeat_interleave(2).numpy(), color=_INK, linewidth=0.8)
    waveform = sequence.waveform
    inside = (waveform.edges[1:] > begin) & (waveform.edges[:-1] < end)
    times = 1e3 * torch.stack([waveform.edges[:-1], waveform.edges[1:]], 1)[inside].flatten()
    for axis, (row, (_, colour)) in enumerate(zip(rows[2:5], _AXES, strict=True)):
        values = 1e3 * torch.stack([waveform.left[:, axis], waveform.right[:, axis]], 1)[inside].flatten()
        row.plot(times.numpy(), values.numpy(), color=colour, linewidth=1)
        row.margins(y=0.15)
    for start, readout in sequence.readouts:
        first = start + readout.delay
        rows[5].broken_barh([(1e3 * first / TICKS, 1e3 * readout.duration / TICKS)], (0, 1), color=_DOT, linewidth=0)
    rows[1].set_ylim(-3.5, 3.5)
    rows[5].set_ylim(0, 1.2)
    rows[5].set_yticks([])
    rows[5].set_xlabel("time (ms)", fontsize=8)
    rows[5].set_xlim(1e3 * begin - 0.01e3 * (end - begin), 1e3 * end + 0.01e3 * (end - begin))


def _samples(axis: Any, sequence: Sequence, turns: Sequence_[Turn], span: tuple[float, float]) -> None:
    k = trajectory(sequence, _thinned(sequence.sample_times), turns)
    path = trajectory(sequence, torch.linspace(*span, _PATH, dtype=torch.float64), turns)
    reach = (k.amax(0) - k.amin(0) if len(k) else torch.zeros(3)).round(decimals=3)
    reach = torch.where(reach.amax() > 0, reach, path.amax(0) - path.amin(0))
    across, along = sorted(reach.argsort(descending=True, stable=True)[:2].tolist())
    axis.axhline(0, color=_RULE, linewidth=0.8, zorder=0)
    axis.axvline(0, color=_RULE, linewidth=0.8, zorder=0)
    axis.plot(path[:, across].numpy(), path[:, along].numpy(), color=_PALE, linewidth=0.6, zorder=1)
    axis.plot(k[:, across].numpy(), k[:, along].numpy(), ".", markersize=1.6, color=_DOT, rasterized=len(k) > 5000)
    axis.set_title("samples", fontsize=8)
    axis.set_xlabel(f"k{'xyz'[across]} (1/m)", fontsize=8)
    axis.set_ylabel(f"k{'xyz'[along]} (1/m)", fontsize=8)
    axis.tick_params(labelsize=7)
    far = 0.6 * float(reach.amax()) or 1.0
    axis.set_xlim(-far, far)
    axis.set_ylim(-far, far)
    axis.set_aspect("equal")


def _thinned(times: Tensor) -> Tensor:
    """At most so many of the samples that a picture can show."""
    return times[:: 1 + len(times) // _MOST_SAMPLES].contiguous()
