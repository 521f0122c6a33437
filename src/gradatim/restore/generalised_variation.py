"""Denoising by total generalised variation: ramps stay ramps."""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from gradatim.linop.slope import ValuePart
from gradatim.restore.restored import Restored, require_image, require_positive, require_spacing
from gradatim.restore.total_variation import TotalVariationDenoising
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.pdhg import Pdhg
from gradatim.solve.problem import Problem, Term
from gradatim.solve.stopping import IterationBound, SmallGap, SmallResidual, StoppingRule
from gradatim.solve.variation import generalised_variation


@dataclass(frozen=True)
class GeneralisedVariationDenoising:
    """Minimises ½‖x − y‖² + λ·min_w (Σ ‖∇x − w‖₂ + 2ℓ Σ ‖E w‖₂), ℓ the pixel's edge: no stairs on smooth slopes.

    λ, unless given, is the one of the least estimated error for total variation, which is found quickly and is near
    the best one here too. The certificate holds for every (x, w) within its radius.

    Args:
        noise: σ of white noise, unit of the image; None to estimate it.
        weight: λ, unit of the image times mm; None to choose it.
        spacing: edges of a pixel or voxel, mm; their number says how many trailing axes are space.
        rule: when the solve ends.

    Raises:
        UsageError: GD-101 if a parameter is not positive; GD-103 if the image has too few axes.
        InputError: GD-640 if the noise cannot be told; GD-660 if the image is not finite.

    Source:
        Bredies, Kunisch & Pock, SIAM J Imaging Sci 3:492-526, 2010.

    Example:
        >>> ramp = torch.arange(32.0).expand(32, 32)
        >>> found = GeneralisedVariationDenoising(noise=1.0, weight=2.0)(ramp.clone())
        >>> float((found.value - ramp).abs().max()) < 0.05
        True
    """

    noise: float | None = None
    weight: float | None = None
    spacing: tuple[float, ...] = (1.0, 1.0)
    rule: StoppingRule = field(default=IterationBound(600) | SmallGap(1e-3) | SmallResidual(3e-4))

    def __post_init__(self) -> None:
        require_positive(self.noise, "noise")
        require_positive(self.weight, "weight")
        require_spacing(self.spacing)

    def __call__(self, image: Tensor) -> Restored:
        """Denoise an image, (..., x, y) or (..., x, y, z)."""
        axes = len(self.spacing)
        require_image(image, axes)
        shape = tuple(image.shape[image.ndim - axes :])
        first = TotalVariationDenoising(self.noise, self.weight, self.spacing)(image)
        weight = first.weight if self.weight is None else self.weight
        data = Term(SquaredDistance(image), ValuePart(shape))
        problem = Problem((data, *generalised_variation(shape, self.spacing, weight=weight or 0.0)))
        start = torch.cat(
            (first.value.unsqueeze(-axes - 1), image.new_zeros((*image.shape[: image.ndim - axes], axes, *shape))),
            -axes - 1,
        )
        solution = Pdhg(self.rule)(problem, start=start)
        value = solution.value.select(-axes - 1, 0)
        return Restored(value, first.noise, weight, replace(solution, value=value), first.message)
