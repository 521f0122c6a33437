"""Convolution with a kernel or point spread function: periodic, and without wrap-around."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.crop import Crop, Pad
from gradatim.linop.fft import fast_shape, rfftn
from gradatim.linop.multiplier import FourierMultiplier
from gradatim.linop.operator import Composition
from gradatim.linop.shift_invariant import ShiftInvariant
from gradatim.linop.tracing import transforming, watched


@dataclass(frozen=True, eq=False)
class Convolution(ShiftInvariant):
    """Periodic convolution, (A x)(r) = Σⱼ k(j)·x(r + c − j), with the kernel centred on its middle voxel c = ⌊n/2⌋.

    A point at r becomes the kernel with its middle at r, so a symmetric kernel moves nothing. The adjoint
    correlates: it is the convolution with the kernel mirrored about that voxel, which is not the same as
    mirrored about its middle where n is even. A kernel of sum 1 keeps totals and flat images.

    Args:
        kernel: k, real, of any size up to the image's. Gradients flow to it if it requires them.
        shape: of the image, (x, y, z), (x, y) or any other number of axes.

    Raises:
        UsageError: GD-103 if the kernel has another number of axes or is larger than the image; GD-101 if
            it is not real.

    Example:
        >>> shifted = Convolution(torch.tensor([0.0, 0.0, 1.0]), (4,))
        >>> [round(v, 6) for v in shifted.apply(torch.tensor([1.0, 2.0, 3.0, 4.0])).tolist()]
        [4.0, 1.0, 2.0, 3.0]
    """

    kernel: Tensor
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        sizes = tuple(self.kernel.shape)
        if len(sizes) != len(self.shape) or any(k > n or k < 1 for k, n in zip(sizes, self.shape, strict=True)):
            raise UsageError(
                "GD-103",
                given=f"a kernel of shape {sizes} for images {self.shape}",
                allowed="as many axes as the image, and no longer ones",
                do="crop the kernel, or pad the image",
            )
        if self.kernel.is_complex():
            raise UsageError(
                "GD-101", given="a complex kernel", allowed="a real one", do="convolve with its parts one by one"
            )

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def multiplier(self) -> FourierMultiplier:
        """The same map by its symbol, the half spectrum of the kernel in float64; kept if the kernel is constant."""
        again = self.kernel.requires_grad or watched(self.kernel) or transforming()
        return self._fresh() if again else self._kept

    def norm_bound(self) -> float:
        return self.multiplier.norm_bound()

    def gram_symbol(self, like: Tensor) -> Tensor:
        return self.multiplier.gram_symbol(like)

    def adjoint_spectrum(self, y: Tensor) -> Tensor:
        return self.multiplier.adjoint_spectrum(y)

    def forward_from(self, spectrum: Tensor, x: Tensor) -> Tensor:
        return self.multiplier.forward_from(spectrum, x)

    def _forward(self, x: Tensor) -> Tensor:
        return self.multiplier.apply(x)

    def _adjoint(self, y: Tensor) -> Tensor:
        return self.multiplier.adjoint(y)

    @cached_property
    def _kept(self) -> FourierMultiplier:
        return self._fresh()

    def _fresh(self) -> FourierMultiplier:
        kernel = self.kernel.double()
        pads = [
            width for n, k in zip(reversed(self.shape), reversed(kernel.shape), strict=True) for width in (0, n - k)
        ]
        whole = torch.nn.functional.pad(kernel, pads)
        middle = tuple(-(k // 2) for k in kernel.shape)
        return FourierMultiplier(rfftn(whole.roll(middle, tuple(range(kernel.ndim))), ndim=kernel.ndim), self.shape)


def convolution_of_a_window(kernel: Tensor, shape: tuple[int, ...]) -> Composition:
    """What a camera sees: an unknown larger than the picture is convolved, and the picture cut out of it.

    Nothing wraps around and nothing is assumed beyond the picture's edge: each voxel of the picture is
    explained by the kernel's whole reach of unknowns. Unknowns beyond that reach, which only round the size
    up to a fast one, do not matter. ``operator.outer.pad`` is the :class:`~gradatim.linop.crop.Pad` that
    puts a picture into the unknown, ``operator.outer`` cuts an answer down to the picture.

    Args:
        kernel: as for :class:`Convolution`.
        shape: of the picture.

    Returns:
        ``Crop @ Convolution``, from an unknown of at least shape + k − 1 to the picture.

    Example:
        >>> A = convolution_of_a_window(torch.ones(3) / 3, (14,))
        >>> A.domain_shape, A.codomain_shape
        ((16,), (14,))
    """
    pad = _reach(kernel, shape)
    return Composition(Crop(pad), Convolution(kernel, pad.padded))


def convolution_with_zeros(kernel: Tensor, shape: tuple[int, ...]) -> Composition:
    """Convolution of an image that is zero beyond its edge, cut to the image's own size.

    Args:
        kernel: as for :class:`Convolution`.
        shape: of the image.

    Returns:
        ``Crop @ Convolution @ Pad`` on images of this shape.

    Example:
        >>> A = convolution_with_zeros(torch.ones(3), (4,))
        >>> [round(v, 6) for v in A.apply(torch.ones(4)).tolist()]
        [2.0, 3.0, 3.0, 2.0]
    """
    pad = _reach(kernel, shape)
    return Composition(Composition(Crop(pad), Convolution(kernel, pad.padded)), pad)


def _reach(kernel: Tensor, shape: tuple[int, ...]) -> Pad:
    if kernel.ndim != len(shape):
        raise UsageError(
            "GD-103",
            given=f"a kernel of shape {tuple(kernel.shape)} for images {shape}",
            allowed="as many axes as the image",
            do="bring the kernel to the axes of the image",
        )
    larger = fast_shape(tuple(n + k - 1 for n, k in zip(shape, kernel.shape, strict=True)))
    return Pad(shape, larger, tuple(k - 1 - k // 2 for k in kernel.shape))
