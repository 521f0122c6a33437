"""MTF in the plane from a thin wire along the third axis."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.special import j0, j1
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.radiomics.blur.cubic_spline import cubic, design, fit_without_each, parts_along
from gradatim.radiomics.blur.edge_fit import Voxels, voxels
from gradatim.radiomics.blur.edge_spread import PARTS, POINTS, jackknifed
from gradatim.radiomics.blur.mtf import MeasuredMtf
from gradatim.radiomics.blur.point_fit import FittedLine, fit_line

Array = np.ndarray

FEWEST = 49
"""Voxels below which no wire is measured."""

FAINTEST = 0.1
"""Spectrum of the object below which its size cannot be taken out; the curve ends there."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)


@dataclass(frozen=True)
class Wire:
    """MTF in the plane, averaged over directions, from a wire along the third axis, upright or tilted.

    The centre is fitted in all slices together; every voxel then stands at its distance r from the wire. A cubic spline
    p(r), even at 0 and 0 at the end of its reach, and a constant background are fitted to them, and

    MTF(f) = |∫ p(r)·J₀(2πf·r)·r dr| / ∫ p(r)·r dr,

    divided by 2·J₁(πf·d)/(πf·d), the spectrum of a round wire of diameter d. No voxel is binned; since the centre
    lies anywhere between voxels, the curve is not aliased; a tilted wire in several slices samples it best. Errors are
    a jackknife over eight sectors, in a single slice too large, because few voxels see the middle. Noise lifts the
    modulus where the MTF is below its error. Source: Nickoloff 1985, doi:10.1118/1.595706.

    Args:
        diameter_mm: d of the wire, mm; 0 for one that is thin beside the voxels.
        oversampling: knots a voxel.
        reach: how far from the wire is looked, in widths σ of the fitted Gaussian.

    Raises:
        UsageError: GD-101 for a diameter that is negative or not finite.
        InputError: when called, GD-724 if there is no wire in the region.

    Example:
        >>> import torch
        >>> x, y = torch.meshgrid(torch.arange(21.0), torch.arange(21.0), indexing="ij")
        >>> point = torch.exp(-((x - 10.3) ** 2 + (y - 9.6) ** 2).double() / 2).unsqueeze(-1)
        >>> mtf = Wire()(point, mask=torch.ones_like(point, dtype=torch.bool), spacing=(1.0, 1.0, 1.0))
        >>> round(mtf.frequency_at(0.5), 3)
        0.187
    """

    diameter_mm: float = 0.0
    oversampling: int = 2
    reach: float = 6.0

    def __post_init__(self) -> None:
        if not 0 <= self.diameter_mm < math.inf:
            raise UsageError(
                "GD-101", given=f"a diameter of {self.diameter_mm} mm", allowed="0 mm or more", do="measure the wire"
            )

    def __call__(self, image: Tensor, *, mask: Tensor, spacing: tuple[float, float, float]) -> MeasuredMtf:
        """MTF up to twice the Nyquist frequency of the plane, or where a thick wire's own spectrum ends, with errors.

        Args:
            image: (x, y, z), any linear unit.
            mask: (x, y, z), bool, around one wire.
            spacing: voxel edges, mm.
        """
        region = voxels(image, mask, spacing, fewest=FEWEST)
        return self.from_line(region, fit_line(region))

    def from_line(self, region: Voxels, line: FittedLine) -> MeasuredMtf:
        """MTF of voxels around a line that has been found.

        Args:
            region: the voxels.
            line: their distances.
        """
        voxel = min(region.spacing[:2])
        knot = voxel / self.oversampling
        # a ring beyond the reach sees the background alone
        far = min(self.reach * line.sigma_mm + 2 * voxel, float(line.distance.max()) - voxel)
        knots = int(far / knot)
        if knots < 6:
            raise InputError(
                "GD-724",
                given=f"a region that reaches {line.distance.max():.3g} mm from the wire",
                allowed=f"{8 * knot + voxel:.3g} mm or more",
                do="draw a wider region around it",
            )
        inside = line.distance < knots * knot
        u = np.minimum(line.distance / knot, knots)
        basis = _even(design(u, knots).toarray())[:, : knots - 1] * inside[:, None]
        basis = np.concatenate((basis, np.ones((len(u), 1))), 1)
        group = parts_along(line.angle, parts=PARTS)
        found = fit_without_each(csr_array(basis), region.values - line.background, group, parts=PARTS)[:, :-1]
        frequencies = np.linspace(0.0, 1.0 / voxel, POINTS)
        frequencies = frequencies[np.cumprod(_disc(frequencies * self.diameter_mm) > FAINTEST) > 0]
        modulus = np.abs(found @ _hankel(knots, knot, frequencies))
        return jackknifed(frequencies, modulus / modulus[:, :1] / _disc(frequencies * self.diameter_mm))


def _even(columns: Array) -> Array:
    """Splines at −1, 0, 1, … folded at 0: that at −1 joins that at 1."""
    folded = columns[:, 1:].copy()
    folded[:, 1] += columns[:, 0]
    return folded


def _hankel(knots: int, knot: float, frequencies: Array) -> Array:
    """∫ φⱼ(r)·J₀(2πf·r)·r dr of the folded splines j = 0 … knots − 2, (knots − 1, frequency)."""
    r = (np.arange(knots)[:, None] + 0.5 + 0.5 * _NODES).ravel()
    weight = np.tile(0.5 * _WEIGHTS, knots) * r * knot**2
    j = np.arange(knots - 1)
    splines = cubic(r - j[:, None]) + np.where(j[:, None] > 0, cubic(r + j[:, None]), 0.0)
    waves: Array = j0(2 * math.pi * knot * r[:, None] * frequencies)
    return (splines * weight) @ waves


def _disc(u: Array) -> Array:
    """2·J₁(πu)/(πu), 1 at 0."""
    x = math.pi * np.where(u > 0, u, 1.0)
    return np.where(u > 0, 2 * j1(x) / x, 1.0)
