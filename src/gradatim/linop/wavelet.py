"""The orthogonal wavelet transform of images and volumes."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.operator import LinearOperator
from gradatim.linop.wavelet_filter import daubechies, high_pass

BLOCK = 32
"""Samples that one small matrix product transforms; measured best on the CPU, where it beats strided sums."""

Step = Callable[[Tensor, tuple[float, ...]], Tensor]


@dataclass(frozen=True)
class Wavelet(LinearOperator):
    """Separable, periodic, orthogonal wavelet transform: W*W = W W* = I on every shape.

    Each level splits every axis of the coarse band in two: sums c[m] = Σₖ h[k]·x[2m + k] go to its first
    half, differences d[m] = Σₖ g[k]·x[2m + k], g[k] = (−1)ᵏ·h[L − 1 − k], to its second half, indices
    taken modulo the size. So coefficients have the image's shape, the coarsest band at its origin. Of an
    odd size the last sample goes to the end of the coarse half as it is, and axes of one sample stay:
    the transform is orthogonal all the same. Pad odd axes if their last plane matters.

    Args:
        shape: of the image, two or three axes or any other number.
        levels: how often the coarse band is split, ≥ 1.
        low_pass: h, orthonormal to its even shifts:
            :func:`~gradatim.linop.wavelet_filter.daubechies`, :func:`~gradatim.linop.wavelet_filter.symlet`.

    Raises:
        UsageError: GD-122 if the filter is not orthonormal; GD-101 if there are fewer than one level, or
            more than the longest axis can be halved.

    Source:
        Mallat, IEEE Trans Pattern Anal Mach Intell 11:674-693, 1989; Daubechies, Ten Lectures on Wavelets,
        SIAM 1992.

    Example:
        >>> haar = Wavelet((4,), 1, daubechies(1))
        >>> [round(c, 3) for c in haar.apply(torch.tensor([1.0, 1.0, 4.0, 2.0])).tolist()]
        [1.414, 4.243, 0.0, 1.414]
    """

    shape: tuple[int, ...]
    levels: int = 3
    low_pass: tuple[float, ...] = field(default_factory=lambda: daubechies(4))

    def __post_init__(self) -> None:
        taps = torch.tensor(self.low_pass, dtype=torch.float64)
        shifts = [float(taps[2 * m :] @ taps[: len(taps) - 2 * m]) for m in range((len(taps) + 1) // 2)]
        if len(taps) % 2 or max(abs(s - (m == 0)) for m, s in enumerate(shifts)) > 1e-9:
            raise UsageError(
                "GD-122",
                given=f"{len(taps)} taps whose products with their even shifts are {[round(s, 9) for s in shifts]}",
                allowed="an even number of taps, 1 with itself and 0 with every other even shift",
                do="take daubechies(n) or symlet(n)",
            )
        most = max((max(self.shape) - 1).bit_length(), 1)
        if not 1 <= self.levels <= most:
            raise UsageError(
                "GD-101", given=f"{self.levels} levels for {self.shape}", allowed=f"1 to {most}", do="3 or 4 do"
            )

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return self.shape

    def norm_bound(self) -> float:
        """1: the transform is orthogonal."""
        return 1.0

    def coarse_shape(self, level: int) -> tuple[int, ...]:
        """Shape of the coarse band after so many levels; it lies at the origin of the coefficients.

        Example:
            >>> Wavelet((10, 7), 2).coarse_shape(2)
            (3, 2)
        """
        return tuple(-(-n // 2**level) for n in self.shape)

    def details(self) -> Tensor:
        """True where a coefficient is a difference, of any level: where a penalty belongs.

        Returns:
            bool, of the image's shape; False on the coarsest band.
        """
        mask = torch.ones(self.shape, dtype=torch.bool)
        mask[_corner(self.coarse_shape(self.levels))] = False
        return mask

    def _forward(self, x: Tensor) -> Tensor:
        return self._in_place(x, _split, range(self.levels))

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._in_place(y, _join, reversed(range(self.levels)))

    def _in_place(self, x: Tensor, step: Step, levels: Iterable[int]) -> Tensor:
        if x.is_complex():
            levels = tuple(levels)
            return torch.complex(self._in_place(x.real, step, levels), self._in_place(x.imag, step, levels))
        out = x.clone(memory_format=torch.contiguous_format)
        for level in levels:
            band = out[_corner(self.coarse_shape(level))]
            found = band
            for axis in range(x.ndim - len(self.shape), x.ndim):
                if found.shape[axis] > 1:
                    before, after = math.prod(found.shape[:axis]), math.prod(found.shape[axis + 1 :])
                    flat = found.reshape(before, found.shape[axis], after)
                    found = step(flat, self.low_pass).reshape(found.shape)
            band.copy_(found)
        return out


def _corner(shape: tuple[int, ...]) -> tuple:
    return (..., *(slice(0, n) for n in shape))


def _split(x: Tensor, low_pass: tuple[float, ...]) -> Tensor:
    """Sums, then what an odd size leaves over, then differences, along the middle axis."""
    whole = x.shape[1]
    size = whole - whole % 2
    out = torch.empty_like(x)
    if whole > size:
        out[:, size // 2] = x[:, size]
    for start, matrix in _blocks(size, low_pass, x):
        rows, columns = matrix.shape
        if start + columns <= size:
            window = x[:, start : start + columns]
        else:
            window = x[:, torch.arange(start, start + columns, device=x.device) % size]
        found = _times(matrix, window)
        sums, differences = start // 2, whole - size // 2 + start // 2
        out[:, sums : sums + rows // 2] = found[:, : rows // 2]
        out[:, differences : differences + rows // 2] = found[:, rows // 2 :]
    return out


def _join(y: Tensor, low_pass: tuple[float, ...]) -> Tensor:
    """The adjoint of :func:`_split`, which undoes it."""
    whole = y.shape[1]
    size = whole - whole % 2
    out = torch.zeros_like(y)
    if whole > size:
        out[:, size] = y[:, size // 2]
    for start, matrix in _blocks(size, low_pass, y):
        rows, columns = matrix.shape
        sums, differences = start // 2, whole - size // 2 + start // 2
        parts = y[:, sums : sums + rows // 2], y[:, differences : differences + rows // 2]
        found = _times(matrix.T, torch.cat(parts, dim=1))
        if start + columns <= size:
            out[:, start : start + columns] += found
        else:
            out.index_add_(1, torch.arange(start, start + columns, device=y.device) % size, found)
    return out


def _times(matrix: Tensor, x: Tensor) -> Tensor:
    """The matrix times the middle axis."""
    return (x[..., 0] @ matrix.T)[..., None] if x.shape[2] == 1 else matrix @ x


def _blocks(size: int, low_pass: tuple[float, ...], like: Tensor) -> Iterator[tuple[int, Tensor]]:
    for start in range(0, size, BLOCK):
        yield start, _bank(min(BLOCK, size - start), low_pass).to(device=like.device, dtype=like.dtype)


@cache
def _bank(size: int, low_pass: tuple[float, ...]) -> Tensor:
    """The matrix from ``size`` + L − 2 neighbours to ``size``/2 sums and as many differences, float64."""
    matrix = torch.zeros(2, size // 2, size + len(low_pass) - 2, dtype=torch.float64)
    for half, taps in enumerate((low_pass, high_pass(low_pass))):
        for m in range(size // 2):
            matrix[half, m, 2 * m : 2 * m + len(taps)] = torch.tensor(taps, dtype=torch.float64)
    return matrix.flatten(0, 1)
