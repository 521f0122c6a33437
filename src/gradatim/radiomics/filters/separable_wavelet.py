"""Separable wavelets, undecimated."""

import math
from dataclasses import dataclass, field

from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.wavelet_filter import daubechies, high_pass
from gradatim.radiomics.filters.arguments import floating
from gradatim.radiomics.filters.boundary import Boundary, Mirror
from gradatim.radiomics.filters.stencil import Stencil, product

_ROOT = math.sqrt(7.0)

COIFLET_1 = tuple(
    tap * math.sqrt(2.0) / 32.0 for tap in (1 - _ROOT, 5 + _ROOT, 14 + 2 * _ROOT, 14 - 2 * _ROOT, 1 - _ROOT, -3 + _ROOT)
)
"""The shortest coiflet: two vanishing moments of the wavelet, and of its scaling function. Daubechies, Ten Lectures
on Wavelets, SIAM 1992, section 8.2."""

WAVELETS: dict[str, tuple[float, ...]] = {
    "haar": daubechies(1),
    "db2": daubechies(2),
    "db3": daubechies(3),
    "coif1": COIFLET_1,
}
"""The low-pass filters of IBSI 2 by their names in the literature; any other one can be given by its taps."""


@dataclass(frozen=True)
class SeparableWavelet:
    """One band of an undecimated separable wavelet transform, by the algorithm à trous.

    Along each axis the low-pass filter h (L) or its partner (H) runs, y(n) = Σₖ h[k]·x(n + 2^(j−1)·(k + 1 − |h|/2)).
    Level j > 1 follows levels 1 … j − 1 of low pass along every axis, with 2^(j−1) − 1 zeros between taps; all
    levels are one filter, so the boundary is met once. Which tap stands on the voxel is that of IBSI's maps
    5.a.1, 6.a.1 and 7.a.1. Linear, differentiable.
    Source: IBSI 2 reference manual, arXiv:2006.05470, "Separable wavelets" (25BO); Shensa, IEEE Trans Signal
    Process 40:2464-2482, 1992.

    Args:
        low_pass: h, orthonormal to its even shifts: ``WAVELETS["db3"]``,
            :func:`~gradatim.linop.wavelet_filter.daubechies`, :func:`~gradatim.linop.wavelet_filter.symlet`.
        bands: L or H for each axis, first axis first: three in 3-D ("LLH"), two for each slice along the third
            axis on its own ("LH").
        level: j ≥ 1.
        boundary: what the filter sees beyond the edge.

    Raises:
        UsageError: GD-138 if ``bands`` is not two or three of L and H; GD-122 if the filter is not orthonormal;
            GD-101 for a level below 1; GD-137 for other images than volumes.

    Example:
        >>> import torch
        >>> flat = SeparableWavelet(WAVELETS["db2"], "LLH")(torch.ones(4, 4, 4), spacing=(1.0, 1.0, 1.0))
        >>> bool(flat.abs().max() < 1e-6)
        True
    """

    low_pass: tuple[float, ...]
    bands: str
    level: int = 1
    boundary: Boundary = field(default_factory=Mirror)

    def __post_init__(self) -> None:
        if len(self.bands) not in (2, 3) or not set(self.bands) <= {"L", "H"}:
            raise UsageError(
                "GD-138",
                given=f"wavelet bands {self.bands!r}",
                allowed="two or three letters, each L or H",
                do="write LLH for a volume, LH for each slice",
            )
        if self.level < 1:
            raise UsageError("GD-101", given=f"wavelet level {self.level}", allowed="1 or more", do="begin with 1")
        taps = self.low_pass
        shifts = [sum(a * b for a, b in zip(taps, taps[m:], strict=False)) for m in range(0, len(taps), 2)]
        if not taps or len(taps) % 2 or abs(shifts[0] - 1) > 1e-9 or any(abs(s) > 1e-9 for s in shifts[1:]):
            raise UsageError(
                "GD-122",
                given=f"{len(taps)} taps whose products with their even shifts are {[round(s, 9) for s in shifts]}",
                allowed="an even number of taps, 1 with itself and 0 with every other even shift",
                do="take daubechies(n), symlet(n) or one of WAVELETS",
            )

    @property
    def stencils(self) -> tuple[Stencil, ...]:
        """The filter of all levels along each axis."""
        return tuple(self._along(band) for band in self.bands)

    def _along(self, band: str) -> Stencil:
        whole = Stencil((1.0,), 0)
        for level in range(1, self.level + 1):
            last = level == self.level and band == "H"
            whole = _with_holes(high_pass(self.low_pass) if last else self.low_pass, 2 ** (level - 1)).after(whole)
        return whole

    def __call__(self, values: Tensor, *, spacing: tuple[float, float, float]) -> Tensor:
        """The response (x, y, z) to values (x, y, z); the spacing does not matter."""
        return product(floating(values), self.stencils, boundary=self.boundary)


def _with_holes(taps: tuple[float, ...], step: int) -> Stencil:
    spread = [0.0] * ((len(taps) - 1) * step + 1)
    spread[::step] = taps
    return Stencil(tuple(spread), step * (1 - len(taps) // 2))
