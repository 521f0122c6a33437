"""Real Fourier transforms of an object and of its field, fused with what is done between two of them.

A deconvolution goes back and forth: object → spectrum → field → spectrum → object. On the CPU each stage is a
sweep over slabs that fit the cache: a slab comes back from the spectrum, is worked on, and goes into the
spectrum again before the next one is touched. Only one spectrum is ever in memory, no transform is written
out that is read but once, and lines that hold only zeros are left out. On another device, and in tests, whole
tensors go through ``torch.fft``.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import numpy as np
import scipy.fft
import torch
from torch import Tensor

Shape = tuple[int, ...]
Array = Any
"""A numpy array of a slab, or a whole tensor."""

Work = Callable[[slice, Array], tuple[Array, Sequence[float]]]
"""What is done with a slab: planes and values → new values (None if they do not go back), numbers to add up."""

SLAB_ELEMENTS = 1 << 18
"""Complex numbers that are worked on at a time, two megabytes in single precision."""


class FieldTransforms(ABC):
    """Between an object's support and a half spectrum that is kept inside from one sweep to the next."""

    support: Shape
    """Shape of the object's support; every sweep is over its first voxels."""

    xp: ModuleType
    """Whose functions work on a slab: numpy or torch."""

    @abstractmethod
    def symbol(self, kernel: Tensor) -> Array:
        """Half spectrum of a kernel that is laid on the support."""

    @abstractmethod
    def array(self, values: Tensor) -> Array:
        """Values as slabs are cut from, without a copy."""

    @abstractmethod
    def filter(self, symbol: Array) -> None:
        """Multiply the spectrum."""

    @abstractmethod
    def filter_adjoint(self, symbol: Array) -> None:
        """Multiply the spectrum by the symbol's conjugate."""

    @abstractmethod
    def load(self, shape: Shape, work: Work) -> list[float]:
        """Spectrum of what ``work`` gives for the first ``shape`` voxels, 0 elsewhere; ``work`` is given nothing."""

    @abstractmethod
    def unload(self, shape: Shape, work: Work) -> list[float]:
        """Give ``work`` the first ``shape`` voxels of the inverse transform. The spectrum is lost."""

    @abstractmethod
    def exchange(self, shape: Shape, work: Work) -> list[float]:
        """Unload and load in one sweep."""


def transforms_for(support: Shape, like: Tensor) -> FieldTransforms:
    """Slabs for the CPU, whole tensors for any other device."""
    return SlabTransforms(support, like.dtype) if like.device.type == "cpu" else WholeTransforms(support)


