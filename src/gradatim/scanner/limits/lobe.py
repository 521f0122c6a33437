"""The shortest gradient lobe of an area."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.scanner.limits.limit import Constraint, Limit, Number, Quantity, derivatives, real, require_positive
from gradatim.scanner.limits.on_raster import shortest_on_raster
from gradatim.scanner.limits.sentences import gains
from gradatim.scanner.system import System


def lobe_duration(area: Number, max_gradient: Number, max_slew: Number) -> Tensor:
    """The shortest duration of a lobe that begins and ends at 0: 2√(A/S) where A ≤ G²/S, A/G + G/S beyond.

    Both forms and their first derivatives meet at A = G²/S. Differentiable, elementwise.

    Args:
        area: A, T·s/m, > 0.
        max_gradient: G, T/m.
        max_slew: S, T/(m·s).

    Returns:
        s, float64.

    Source:
        Bernstein, King, Zhou, Handbook of MRI Pulse Sequences (2004), ch. 7.

    Example:
        >>> round(lobe_duration(6.8324e-6, 0.040, 150.0).item(), 7)
        0.0004268
    """
    area, gradient, slew = real(area), real(max_gradient), real(max_slew)
    return torch.where(area * slew <= gradient**2, 2 * (area / slew).sqrt(), area / gradient + gradient / slew)


def lobe_peak(area: Number, max_gradient: Number, max_slew: Number) -> Tensor:
    """The amplitude of that lobe, min(G, √(A·S)), T/m.

    Args:
        area: A, T·s/m, > 0.
        max_gradient: G, T/m.
        max_slew: S, T/(m·s).

    Example:
        >>> round(lobe_peak(6.8324e-6, 0.040, 150.0).item(), 4)
        0.032
    """
    return torch.minimum(real(max_gradient), (real(area) * real(max_slew)).sqrt())


@dataclass(frozen=True, eq=False)
class ShortestLobe:
    """The shortest lobe of an area that begins and ends at 0.

    T = 2√(A/S), a triangle, where A ≤ G²/S; T = A/G + G/S, a trapezoid, beyond.

    Args:
        area: A, T·s/m; a wave number k in 1/m is A = k/γ̄.

    Raises:
        UsageError: GD-101 if the area is not positive and finite.

    Source:
        Bernstein, King, Zhou, Handbook of MRI Pulse Sequences (2004), ch. 7.

    Example:
        >>> limit = ShortestLobe(6.8324e-6)(System(0.040, 150.0))
        >>> limit.binding.value, round(limit.value.item(), 7), limit.rastered
        ('slew', 0.0004268, 0.00043)
    """

    area: Number

    def __post_init__(self) -> None:
        require_positive({"area": self.area})

    def continuous(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """The duration, s."""
        return lobe_duration(self.area, max_gradient, max_slew)

    def slew_bound(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """Where the lobe is a triangle."""
        return real(self.area) * real(max_slew) <= real(max_gradient) ** 2

    def __call__(self, system: System) -> Limit:
        """The lobe on a system, in real numbers and on its raster.

        Args:
            system: the hardware.
        """
        slopes, relative, value = derivatives(self, system, names=("area",))
        bound = bool(self.slew_bound(system.max_gradient, system.max_slew))
        peak = lobe_peak(self.area, system.max_gradient, system.max_slew)
        played = shortest_on_raster(
            lambda ramp, total, amplitude: amplitude * (total - ramp),
            wanted=real(self.area).item(),
            start=value.item(),
            system=system,
        )
        return Limit(
            "duration",
            value,
            "s",
            Constraint.SLEW if bound else Constraint.AMPLITUDE,
            gains("the lobe", relative, system, enough=(real(self.area) * system.max_slew).sqrt().item()),
            slopes,
            relative,
            {
                "peak_gradient": Quantity(peak, "T/m"),
                "ramp": Quantity(peak / system.max_slew, "s"),
                "flat_top": Quantity(value - 2 * peak / system.max_slew, "s"),
            },
            played.duration,
        )
