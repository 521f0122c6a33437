"""From susceptibility to the field it makes, at any slice orientation."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.linop.fft import fast_shape, frequencies
from gradatim.linop.multiplier import FourierMultiplier
from gradatim.linop.operator import LinearOperator

Vector = tuple[float, float, float]
Shape3 = tuple[int, int, int]


def dipole_symbol(
    shape: tuple[int, ...],
    spacing: Vector,
    *,
    b0_direction: Vector = (0.0, 0.0, 1.0),
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Half spectrum of the dipole kernel, D(k) = 1/3 − (k·b)²/|k|², D(0) = 0.

    The field is corrected for the sphere of Lorentz, so a uniform sphere has none inside. D(0) = 0 sets
    the mean field of the periodic volume to zero. On even grids a Nyquist frequency stands for +k and −k
    at once; D is averaged over both signs, which removes the mixed terms kᵢkⱼ there. Without that no real
    kernel has this spectrum when B0 is oblique.

    Args:
        shape: (x, y, z).
        spacing: voxel edges, mm; they may differ.
        b0_direction: unit vector b of B0 in array axes; ``Grid.b0_direction``.
        dtype: of the result; computed in float64.
        device: of the result.

    Returns:
        (x, y, z // 2 + 1), real, between −2/3 and 1/3, without unit (ppm field per ppm susceptibility).

    Raises:
        UsageError: GD-101 if ``b0_direction`` is not a unit vector.

    Source:
        Salomir et al., Concepts Magn Reson 19B:26-34, 2003; Marques & Bowtell, Concepts Magn Reson
        25B:65-78, 2005.

    Example:
        >>> round(dipole_symbol((4, 4, 4), (1.0, 1.0, 1.0))[0, 0, 1].item(), 4)
        -0.6667
    """
    b = _unit(b0_direction)
    k = frequencies(shape, spacing, device=device)
    mixed = [_without_nyquist(f, n) for f, n in zip(k, shape, strict=True)]
    squared = sum((f.square() for f in k), start=torch.zeros((), dtype=torch.float64, device=device))
    along = sum(
        ((f * c).square() for f, c in zip(k, b, strict=True)),
        start=torch.zeros((), dtype=torch.float64, device=device),
    )
    for i, j in ((0, 1), (0, 2), (1, 2)):
        if b[i] * b[j] == 0.0:
            continue
        along = along + (2.0 * b[i] * b[j]) * mixed[i] * mixed[j]
    squared[0, 0, 0] = 1.0
    symbol = 1.0 / 3.0 - along / squared
    symbol[0, 0, 0] = 0.0
    return symbol.to(dtype)


@dataclass(frozen=True, eq=False)
class Dipole(LinearOperator):
    """Relative field of a susceptibility distribution, ΔB/B0 = F⁻¹(D · F χ), in free space.

    The volume is zero-padded before and cropped after the convolution, so that the periodic copies of
    the object stand ``padding`` volumes apart. Their remaining field falls with the cube of that distance.

    Args:
        shape: (x, y, z).
        spacing: voxel edges, mm.
        b0_direction: unit vector of B0 in array axes.
        padding: each axis of the convolution is at least this many times as long; ≥ 1, and 1 means a
            periodic convolution up to the rounding to a fast size.

    Raises:
        UsageError: GD-101 if ``padding`` < 1 or ``b0_direction`` is not a unit vector; GD-103 on apply
            if shapes disagree.

    Source:
        Marques & Bowtell, Concepts Magn Reson 25B:65-78, 2005.

    Example:
        >>> chi = torch.zeros(8, 8, 8); chi[4, 4, 4] = 1.0
        >>> field = Dipole((8, 8, 8), (1.0, 1.0, 1.0)).apply(chi)
        >>> bool(field[4, 4, 6] > 0 > field[6, 4, 4])
        True
    """

    shape: Shape3
    spacing: Vector
    b0_direction: Vector = (0.0, 0.0, 1.0)
    padding: float = 2.0

    def __post_init__(self) -> None:
        _unit(self.b0_direction)
        if not (math.isfinite(self.padding) and self.padding >= 1.0):
            raise UsageError("GD-101", given=f"padding {self.padding}", allowed="at least 1", do="use 2 for free space")

    @classmethod
    def on(cls, grid: Grid, *, padding: float = 2.0) -> "Dipole":
        """The dipole operator of a grid, B0 along the scanner's z."""
        return cls(grid.shape, grid.spacing, grid.b0_direction, padding)

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return self.shape

    @cached_property
    def convolution(self) -> FourierMultiplier:
        """The periodic convolution on the padded volume; its symbol is float64."""
        x, y, z = (math.ceil(n * self.padding) for n in self.shape)
        padded = fast_shape((x, y, z))
        symbol = dipole_symbol(padded, self.spacing, b0_direction=self.b0_direction, dtype=torch.float64)
        return FourierMultiplier(symbol, padded)

    def norm_bound(self) -> float:
        """max |D| ≤ 2/3 of the padded convolution: padding and cropping add nothing."""
        return self.convolution.norm_bound()

    def _forward(self, x: Tensor) -> Tensor:
        (nx, ny, nz), (px, py, pz) = self.shape, self.convolution.shape
        padded = torch.nn.functional.pad(x, (0, pz - nz, 0, py - ny, 0, px - nx))
        return self.convolution.apply(padded)[..., :nx, :ny, :nz].contiguous()

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._forward(y)  # the kernel is real and even, and padding is the adjoint of cropping


def _unit(direction: Vector) -> Vector:
    length = math.sqrt(sum(c * c for c in direction))
    if not abs(length - 1.0) < 1e-3:
        raise UsageError(
            "GD-101",
            given=f"B0 direction {direction} of length {length:.4g}",
            allowed="a unit vector in array axes",
            do="use Grid.b0_direction, or divide by the length",
        )
    x, y, z = (c / length for c in direction)
    return x, y, z


def _without_nyquist(frequency: Tensor, size: int) -> Tensor:
    """The frequencies of one axis with the Nyquist one, its own mirror image, set to zero."""
    if size % 2:
        return frequency
    kept = frequency.clone()
    kept.view(-1)[size // 2] = 0.0
    return kept
