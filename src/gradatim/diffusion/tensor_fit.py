"""The diffusion tensor of each voxel: what fits give back, and the design that they share."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.grid import Grid

PLACES = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
"""Row and column of the six elements of a symmetric tensor, in the order of the coefficients."""


@dataclass(frozen=True, eq=False)
class TensorFit:
    """S = S0·exp(−B : D) in each voxel of a mask.

    Args:
        coefficients: (voxel, 7): ln S0, then Dxx, Dyy, Dzz, Dxy, Dxz, Dyz, m²/s, along the array's axes; NaN where a
            voxel has no answer.
        covariance: (voxel, 7, 7), of the coefficients.
        sigma: (voxel), standard deviation of the signal's noise.
        verdict: (voxel), uint8, :class:`~gradatim.diffusion.fitted.Verdict`; a tensor that is ``NOT_POSITIVE`` keeps
            its values.
        mask: (x, y, z), bool, the voxels in order.
        grid: where they lie.
    """

    coefficients: Tensor
    covariance: Tensor
    sigma: Tensor
    verdict: Tensor
    mask: Tensor
    grid: Grid

    @property
    def tensor(self) -> Tensor:
        """D, (voxel, 3, 3), m²/s."""
        return symmetric(self.coefficients[:, 1:])


def symmetric(elements: Tensor) -> Tensor:
    """Symmetric 3 × 3 matrices from their six elements.

    Args:
        elements: (..., 6): xx, yy, zz, xy, xz, yz.

    Returns:
        (..., 3, 3).

    Example:
        >>> symmetric(torch.arange(1.0, 7.0)).tolist()
        [[1.0, 4.0, 5.0], [4.0, 2.0, 6.0], [5.0, 6.0, 3.0]]
    """
    return elements[..., torch.tensor([[0, 3, 4], [3, 1, 5], [4, 5, 2]], device=elements.device)]


def six(matrix: Tensor) -> Tensor:
    """The six elements of symmetric matrices, xx, yy, zz, xy, xz, yz.

    Args:
        matrix: (..., 3, 3).

    Returns:
        (..., 6).
    """
    return torch.stack([matrix[..., i, j] for i, j in PLACES], -1)


def tensor_design(b: Tensor) -> Tensor:
    """X of ln S = X·(ln S0, Dxx, Dyy, Dzz, Dxy, Dxz, Dyz).

    Args:
        b: b-matrices, (n, 3, 3), s/m².

    Returns:
        (n, 7), float64.

    Example:
        >>> tensor_design(torch.full((1, 3, 3), 2.0)).tolist()
        [[1.0, -2.0, -2.0, -2.0, -4.0, -4.0, -4.0]]
    """
    elements = six(b.double()) * b.new_tensor([1.0, 1.0, 1.0, 2.0, 2.0, 2.0]).double()
    return torch.cat([torch.ones_like(elements[:, :1]), -elements], 1)
