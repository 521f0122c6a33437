"""The Fourier transform of an image at any points of k-space: spirals, spokes, anything a gradient can draw."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import product

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.at_points import FourierAtPoints
from gradatim.linop.fft import fast_shape
from gradatim.linop.tracing import transforming, watched

OVERSAMPLING = 2
"""σ: the grid is so many times finer than k-space's own."""

Lines = list[tuple[Tensor, Tensor]]


@dataclass(frozen=True, eq=False)
class NonUniformFourier(FourierAtPoints):
    """y_c(m) = N^−½ Σᵣ s_c(r)·x(r)·exp(−2πi Σᵢ k_mi·(rᵢ − oᵢ)/nᵢ), oᵢ = ⌊nᵢ/2⌋, at any k_m.

    At whole k it is :class:`~gradatim.linop.fourier.CentredFourier`. The sum is taken on a grid twice as
    fine and interpolated there by a Kaiser-Bessel kernel; the image is divided beforehand by what that
    kernel does to it. The relative error falls by about ten with each grid point of width: about 1e-3 at
    4, 1e-5 at 6, 1e-7 at 8, a little more in 3-D; time grows with its power to the number of axes. The
    adjoint is exactly that of the approximation.

    Args:
        shape: of the image, any number of axes.
        points: k, (points, axes), cycles per field of view along each axis; periodic in n. Gradients flow
            to them if they require them, so that trajectories can be optimised.
        coils: s, sensitivities, complex or real, (coils, *shape); without them there is one uniform coil,
            and no axis for it.
        width: J, grid points that an interpolation reads along each axis, 2 to 12.

    Returns (apply):
        (..., coils, points), or (..., points) without coils; complex.

    Raises:
        UsageError: GD-101 if the width is out of range; GD-103 if points or coils do not fit the image.

    Source:
        Fessler & Sutton, IEEE Trans Signal Process 51:560-574, 2003; Beatty et al., IEEE Trans Med Imaging
        24:799-808, 2005 (the kernel's width parameter).

    Example:
        >>> A = NonUniformFourier((8,), torch.tensor([[0.0], [0.5]]))
        >>> [round(abs(v), 3) for v in A.apply(torch.eye(8)[4]).tolist()]
        [0.354, 0.354]
    """

    width: int = 6

    def __post_init__(self) -> None:
        if not 2 <= self.width <= 12:
            raise UsageError("GD-101", given=f"width {self.width}", allowed="2 to 12", do="use 6 for 1e-5, 8 for 1e-7")
        if not self._fits():
            raise self._refusal("points (points, axes), coils (coils, *image)")

    def _forward(self, x: Tensor) -> Tensor:
        coils, dtype = self._coils(x), x.dtype.to_complex()
        images = x if coils is None else x.unsqueeze(-1 - len(self.shape)) * coils
        images = images * self._correction(x)
        margins = [m for g, n in zip(reversed(self._grid), reversed(self.shape), strict=True) for m in (0, g - n)]
        centred = torch.nn.functional.pad(images, margins).roll(self._origin(-1), self._axes)
        spectrum = torch.fft.fftn(centred, dim=self._axes).flatten(-len(self.shape))
        found = torch.zeros((*spectrum.shape[:-1], len(self.points)), dtype=dtype, device=x.device)
        for places, weights in self._taps(x):
            found = found + spectrum.index_select(-1, places) * weights
        return found

    def _adjoint(self, y: Tensor) -> Tensor:
        coils, dtype = self._coils(y), y.dtype.to_complex()
        spectrum = torch.zeros((*y.shape[:-1], math.prod(self._grid)), dtype=dtype, device=y.device)
        for places, weights in self._taps(y):
            spectrum = spectrum.index_add(-1, places, y.to(dtype) * weights)
        on_grid = spectrum.reshape(*y.shape[:-1], *self._grid)
        centred = torch.fft.ifftn(on_grid, dim=self._axes, norm="forward").roll(self._origin(1), self._axes)
        window: tuple = (..., *(slice(0, n) for n in self.shape))
        images = centred[window] * self._correction(y)
        return images if coils is None else (images * coils.conj()).sum(dim=-1 - len(self.shape))

    @property
    def _axes(self) -> tuple[int, ...]:
        return tuple(range(-len(self.shape), 0))

    @property
    def _grid(self) -> tuple[int, ...]:
        return fast_shape(tuple(max(OVERSAMPLING * n, self.width) for n in self.shape))

    @property
    def _shape_parameter(self) -> float:
        """β of the kernel I₀(β√(1 − t²)), t from −1 to 1 over its width."""
        return math.pi * math.sqrt((self.width / OVERSAMPLING) ** 2 * (OVERSAMPLING - 0.5) ** 2 - 0.8)

    def _origin(self, sign: int) -> tuple[int, ...]:
        return tuple(sign * (n // 2) for n in self.shape)

    def _correction(self, like: Tensor) -> Tensor:
        """N^−½ over the kernel's own transform at the image's voxels, J·sinh(√(β² − (πJν)²))/√(β² − (πJν)²)."""
        whole = torch.full((1,) * len(self.shape), math.prod(self.shape) ** -0.5, dtype=torch.float64)
        for axis, (n, g) in enumerate(zip(self.shape, self._grid, strict=True)):
            frequency = (torch.arange(n, dtype=torch.float64) - n // 2) / g
            root = (self._shape_parameter**2 - (math.pi * self.width * frequency).square()).sqrt()
            line = root / (self.width * root.sinh())
            whole = whole * line.view([-1 if i == axis else 1 for i in range(len(self.shape))])
        return whole.to(device=like.device, dtype=like.dtype.to_real())

    def _taps(self, like: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """For each offset in the kernel's window: where on the flat grid every point reads, and with what weight."""
        axes = self._lines(like)
        for taps in product(range(self.width), repeat=len(self.shape)):
            pairs = [(near[tap], weight[tap]) for (near, weight), tap in zip(axes, taps, strict=True)]
            yield reduce(torch.add, (place for place, _ in pairs)), reduce(torch.mul, (weight for _, weight in pairs))

    def _lines(self, like: Tensor) -> Lines:
        if self.points.requires_grad or watched(self.points) or transforming():
            return self._fresh_lines(like)
        key = (like.device, like.dtype.to_real())
        if key not in self._kept_lines:
            self._kept_lines[key] = self._fresh_lines(like)
        return self._kept_lines[key]

    @cached_property
    def _kept_lines(self) -> dict[tuple[torch.device, torch.dtype], Lines]:
        """What :meth:`_fresh_lines` gives, in each precision and on each device it was needed."""
        return {}

    def _fresh_lines(self, like: Tensor) -> Lines:
        """For each axis: (width, points) places on the flat grid, and the kernel's weights there."""
        points = self.points.to(device=like.device, dtype=torch.float64)
        tap = torch.arange(self.width, device=like.device)[:, None]
        lines = []
        for axis, (n, g) in enumerate(zip(self.shape, self._grid, strict=True)):
            at = points[:, axis] * (g / n)
            near = (at.detach() - self.width / 2).ceil() + tap
            # the kernel is smooth in t², also where it ends; its root there would have no slope
            inside = (1.0 - ((at - near) * (2.0 / self.width)).square()).clamp(min=1e-30)
            weights = torch.special.i0(self._shape_parameter * inside.sqrt())
            lines.append(((near.long() % g) * math.prod(self._grid[axis + 1 :]), weights.to(like.dtype.to_real())))
        return lines
