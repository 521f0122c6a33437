"""The field map and its standard error: a noise-weighted line through the echoes."""

import math
from dataclasses import dataclass

import torch
from scipy.special import gammaincinv
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.nouns import FieldMap, MultiEcho
from gradatim.linop.gaussian import gaussian_kernel, smooth
from gradatim.qsm.unwrap import UnwrappedPhase
from gradatim.qsm.wrapping import wrap

TWO_PI = 2.0 * math.pi
LEAST_FREEDOM = 0.01
"""Degrees of freedom a voxel below which the misfit is rounding, not noise."""


@dataclass(frozen=True, eq=False)
class EchoFitResult:
    """What the line fit found.

    Args:
        field: the field with its standard error, Hz.
        offset: (x, y, z), rad, smooth phase at TE = 0; 0 outside the mask.
        misfit: (x, y, z), reduced χ² of the echoes around the line, 1 on average; 0 outside the mask.
        phase_noise: rad, standard error of a phase where the magnitude is 1; the noise level it implies.
    """

    field: FieldMap
    offset: Tensor
    misfit: Tensor
    phase_noise: float


@dataclass(frozen=True)
class _Freedom:
    """The distribution of a voxel's misfit over σ²: χ² of ``echoes`` degrees of freedom plus ``offset`` times another.

    Its median is that of a scaled χ² with the same mean and variance (Satterthwaite).
    """

    echoes: int
    offset: float

    @property
    def mean(self) -> float:
        return self.echoes + self.offset

    @property
    def median_over_mean(self) -> float:
        half = 0.5 * self.mean**2 / (self.echoes + self.offset**2)
        return float(gammaincinv(half, 0.5)) / half


@dataclass(frozen=True)
class EchoFit:
    """Fits φ_e = φ₀ + 2π·f·TE_e to the unwrapped echoes, each weighted with its squared magnitude.

    The phase error of an echo is σ/M_e, so the weights are M_e². The line is fitted twice:

    1. with a free intercept, f = Σ w(t − t̄)φ / Σ w(t − t̄)², which gives φ₀ with its variance;
    2. through the *smooth* offset, f = Σ w t(φ − φ₀) / Σ w t². The offset comes from the coils and the
       pulse and varies slowly, so smoothing it costs nothing and halves the error of f (for 4, 12, 20,
       28 ms by 2.05). It is smoothed by a Gaussian and once more on what the first pass left over
       ("twicing"), so that its curvature is kept.

    σ is not asked for: it follows from the median misfit of the echoes. A voxel has ν = n − 2 + a degrees of
    freedom, where 0 ≤ a < 1 is what smoothing leaves of the intercept's variance in its distance to the
    offset: 0 for a free intercept, nearly 1 for smoothing over many voxels. Where a voxel's own misfit
    exceeds the noise, its standard error grows with it: σ_f = σ·√max(1, χ²/ν) / (2π √Σ w t²), plus what
    the error of the offset adds; for a free intercept the sum is σ·√max(1, χ²/ν) / (2π √Σ w (t − t̄)²).
    Noise alone has χ² > ν in two voxels of five, so that the errors are on the safe side: with four echoes
    73 % of voxels lie within one, not 68 %. Both a and the error of the offset are those of the inside of a
    mask with even weights; at the mask's rim the offset is less certain than that.

    Differentiable in the phase, except where a turn changes.

    Args:
        offset_sigma_mm: width of the offset's smoothing, mm, ≥ 0; 0 leaves the intercept free.

    Raises:
        UsageError: GD-101 if the width is negative.
        InputError: GD-604 with a single echo, or with two and an intercept that is free or hardly smoothed:
            any two points lie on a line, and the noise cannot be told.

    Source:
        Weighted echo combination: Gilbert et al., Magn Reson Med 67:730 (2012); Robinson et al., NMR Biomed
        30:e3601 (2017). Twicing: Tukey, Exploratory Data Analysis (1977), ch. 16. The smooth offset and the
        error with the voxel's own misfit are derived here.

    Example:
        >>> from gradatim.base.grid import Grid
        >>> times, grid = (0.004, 0.012, 0.020), Grid((8, 8, 8), (1.0, 1.0, 1.0))
        >>> phase = torch.stack([torch.full((8, 8, 8), 0.3 + TWO_PI * 5.0 * t) for t in times])
        >>> scan = MultiEcho(torch.ones_like(phase), phase, times, 3.0, grid)
        >>> everywhere = torch.ones(8, 8, 8, dtype=torch.bool)
        >>> unwrapped = UnwrappedPhase(phase, everywhere, torch.ones(8, 8, 8), 1)
        >>> round(EchoFit()(scan, unwrapped=unwrapped).field.field.mean().item(), 3)
        5.0
    """

    offset_sigma_mm: float = 1.5

    def __post_init__(self) -> None:
        if not (math.isfinite(self.offset_sigma_mm) and self.offset_sigma_mm >= 0):
            raise UsageError(
                "GD-101",
                given=f"offset_sigma_mm {self.offset_sigma_mm}",
                allowed="0 or more mm",
                do="use 1.5, or 0 for a free intercept",
            )

    def __call__(self, signal: MultiEcho, *, unwrapped: UnwrappedPhase) -> EchoFitResult:
        """Fit the field of a scan.

        Args:
            signal: the scan, for its magnitudes and times.
            unwrapped: its phase, and the mask in which to fit.

        Returns:
            Field in Hz with error, offset in rad and misfit.
        """
        edges = signal.grid.spacing
        sigmas = (self.offset_sigma_mm / edges[0], self.offset_sigma_mm / edges[1], self.offset_sigma_mm / edges[2])
        mask = unwrapped.mask
        gain, own = _twicing(sigmas, like=unwrapped.phase.double())
        freedom = _freedom(len(signal.echo_times), max(1.0 - 2.0 * own + gain, 0.0))
        times = torch.tensor(signal.echo_times, dtype=torch.float64, device=mask.device)
        phase = unwrapped.phase.double()[:, mask]
        weights = _weights(signal.magnitude.double()[:, mask])
        free, intercept, intercept_variance = _line(phase, weights, times)
        offset = _smooth_offset(intercept, intercept_variance, mask, sigmas)
        expected = free * times[:, None]
        turned = wrap(phase - offset - expected) + expected
        return _through_offset(signal, turned, weights, times, offset, intercept_variance * gain, freedom, mask)


