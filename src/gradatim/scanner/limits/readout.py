"""How fast a line of k-space can be read: field of view, matrix, dwell time, gradient, any one from the others."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, ticks
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.limits.limit import Constraint, Limit, Number, Quantity, derivatives, real
from gradatim.scanner.limits.products import Product, completed, require_known
from gradatim.scanner.system import System

LAWS = (
    Product({"gradient": 1, "fov": 1, "dwell": 1}, 1 / PROTON_GAMMA_BAR_HZ_PER_T),
    Product({"pixel": 1, "matrix": 1, "fov": -1}),
    Product({"pixel_bandwidth": 1, "matrix": 1, "dwell": 1}),
    Product({"receiver_bandwidth": 1, "dwell": 1}),
    Product({"k_max": 1, "pixel": 1}, 0.5),
    Product({"k_step": 1, "fov": 1}),
    Product({"window": 1, "pixel_bandwidth": 1}),
    Product({"gradient": 1, "pixel": 1, "pixel_bandwidth": -1}, 1 / PROTON_GAMMA_BAR_HZ_PER_T),
)
"""dk = 1/FOV; G = 1/(γ̄·FOV·dwell); pixel = FOV/N; kmax = N/(2 FOV); BW = 1/dwell; BW/pixel = 1/(N·dwell)."""

UNITS = {
    "gradient": "T/m",
    "fov": "m",
    "matrix": "",
    "dwell": "s",
    "pixel": "m",
    "pixel_bandwidth": "Hz",
    "receiver_bandwidth": "Hz",
    "k_max": "1/m",
    "k_step": "1/m",
    "window": "s",
}


@dataclass(frozen=True, eq=False)
class FrequencyEncoding:
    """A line of k-space read on a plateau: what is left out follows from what is given.

    Samples one dwell time apart lie dk = γ̄·G·dwell = 1/FOV apart, Nyquist's step for that field of view.

    Args:
        fov: field of view, m.
        matrix: N, samples a line.
        pixel: FOV/N, m.
        dwell: time a sample, s.
        gradient: of the plateau, T/m.
        pixel_bandwidth: 1/(N·dwell), Hz a pixel.
        shortest_dwell: of the receiver, s; None where it does not matter.

    Raises:
        UsageError: GD-101 for a number that is not positive and finite; GD-157 if they contradict each other or, when
            used, are too few.

    Source:
        Bernstein, King, Zhou, Handbook of MRI Pulse Sequences (2004), ch. 8.

    Example:
        >>> line = FrequencyEncoding(fov=0.22, matrix=64, dwell=20e-6).solved()
        >>> round(1e3 * line["gradient"].item(), 4), round(line["pixel_bandwidth"].item(), 2)
        (5.3379, 781.25)
    """

    fov: Number | None = None
    matrix: Number | None = None
    pixel: Number | None = None
    dwell: Number | None = None
    gradient: Number | None = None
    pixel_bandwidth: Number | None = None
    shortest_dwell: Number | None = None

    def __post_init__(self) -> None:
        completed({"shortest_dwell": self.shortest_dwell}, ())
        self._known()

    def solved(self) -> dict[str, Tensor]:
        """Every number of the line by name: those given, and receiver_bandwidth, k_max, k_step and window besides.

        Raises:
            UsageError: GD-157 if they do not follow from what is given.
        """
        known = self._known()
        require_known(
            known,
            tuple(UNITS),
            do="give three: fov or pixel with matrix, and dwell, gradient or pixel_bandwidth",
        )
        return {name: known[name] for name in UNITS}

    def continuous(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """The shortest dwell time, the longer of 1/(γ̄·FOV·Gmax) and the receiver's, s."""
        nyquist = self._nyquist(max_gradient)
        return nyquist if self.shortest_dwell is None else torch.maximum(nyquist, real(self.shortest_dwell))

    def slew_bound(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """Nowhere: the line is read on a plateau."""
        return torch.zeros(torch.broadcast_shapes(real(max_gradient).shape, real(max_slew).shape), dtype=torch.bool)

    def __call__(self, system: System) -> Limit:
        """The shortest dwell time, and with it the widest bandwidth a pixel, of this field of view on a system.

        Args:
            system: the hardware.

        Raises:
            UsageError: GD-157 if no field of view follows from what is given; GD-166 if the asked line needs more
                gradient than there is, with what would be possible, or a faster receiver.
        """
        known = self._known()
        slopes, relative, value = derivatives(self, system, names=("fov", "matrix", "pixel", "shortest_dwell"))
        nyquist = self._nyquist(system.max_gradient).item()
        gradient = known.get("gradient")
        if gradient is not None and gradient.item() > system.max_gradient * (1 + 1e-9):
            raise UsageError(
                "GD-166",
                given=f"a readout of {1e3 * gradient.item():.3f} mT/m",
                allowed=f"at most {1e3 * system.max_gradient:g} mT/m",
                do=f"take a dwell time of {1e6 * nyquist:.4g} µs or longer, or a larger field of view",
            )
        receiver = value.item() > nyquist
        if receiver and "dwell" in known and known["dwell"].item() < value.item() * (1 - 1e-9):
            raise UsageError(
                "GD-166",
                given=f"a dwell time of {1e6 * known['dwell'].item():.4g} µs",
                allowed=f"the receiver's {1e6 * value.item():.4g} µs or longer",
                do="take a longer dwell time, or a faster receiver",
            )
        return Limit(
            "shortest_dwell",
            value,
            "s",
            Constraint.RECEIVER if receiver else Constraint.AMPLITUDE,
            _reason(known["fov"].item(), value.item(), system, receiver=receiver),
            slopes,
            relative,
            {name: Quantity(known[name], unit) for name, unit in UNITS.items() if name in known},
            ticks(value.item(), system.rasters.readout) / TICKS,
        )

    def _nyquist(self, max_gradient: Number) -> Tensor:
        known = self._known()
        require_known(known, ("fov",), do="give the field of view, or the matrix with the pixel")
        return 1 / (PROTON_GAMMA_BAR_HZ_PER_T * known["fov"] * real(max_gradient))

    def _known(self) -> dict[str, Tensor]:
        names = ("fov", "matrix", "pixel", "dwell", "gradient", "pixel_bandwidth")
        return completed({name: getattr(self, name) for name in names}, LAWS)


def _reason(fov: float, dwell: float, system: System, *, receiver: bool) -> str:
    gradient = 1e3 / (PROTON_GAMMA_BAR_HZ_PER_T * fov * dwell)
    if receiver:
        return (
            f"receiver-bound: at its shortest dwell time of {1e6 * dwell:.4g} µs this field of view takes "
            f"{gradient:.1f} of {1e3 * system.max_gradient:g} mT/m; more gradient gives nothing"
        )
    return (
        f"amplitude-bound: {1e3 * system.max_gradient:g} mT/m cross one step of k-space in {1e6 * dwell:.4g} µs; "
        f"1 % more gradient or 1 % more field of view gives 1 %, slew rate gives nothing"
    )
