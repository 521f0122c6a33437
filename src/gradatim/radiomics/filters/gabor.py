"""Gabor filters."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.fft import fast_shape
from gradatim.radiomics.filters.arguments import check_positive, floating
from gradatim.radiomics.filters.boundary import Boundary, Mirror, extended
from gradatim.radiomics.filters.pooling import Average, Pooling

REACH = 6.0
"""The kernel ends at this many standard deviations of its longer axis, where it is 1.5e-8."""
SLAB = 2**18
"""Pixels of so many slices are transformed together, so that memory stays bounded and near the processor."""


@dataclass(frozen=True)
class Gabor:
    """Modulus of the response to Gabor filters in each slice along the third axis.

    h = |x ∗ g|, g(k) = exp(−(k̃₁² + γ²·k̃₂²)/2σ² + 2πi·k̃₁/λ), k̃₁ = k₁·cos θ + k₂·sin θ, k̃₂ = k₂·cos θ − k₁·sin θ,
    k in mm along the first and second axis. Not normalised: an impulse of height 1 gives 1 at its place. Over
    several angles the moduli are pooled. θ and θ + π have one modulus. Directions are those of IBSI's maps
    4.a.1 and 4.b.1. Differentiable where the modulus is not 0.
    Source: IBSI 2 reference manual, arXiv:2006.05470, "Gabor filters" (Q88H).

    Args:
        sigma_mm: σ, mm, > 0: standard deviation along the wave.
        wavelength_mm: λ, mm, > 0. Below two voxel edges the wave is not seen as what it is.
        gamma: γ, > 0: below 1 the filter is longer across the wave than along it.
        angles: θ, rad; :func:`evenly` gives them all around.
        by: how the moduli at several angles become one.
        boundary: what the filter sees beyond the edge.

    Raises:
        UsageError: GD-101 if a length or γ is not positive; GD-138 without an angle; GD-137 for other
            images than volumes.

    Example:
        >>> from gradatim.radiomics.filters.boundary import Zero
        >>> spike = torch.zeros(9, 9, 1); spike[4, 4] = 1.0
        >>> gabor = Gabor(sigma_mm=2.0, wavelength_mm=4.0, gamma=1.0, boundary=Zero())
        >>> response = gabor(spike, spacing=(1.0, 1.0, 1.0))
        >>> round(response[4, 4, 0].item(), 5), round(response[6, 4, 0].item(), 5), round(math.exp(-0.5), 5)
        (1.0, 0.60653, 0.60653)
    """

    sigma_mm: float
    wavelength_mm: float
    gamma: float = 1.0
    angles: tuple[float, ...] = (0.0,)
    by: Pooling = field(default_factory=Average)
    boundary: Boundary = field(default_factory=Mirror)

    def __post_init__(self) -> None:
        check_positive("sigma_mm", self.sigma_mm, unit="mm")
        check_positive("wavelength_mm", self.wavelength_mm, unit="mm")
        check_positive("gamma", self.gamma, unit="no unit")
        if not self.angles or not all(math.isfinite(angle) for angle in self.angles):
            raise UsageError(
                "GD-138",
                given=f"angles {self.angles}",
                allowed="one or more finite angles, rad",
                do="evenly(math.pi / 4)",
            )

    def __call__(self, values: Tensor, *, spacing: tuple[float, float, float]) -> Tensor:
        """The response (x, y, z), ≥ 0, to values (x, y, z) on voxels with edges ``spacing`` in mm."""
        slices = floating(values).movedim(2, 0).contiguous()
        rows, columns = slices.shape[1:]
        reach = tuple(math.ceil(REACH * self.sigma_mm * max(1.0, 1.0 / self.gamma) / edge) for edge in spacing[:2])
        shape = fast_shape((rows + 2 * reach[0], columns + 2 * reach[1]))
        symbols = [self._symbol(angle, spacing, reach, shape).to(slices) for angle in self.angles]
        pooled = []
        for slab in slices.split(max(1, SLAB // math.prod(shape))):
            spectrum = torch.fft.fft2(extended(slab, self.boundary, ((0, 0), *((r, r) for r in reach))), s=shape)
            pooled.append(self.by(_modulus(spectrum * symbol, reach, (rows, columns)) for symbol in symbols))
        return torch.cat(pooled).movedim(0, 2).contiguous()

    def _symbol(
        self, angle: float, spacing: tuple[float, float, float], reach: tuple[int, ...], shape: tuple[int, int]
    ) -> Tensor:
        """The kernel's spectrum: real, as g(−k) is the conjugate of g(k)."""
        first, second = (
            torch.arange(-r, r + 1, dtype=torch.float64) * edge for r, edge in zip(reach, spacing, strict=False)
        )
        along = first[:, None] * math.cos(angle) + second * math.sin(angle)
        across = second * math.cos(angle) - first[:, None] * math.sin(angle)
        envelope = torch.exp(-0.5 * (along.square() + (self.gamma * across).square()) / self.sigma_mm**2)
        kernel = torch.polar(envelope, 2 * math.pi * along / self.wavelength_mm)
        whole = torch.zeros(shape, dtype=torch.complex128)
        whole[: len(first), : len(second)] = kernel
        return torch.fft.fft2(whole.roll((-reach[0], -reach[1]), (0, 1))).real


def evenly(step: float) -> tuple[float, ...]:
    """Angles from 0 in equal steps, below π: beyond it a Gabor filter's modulus comes again.

    Args:
        step: rad; π must be a multiple of it.

    Returns:
        π/step angles, rad.

    Raises:
        UsageError: GD-138 if π is not a multiple of the step.

    Example:
        >>> [round(angle, 4) for angle in evenly(math.pi / 4)]
        [0.0, 0.7854, 1.5708, 2.3562]
    """
    count = round(math.pi / step) if math.isfinite(step) and step > 0 else 0
    if count < 1 or abs(count * step - math.pi) > 1e-6:
        raise UsageError("GD-138", given=f"angles in steps of {step} rad", allowed="π/n", do="take math.pi / 4")
    return tuple(math.pi * k / count for k in range(count))


def _modulus(spectrum: Tensor, reach: tuple[int, ...], size: tuple[int, int]) -> Tensor:
    whole = torch.fft.ifft2(spectrum)
    return whole[:, reach[0] : reach[0] + size[0], reach[1] : reach[1] + size[1]].abs()
