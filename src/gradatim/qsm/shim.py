"""What a scanner's shim coils take away from the field before the scan."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid


@dataclass(frozen=True)
class Shim:
    """The best fit of the field by solid harmonics up to an order, over a mask.

    Functions, in scanner coordinates about the centre of the volume: 1; x, y, z; xy, yz, xz, x² − y²,
    2z² − x² − y². All are harmonic, as every field of outside currents is, so that a background-field
    method removes them too. Differentiable in the field.

    Args:
        order: 0 (frequency only), 1 (gradients) or 2 (usual shim coils).

    Raises:
        UsageError: GD-101 for another order.
        InputError: GD-601 if the mask is empty.

    Source:
        Roméo & Hoult, Magn Reson Med 1:44-65, 1984.

    Example:
        >>> grid = Grid((6, 6, 6), (1.0, 1.0, 1.0))
        >>> ramp = torch.arange(6.0)[:, None, None].expand(6, 6, 6)
        >>> left = ramp - Shim(1)(ramp, mask=torch.ones(6, 6, 6, dtype=torch.bool), grid=grid)
        >>> bool(left.abs().max() < 1e-5)
        True
    """

    order: int = 2

    def __post_init__(self) -> None:
        if self.order not in (0, 1, 2):
            raise UsageError("GD-101", given=f"shim order {self.order}", allowed="0, 1 or 2", do="use 2")

    def __call__(self, field: Tensor, *, mask: Tensor, grid: Grid) -> Tensor:
        """The fitted field; subtract it to shim.

        Args:
            field: (x, y, z), any unit.
            mask: (x, y, z), bool, where the fit counts.
            grid: where the voxels lie.

        Returns:
            (x, y, z), the fit in the whole volume, in the unit of ``field``.
        """
        if not bool(mask.any()):
            raise InputError("GD-601", given="an empty shim mask", allowed="some voxels", do="give the brain's mask")
        basis = _solid_harmonics(grid, field.device)[: (self.order + 1) ** 2]
        inside = basis[:, mask]
        normal = inside @ inside.T
        weights = torch.linalg.solve(normal, inside @ field[mask].double())
        return torch.einsum("n,nxyz->xyz", weights, basis).to(field.dtype)


def _solid_harmonics(grid: Grid, device: torch.device) -> Tensor:
    """Nine functions, (9, x, y, z), float64, lengths in units of half the largest extent."""
    turn = torch.tensor(grid.matrix[:3, :3], device=device)
    half = max(n * s for n, s in zip(grid.shape, grid.spacing, strict=True)) / 2.0
    indices = [torch.arange(n, dtype=torch.float64, device=device) - (n - 1) / 2 for n in grid.shape]
    x, y, z = torch.einsum("ij,jxyz->ixyz", turn, torch.stack(torch.meshgrid(*indices, indexing="ij"))) / half
    return torch.stack([torch.ones_like(x), x, y, z, x * y, y * z, x * z, x * x - y * y, 2 * z * z - x * x - y * y])
