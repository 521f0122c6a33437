"""The mean filter."""

from dataclasses import dataclass, field

from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.radiomics.filters.arguments import check_dimensions, floating
from gradatim.radiomics.filters.boundary import Boundary, Mirror
from gradatim.radiomics.filters.stencil import Stencil, product


@dataclass(frozen=True)
class MeanFilter:
    """Mean filter: the mean over a cube, or over a square in each slice, of M voxels an edge.

    h = x ∗ g with g = 1/M^D on M^D voxels around each. Linear, differentiable.
    Source: IBSI 2 reference manual, arXiv:2006.05470, "Mean filters" (S60F).

    Args:
        support: M, voxels, odd and ≥ 1.
        dimensions: 3, or 2 for each slice along the third axis on its own.
        boundary: what the filter sees beyond the edge.

    Raises:
        UsageError: GD-136 if ``support`` is not an odd number ≥ 1; GD-101 for other dimensions than 2 and 3.

    Example:
        >>> import torch
        >>> from gradatim.radiomics.filters.boundary import Zero
        >>> spike = torch.zeros(3, 3, 3); spike[1, 1, 1] = 27.0
        >>> round(MeanFilter(3, boundary=Zero())(spike, spacing=(1.0, 1.0, 1.0)).sum().item(), 4)
        27.0
    """

    support: int
    dimensions: int = 3
    boundary: Boundary = field(default_factory=Mirror)

    def __post_init__(self) -> None:
        check_dimensions(self.dimensions)
        if self.support < 1 or self.support % 2 == 0:
            raise UsageError(
                "GD-136",
                given=f"a mean over {self.support} voxels an edge",
                allowed="an odd number, 1 or more, so that it has a middle",
                do="take the next odd number",
            )

    @property
    def stencils(self) -> tuple[Stencil, ...]:
        """The mean of M voxels along each axis."""
        return (Stencil((1.0 / self.support,) * self.support, -(self.support // 2)),) * self.dimensions

    def __call__(self, values: Tensor, *, spacing: tuple[float, float, float]) -> Tensor:
        """The response (x, y, z) to values (x, y, z); the spacing does not matter."""
        return product(floating(values), self.stencils, boundary=self.boundary)
