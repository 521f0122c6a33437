"""The diffusion weightings that know D best in a given time: limits → echo time → signal and noise → bound."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS, ticks
from gradatim.scanner.limits.diffusion_lobes import DiffusionEchoTime
from gradatim.scanner.limits.echo_spacing import EpiEchoSpacing
from gradatim.scanner.limits.limit import Number, real
from gradatim.scanner.protocol.image_noise import ImageNoise
from gradatim.scanner.system import System
from gradatim.solve.information import CramerRao
from gradatim.solve.lbfgs import Lbfgs

Limits = Mapping[str, float]
_LEAST, _MOST = 0.02, 8.0
"""Of b·D: below there is no contrast, above no signal."""
_START = (0.7, -1.1)
"""Where descent begins: b·D near 1.1, a quarter of the images unweighted."""
_MOST_VOXELS = 65536
"""Along one axis: what no scanner exceeds."""


@dataclass(frozen=True)
class DiffusionScan:
    """Spin-echo EPI of one direction: two weightings, 0 and b, share the scan time, at one echo time.

    S = (1 − e^(−TR/T1))·e^(−TE/T2)·e^(−bD), TE the shortest that b allows with the half of the echo train before the
    echo, TR = slices × (TE + half the train + the rest of a shot). Noise falls with the voxel and the root of the
    time spent sampling, N·ESP an image. D comes from both, with S₀ unknown.

    Args:
        matrix: pixels along readout and phase.
        extent: field of view, m, readout, phase, slice thickness.
        slices: in one TR.
        scan_time: s.
        diffusivity: D of what matters, m²/s.
        t1: s.
        t2: s.
        noise: how noisy an image is.
        pulses: what a shot takes beside TE and half the train, s.

    Raises:
        UsageError: GD-101 if a number is not possible.

    Source:
        Stejskal & Tanner, J Chem Phys 42:288-292, 1965; Xing, Papadakis et al., Magn Reson Med 37:771-784, 1997 (b·D
        near 1.1 for one pair of weightings); Kay, 1993 (the bound).

    Example:
        >>> scan = DiffusionScan((96, 96), (0.22, 0.22, 0.004), slices=20, scan_time=60.0)
        >>> found = scan.error(torch.tensor([1e9, 0.2], dtype=torch.float64), max_gradient=0.04, max_slew=150.0)
        >>> 0 < found.item() < 1e-9
        True
    """

    matrix: tuple[int, int]
    extent: tuple[float, float, float]
    slices: int
    scan_time: float
    diffusivity: float = 0.8e-9
    t1: float = 1.0
    t2: float = 0.080
    noise: ImageNoise = ImageNoise()
    pulses: float = 0.010

    def __post_init__(self) -> None:
        sizes = (*self.extent, self.scan_time, self.diffusivity, self.t1, self.t2, self.pulses)
        counts = (*self.matrix, self.slices)
        possible = all(math.isfinite(v) and v > 0 for v in sizes) and 1 <= min(counts) <= max(counts) <= _MOST_VOXELS
        if not possible:
            raise UsageError(
                "GD-101",
                given=f"{self.slices} slices of {self.matrix} pixels, {self.extent} m, {self.scan_time} s, "
                f"D {self.diffusivity} m²/s, T1 {self.t1} s, T2 {self.t2} s",
                allowed=f"positive finite numbers, {_MOST_VOXELS} pixels at most",
                do="give SI units: 1e-3 mm²/s is 1e-9 m²/s",
            )

    @property
    def volume(self) -> float:
        """Of a voxel, m³."""
        return self.extent[0] / self.matrix[0] * self.extent[1] / self.matrix[1] * self.extent[2]

    @property
    def voxel(self) -> tuple[float, float, float]:
        """Its edges, m."""
        return self.extent[0] / self.matrix[0], self.extent[1] / self.matrix[1], self.extent[2]

    def with_readout(self, samples: int) -> "DiffusionScan":
        """The same field of view and time with voxels of another size and nearly the same shape.

        Slices become thinner as pixels become smaller, and so many more that they cover what they did.

        Args:
            samples: pixels along the readout; the rest follows, to the next whole number.

        Example:
            >>> scan = DiffusionScan((96, 96), (0.22, 0.22, 0.004), slices=20, scan_time=60.0)
            >>> scan.with_readout(192).slices
            40
        """
        finer = samples / self.matrix[0]
        return replace(
            self,
            matrix=(samples, max(1, round(self.matrix[1] * finer))),
            extent=(self.extent[0], self.extent[1], self.extent[2] / finer),
            slices=max(1, round(self.slices * finer)),
        )

    def echo_time(self, b: Number, *, max_gradient: Number, max_slew: Number) -> Tensor:
        """The shortest TE for a weighting, s, differentiable.

        Args:
            b: s/m².
            max_gradient: T/m.
            max_slew: T/(m·s).
        """
        half = self._train(max_gradient, max_slew) / 2
        return DiffusionEchoTime(b=b, readout=half).continuous(max_gradient, max_slew)

    def error(
        self, design: Tensor, *, max_gradient: Number, max_slew: Number, scan_time: Number | None = None
    ) -> Tensor:
        """The bound of D's standard error, m²/s, of b (s/m²) and the share of unweighted images, differentiable.

        Args:
            design: (2,): b, share.
            max_gradient: T/m.
            max_slew: T/(m·s).
            scan_time: s; by default the scan's own.
        """
        b, share = design
        echo = self.echo_time(b, max_gradient=max_gradient, max_slew=max_slew)
        images = real(self.scan_time if scan_time is None else scan_time) / self.repetition(
            echo, max_gradient=max_gradient, max_slew=max_slew
        )
        return self.error_of(
            b, torch.stack([share, 1 - share]) * images, echo, max_gradient=max_gradient, max_slew=max_slew
        )

    def error_of(
        self, b: Tensor, images: Tensor, echo_time: Tensor, *, max_gradient: Number, max_slew: Number
    ) -> Tensor:
        """The bound for given numbers of images, m²/s.

        Args:
            b: s/m².
            images: (2,), how many without and with weighting.
            echo_time: TE, s.
            max_gradient: T/m.
            max_slew: T/(m·s).
        """
        repetition = self.repetition(echo_time, max_gradient=max_gradient, max_slew=max_slew)
        signal = (1 - (-repetition / self.t1).exp()) * (-echo_time / self.t2).exp()
        once = self.noise(real(self.volume), sampling_time=self._train(max_gradient, max_slew))
        weights = torch.stack([torch.zeros_like(b), b]) * self.diffusivity
        bound = CramerRao(lambda theta: theta[0] * (-weights * theta[1]).exp())
        spread = once / signal / images.sqrt()
        return self.diffusivity * bound(torch.ones(2, dtype=torch.float64), sigma=spread)[1, 1].sqrt()

    def repetition(self, echo_time: Tensor, *, max_gradient: Number, max_slew: Number) -> Tensor:
        """TR of all slices, s.

        Args:
            echo_time: TE, s.
            max_gradient: T/m.
            max_slew: T/(m·s).
        """
        return self.slices * (echo_time + self._train(max_gradient, max_slew) / 2 + self.pulses)

    def _train(self, max_gradient: Number, max_slew: Number) -> Tensor:
        """Duration of the echo train, s."""
        spacing = EpiEchoSpacing(fov=self.extent[0], matrix=self.matrix[0])
        return self.matrix[1] * spacing.continuous(max_gradient, max_slew)


@dataclass(frozen=True, eq=False)
class BestWeightings:
    """The weightings that know D best.

    Args:
        b: s/m².
        echo_time: on the scanner's clock, s.
        repetition: TR, s.
        images: how many without and with weighting.
        error: bound of D's standard error in real numbers, m²/s.
        delivered_error: with whole images on the clock, m²/s.
        elasticity: per cent of the error for one per cent more of ``max_gradient``, ``max_slew``, ``scan_time``.
    """

    b: float
    echo_time: float
    repetition: float
    images: tuple[int, int]
    error: float
    delivered_error: float
    elasticity: Mapping[str, float]


@dataclass(frozen=True)
class BestDiffusion:
    """argmin over b and the share of unweighted images of the Cramér-Rao bound of D, in one scan time.

    A larger b asks for longer lobes, so for a longer echo time and less signal: the best b lies below 1.28/D by as much
    as T2 and the gradients make it pay.

    Args:
        scan: what is fixed.

    Raises:
        UsageError: GD-191 if not even two images fit into the time.

    Source:
        The bound of :class:`DiffusionScan`.

    Example:
        >>> scan = DiffusionScan((96, 96), (0.22, 0.22, 0.004), slices=20, scan_time=60.0)
        >>> 0.5 < BestDiffusion(scan)(System()).b * scan.diffusivity < 1.3
        True
    """

    scan: DiffusionScan

    def __call__(self, system: System) -> BestWeightings:
        """The best weightings on a system.

        Args:
            system: limits and clock.
        """
        limits = self._limits(system)
        return self._weightings(system, {name: self._elasticity(name, limits) for name in limits})

    def delivered_error(self, system: System) -> float:
        """The error that :meth:`__call__` delivers, m²/s, without the time for its elasticities.

        Args:
            system: limits and clock.
        """
        return self._weightings(system, {}).delivered_error

    def _limits(self, system: System) -> Limits:
        return {"max_gradient": system.max_gradient, "max_slew": system.max_slew, "scan_time": self.scan.scan_time}

    def _weightings(self, system: System, elasticity: Mapping[str, float]) -> BestWeightings:
        """Descent, then whole images on the scanner's clock."""
        error, at = self._descend(self._limits(system))
        b, share = (float(value) for value in self._design(at))
        hardware = {"max_gradient": system.max_gradient, "max_slew": system.max_slew}
        shortest = self.scan.echo_time(b, **hardware)
        echo = real(ticks(float(shortest), 2 * system.rasters.gradient) / TICKS)
        repetition = self.scan.repetition(echo, **hardware)
        count = int(self.scan.scan_time / float(repetition))
        if count < 2:
            raise UsageError(
                "GD-191",
                given=f"{self.scan.scan_time} s for images of {float(repetition):.3g} s",
                allowed=f"{2 * float(repetition):.3g} s at least",
                do="allow more time or take fewer slices",
            )
        plain = min(count - 1, max(1, round(share * count)))
        images = torch.tensor([plain, count - plain], dtype=torch.float64)
        return BestWeightings(
            b=b,
            echo_time=float(echo),
            repetition=float(repetition),
            images=(plain, count - plain),
            error=error,
            delivered_error=float(self.scan.error_of(real(b), images, echo, **hardware)),
            elasticity=elasticity,
        )

    def _elasticity(self, name: str, limits: Limits) -> float:
        """d ln error / d ln limit, by two descents with the limit 1 % up and down."""
        up, down = (self._descend({**limits, name: limits[name] * factor})[0] for factor in (1.01, 0.99))
        return math.log(up / down) / math.log(1.01 / 0.99)

    def _descend(self, limits: Limits) -> tuple[float, Tensor]:
        """The least bound, and the logits of b·D and of the share that give it."""

        def objective(at: Tensor) -> Tensor:
            return self.scan.error(
                self._design(at),
                max_gradient=limits["max_gradient"],
                max_slew=limits["max_slew"],
                scan_time=limits["scan_time"],
            ).log()

        at = Lbfgs()(objective, start=torch.tensor(_START, dtype=torch.float64)).value
        return math.exp(float(objective(at))), at

    def _design(self, at: Tensor) -> Tensor:
        """b and the share from logits: b·D between 0.02 and 8, and a share that is neither nothing nor all."""
        place, share = torch.sigmoid(at)
        return torch.stack([_LEAST * (_MOST / _LEAST) ** place / self.scan.diffusivity, 0.01 + 0.98 * share])
