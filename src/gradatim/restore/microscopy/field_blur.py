"""Blur by a point spread function, from an object that goes on outside the camera's field."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np
import scipy.fft
import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.operator import LinearOperator
from gradatim.restore.microscopy.field_transforms import SlabTransforms, Work

Shape = tuple[int, ...]


class Border(Enum):
    """What lies outside the field; the value of a member is the sentence for a report."""

    OPEN = "the object goes on outside the field, and what shines in from there is part of the unknown"
    DARK = "nothing outside the field shines"
    PERIODIC = "the object repeats itself, as some simulated data do"


@dataclass(frozen=True, eq=False)
class FieldBlur(LinearOperator):
    """y_j = Σ_k p_k x_{j + first + c − k}: what a camera's field sees of a larger object, c the PSF's centre.

    The object lives on ``support``, the field is a window in it whose first voxel is ``first``. The sum runs
    around the ends of the support, so the support must be the field and a PSF's reach on each side; then
    nothing wraps around. Real transforms; those of the field's side leave out lines that hold only zeros.

    Args:
        psf: (k...), its centre at index n // 2 on each axis; two or three axes, any odd or even sizes.
        shape: of the field, as many axes.
        support: of the object.
        first: index in the support of the field's first voxel.

    Raises:
        UsageError: GD-103 if the axes or sizes do not fit one another.

    Example:
        >>> blur = FieldBlur.open(torch.full((3, 3), 1 / 9), (4, 4))
        >>> blur.domain_shape, blur.first
        ((6, 6), (1, 1))
        >>> round(blur.apply(torch.ones(6, 6)).sum().item(), 4)
        16.0
    """

    psf: Tensor
    shape: Shape
    support: Shape
    first: Shape

    def __post_init__(self) -> None:
        axes = {len(self.shape), len(self.support), len(self.first), self.psf.ndim}
        ends = zip(self.first, self.shape, self.support, strict=False)
        if len(axes) != 1 or any(first < 0 or first + n > whole for first, n, whole in ends):
            raise UsageError(
                "GD-103",
                given=f"a PSF {tuple(self.psf.shape)}, a field {self.shape} at {self.first} of {self.support}",
                allowed="as many axes each, and a field that lies in its support",
                do="give a 2-D PSF with a 2-D image, a 3-D PSF with a stack",
            )

    @classmethod
    def open(cls, psf: Tensor, shape: Shape) -> "FieldBlur":
        """The object goes on outside the field, as far as the PSF reaches.

        The support is rounded up to sizes that transform fast; voxels in the rounding are seen by no datum.
        """
        reach = tuple(n + k - 1 for n, k in zip(shape, psf.shape, strict=False))
        support = tuple(int(scipy.fft.next_fast_len(n, real=True)) for n in reach)
        return cls(psf, shape, support, tuple(k - 1 - k // 2 for k in psf.shape))

    @classmethod
    def periodic(cls, psf: Tensor, shape: Shape) -> "FieldBlur":
        """The object repeats itself with the field's size."""
        return cls(psf, shape, shape, (0,) * len(shape))

    @property
    def domain_shape(self) -> Shape:
        return self.support

    @property
    def codomain_shape(self) -> Shape:
        return self.shape

    def norm_bound(self) -> float:
        """‖A‖ ≤ Σ|p| (Young)."""
        return float(self.psf.detach().abs().sum())

    @property
    def window(self) -> tuple:
        """Index of the field in its support, for tensors of the object's shape."""
        return (..., *(slice(o, o + n) for o, n in zip(self.first, self.shape, strict=True)))

    def _forward(self, x: Tensor) -> Tensor:
        if x.is_complex():
            return torch.complex(self._forward(x.real), self._forward(x.imag))
        axes = tuple(range(-len(self.shape), 0))
        if not _constant(x, self.psf):
            blurred = torch.fft.irfftn(torch.fft.rfftn(x, dim=axes) * self._otf(x), s=self.support, dim=axes)
            return blurred[(..., *map(slice, self.shape))]
        out = x.new_empty((*x.shape[: x.ndim - len(axes)], *self.shape))
        self._each(x, out, self._otf(x).numpy(), SlabTransforms.filter)
        return out

    def _adjoint(self, y: Tensor) -> Tensor:
        if y.is_complex():
            return torch.complex(self._adjoint(y.real), self._adjoint(y.imag))
        axes = tuple(range(-len(self.shape), 0))
        if not _constant(y, self.psf):
            spectrum = torch.fft.rfftn(y, s=self.support, dim=axes)
            return torch.fft.irfftn(spectrum * self._otf(y).conj(), s=self.support, dim=axes)
        out = y.new_empty((*y.shape[: y.ndim - len(axes)], *self.support))
        self._each(y, out, self._otf(y).numpy(), SlabTransforms.filter_adjoint)
        return out

    def _each(
        self, values: Tensor, out: Tensor, otf: np.ndarray, act: Callable[[SlabTransforms, np.ndarray], None]
    ) -> None:
        """Filter images one after the other through one spectrum."""
        transforms, axes = SlabTransforms(self.support, values.dtype), len(self.shape)
        shapes = tuple(values.shape[-axes:]), tuple(out.shape[-axes:])
        given, taken = values.detach().numpy().reshape(-1, *shapes[0]), out.numpy().reshape(-1, *shapes[1])
        for image, found in zip(given, taken, strict=True):
            transforms.load(shapes[0], _give(image))
            act(transforms, otf)
            transforms.unload(shapes[1], _store(found))

    def _otf(self, like: Tensor) -> Tensor:
        """Half spectrum of the PSF, laid so that the field begins at index 0; kept where it is a constant."""
        if self.psf.requires_grad and torch.is_grad_enabled():
            return self._transformed(self.psf.to(like))
        key = (like.device, like.dtype)
        if key not in self._kept:
            self._kept[key] = self._transformed(self.psf.detach().double()).to(like.device, like.dtype.to_complex())
        return self._kept[key]

    def _transformed(self, psf: Tensor) -> Tensor:
        return torch.fft.rfftn(self.laid(psf))

    def laid(self, psf: Tensor) -> Tensor:
        """The PSF on the support, so that the field begins at index 0 of the blurred object."""
        places = [
            (torch.arange(k, device=psf.device) - k // 2 - first) % n
            for k, first, n in zip(psf.shape, self.first, self.support, strict=True)
        ]
        nowhere = psf.new_zeros(self.support)  # a PSF that is larger than a periodic object folds upon itself
        put = nowhere.index_put if psf.requires_grad else nowhere.index_put_
        return put(torch.meshgrid(*places, indexing="ij"), psf, accumulate=True)

    @cached_property
    def _kept(self) -> dict[tuple[torch.device, torch.dtype], Tensor]:
        return {}


def _constant(x: Tensor, psf: Tensor) -> bool:
    """Whether the numbers lie on the CPU and nothing wants their derivative."""
    return x.device.type == "cpu" and not (torch.is_grad_enabled() and (x.requires_grad or psf.requires_grad))


def _give(values: np.ndarray) -> Work:
    return lambda planes, _: (values[planes], ())


def _store(out: np.ndarray) -> Work:
    def work(planes: slice, values: np.ndarray) -> tuple[None, tuple[()]]:
        out[planes] = values
        return None, ()

    return work
