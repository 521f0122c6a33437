"""The echoes that know a quantity best in a given time: descent on the bound of its error."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.limits.limit import real
from gradatim.scanner.protocol.gradient_echoes import EchoTiming, GradientEchoScan
from gradatim.scanner.protocol.targets import EchoTarget
from gradatim.scanner.system import System
from gradatim.solve.lbfgs import Lbfgs

Limits = Mapping[str, float]
Starts = tuple[tuple[float, ...], ...]

_SHORTEST_DWELL = 1e-6
_HALVINGS = 36
_LONGEST_WAIT = 10.0
"""In T2*: what echoes may wait in all; later ones know nothing."""
_STARTS: Starts = ((-2.0, -4.0, -4.0), (-2.0, -4.0, 0.0), (1.0, -4.0, -1.0))
"""Where descent begins, in the logits of dwell, first wait and spacing: fast, spread out, slow."""


@dataclass(frozen=True, eq=False)
class BestProtocol:
    """A protocol, the error it will have, and what more of each limit would give.

    Args:
        timing: in real numbers.
        error: bound of the standard error, in the target's unit.
        delivered: on the scanner's clock.
        delivered_error: of that.
        elasticity: per cent of the error for one per cent more of ``max_gradient``, ``max_slew``, ``scan_time``.
        unit: of the errors.
    """

    timing: EchoTiming
    error: float
    delivered: EchoTiming
    delivered_error: float
    elasticity: Mapping[str, float]
    unit: str


@dataclass(frozen=True)
class BestEchoes:
    """argmin over dwell, first echo and spacing of a target's Cramér-Rao bound, for every number of averages that fits.

    The chain hardware limits → timing → signal and noise → bound is one graph; L-BFGS descends on the logarithm of the
    bound from three starts, in coordinates in which the limits, TR and the unwrapping always hold. At the end times go
    to the scanner's clock and the error is computed again. What more of a limit would give is found by descending
    again with 1 % more and less of it.

    Args:
        scan: what is fixed.
        target: whose error.
        max_offset: the largest field offset that must unwrap from echo to echo, Hz: ΔTE ≤ 1/(2·offset); None for no
            such bound.
        least_bandwidth: the lowest bandwidth of a pixel, Hz: an offset of that size shifts the image by one pixel.

    Raises:
        UsageError: GD-101 for an offset that is not positive; GD-191 if not even one average of the shortest echoes
            fits into the time; GD-192 if the closest echoes are too far apart for the offset.

    Source:
        Kay, Fundamentals of Statistical Signal Processing I, 1993, ch. 3 (the bound); Reeder, Pineda et al., Magn Reson
        Med 54:636-644, 2005 (echo times chosen by it).

    Example:
        >>> from gradatim.scanner.protocol.targets import T2StarTarget
        >>> scan = GradientEchoScan((64, 64, 16), (0.22, 0.22, 0.08), echoes=4, scan_time=60.0)
        >>> best = BestEchoes(scan, T2StarTarget(0.030))(System())
        >>> best.delivered_error < 1.05 * best.error
        True
    """

    scan: GradientEchoScan
    target: EchoTarget
    max_offset: float | None = None
    least_bandwidth: float = 100.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.least_bandwidth) and self.least_bandwidth > 0):
            raise UsageError(
                "GD-101", given=f"{self.least_bandwidth} Hz a pixel", allowed="a positive number", do="use 100 to 1000"
            )
        if self.max_offset is not None and not (math.isfinite(self.max_offset) and self.max_offset > 0):
            raise UsageError(
                "GD-101", given=f"offset {self.max_offset} Hz", allowed="a positive number", do="give it in Hz"
            )

    def __call__(self, system: System) -> BestProtocol:
        """The best protocol on a system.

        Args:
            system: limits and clock.
        """
        limits = self._limits(system)
        averages, error, at, delivered = self._delivered(system)
        return BestProtocol(
            timing=self._timing(self._design(at, self._window(averages, limits), limits, averages), averages, limits),
            error=error,
            delivered=delivered,
            delivered_error=self._error_of(delivered),
            elasticity={name: self._elasticity(name, averages, limits, at) for name in limits},
            unit=self.target.unit,
        )

    def delivered_error(self, system: System) -> float:
        """The error that :meth:`__call__` delivers, in the target's unit, without the time for its elasticities.

        Args:
            system: limits and clock.
        """
        return self._error_of(self._delivered(system)[-1])

    def _limits(self, system: System) -> Limits:
        return {"max_gradient": system.max_gradient, "max_slew": system.max_slew, "scan_time": self.scan.scan_time}

    def _delivered(self, system: System) -> tuple[int, float, Tensor, EchoTiming]:
        """Averages, bound, logits, and what the scanner's clock makes of them."""
        limits = self._limits(system)
        found = [(averages, *self._descend(averages, limits, _STARTS)) for averages in self._averages(limits)]
        averages, error, at = min(found, key=lambda item: item[1])
        design = self._design(at, self._window(averages, limits), limits, averages)
        timing = self.scan.on_raster(design, system, averages=averages, largest_spacing=self._unwrap)
        return averages, error, at, timing

    def _error_of(self, timing: EchoTiming) -> float:
        return float(self.target.error(timing.echo_times, snr=timing.snr))

    @property
    def _unwrap(self) -> float:
        """The largest spacing that unwraps, s."""
        return math.inf if self.max_offset is None else 0.5 / self.max_offset

    def _elasticity(self, name: str, averages: int, limits: Limits, at: Tensor) -> float:
        """d ln error / d ln limit, by two descents from the optimum with the limit 1 % up and down."""
        starts = (tuple(at.clamp(-6.0, 6.0).tolist()),)
        up, down = (self._descend(averages, {**limits, name: limits[name] * f}, starts)[0] for f in (1.01, 0.99))
        return math.log(up / down) / math.log(1.01 / 0.99)

    def _averages(self, limits: Limits) -> list[int]:
        """Numbers of averages that fit: 1, 2, 3, 4, 6, 8, 12 and so on."""
        fastest = float(self._bare(limits)[1].min())
        most = int(limits["scan_time"] / (self.scan.encodings * fastest))
        if most < 1:
            raise UsageError(
                "GD-191",
                given=f"{self.scan.scan_time} s for {self.scan.encodings} encodings of {fastest * 1e3:.2f} ms or more",
                allowed=f"{self.scan.encodings * fastest:.1f} s at least",
                do="allow more time, fewer voxels or fewer echoes",
            )
        return sorted({step << k for step in (2, 3) for k in range(30) if step << k <= most} | {1})

    def _bare(self, limits: Limits) -> tuple[Tensor, Tensor, Tensor]:
        """Dwell times, the shortest TR that each needs, and how close its echoes can lie, s."""
        lowest = self._shortest_dwell(limits).item()
        highest = max(lowest, 1.0 / (self.scan.matrix[0] * self.least_bandwidth))
        grid = torch.logspace(math.log10(lowest), math.log10(highest), 64, dtype=torch.float64)
        timings = [self._timing(torch.stack([dwell, dwell * 0, dwell * 0]), 1, limits) for dwell in grid]
        needed = torch.stack([timing.needed for timing in timings])
        return grid, needed, torch.stack([timing.echo_times[1] - timing.echo_times[0] for timing in timings])

    def _window(self, averages: int, limits: Limits) -> tuple[float, float]:
        """The shortest and the longest dwell whose echoes fit into TR and unwrap: found on a grid, then by halving."""
        repetition = limits["scan_time"] / (averages * self.scan.encodings)
        grid, needed, closest = self._bare(limits)
        fits = (needed <= repetition) & (closest <= self._unwrap)
        if not bool(fits.any()):
            raise UsageError(
                "GD-192",
                given=f"echoes {float(closest.min()) * 1e3:.3f} ms apart at the closest",
                allowed=f"{self._unwrap * 1e3:.3f} ms for {self.max_offset} Hz, in a TR of {repetition * 1e3:.4g} ms",
                do="lower the resolution along the readout, or unwrap in space instead",
            )
        first, last = (int(i) for i in torch.nonzero(fits)[[0, -1], 0])
        low, high = float(grid[first]), float(grid[last])
        if first > 0:
            low = self._edge(low, float(grid[first - 1]), repetition, limits)
        if last + 1 < len(grid):
            high = self._edge(high, float(grid[last + 1]), repetition, limits)
        return low, high

    def _edge(self, good: float, bad: float, repetition: float, limits: Limits) -> float:
        """The last dwell that fits, between one that does and one that does not, to 1e-12 of it."""
        for _ in range(_HALVINGS):
            middle = (good + bad) / 2
            timing = self._timing(torch.tensor([middle, 0.0, 0.0], dtype=torch.float64), 1, limits)
            apart = float(timing.echo_times[1] - timing.echo_times[0])
            fits = float(timing.needed) <= repetition and apart <= self._unwrap
            good, bad = (middle, bad) if fits else (good, middle)
        return good

    def _shortest_dwell(self, limits: Limits) -> Tensor:
        """The dwell at which the readout needs all of the gradient, s."""
        return real(1.0 / (PROTON_GAMMA_BAR_HZ_PER_T * self.scan.extent[0] * limits["max_gradient"])).clamp(
            min=_SHORTEST_DWELL
        )

    def _timing(self, design: Tensor, averages: int, limits: Limits) -> EchoTiming:
        return self.scan.timing(
            design,
            max_gradient=limits["max_gradient"],
            max_slew=limits["max_slew"],
            averages=averages,
            scan_time=limits["scan_time"],
        )

    def _design(self, at: Tensor, window: tuple[float, float], limits: Limits, averages: int) -> Tensor:
        """Dwell and waits from three logits: whatever they are, TR and the unwrapping hold."""
        low, high = window
        share = torch.sigmoid(at)
        dwell = low * (high / low) ** share[0]
        bare = self._timing(torch.stack([dwell, dwell * 0, dwell * 0]), averages, limits)
        slack = (bare.repetition - bare.needed).clamp(min=0.0, max=_LONGEST_WAIT * self.target.t2_star)
        first = slack * share[1]
        room = (slack - first) / (self.scan.echoes - 1)
        if self.max_offset is not None:
            closest = bare.echo_times[1] - bare.echo_times[0]
            room = torch.minimum(room, (0.5 / self.max_offset - closest).clamp(min=0.0))
        return torch.stack([dwell, first, room * share[2]])

    def _descend(self, averages: int, limits: Limits, starts: Starts) -> tuple[float, Tensor]:
        """The least bound with these averages, and the logits that give it."""
        window = self._window(averages, limits)

        def objective(at: Tensor) -> Tensor:
            timing = self._timing(self._design(at, window, limits, averages), averages, limits)
            return self.target.error(timing.echo_times, snr=timing.snr).log()

        ends = [Lbfgs()(objective, start=torch.tensor(start, dtype=torch.float64)).value for start in starts]
        at = min(ends, key=lambda end: float(objective(end)))
        return math.exp(float(objective(at))), at
