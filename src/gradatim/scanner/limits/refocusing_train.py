"""The shortest echo spacing of RARE (turbo spin echo, fast spin echo)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, ticks
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.limits.limit import Constraint, Limit, Number, Quantity, derivatives, real, require_positive
from gradatim.scanner.limits.lobe import lobe_duration
from gradatim.scanner.system import System

_CALLED = ("the crushers", "phase encoding", "the ramps of the readout", "the dead times")
_NAMES = ("fov", "matrix", "thickness", "cycles", "pulse", "dwell", "dead_time")


@dataclass(frozen=True, eq=False)
class RefocusingTrainSpacing:
    """From one refocusing pulse to the next: ESP = Trf + Tacq + 2·max(Tcrush, Tpe, Tramp, Tdead).

    Crusher T(n/(γ̄·Δz)), phase encoding T(N/(2·γ̄·FOV)) and the ramp of the readout share the window between pulse and
    acquisition, and the acquisition lasts N·dwell. Lobes begin and end at 0. Without dead times and without the ramps
    of the slice's own gradient it is a lower bound for lobes of that kind; a crusher that is bridged into the slice's
    gradient can undercut it. The first echo asks besides that half of it fits between the centres of excitation and
    first refocusing (CPMG). What is rastered holds the system's dead times, whatever the field says.

    Args:
        fov: field of view, m, along both axes.
        matrix: N, pixels along both axes.
        thickness: Δz, m.
        cycles: n, turns of phase that one crusher winds across the slice.
        pulse: Trf, duration of the refocusing pulse, s.
        dwell: time a sample, s.
        dead_time: Tdead, between pulse and acquisition, s; 0 for the bound without.

    Raises:
        UsageError: GD-101 for a number that is not positive and finite.

    Source:
        Composed here of known parts; Bernstein, King, Zhou, Handbook of MRI Pulse Sequences (2004), ch. 16.4.

    Example:
        >>> train = RefocusingTrainSpacing(fov=0.22, matrix=64, thickness=5e-3, cycles=3, pulse=2e-3, dwell=20e-6)
        >>> round(1e3 * train(System(0.040, 150.0)).value.item(), 4)
        4.5179
    """

    fov: Number
    matrix: Number
    thickness: Number
    cycles: Number = 4.0
    pulse: Number = 2e-3
    dwell: Number = 10e-6
    dead_time: Number = 0.0

    def __post_init__(self) -> None:
        require_positive({name: getattr(self, name) for name in _NAMES}, zero=("dead_time",))

    def continuous(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """The echo spacing, s."""
        return self._fixed + 2 * self.windows(max_gradient, max_slew).amax(0)

    def slew_bound(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """Where the longest of the four is a triangle, or a ramp."""
        gradient, slew = real(max_gradient), real(max_slew)
        windows = self.windows(gradient, slew)
        triangles = [(area * slew <= gradient**2).expand(windows.shape[1:]) for area in self._areas]
        never = torch.zeros_like(triangles[0])
        return torch.stack((*triangles, ~never, never)).gather(0, windows.argmax(0, keepdim=True))[0]

    def windows(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """Tcrush, Tpe, Tramp and Tdead, (4, ...), s."""
        crush, encode = (lobe_duration(area, max_gradient, max_slew) for area in self._areas)
        ramp = self.readout_gradient / real(max_slew)
        return torch.stack(torch.broadcast_tensors(crush, encode, ramp, real(self.dead_time)))

    @property
    def readout_gradient(self) -> Tensor:
        """1/(γ̄·FOV·dwell), T/m."""
        return 1 / (PROTON_GAMMA_BAR_HZ_PER_T * real(self.fov) * real(self.dwell))

    def __call__(self, system: System) -> Limit:
        """The echo spacing on a system: the bound in real numbers, and with dead times on the raster.

        Args:
            system: the hardware.

        Raises:
            UsageError: GD-166 if the readout needs more gradient than there is.
        """
        slopes, relative, value = derivatives(self, system, names=_NAMES)
        self._require_readout(system)
        windows = self.windows(system.max_gradient, system.max_slew)
        crush, encode, ramp = windows[:3]
        longest = int(windows.argmax())
        if _CALLED[longest] == "the dead times":
            binding = Constraint.DEAD_TIME
        else:
            slew_bound = bool(self.slew_bound(system.max_gradient, system.max_slew))
            binding = Constraint.SLEW if slew_bound else Constraint.AMPLITUDE
        return Limit(
            "echo_spacing",
            value,
            "s",
            binding,
            _reason(binding, _CALLED[longest], relative, 100 * (self._fixed / value).item()),
            slopes,
            relative,
            {
                "crusher": Quantity(crush, "s"),
                "phase_encoding": Quantity(encode, "s"),
                "readout_ramp": Quantity(ramp, "s"),
                "acquisition": Quantity(self._acquisition, "s"),
                "readout_gradient": Quantity(self.readout_gradient, "T/m"),
            },
            self._rastered(system, windows.max().item()),
        )

    def _require_readout(self, system: System) -> None:
        needed = self.readout_gradient.item()
        if needed > system.max_gradient * (1 + 1e-9):
            shortest = real(self.dwell).item() * needed / system.max_gradient
            raise UsageError(
                "GD-166",
                given=f"a readout of {1e3 * needed:.3f} mT/m",
                allowed=f"at most {1e3 * system.max_gradient:g} mT/m",
                do=f"take a dwell time of {1e6 * shortest:.4g} µs or longer",
            )

    def _rastered(self, system: System, window: float) -> float:
        """Halves of pulse and acquisition, and windows, as whole rasters, so that pulse and echo lie on one."""
        raster = system.rasters.gradient
        dead = (max(system.pulse_ringdown, system.pulse_dead) + system.readout_dead) / TICKS
        halves = ticks(real(self.pulse).item() / 2, raster), ticks((self._acquisition / 2).item(), raster)
        return 2 * (sum(halves) + ticks(max(window, dead), raster)) / TICKS

    @property
    def _acquisition(self) -> Tensor:
        return real(self.matrix) * real(self.dwell)

    @property
    def _fixed(self) -> Tensor:
        return real(self.pulse) + self._acquisition

    @property
    def _areas(self) -> tuple[Tensor, Tensor]:
        crush = real(self.cycles) / (PROTON_GAMMA_BAR_HZ_PER_T * real(self.thickness))
        return crush, real(self.matrix) / (2 * PROTON_GAMMA_BAR_HZ_PER_T * real(self.fov))


def _reason(binding: Constraint, longest: str, elasticity: dict[str, float], fixed: float) -> str:
    if binding is Constraint.DEAD_TIME:
        more = "neither gradient nor slew rate gives anything"
    elif binding is Constraint.AMPLITUDE:
        more = (
            f"1 % more gradient saves {-elasticity['max_gradient']:.2f} %, "
            f"1 % more slew rate {-elasticity['max_slew']:.2f} %"
        )
    else:
        more = f"more gradient gives nothing, 1 % more slew rate saves {-elasticity['max_slew']:.2f} %"
    filled = f"{longest} {'fills' if longest == 'phase encoding' else 'fill'} the window"
    return f"{binding.value}-bound: {filled}; {more}; pulse and acquisition are {fixed:.0f} % of it all"
