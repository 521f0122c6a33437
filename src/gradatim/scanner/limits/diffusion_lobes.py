"""The fastest diffusion lobes for a b, and the shortest echo time that they allow."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.sequence import TICKS, ticks
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T
from gradatim.scanner.limits.limit import Constraint, Limit, Number, Quantity, derivatives, real, require_positive
from gradatim.scanner.limits.on_raster import RasteredLobe, shortest_on_raster
from gradatim.scanner.limits.sentences import gains
from gradatim.scanner.system import System

HALVINGS = 80
SHORTEST, LONGEST = 1e-9, 1e4


def pair_b(ramp: Number, total: Number, amplitude: Number, gap: Number) -> Tensor:
    """b of two equal trapezoids around a refocusing pulse, γ²g²[δ²(Δ − δ/3) + ε³/30 − δε²/6], s/m².

    δ = total − ε is rise and flat top, Δ = total + gap from start to start.

    Args:
        ramp: ε, s.
        total: of one lobe, s.
        amplitude: g, T/m.
        gap: between the lobes, s.

    Source:
        Stejskal, Tanner, J Chem Phys 42:288 (1965); trapezoids: Price, Concepts Magn Reson 9:299 (1997).

    Example:
        >>> round(1e-6 * pair_b(0.5e-3, 20.5e-3, 0.040, 19.5e-3).item(), 6)
        1526.691625
    """
    ramp, total, gap = real(ramp), real(total), real(gap)
    width = total - ramp
    bracket = width**2 * (total + gap - width / 3) + ramp**3 / 30 - width * ramp**2 / 6
    return (PROTON_GAMMA_RAD_PER_S_T * real(amplitude)) ** 2 * bracket


def fastest_lobe(b: Number, gap: Number, max_gradient: Number, max_slew: Number) -> Tensor:
    """The least duration of one of two equal lobes that give a b; the root of a monotone polynomial of it, s.

    g = min(G, S·T/2): a triangle, and a polynomial of fifth degree, where the lobe is too short to reach G; a
    trapezoid, and a cubic, beyond. A higher amplitude always gives more b in the same time. The root is bracketed and
    halved, and polished by a step of Newton's, which also carries the exact first derivatives.

    Args:
        b: s/m².
        gap: between the lobes, s.
        max_gradient: G, T/m.
        max_slew: S, T/(m·s).

    Example:
        >>> total = fastest_lobe(1e9, 8e-3, 0.040, 200.0).item()
        >>> round(1e3 * (total - 0.040 / 200), 3)
        20.106
    """
    wanted, *around = torch.broadcast_tensors(real(b), real(gap), real(max_gradient), real(max_slew))
    with torch.no_grad():
        low, high = torch.full_like(wanted, SHORTEST).log(), torch.full_like(wanted, LONGEST).log()
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            short = _best_b(middle.exp(), *around) < wanted
            low, high = torch.where(short, middle, low), torch.where(short, high, middle)
    with torch.enable_grad():
        root = ((low + high) / 2).exp().requires_grad_()
        (slope,) = torch.autograd.grad(_best_b(root, *(each.detach() for each in around)).sum(), root)
    root = root.detach()
    return root - (_best_b(root, *around) - wanted) / slope


def _best_b(total: Tensor, gap: Tensor, gradient: Tensor, slew: Tensor) -> Tensor:
    amplitude = torch.minimum(gradient, slew * total / 2)
    return pair_b(amplitude / slew, total, amplitude, gap)


@dataclass(frozen=True, eq=False)
class FastestDiffusionLobes:
    """The shortest pair of equal lobes around a refocusing pulse that gives a b.

    The answer is the duration of one lobe, δ + ε. Imaging gradients are not counted; they change b by some s/mm².

    Args:
        b: s/m²; 1000 s/mm² is 1e9.
        gap: from the end of the first lobe to the beginning of the second, s.

    Raises:
        UsageError: GD-101 for a number that is not positive and finite.

    Source:
        Stejskal, Tanner, J Chem Phys 42:288 (1965).

    Example:
        >>> limit = FastestDiffusionLobes(b=1e9, gap=8e-3)(System(0.300, 200.0))
        >>> round(1e3 * limit.details["delta"].value.item(), 3), limit.binding.value
        (3.624, 'amplitude')
    """

    b: Number
    gap: Number

    def __post_init__(self) -> None:
        require_positive({"b": self.b, "gap": self.gap}, zero=("gap",))

    def continuous(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """The duration of one lobe, s."""
        return fastest_lobe(self.b, self.gap, max_gradient, max_slew)

    def slew_bound(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """Where the lobes are triangles."""
        return self.continuous(max_gradient, max_slew) * real(max_slew) <= 2 * real(max_gradient)

    def played(self, system: System) -> RasteredLobe:
        """The lobes on the system's raster; their amplitude gives the b exactly."""
        gap = real(self.gap).detach()
        return shortest_on_raster(
            lambda ramp, total, amplitude: pair_b(ramp, total, amplitude, gap),
            wanted=real(self.b).item(),
            start=self.continuous(system.max_gradient, system.max_slew).item(),
            system=system,
            power=2,
        )

    def __call__(self, system: System) -> Limit:
        """The lobes on a system, in real numbers and on its raster.

        Args:
            system: the hardware.
        """
        slopes, relative, value = derivatives(self, system, names=("b", "gap"))
        bound = bool(self.slew_bound(system.max_gradient, system.max_slew))
        peak = torch.minimum(real(system.max_gradient), system.max_slew * value / 2)
        ramp = peak / system.max_slew
        return Limit(
            "lobe",
            value,
            "s",
            Constraint.SLEW if bound else Constraint.AMPLITUDE,
            gains("each lobe", relative, system, enough=enough_for_b(self.b, self.gap, system)),
            slopes,
            relative,
            {
                "delta": Quantity(value - ramp, "s"),
                "ramp": Quantity(ramp, "s"),
                "start_to_start": Quantity(value + real(self.gap), "s"),
                "amplitude": Quantity(peak, "T/m"),
                "rastered_amplitude": Quantity(real(self.played(system).amplitude), "T/m"),
            },
            self.played(system).duration,
        )


