"""Denoising by the cosine transform of every overlapping block, thresholded, then weighted by what that found."""

import math
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.local_cosines import LocalCosines

SLAB = 1 << 22
"""Coefficients that are held at once, 16 MB in single precision; larger images go in slabs."""
FEWEST_AXES, MOST_AXES = 2, 3


@dataclass(frozen=True)
class LocalCosine:
    """White noise of known σ removed block by block: (image, σ) → image.

    Every pixel begins a block. First pass: of a block's cosine coefficients, those below ``threshold``·σ are set
    to 0. Second pass: each is multiplied by c²/(c² + σ²) with c from the first pass, Wiener's filter. Each pixel is the
    mean of all its blocks, weighted by one over the noise that a block kept. The mean of a block is never touched.

    A pixel depends on those within ``reach`` only, so tiles with that halo give the whole image's result. Borders
    are mirrored. Leading axes are batch. Differentiable almost everywhere.

    Args:
        axes: 2 or 3 trailing axes of space.
        size: of a block, pixels; None for 8 in two dimensions and 4 in three.
        threshold: in σ; 2.7 leaves one coefficient of noise in 140.

    Raises:
        UsageError: GD-101 for other axes, a size below 2 or a threshold that is not positive.

    Source:
        Yaroslavsky, Egiazarian & Astola, Proc SPIE 4304:155-159, 2001; Guleryuz, IEEE Trans Image Process 16:3020,
        2007 (weights); the two passes after Dabov et al., IEEE Trans Image Process 16:2080-2095, 2007.

    Example:
        >>> noise = torch.randn(32, 32, generator=torch.Generator().manual_seed(0))
        >>> float(LocalCosine()(10.0 + noise, 1.0).std()) < 0.3
        True
    """

    axes: int = 2
    size: int | None = None
    threshold: float = 2.7

    def __post_init__(self) -> None:
        if self.axes not in (FEWEST_AXES, MOST_AXES) or self.edge < 2 or not self.threshold > 0:
            raise UsageError(
                "GD-101",
                given=f"axes {self.axes}, size {self.size}, threshold {self.threshold}",
                allowed="2 or 3 axes, blocks of at least 2, a threshold above 0",
                do="see the defaults",
            )

    @property
    def edge(self) -> int:
        """Edge of a block, pixels."""
        if self.size is not None:
            return self.size
        return 8 if self.axes == FEWEST_AXES else 4

    @property
    def reach(self) -> int:
        """How far, in pixels, a pixel can feel another."""
        return 2 * (self.edge - 1)

    def __call__(self, image: Tensor, sigma: float | Tensor) -> Tensor:
        """Denoise.

        Args:
            image: (..., x, y) or (..., x, y, z), any unit.
            sigma: of the white noise, unit of the image, ≥ 0.

        Returns:
            Of the shape of the image.
        """
        if not float(sigma) > 0:
            return image.clone()
        space = image.shape[image.ndim - self.axes :]
        flat = image.reshape(-1, *space)
        rows = max(1, SLAB // (self.edge**self.axes * max(math.prod(space[1:]), 1)))
        out = [self._slabs(each, float(sigma), rows) for each in flat]
        return torch.stack(out).reshape(image.shape)

    def _slabs(self, image: Tensor, sigma: float, rows: int) -> Tensor:
        """One image, ``rows`` of its first axis at a time, each with its halo."""
        length = image.shape[0]
        around = mirrored(image, self.reach)
        parts = []
        for start in range(0, length, rows):
            stop = min(start + rows, length)
            wide = around.narrow(0, start, stop - start + 2 * self.reach)
            parts.append(self._two_passes(wide, sigma))
        return torch.cat(parts)

    def _two_passes(self, wide: Tensor, sigma: float) -> Tensor:
        """The inner part of an image with a halo of ``reach``; each pass spends half of it."""
        half = self.edge - 1
        frame = LocalCosines(tuple(wide.shape), self.edge)
        scale = math.sqrt(self.edge**self.axes)
        noisy = frame.apply(wide).mul_(scale) if not wide.requires_grad else frame.apply(wide) * scale
        kept = (noisy.abs() > self.threshold * sigma).to(noisy.dtype)
        pilot = self._gathered(frame, noisy, kept)
        inner = _shrunk(pilot, half, self.axes)
        clean = frame.apply(_rewrapped(inner, half)) * scale
        gain = clean.square() / (clean.square() + sigma**2)
        return _shrunk(self._gathered(frame, noisy, gain), self.reach, self.axes)

    def _gathered(self, frame: LocalCosines, noisy: Tensor, gain: Tensor) -> Tensor:
        """The blocks with their gains put back, each weighted by one over the noise that it keeps."""
        axis = -1 - self.axes
        gain = torch.cat((torch.ones_like(gain.narrow(axis, 0, 1)), gain.narrow(axis, 1, gain.shape[axis] - 1)), axis)
        trust = gain.square().sum(axis, keepdim=True).reciprocal()
        total = frame.adjoint(noisy * gain * trust)
        return total / (_summed(trust.squeeze(axis), self.edge, self.axes) / self.edge ** (0.5 * self.axes))


def mirrored(image: Tensor, width: int) -> Tensor:
    """An image with its mirror image around it, the border pixel twice; any width, any size.

    Args:
        image: every axis is widened.
        width: pixels on each side.

    Example:
        >>> mirrored(torch.tensor([1.0, 2.0, 3.0]), 2).tolist()
        [2.0, 1.0, 1.0, 2.0, 3.0, 3.0, 2.0]
    """
    for axis, size in enumerate(image.shape):
        image = image.index_select(axis, _reflection(size, width).to(image.device))
    return image


@cache
def _reflection(size: int, width: int) -> Tensor:
    place = torch.arange(-width, size + width) % (2 * size)
    return torch.where(place < size, place, 2 * size - 1 - place)


def _shrunk(image: Tensor, width: int, axes: int) -> Tensor:
    for axis in range(-axes, 0):
        image = image.narrow(axis, width, image.shape[axis] - 2 * width)
    return image


def _rewrapped(image: Tensor, width: int) -> Tensor:
    """Back to the size before; what is put around lies beyond what the second pass keeps."""
    for axis in range(image.ndim):
        first, last = image.narrow(axis, 0, 1), image.narrow(axis, image.shape[axis] - 1, 1)
        times = [width if a == axis else 1 for a in range(image.ndim)]
        image = torch.cat((first.repeat(times), image, last.repeat(times)), axis)
    return image


def _summed(x: Tensor, edge: int, axes: int) -> Tensor:
    """Sum over the blocks that hold a pixel: those that begin up to edge − 1 before it along each axis."""
    for axis in range(-axes, 0):
        x = torch.stack([torch.roll(x, step, axis) for step in range(edge)]).sum(0)
    return x