def _freedom(echoes: int, offset: float) -> _Freedom:
    if echoes < 2 or echoes - 2 + offset < LEAST_FREEDOM:
        raise InputError(
            "GD-604",
            given="one echo" if echoes < 2 else "two echoes and an offset that is not smoothed over voxels",
            allowed="two or more echoes to tell the field from the phase offset, and one more to tell the noise",
            do="use a scan with more echoes" if echoes < 2 else "use three echoes, or a larger offset_sigma_mm",
        )
    return _Freedom(echoes - 2, offset)


def _weights(magnitude: Tensor) -> Tensor:
    """M², kept from 0 so that a voxel without signal has an answer, with a huge error."""
    squared = magnitude.square()
    return squared.clamp_min(max(1e-12 * float(squared.detach().max()), torch.finfo(squared.dtype).tiny))


def _line(phase: Tensor, weights: Tensor, times: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Slope (rad/s), intercept (rad) and the intercept's variance per unit σ², at (echo, voxel) data."""
    total = weights.sum(0)
    mean_time = (weights * times[:, None]).sum(0) / total
    mean_phase = (weights * phase).sum(0) / total
    lever = times[:, None] - mean_time
    power = (weights * lever.square()).sum(0)
    slope = (weights * lever * phase).sum(0) / power
    return slope, mean_phase - slope * mean_time, 1.0 / total + mean_time.square() / power


def _smooth_offset(intercept: Tensor, variance: Tensor, mask: Tensor, sigmas: tuple[float, float, float]) -> Tensor:
    """The intercept smoothed twice, as a phasor the first time."""
    weight = intercept.new_zeros(mask.shape)
    weight[mask] = 1.0 / variance
    raw = intercept.new_zeros(mask.shape)
    raw[mask] = intercept
    reach = smooth(weight, sigmas).clamp_min(torch.finfo(weight.dtype).tiny)
    phasor = torch.stack((weight * raw.cos(), weight * raw.sin()))
    real, imaginary = smooth(phasor, sigmas)
    first = torch.atan2(imaginary, real)
    rest = smooth(weight * wrap(raw - first), sigmas) / reach
    return (first + rest)[mask]


def _twicing(sigmas: tuple[float, float, float], *, like: Tensor) -> tuple[float, float]:
    """Of the kernel 2g − g∗g: Σ of its squares, the variance left of white noise, and its central weight."""
    single = both = double = centre = centre_twice = 1.0
    for sigma in sigmas:
        g = gaussian_kernel(sigma, like=like)
        twice = torch.nn.functional.conv1d(g.view(1, 1, -1), g.view(1, 1, -1), padding=len(g) - 1).flatten()
        padded = torch.nn.functional.pad(g, (len(g) // 2, len(g) // 2))
        single *= float(g.square().sum())
        both *= float((padded * twice).sum())
        double *= float(twice.square().sum())
        centre *= float(g[len(g) // 2])
        centre_twice *= float(twice[len(twice) // 2])
    return 4.0 * single - 4.0 * both + double, 2.0 * centre - centre_twice


def _through_offset(
    signal: MultiEcho,
    phase: Tensor,
    weights: Tensor,
    times: Tensor,
    offset: Tensor,
    offset_variance: Tensor,
    freedom: _Freedom,
    mask: Tensor,
) -> EchoFitResult:
    """The line through the known offset, at (echo, voxel) data, put back on the grid."""
    power = (weights * times[:, None].square()).sum(0)
    slope = (weights * times[:, None] * phase).sum(0) / power
    misfit = (weights * (phase - slope * times[:, None]).square()).sum(0) / freedom.mean
    variance_unit = float(misfit.detach().median()) / freedom.median_over_mean
    relative = misfit / max(variance_unit, torch.finfo(misfit.dtype).tiny)
    leak = (weights * times[:, None]).sum(0) / power
    variance = variance_unit * relative.clamp_min(1.0) * (1.0 / power + offset_variance * leak.square())

    def on_grid(values: Tensor) -> Tensor:
        image = values.new_zeros(mask.shape)
        image[mask] = values
        return image.to(signal.phase.dtype)

    field = FieldMap(
        on_grid(slope / TWO_PI), on_grid(variance.sqrt() / TWO_PI), mask, signal.field_strength, signal.grid
    )
    return EchoFitResult(field, on_grid(offset), on_grid(relative), math.sqrt(variance_unit))
