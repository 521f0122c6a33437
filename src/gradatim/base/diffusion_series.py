"""The noun of diffusion: images of one object under several diffusion weightings."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid


@dataclass(frozen=True, eq=False)
class DiffusionSeries:
    """Signal under diffusion weighting, S_j ∝ exp(−B_j : D), one b-matrix a volume.

    Args:
        signal: (n, x, y, z), any linear unit, ≥ 0.
        b: B, (n, 3, 3), s/m², symmetric, along the array's axes x, y, z; 1000 s/mm² is 1e9 s/m².
        mask: (x, y, z), bool.
        grid: where the voxels lie.

    Raises:
        UsageError: GD-103 if the sizes disagree, there is no volume, or the mask is not bool.
        InputError: GD-803 if a b-matrix is not symmetric and positive, or not finite.

    Example:
        >>> grid = Grid((1, 1, 1), (2.0, 2.0, 2.0))
        >>> b = torch.diag_embed(torch.tensor([[0.0, 0.0, 0.0], [1e9, 0.0, 0.0]]).double())
        >>> DiffusionSeries(torch.ones(2, 1, 1, 1), b, torch.ones(1, 1, 1).bool(), grid).weighting.tolist()
        [0.0, 1000000000.0]
    """

    signal: Tensor
    b: Tensor
    mask: Tensor
    grid: Grid

    def __post_init__(self) -> None:
        if (
            tuple(self.signal.shape[1:]) != self.grid.shape
            or tuple(self.mask.shape) != self.grid.shape
            or tuple(self.b.shape) != (len(self.signal), 3, 3)
            or not len(self.signal)
            or self.mask.dtype != torch.bool
        ):
            raise UsageError(
                "GD-103",
                given=f"signal {tuple(self.signal.shape)}, b-matrices {tuple(self.b.shape)} and mask "
                f"{tuple(self.mask.shape)} of {self.mask.dtype} on a grid {self.grid.shape}",
                allowed="signal (n, x, y, z) of one volume or more, b-matrices (n, 3, 3), mask (x, y, z) of bool",
                do="give one b-matrix a volume",
            )
        size = self.b.abs().amax().clamp(min=1.0)
        odd = not bool(self.b.isfinite().all()) or bool((self.b - self.b.mT).abs().amax() > 1e-6 * size)
        if odd or bool(torch.linalg.eigvalsh(self.b).amin() < -1e-6 * size):
            raise InputError(
                "GD-803",
                given="a b-matrix that is not symmetric, not finite or has a negative weighting",
                allowed="∫q qᵀ dt of a waveform",
                do="build it as b·g·gᵀ from a unit direction",
            )

    @property
    def weighting(self) -> Tensor:
        """b = trace B, (n,), s/m²."""
        return self.b.diagonal(dim1=-2, dim2=-1).sum(-1)
