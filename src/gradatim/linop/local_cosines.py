"""The cosine transform of all overlapping blocks of an image: a tight frame of local frequencies."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import scipy.fft
import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.fft import half_shape, rfftn
from gradatim.linop.shift_invariant import ShiftInvariant


@dataclass(frozen=True, eq=False)
class LocalCosines(ShiftInvariant):
    """The orthonormal cosine transform (DCT-II) of every block of an image that repeats itself, over √(its size).

    Every voxel begins a block of ``size`` voxels an axis. It is a tight frame of norm 1: ``K*K = I`` and
    ``‖K x‖ = ‖x‖``, so what is taken from the coefficients is taken from the image. Coefficient 0 of a block
    is its mean; the others have no response to a constant.

    Args:
        shape: (x, y, z) or (x, y).
        size: edge of a block, voxels, between 2 and the smallest axis; axes of one voxel are left alone.

    Raises:
        UsageError: GD-101 if the size does not fit.

    Returns (apply):
        (..., size^d, *shape); the first of these axes counts the frequencies, the last image axis fastest.

    Source:
        Overlapping block transforms as a frame: Guleryuz, IEEE Trans Image Process 15:539-554, 2006.

    Example:
        >>> K = LocalCosines((4, 4), 2)
        >>> c = K.apply(torch.ones(4, 4))
        >>> c[:, 0, 0].tolist(), K.adjoint(c).sum().item()
        ([1.0, 0.0, 0.0, 0.0], 16.0)
    """

    shape: tuple[int, ...]
    size: int = 4

    def __post_init__(self) -> None:
        smallest = min((n for n in self.shape if n > 1), default=1)
        if not 2 <= self.size <= smallest:
            raise UsageError(
                "GD-101",
                given=f"blocks of {self.size} voxels an axis in an image {self.shape}",
                allowed=f"2 to {smallest}",
                do="choose another size",
            )

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return (len(self._atoms), *self.shape)

    def _forward(self, x: Tensor) -> Tensor:
        blocks = torch.stack(
            [torch.roll(x, [-o for o in at], self._axes) for at in self._offsets()], dim=-1 - self._ndim
        )
        return self._mix(self._atoms, blocks)

    def _adjoint(self, y: Tensor) -> Tensor:
        first, *others = self._mix(self._atoms.T, y).unbind(-1 - self._ndim)
        offsets = list(self._offsets())
        for part, at in zip(others, offsets[1:], strict=True):
            first = first + torch.roll(part, list(at), self._axes)
        return first

    def norm_bound(self) -> float:
        return 1.0

    def gram_symbol(self, like: Tensor) -> Tensor:
        return torch.ones(half_shape(self.shape), dtype=like.dtype.to_real(), device=like.device)

    def adjoint_spectrum(self, y: Tensor) -> Tensor:
        return rfftn(self._adjoint(y), ndim=self._ndim)

    def forward_from(self, spectrum: Tensor, x: Tensor) -> Tensor:
        return self._forward(x)

    def _mix(self, matrix: Tensor, blocks: Tensor) -> Tensor:
        flat = blocks.flatten(-self._ndim)
        weights = matrix.to(device=flat.device, dtype=flat.dtype.to_real())
        if flat.is_complex():  # two real products cost half of a complex one
            mixed = weights @ torch.view_as_real(flat).flatten(-2)
            return torch.view_as_complex(mixed.unflatten(-1, (-1, 2))).view(blocks.shape)
        return (weights @ flat).view(blocks.shape)

    def _offsets(self) -> Iterator[tuple[int, ...]]:
        return itertools.product(*(range(self.size if n > 1 else 1) for n in self.shape))

    @property
    def _ndim(self) -> int:
        return len(self.shape)

    @property
    def _axes(self) -> tuple[int, ...]:
        return tuple(range(-self._ndim, 0))

    @cached_property
    def _atoms(self) -> Tensor:
        """(frequency, offset) in float64: a product of one-dimensional cosines, over √(the block's voxels)."""
        cosines = torch.from_numpy(
            scipy.fft.dct(torch.eye(self.size, dtype=torch.float64).numpy(), axis=0, norm="ortho")
        )
        atoms = torch.ones(1, 1, dtype=torch.float64)
        for n in self.shape:
            atoms = torch.kron(atoms, cosines if n > 1 else torch.ones(1, 1, dtype=torch.float64))
        return atoms / len(atoms) ** 0.5
