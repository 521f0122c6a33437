"""What was seen of an image: blurred, in part, with noise, on a canvas larger than the picture."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.linop.fft import fast_shape, rfftn
from gradatim.linop.identity import Identity
from gradatim.linop.multiplier import FourierMultiplier
from gradatim.linop.shift_invariant import ShiftInvariant

GAP = 2
"""Pixels between the two ends of the canvas, so that its opposite borders do not pull at one another."""


@dataclass(frozen=True, eq=False)
class Observation:
    """y = h * x + noise where ``known``, and nothing elsewhere: blur, missing pixels, coarse sampling and borders.

    A missing value is no zero: it has weight 0 in ½‖√W(h*x − y)‖². The canvas is where x is sought. It goes beyond
    the picture by the reach of h, so that light may come from outside of it and nothing wraps around.

    Args:
        data: y on the canvas, (..., *canvas); 0 where not known, which counts for nothing.
        known: W, bool, (..., *canvas).
        blur: h, a periodic convolution of the canvas; the identity for none.
        offset: index in the canvas of the picture's first pixel.
        shape: of the picture.
        spacing: edges of a pixel or voxel of the canvas, mm.
    """

    data: Tensor
    known: Tensor
    blur: ShiftInvariant
    offset: tuple[int, ...]
    shape: tuple[int, ...]
    spacing: tuple[float, ...]

    @property
    def canvas(self) -> tuple[int, ...]:
        """Shape of the canvas."""
        return self.blur.domain_shape

    @property
    def weights(self) -> Tensor:
        """W as numbers."""
        return self.known.to(self.data.dtype)

    def picture(self, x: Tensor) -> Tensor:
        """The picture's part of an image on the canvas."""
        axes = len(self.canvas)
        for axis, (start, size) in enumerate(zip(self.offset, self.shape, strict=True)):
            x = x.narrow(x.ndim - axes + axis, start, size)
        return x.contiguous()

    def inside(self, margin: int = 0) -> Tensor:
        """Bool on the canvas, True over the picture and so many pixels around it."""
        mask = torch.zeros(self.canvas, dtype=torch.bool, device=self.data.device)
        window = tuple(slice(max(o - margin, 0), o + n + margin) for o, n in zip(self.offset, self.shape, strict=True))
        mask[window] = True
        return mask

    def first_guess(self) -> Tensor:
        """The data, and where there are none, a mean of the known ones, weighted by how near they are."""
        weights = self.weights
        filled = filled_data = self.data * weights
        for width in (2.0, 6.0, 18.0, 54.0):
            if bool((weights > 0.5).all()):
                break
            near = _smoothed(self.weights, width, len(self.canvas))
            mean = _smoothed(filled_data, width, len(self.canvas)) / near.clamp_min(1e-6)
            new = (weights < 0.5) & (near > 1e-3)
            filled, weights = torch.where(new, mean, filled), torch.where(new, 1.0, weights)
        rest = filled_data.sum() / self.weights.expand(self.data.shape).sum()
        return torch.where(weights < 0.5, rest, filled)


