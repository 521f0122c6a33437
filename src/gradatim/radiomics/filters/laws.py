"""Laws' kernels."""

import math
from dataclasses import dataclass, field

from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.radiomics.filters.arguments import floating
from gradatim.radiomics.filters.boundary import Boundary, Mirror
from gradatim.radiomics.filters.stencil import Stencil, product

KERNELS: dict[str, tuple[int, ...]] = {
    "L5": (1, 4, 6, 4, 1),
    "E5": (-1, -2, 0, 2, 1),
    "S5": (-1, 0, 2, 0, -1),
    "W5": (-1, 2, 0, -2, 1),
    "R5": (1, -4, 6, -4, 1),
    "L3": (1, 2, 1),
    "E3": (-1, 0, 1),
    "S3": (-1, 2, -1),
}
"""Level, edge, spot, wave and ripple, before each is divided by the root of its sum of squares."""


@dataclass(frozen=True)
class LawsKernels:
    """Laws' filter: one short kernel along each axis, each of unit energy.

    h = x ∗ (k₁ ⊗ k₂ ⊗ k₃), a convolution: the kernels run towards falling indices, so that E5 = (−1, −2, 0, 2, 1)
    gives −1 to the voxel before a bright one. IBSI's map 3.a.1 has this sign. Linear, differentiable.
    Source: Laws, Proc SPIE 238:376-381, 1980; IBSI 2 reference manual, arXiv:2006.05470, "Laws kernels" (JTXT).

    Args:
        kernels: names one after the other, first axis first: three in 3-D ("L5E5E5"), two for each slice along
            the third axis on its own ("L5E5"). L5, E5, S5, W5, R5, L3, E3, S3.
        boundary: what the filter sees beyond the edge.

    Raises:
        UsageError: GD-138 if the names are not two or three of these; GD-137 for other images than volumes.

    Example:
        >>> import torch
        >>> ramp = torch.arange(5.0).view(5, 1, 1).expand(5, 5, 5)
        >>> LawsKernels("E3L3L3")(ramp, spacing=(1.0, 1.0, 1.0))[2, 2, 2].item() < 0
        True
    """

    kernels: str
    boundary: Boundary = field(default_factory=Mirror)

    def __post_init__(self) -> None:
        names = self._names
        if len(names) not in (2, 3) or any(name not in KERNELS for name in names):
            raise UsageError(
                "GD-138",
                given=f"Laws' kernels {self.kernels!r}",
                allowed=f"two or three of {', '.join(KERNELS)}, one after the other",
                do="write L5E5E5 for a volume, L5E5 for each slice",
            )

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(self.kernels[i : i + 2] for i in range(0, len(self.kernels), 2))

    @property
    def stencils(self) -> tuple[Stencil, ...]:
        """The kernel along each axis, as it weighs what lies before and behind a voxel."""
        return tuple(_stencil(KERNELS[name]) for name in self._names)

    def __call__(self, values: Tensor, *, spacing: tuple[float, float, float]) -> Tensor:
        """The response (x, y, z) to values (x, y, z); the spacing does not matter."""
        return product(floating(values), self.stencils, boundary=self.boundary)


def _stencil(kernel: tuple[int, ...]) -> Stencil:
    norm = math.sqrt(sum(tap * tap for tap in kernel))
    return Stencil(tuple(tap / norm for tap in kernel), -(len(kernel) // 2)).mirrored
