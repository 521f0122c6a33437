"""The Riesz transform."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.radiomics.filters.arguments import floating
from gradatim.radiomics.filters.boundary import Boundary, Periodic
from gradatim.radiomics.filters.spectral import spectrally
from gradatim.radiomics.preparation import Response


@dataclass(frozen=True)
class Riesz:
    """Riesz transform of a filter's response: which way it changes, at all scales alike.

    R^l: multiplier (−i)^L·√(L!/(l₁!·l₂!·l₃!))·ν₁^l₁·ν₂^l₂·ν₃^l₃/‖ν‖^L, L = l₁ + l₂ + l₃, 0 at ν = 0, ν in
    cycles/mm along the axes of the array. Squares of all R^l of one L sum to 1.
    R^(1,0,0) of a dark blob is positive before and negative behind it along the first axis, as in IBSI's map 9.a.
    Linear, differentiable.
    Source: Unser and Van De Ville, IEEE Trans Image Process 19:636-652, 2010; IBSI 2 reference manual,
    arXiv:2006.05470, "Riesz transform" (AYRS).

    Args:
        filter: whose response is transformed, such as
            :class:`~gradatim.radiomics.filters.laplacian_of_gaussian.LaplacianOfGaussian`.
        order: l: three numbers for a volume, two for each slice along the third axis on its own; each ≥ 0, L ≥ 1.
        boundary: what stands beyond the edge of the response.

    Raises:
        UsageError: GD-138 if ``order`` is not such numbers; GD-137 for other images than volumes.

    Example:
        >>> from gradatim.radiomics.filters.mean import MeanFilter
        >>> edge = torch.zeros(8, 8, 8); edge[4:] = 1.0
        >>> response = Riesz(MeanFilter(1), order=(1, 0, 0))(edge, spacing=(1.0, 1.0, 1.0))
        >>> int(response[:, 0, 0].argmin()) in (3, 4)
        True
    """

    filter: Response
    order: tuple[int, ...]
    boundary: Boundary = field(default_factory=Periodic)

    def __post_init__(self) -> None:
        if len(self.order) not in (2, 3) or min(self.order) < 0 or sum(self.order) < 1:
            raise UsageError(
                "GD-138",
                given=f"a Riesz transform of order {self.order}",
                allowed="two or three numbers, 0 or more, not all of them 0",
                do="take (1, 0, 0) for the first derivative along the first axis",
            )

    def __call__(self, values: Tensor, *, spacing: tuple[float, float, float]) -> Tensor:
        """The response (x, y, z) to values (x, y, z) on voxels with edges ``spacing`` in mm."""
        response = self.filter(floating(values), spacing=spacing)

        def symbol(nu: tuple[Tensor, ...]) -> Tensor:
            return self._symbol(tuple(f / edge for f, edge in zip(nu, spacing, strict=False)))

        return spectrally(response, symbol, order=self.order, boundary=self.boundary)

    def _symbol(self, nu: tuple[Tensor, ...]) -> Tensor:
        total = sum(self.order)
        weight = math.sqrt(math.factorial(total) / math.prod(math.factorial(power) for power in self.order))
        length = sum((f.square() for f in nu), torch.zeros(()).double()).sqrt()
        found = weight / torch.where(length > 0, length, math.inf) ** total
        for f, power in zip(nu, self.order, strict=True):
            found = found * f**power
        return found
