"""Whether k-space is sampled as densely as the field of view asks for: along readouts and from line to line."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.findings import Finding, Severity
from gradatim.scanner.lint.check import finding, require_positive
from gradatim.scanner.lint.played import Played


@dataclass(frozen=True)
class DwellAliasing:
    """GD-911: neighbouring samples of a readout lie at most 1/field of view apart, γ̄·G·dwell·FOV ≤ 1.

    Checked where the field of view is known, from the file or from the caller, on each axis.

    Args:
        tolerance: of the product; 0.01 is the rounding of a dwell time.

    Raises:
        UsageError: GD-175 unless its numbers are positive and finite.

    Example:
        >>> DwellAliasing().tolerance
        0.01
    """

    tolerance: float = 0.01

    def __post_init__(self) -> None:
        require_positive(self, self.tolerance)

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """One finding at most.

        Args:
            played: the sequence.
        """
        if played.fov is None:
            return ()
        fov = torch.tensor(played.fov, dtype=torch.float64)
        places, worst = [], 1.0
        for shot in played.shots:
            for index in shot.readouts:
                steps = played.positions[index].diff(dim=0).abs() * fov
                largest = float(steps.max()) if steps.numel() else 0.0
                if largest > 1 + self.tolerance:
                    start, readout = played.readout(index)
                    places.append(played.place(start + readout.delay))
                    worst = max(worst, largest)
        if not places:
            return ()
        what = f"samples {worst:.3f}/FOV apart along the readout: the image folds beyond {100 / worst:.0f} % of the FOV"
        fix = "take a shorter dwell time, or a weaker gradient while it is read"
        allowed = "1/FOV or less"
        return (finding("GD-911", Severity.REFUSE, places, what=what, allowed=allowed, fix=fix),)


@dataclass(frozen=True)
class LineGaps:
    """GD-912: between parallel readouts, neighbouring lines lie at most 1/field of view apart and none is missing.

    Checked where all readouts are parallel. Without a field of view only gaps count that are wider than the usual.
    Parallel imaging leaves lines out on purpose: a warning.

    Args:
        tolerance: in parts of a gap.

    Raises:
        UsageError: GD-175 unless its numbers are positive and finite.

    Example:
        >>> LineGaps().tolerance
        0.02
    """

    tolerance: float = 0.02

    def __post_init__(self) -> None:
        require_positive(self, self.tolerance)

    def __call__(self, played: Played) -> tuple[Finding, ...]:
        """One finding an axis at most.

        Args:
            played: the sequence.
        """
        read = [index for shot in played.shots for index in shot.readouts if len(played.positions[index]) > 1]
        along = _direction(played, read)
        if along is None:
            return ()
        middles = torch.stack([played.positions[i][len(played.positions[i]) // 2] for i in read])
        found = [
            self._on_axis(played, axis, middles[:, axis])
            for axis in range(3)
            if axis != along and float(played.spans[axis]) > 10.0
        ]
        return tuple(each for each in found if each is not None)

    def _on_axis(self, played: Played, axis: int, middles: Tensor) -> Finding | None:
        """The widest gap between lines of one axis."""
        ordered = middles.sort().values
        gaps = ordered.diff()
        gaps = gaps[gaps > 0.05 * float(gaps.max())]
        usual, widest = float(gaps.median()), float(gaps.max())
        allowed = usual if played.fov is None else 1 / played.fov[axis]
        if widest <= allowed * (1 + self.tolerance):
            return None
        what = f"lines {widest:.3f}/m apart on {'xyz'[axis]}, usually {usual:.3f}/m"
        fix = "add the lines, or reconstruct with coil maps if they were left out on purpose"
        said = "the usual distance" if played.fov is None else "1/FOV"
        place = [played.place(0)]
        return finding("GD-912", Severity.WARN, place, what=what, allowed=f"{said}, {allowed:.3f}/m, or less", fix=fix)


def _direction(played: Played, read: list[int]) -> int | None:
    """The axis along which all readouts run, or None."""
    axes = set()
    for index in read:
        ahead = (played.positions[index][-1] - played.positions[index][0]).abs()
        if float(ahead.max()) < 0.999 * float(ahead.norm()):
            return None
        axes.add(int(ahead.argmax()))
    return axes.pop() if len(axes) == 1 else None