def enough_for_b(b: Number, gap: Number, system: System) -> float:
    """The gradient above which more of it gives nothing: that of triangles of the same b, S·T/2, T/m.

    Args:
        b: s/m².
        gap: between the lobes, s.
        system: for its slew rate.

    Example:
        >>> round(1e3 * enough_for_b(1e9, 8e-3, System(0.040, 200.0)))
        469
    """
    boundless = SHORTEST + LONGEST * system.max_slew
    return system.max_slew * fastest_lobe(b, gap, boundless, system.max_slew).item() / 2


@dataclass(frozen=True, eq=False)
class DiffusionEchoTime:
    """The shortest echo time of a diffusion-weighted spin echo, TE = Trefoc + 2T + 2·max(Tread, Texc/2).

    Lobes of duration T stand as far apart as the echo allows: the part of the readout before the echo delays the
    second one, and the first begins right after excitation, so that gap = Trefoc + |Tread − Texc/2|, which lowers T.

    Args:
        b: s/m²; 1000 s/mm² is 1e9.
        readout: Tread, from the end of the second lobe to the echo, s.
        refocusing: Trefoc, the refocusing pulse with its crushers and dead times, s.
        excitation: Texc, s; half of it lies after the pulse's centre.

    Raises:
        UsageError: GD-101 for a number that is not positive and finite.

    Source:
        Stejskal, Tanner, J Chem Phys 42:288 (1965); the timing is composed here.

    Example:
        >>> limit = DiffusionEchoTime(b=1e9, readout=15e-3)(System(0.080, 200.0))
        >>> limit.value.item() > 0.03 + 2 * limit.details["lobe"].value.item()
        True
    """

    b: Number
    readout: Number = 0.0
    refocusing: Number = 8e-3
    excitation: Number = 3e-3

    def __post_init__(self) -> None:
        given = {"b": self.b, "readout": self.readout, "refocusing": self.refocusing, "excitation": self.excitation}
        require_positive(given, zero=("readout", "refocusing", "excitation"))

    @property
    def lobes(self) -> FastestDiffusionLobes:
        """The lobes, with the gap that the timing leaves them."""
        return FastestDiffusionLobes(
            self.b, real(self.refocusing) + (real(self.readout) - real(self.excitation) / 2).abs()
        )

    def continuous(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """The echo time, s."""
        return self._around + 2 * self.lobes.continuous(max_gradient, max_slew)

    def slew_bound(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """Where the lobes are triangles."""
        return self.lobes.slew_bound(max_gradient, max_slew)

    def __call__(self, system: System) -> Limit:
        """The echo time on a system, in real numbers and with lobes on its raster.

        Args:
            system: the hardware.
        """
        slopes, relative, value = derivatives(self, system, names=("b", "readout", "refocusing", "excitation"))
        lobes = self.lobes(system)
        played = self._around.item() / 2 + self.lobes.played(system).duration
        return Limit(
            "echo_time",
            value,
            "s",
            lobes.binding,
            gains("each lobe", relative, system, enough=enough_for_b(self.b, self.lobes.gap, system)),
            slopes,
            relative,
            {"lobe": Quantity(lobes.value, "s"), **lobes.details},
            2 * ticks(played, system.rasters.gradient) / TICKS,
        )

    @property
    def _around(self) -> Tensor:
        return real(self.refocusing) + 2 * torch.maximum(real(self.readout), real(self.excitation) / 2)