def observe(
    image: Tensor, *, spacing: tuple[float, ...], kernel: Tensor | None = None, known: Tensor | None = None
) -> Observation:
    """The observation of a picture by a known kernel, free at its borders.

    Args:
        image: y, (..., x, y) or (..., x, y, z); values that are not known may be anything.
        spacing: edges of a pixel or voxel, mm.
        kernel: h, (i, j) or (i, j, k), centred (at index n // 2 of each axis); None for none.
        known: bool, broadcasts to the image; None if all is known.

    Raises:
        UsageError: GD-103 if the kernel has another number of axes, or the mask another shape.
        InputError: GD-661 if nothing is known; GD-662 if the kernel is not finite or sums to nothing.

    Example:
        >>> seen = observe(torch.ones(10, 10), spacing=(1.0, 1.0), kernel=torch.full((3, 3), 1 / 9))
        >>> seen.canvas, round(seen.picture(seen.blur.apply(seen.first_guess())).mean().item(), 5)
        ((15, 15), 1.0)
    """
    axes = len(spacing)
    shape = tuple(image.shape[image.ndim - axes :])
    valid = torch.ones(shape, dtype=torch.bool, device=image.device) if known is None else _fitting(known, image)
    if not bool(valid.any()):
        raise InputError("GD-661", given="no known pixel", allowed="at least one", do="turn the mask around")
    if kernel is None:
        data = torch.where(valid, image, 0.0)
        return Observation(data, valid, Identity(shape), (0,) * axes, shape, spacing)
    require_kernel(kernel, axes)
    reach = tuple(n // 2 for n in kernel.shape)
    canvas = fast_shape(tuple(n + 2 * r + GAP for n, r in zip(shape, reach, strict=True)))
    data = _on_canvas(torch.where(valid, image, 0.0), canvas, reach)
    blur = FourierMultiplier(kernel_symbol(kernel, canvas).to(image.dtype.to_complex()), canvas)
    return Observation(data, _on_canvas(valid, canvas, reach), blur, reach, shape, spacing)


def observe_periodic(image: Tensor, *, spacing: tuple[float, ...], kernel: Tensor) -> Observation:
    """The same for a picture that repeats itself: the canvas is the picture, and all of it is known.

    Args:
        image: y, (..., x, y) or (..., x, y, z).
        spacing: edges of a pixel or voxel, mm.
        kernel: h, centred; at most of the picture's size.

    Raises:
        UsageError: GD-103 if the kernel does not fit.
        InputError: GD-662 if the kernel is not finite or sums to nothing.

    Example:
        >>> observe_periodic(torch.ones(8, 8), spacing=(1.0, 1.0), kernel=torch.ones(3, 3) / 9).canvas
        (8, 8)
    """
    axes = len(spacing)
    require_kernel(kernel, axes)
    shape = tuple(image.shape[image.ndim - axes :])
    blur = FourierMultiplier(kernel_symbol(kernel, shape).to(image.dtype.to_complex()), shape)
    known = torch.ones(shape, dtype=torch.bool, device=image.device)
    return Observation(image, known, blur, (0,) * axes, shape, spacing)


def kernel_symbol(kernel: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Half spectrum of a centred kernel on a periodic canvas, complex128.

    Args:
        kernel: (i, j) or (i, j, k), its middle at index n // 2.
        shape: of the canvas, not smaller.

    Raises:
        UsageError: GD-103 if the kernel is larger than the canvas.

    Example:
        >>> kernel_symbol(torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), (4, 4)).real.min().item()
        1.0
    """
    if any(k > n for k, n in zip(kernel.shape, shape, strict=True)):
        raise UsageError(
            "GD-103",
            given=f"a kernel of shape {tuple(kernel.shape)} for an image {shape}",
            allowed="a kernel that is not larger than the image",
            do="crop the kernel to where it is not 0",
        )
    full = _on_canvas(kernel.double(), shape, (0,) * len(shape))
    middle = torch.roll(full, [-(n // 2) for n in kernel.shape], tuple(range(len(shape))))
    return rfftn(middle, ndim=len(shape))


def require_kernel(kernel: Tensor, axes: int) -> None:
    """Refuse a kernel with another number of axes (GD-103), or that is not finite or sums to nothing (GD-662).

    Example:
        >>> require_kernel(torch.ones(3, 3) / 9, 2)
    """
    if kernel.ndim != axes:
        raise UsageError(
            "GD-103",
            given=f"a kernel of shape {tuple(kernel.shape)} for {axes} spatial axes",
            allowed="one axis of the kernel for each",
            do="give spacing one edge for each axis of the kernel",
        )
    total = float(kernel.double().sum())
    if not (math.isfinite(total) and total > 0):
        raise InputError(
            "GD-662",
            given=f"a point-spread function that sums to {total}",
            allowed="finite values with a positive sum, 1 if brightness is kept",
            do="divide it by its sum",
        )


def _fitting(known: Tensor, image: Tensor) -> Tensor:
    try:
        torch.broadcast_shapes(known.shape, image.shape)
        fits = known.dtype == torch.bool and known.ndim <= image.ndim
    except RuntimeError:
        fits = False
    if not fits:
        raise UsageError(
            "GD-103",
            given=f"a mask of shape {tuple(known.shape)} ({known.dtype}) for an image {tuple(image.shape)}",
            allowed="a bool mask of the image's shape",
            do="give True where the image is known",
        )
    return known


def _on_canvas(image: Tensor, canvas: tuple[int, ...], offset: tuple[int, ...]) -> Tensor:
    axes = len(canvas)
    out = image.new_zeros((*image.shape[: image.ndim - axes], *canvas))
    window: tuple = (..., *(slice(o, o + n) for o, n in zip(offset, image.shape[image.ndim - axes :], strict=True)))
    out[window] = image
    return out


def _smoothed(x: Tensor, width: float, axes: int) -> Tensor:
    """A periodic Gaussian mean over the last axes, ``width`` its standard deviation in pixels."""
    spectrum = torch.fft.fftn(x, dim=tuple(range(-axes, 0)))
    for axis in range(-axes, 0):
        frequency = torch.fft.fftfreq(x.shape[axis], dtype=x.dtype, device=x.device)
        gain = torch.exp(-2.0 * (math.pi * width * frequency).square())
        spectrum = spectrum * gain.view([-1 if a == axis else 1 for a in range(-x.ndim, 0)])
    return torch.fft.ifftn(spectrum, dim=tuple(range(-axes, 0))).real.to(x.dtype)
