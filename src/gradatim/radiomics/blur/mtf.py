"""A modulation transfer function that was measured: a curve over frequency."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError


@dataclass(frozen=True, eq=False)
class MeasuredMtf:
    """MTF over the modulus of the frequency, linear between its points, its last value beyond them.

    As a transfer it is the same in all directions of the axes it is asked for. Differentiable in its values.

    Args:
        frequencies: (n,), cycles/mm, from 0, increasing.
        values: (n,), ≥ 0, 1 at frequency 0.
        errors: (n,), one standard error of each value, or None where it is not known; neighbours are correlated.

    Raises:
        UsageError: GD-140 for a curve that is no MTF.

    Example:
        >>> f = torch.linspace(0, 1, 101, dtype=torch.float64)
        >>> curve = MeasuredMtf(f, 1 - f)
        >>> round(curve.frequency_at(0.5), 6), curve.at((torch.tensor([0.3]), torch.tensor([0.4]))).tolist()
        (0.5, [0.5])
    """

    frequencies: Tensor
    values: Tensor
    errors: Tensor | None = None

    def __post_init__(self) -> None:
        f, v = self.frequencies, self.values
        sound = (
            f.ndim == 1 and f.shape == v.shape and len(f) > 1 and (self.errors is None or self.errors.shape == f.shape)
        )
        if not (
            sound
            and bool(torch.isfinite(v).all())
            and float(f[0]) == 0
            and bool((f[1:] > f[:-1]).all())
            and abs(float(v[0]) - 1) < 1e-6
            and bool((v >= 0).all())
        ):
            raise UsageError(
                "GD-140",
                given=f"an MTF of {tuple(v.shape)} values over {tuple(f.shape)} frequencies",
                allowed="frequencies increasing from 0, finite values of 0 or more, the first of them 1",
                do="divide the curve by its value at frequency 0",
            )

    def at(self, frequencies: tuple[Tensor, ...]) -> Tensor:
        """MTF at the modulus of the frequencies in cycles/mm, linear between the points."""
        modulus = sum((f.double().square() for f in frequencies), torch.zeros((), dtype=torch.float64)).sqrt()
        known = self.frequencies.to(device=modulus.device, dtype=modulus.dtype)
        values = self.values.to(device=modulus.device, dtype=modulus.dtype)
        above = torch.searchsorted(known, modulus.contiguous()).clamp(1, len(known) - 1)
        weight = ((modulus - known[above - 1]) / (known[above] - known[above - 1])).clamp(0, 1)
        return torch.lerp(values[above - 1], values[above], weight).to(frequencies[0].dtype)

    def frequency_at(self, level: float) -> float:
        """The first frequency at which the MTF is down to a level, cycles/mm; infinite if it never is.

        Args:
            level: e.g. 0.5 for MTF50, 0.1 for MTF10; between 0 and 1.
        """
        below = (self.values <= level).nonzero()
        if len(below) == 0:
            return float("inf")
        i = int(below[0])
        f, v = self.frequencies.double(), self.values.double()
        return float(f[i - 1] + (f[i] - f[i - 1]) * (v[i - 1] - level) / (v[i - 1] - v[i]))

    def error_at(self, level: float) -> float:
        """Standard error of that frequency, cycles/mm: that of the MTF there over its slope; NaN where not known."""
        found = self.frequency_at(level)
        if self.errors is None or found == float("inf"):
            return float("nan")
        f, v = self.frequencies.double(), self.values.double()
        i = int(torch.searchsorted(f, torch.tensor(found, dtype=torch.float64)).clamp(1, len(f) - 1))
        slope = (v[i] - v[i - 1]) / (f[i] - f[i - 1])
        return float(self.errors[i - 1 : i + 1].double().mean() / slope.abs())
