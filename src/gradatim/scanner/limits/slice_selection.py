"""How thin a slice can be: thickness, gradient, bandwidth and pulse, any one from the others."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.limits.limit import Constraint, Limit, Number, Quantity, derivatives, real
from gradatim.scanner.limits.products import Product, completed, require_known
from gradatim.scanner.system import System

LAWS = (
    Product({"gradient": 1, "thickness": 1, "bandwidth": -1}, 1 / PROTON_GAMMA_BAR_HZ_PER_T),
    Product({"bandwidth": 1, "pulse": 1, "time_bandwidth": -1}),
)

_GIVE = "give two of thickness, gradient and bandwidth; the bandwidth may come from time_bandwidth and pulse"


@dataclass(frozen=True, eq=False)
class SelectedSlice:
    """A slice with all that selects it.

    Args:
        thickness: Δz, m.
        gradient: G, T/m.
        bandwidth: of the pulse, Hz.
        pulse: its duration, s; None where it is not known.
        time_bandwidth: their product; None where it is not known.
    """

    thickness: Tensor
    gradient: Tensor
    bandwidth: Tensor
    pulse: Tensor | None
    time_bandwidth: Tensor | None


@dataclass(frozen=True, eq=False)
class SliceSelection:
    """BW = γ̄·G·Δz and BW = TBW/T: what is left out follows from what is given.

    The thickness is the nominal one, that of a rectangular profile. What a pulse delivers differs: an apodised sinc of
    TBW 4 gives 0.996 of it at 15°, 1.10 at 90°, and 0.664 as a 180° refocusing pulse.

    Args:
        thickness: Δz, m.
        gradient: G, T/m.
        bandwidth: Hz.
        pulse: T, s.
        time_bandwidth: TBW.

    Raises:
        UsageError: GD-101 for a number that is not positive and finite; when used, GD-157 if they are too few or
            contradict each other.

    Source:
        Bernstein, King, Zhou, Handbook of MRI Pulse Sequences (2004), ch. 8.

    Example:
        >>> selected = SliceSelection(thickness=5e-3, time_bandwidth=4.0, pulse=2e-3).solved()
        >>> round(selected.bandwidth.item()), round(1e3 * selected.gradient.item(), 4)
        (2000, 9.3946)
    """

    thickness: Number | None = None
    gradient: Number | None = None
    bandwidth: Number | None = None
    pulse: Number | None = None
    time_bandwidth: Number | None = None

    def __post_init__(self) -> None:
        self._known()

    def solved(self) -> SelectedSlice:
        """All five from those that are given, without any hardware.

        Raises:
            UsageError: GD-157 if thickness, gradient and bandwidth do not follow from what is given.
        """
        known = self._known()
        require_known(known, ("thickness", "gradient", "bandwidth"), do=_GIVE)
        return SelectedSlice(
            known["thickness"],
            known["gradient"],
            known["bandwidth"],
            known.get("pulse"),
            known.get("time_bandwidth"),
        )

    def continuous(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """The thinnest slice at this bandwidth, BW/(γ̄·Gmax), m."""
        known = self._known()
        require_known(known, ("bandwidth",), do=_GIVE)
        return known["bandwidth"] / (PROTON_GAMMA_BAR_HZ_PER_T * real(max_gradient))

    def slew_bound(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """Nowhere: a slice is selected on a plateau."""
        return torch.zeros(torch.broadcast_shapes(real(max_gradient).shape, real(max_slew).shape), dtype=torch.bool)

    def __call__(self, system: System) -> Limit:
        """The thinnest slice of this bandwidth on a system; the asked slice itself, if one is given, must be possible.

        Args:
            system: the hardware.

        Raises:
            UsageError: GD-157 as :meth:`solved`, with the bandwidth alone as the least; GD-166 if the slice needs more
                gradient than there is, with what would be possible.
        """
        known = self._known()
        slopes, relative, value = derivatives(self, system, names=("bandwidth", "pulse", "time_bandwidth"))
        gradient = known.get("gradient")
        if gradient is not None and gradient.item() > system.max_gradient * (1 + 1e-9):
            raise UsageError(
                "GD-166",
                given=f"a slice that needs {1e3 * gradient.item():.3f} mT/m",
                allowed=f"at most {1e3 * system.max_gradient:g} mT/m",
                do=_way_out(known, value.item(), gradient.item() / system.max_gradient),
            )
        asked = ""
        if gradient is not None:
            share = 100 * gradient.item() / system.max_gradient
            asked = (
                f"the slice of {1e3 * known['thickness'].item():.4g} mm takes {1e3 * gradient.item():.4f} mT/m, "
                f"{share:.0f} % of what there is; "
            )
        units = {"thickness": "m", "gradient": "T/m", "bandwidth": "Hz", "pulse": "s", "time_bandwidth": ""}
        return Limit(
            "thinnest_slice",
            value,
            "m",
            Constraint.AMPLITUDE,
            f"amplitude-bound: {asked}at {known['bandwidth'].item():.5g} Hz the thinnest slice is "
            f"{1e3 * value.item():.4f} mm; 1 % more gradient or 1 % less bandwidth makes it 1 % thinner, "
            "slew rate does not",
            slopes,
            relative,
            {name: Quantity(known[name], unit) for name, unit in units.items() if name in known},
        )

    def _known(self) -> dict[str, Tensor]:
        names = ("thickness", "gradient", "bandwidth", "pulse", "time_bandwidth")
        return completed({name: getattr(self, name) for name in names}, LAWS)


def _way_out(known: dict[str, Tensor], thinnest: float, factor: float) -> str:
    longer = f"a pulse of {1e3 * known['pulse'].item() * factor:.4g} ms or longer, or " if "pulse" in known else ""
    return (
        f"take {longer}a bandwidth of {known['bandwidth'].item() / factor:.4g} Hz or less, or a slice of "
        f"{1e3 * thinnest:.4g} mm or thicker"
    )