class SlabTransforms(FieldTransforms):
    """Sweeps over slabs on the CPU, as many slabs at a time as torch has threads.

    Between sweeps the first axis is not transformed; filtering goes there and back along it. Two or more axes.

    Args:
        support: shape of the object's support.
        dtype: float32 or float64.
    """

    xp = np

    def __init__(self, support: Shape, dtype: torch.dtype) -> None:
        self.support = support
        kind = np.complex64 if dtype is torch.float32 else np.complex128
        self._spectrum = np.empty((*support[:-1], support[-1] // 2 + 1), kind)
        threads = torch.get_num_threads()
        self._map = ThreadPoolExecutor(threads).map if threads > 1 else map

    def symbol(self, kernel: Tensor) -> np.ndarray:
        found = scipy.fft.rfftn(kernel.numpy(), workers=torch.get_num_threads())
        return found.astype(self._spectrum.dtype, copy=False)

    def array(self, values: Tensor) -> np.ndarray:
        return values.detach().numpy()

    def filter(self, symbol: np.ndarray) -> None:
        self._filter(lambda part, columns: np.multiply(part, symbol[:, columns], out=part))

    def filter_adjoint(self, symbol: np.ndarray) -> None:
        self._filter(lambda part, columns: np.multiply(part, symbol[:, columns].conj(), out=part))

    def _filter(self, multiply: Callable[[np.ndarray, slice], object]) -> None:
        spectrum = self._spectrum

        def work(columns: slice) -> None:
            part = scipy.fft.fft(spectrum[:, columns], axis=0, overwrite_x=True)
            multiply(part, columns)
            part = scipy.fft.ifft(part, axis=0, overwrite_x=True)
            if not np.may_share_memory(part, spectrum):
                spectrum[:, columns] = part

        list(self._map(work, _slabs(spectrum.shape[1], spectrum.size)))

    def load(self, shape: Shape, work: Work) -> list[float]:
        return self._sweep(shape, lambda planes: self._into(planes, shape, work(planes, None)))

    def unload(self, shape: Shape, work: Work) -> list[float]:
        return self._sweep(shape, lambda planes: work(planes, self._out_of(planes, shape))[1])

    def exchange(self, shape: Shape, work: Work) -> list[float]:
        return self._sweep(shape, lambda planes: self._into(planes, shape, work(planes, self._out_of(planes, shape))))

    def _sweep(self, shape: Shape, work: Callable[[slice], Sequence[float]]) -> list[float]:
        share = math.ceil(self._spectrum.size * shape[0] / self._spectrum.shape[0])
        sums = list(self._map(work, _slabs(shape[0], share)))
        return [math.fsum(column) for column in zip(*sums, strict=True)]  # in the order of slabs: the same each time

    def _out_of(self, planes: slice, shape: Shape) -> np.ndarray:
        part = self._spectrum[planes]
        for axis in range(1, part.ndim - 1):
            part = scipy.fft.ifft(part, axis=axis, overwrite_x=True)
            part = part[(*(slice(None),) * axis, slice(shape[axis]))]
        return scipy.fft.irfft(part, n=self.support[-1], axis=-1)[..., : shape[-1]]

    def _into(self, planes: slice, shape: Shape, result: tuple[np.ndarray, Sequence[float]]) -> Sequence[float]:
        values, sums = result
        lines = scipy.fft.rfft(values, n=self.support[-1], axis=-1)
        if planes.start == 0:
            self._spectrum[shape[0] :] = 0.0
        part = self._spectrum[planes]
        part[(slice(None), *map(slice, shape[1:-1]))] = lines
        for axis in range(part.ndim - 2, 0, -1):
            part[(*(slice(None),) * axis, slice(shape[axis], None))] = 0.0
            found = scipy.fft.fft(part, axis=axis, overwrite_x=True)
            if not np.may_share_memory(found, part):
                part[...] = found
        return sums


def _slabs(count: int, elements: int) -> list[slice]:
    """Ranges of an axis of ``count`` places that hold about ``SLAB_ELEMENTS`` each."""
    size = max(1, SLAB_ELEMENTS * count // max(elements, 1))
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


class WholeTransforms(FieldTransforms):
    """The same by ``torch.fft`` on whole tensors, on any device.

    Args:
        support: shape of the object's support.
    """

    xp = torch

    def __init__(self, support: Shape) -> None:
        self.support = support
        self._axes = tuple(range(len(support)))
        self._spectrum = torch.empty(0)

    def symbol(self, kernel: Tensor) -> Tensor:
        return torch.fft.rfftn(kernel, dim=self._axes)

    def array(self, values: Tensor) -> Tensor:
        return values

    def filter(self, symbol: Tensor) -> None:
        self._spectrum = self._spectrum * symbol

    def filter_adjoint(self, symbol: Tensor) -> None:
        self._spectrum = self._spectrum * symbol.conj()

    def load(self, shape: Shape, work: Work) -> list[float]:
        return self._into(work(slice(shape[0]), None))

    def unload(self, shape: Shape, work: Work) -> list[float]:
        return [float(each) for each in work(slice(shape[0]), self._out_of(shape))[1]]

    def exchange(self, shape: Shape, work: Work) -> list[float]:
        return self._into(work(slice(shape[0]), self._out_of(shape)))

    def _out_of(self, shape: Shape) -> Tensor:
        return torch.fft.irfftn(self._spectrum, s=self.support, dim=self._axes)[tuple(map(slice, shape))]

    def _into(self, result: tuple[Tensor, Sequence[float]]) -> list[float]:
        values, sums = result
        self._spectrum = torch.fft.rfftn(values, s=self.support, dim=self._axes)
        return [float(each) for each in sums]
