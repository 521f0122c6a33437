"""The middle of k-space: whether a sample lies in it, and whether the signal is in phase there on every axis."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.findings import Finding, Severity
from gradatim.scanner.lint.check import finding, require_positive
from gradatim.scanner.lint.played import Played


@dataclass(frozen=True)
class CentreSample:
    """GD-905: along the readout that passes nearest to it, a sample lies at k = 0.

    Samples are taken in the middle of each dwell time, so a prephaser of half the readout's area puts them at
    (i + ½ − N/2)·Δk, around the middle. Harmless if the reconstruction knows it; a phase ramp over the image if not.

    Args:
        tolerance: in steps between samples, or in 1/field of view where that is known and larger.

    Raises:
        UsageError: GD-175 unless its numbers are positive and finite.

    Example:
        >>> CentreSample().tolerance
        0.1
    """

    tolerance: float = 0.1

    def __post_init__(self) -> None:
        require_positive(self, self.tolerance)

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """One finding at most.

        Args:
            played: the sequence.
        """
        nearest = [(float(played.positions[i].norm(dim=-1).min()), i) for s in played.shots for i in s.readouts]
        if not nearest:
            return ()
        _, index = min(nearest)
        positions = played.positions[index]
        sample = int(positions.norm(dim=-1).argmin())
        if len(positions) < 2:
            return ()
        ahead = positions[min(sample + 1, len(positions) - 1)] - positions[max(sample - 1, 0)]
        step = ahead / (min(sample + 1, len(positions) - 1) - max(sample - 1, 0))
        if float(step.norm()) < 1e-6:
            return ()
        unit = float(step.norm()) if played.fov is None else max(float(step.norm()), 1 / max(played.fov))
        off = float(positions[sample] @ step / step.norm())
        if abs(off) <= self.tolerance * unit:
            return ()
        start, readout = played.readout(index)
        what = f"the nearest sample at {off:+.3f}/m along the readout, {abs(off) / float(step.norm()):.2f} of a step"
        fix = "make the prephaser longer by half a sample, or reconstruct with the true positions"
        allowed = f"a sample at k = 0 within {self.tolerance * unit:.3f}/m"
        place = [played.place(start + readout.delay + sample * readout.dwell)]
        return (finding("GD-905", Severity.WARN, place, what=what, allowed=allowed, fix=fix),)


@dataclass(frozen=True)
class Dephased:
    """GD-907: q = γ̄∫G dt at the echo is 0 on axes that are not encoded, and passes 0 on those that are.

    Across a slice of width w, q leaves |sin(πqw)/(πqw)| of the signal. On an encoded axis the samples must reach the
    middle of k-space within their own spacing.

    Args:
        cycles: over the slice, that are still harmless: 0.1 cost 1.6 % of the signal.

    Raises:
        UsageError: GD-175 unless its numbers are positive and finite.

    Example:
        >>> Dephased().cycles
        0.1
    """

    cycles: float = 0.1

    def __post_init__(self) -> None:
        require_positive(self, self.cycles)

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """One finding an axis at most.

        Args:
            played: the sequence.
        """
        if not any(shot.readouts for shot in played.shots):
            return ()
        found = []
        for axis in range(3):
            encoded = float(played.spans[axis]) > 10.0
            found += self._off_centre(played, axis) if encoded else self._across(played, axis)
        return tuple(found)

    def _across(self, played: Played, axis: int) -> list[Finding]:
        """An axis on which all samples lie together."""
        places, worst, kept = [], 0.0, 1.0
        for shot in played.shots:
            gradient = played.selection(shot.excitation)
            share = float(gradient[axis].abs() / gradient.norm().clamp(min=1e-12))
            width = played.slice_width(shot.excitation) / share if share > 1e-3 else math.inf
            width = min(width, 0.2 if played.fov is None else played.fov[axis])
            for index in shot.readouts:
                q = float(played.positions[index][:, axis].abs().min())
                if q * width > self.cycles:
                    places.append(played.place(sum(_begin(played, index))))
                    worst, kept = max((worst, kept), (q * width, abs(_sinc(q * width))))
        if not places:
            return []
        what = f"{worst:.2f} cycles left on {'xyz'[axis]} across the slice: {100 * kept:.0f} % of the signal remain"
        severity = Severity.REFUSE if kept < 0.8 else Severity.WARN
        fix = "let the gradients on this axis rephase from the pulse's centre, and diffusion lobes be a true pair"
        allowed = f"{self.cycles:g} cycles or less"
        return [finding("GD-907", severity, places, what=what, allowed=allowed, fix=fix)]

    def _off_centre(self, played: Played, axis: int) -> list[Finding]:
        """An axis along which k-space is walked."""
        read = [index for shot in played.shots for index in shot.readouts]
        values = torch.cat([played.positions[index][:, axis] for index in read])
        nearest = float(values.abs().min())
        along = torch.cat([played.positions[index][:, axis].diff().abs() for index in read])
        spacing = max(float(along.max()), _spacing(values)) if len(along) else _spacing(values)
        if nearest <= 0.75 * spacing:
            return []
        what = f"samples on {'xyz'[axis]} from {float(values.min()):.1f} to {float(values.max()):.1f}/m, none at 0"
        fix = "check prephasers and the balance of diffusion lobes on this axis"
        place = [played.place(sum(_begin(played, read[0])))]
        allowed = f"one within {0.75 * spacing:.2f}/m of k = 0"
        return [finding("GD-907", Severity.REFUSE, place, what=what, allowed=allowed, fix=fix)]


def _begin(played: Played, index: int) -> tuple[int, int]:
    """A readout's block and the delay in it, ns."""
    start, readout = played.readout(index)
    return start, readout.delay


def _sinc(x: float) -> float:
    return math.sin(math.pi * x) / (math.pi * x)


def _spacing(values: Tensor) -> float:
    """The usual gap between neighbouring lines, 1/m."""
    gaps = values.sort().values.diff()
    gaps = gaps[gaps > 1e-3]
    return float(gaps.median()) if len(gaps) else 0.0
