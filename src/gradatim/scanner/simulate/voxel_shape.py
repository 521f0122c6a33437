"""What one value of a phantom stands for: a box, or a band-limited function; and how k-space sees its shape."""

import abc
import math
from dataclasses import dataclass

import torch
from torch import Tensor


class VoxelShape(abc.ABC):
    """The function of space by which a spin's magnetisation is spread around its position, of integral 1."""

    @abc.abstractmethod
    def seen(self, k: Tensor, size: tuple[float, float, float]) -> Tensor:
        """The shape's Fourier transform at k, (...), real.

        Args:
            k: (..., 3), 1/m.
            size: edges of the voxel, m; 0 for a point.
        """


@dataclass(frozen=True)
class BoxVoxel(VoxelShape):
    """Even inside of the voxel and nothing outside: Πᵢ sin(πkᵢΔᵢ)/(πkᵢΔᵢ).

    This is what many isochromats, evenly in each voxel, come to; their signal goes on beyond the voxels' own k-space.

    Example:
        >>> round(BoxVoxel().seen(torch.tensor([250.0, 0.0, 0.0]), (0.002, 0.002, 0.002)).item(), 4)
        0.6366
    """

    def seen(self, k: Tensor, size: tuple[float, float, float]) -> Tensor:
        return torch.special.sinc(k * torch.tensor(size, dtype=k.dtype, device=k.device)).prod(-1)


@dataclass(frozen=True)
class BandLimitedVoxel(VoxelShape):
    """Πᵢ sinc(xᵢ/Δᵢ)/Δᵢ: 1 up to the voxels' own Nyquist frequency, |kᵢ|·Δᵢ ≤ ½, and 0 beyond.

    The phantom is then the smooth function through its values, and every state that has dephased by more than half a
    turn a voxel is silent: fewer states matter, and the discrete Fourier transform of the phantom is exact.

    Example:
        >>> BandLimitedVoxel().seen(torch.tensor([[250.0, 0, 0], [251.0, 0, 0]]), (0.002, 0.002, 0.002)).tolist()
        [1.0, 0.0]
    """

    def seen(self, k: Tensor, size: tuple[float, float, float]) -> Tensor:
        edge = 0.5 * (1.0 + 64 * math.sqrt(torch.finfo(torch.float64).eps))
        return ((k * torch.tensor(size, dtype=k.dtype, device=k.device)).abs() <= edge).all(-1).to(k.dtype)
