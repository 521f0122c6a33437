"""The texture energy of a response."""

from dataclasses import dataclass, field

from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.radiomics.filters.arguments import check_dimensions
from gradatim.radiomics.filters.boundary import Boundary, Mirror
from gradatim.radiomics.filters.mean import MeanFilter
from gradatim.radiomics.preparation import Response


@dataclass(frozen=True)
class EnergyMap:
    """Texture energy: the mean of a response's absolute value over the voxels around each.

    e(n) = 1/(2δ + 1)^D·Σ |h(n + k)|, |kᵢ| ≤ δ. Around a pooled filter it is the energy of the pooled response, as
    in IBSI's maps 3.a.3 to 3.c.3. Differentiable where no response is 0.
    Source: Laws, Proc SPIE 238:376-381, 1980; IBSI 2 reference manual, arXiv:2006.05470, "Laws kernels" (PQSD).

    Args:
        filter: whose response is measured.
        distance: δ, voxels, ≥ 0; Chebyshev distance.
        dimensions: D: 3, or 2 for each slice along the third axis on its own.
        boundary: what stands beyond the edge of the response.

    Raises:
        UsageError: GD-136 if ``distance`` is negative; GD-101 for other dimensions than 2 and 3.

    Example:
        >>> import torch
        >>> from gradatim.radiomics.filters.laws import LawsKernels
        >>> energy = EnergyMap(LawsKernels("E5L5L5"), distance=2)
        >>> bool((energy(torch.randn(6, 6, 6), spacing=(1.0, 1.0, 1.0)) > 0).all())
        True
    """

    filter: Response
    distance: int = 7
    dimensions: int = 3
    boundary: Boundary = field(default_factory=Mirror)

    def __post_init__(self) -> None:
        check_dimensions(self.dimensions)
        if self.distance < 0:
            raise UsageError(
                "GD-136", given=f"an energy over {self.distance} voxels", allowed="0 or more", do="7 is IBSI's choice"
            )

    def __call__(self, values: Tensor, *, spacing: tuple[float, float, float]) -> Tensor:
        """The energy (x, y, z) of the response to values (x, y, z) on voxels with edges ``spacing`` in mm."""
        response = self.filter(values, spacing=spacing).abs()
        return MeanFilter(2 * self.distance + 1, self.dimensions, self.boundary)(response, spacing=spacing)
