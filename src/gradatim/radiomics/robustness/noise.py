"""Noise on top of the noise that an image has."""

import math
from dataclasses import dataclass, replace

import torch

from gradatim.base.errors import UsageError
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.radiomics.robustness.perturbation import stream
from gradatim.solve.noise import noise_from_detail


@dataclass(frozen=True)
class AddNoise:
    """Add independent Gaussian noise to every known voxel; the regions stay.

    value + σ·n, n standard normal. Where σ is not given it is the image's own: 1.4826 times the median of the
    absolute second difference along all axes, over √6 an axis, so that one such step doubles the variance. The
    stream depends on the seed and on the image, so that two subjects never share a pattern. Differentiable in the
    map where σ is given. Source: Zwanenburg et al., Sci Rep 9:614 (2019); Immerkær, Comput Vis Image Underst
    64:300 (1996).

    Args:
        seed: an integer.
        sigma: standard deviation in the map's unit, ≥ 0; None takes the image's own.

    Raises:
        UsageError: GD-147 for a negative σ; InputError: GD-640, when called, if the noise cannot be told.

    Example:
        >>> from gradatim.base.grid import Grid
        >>> grid = Grid((30, 30, 10), (1.0, 1.0, 1.0))
        >>> flat = QuantitativeMap(torch.zeros(grid.shape), torch.ones(grid.shape).bool(), grid, "CT", "HU")
        >>> noisy, _ = AddNoise(seed=1, sigma=20.0)(flat, Regions(flat.mask.int(), grid))
        >>> round(float(noisy.value.std()))
        20
    """

    seed: int
    sigma: float | None = None

    def __post_init__(self) -> None:
        if self.sigma is not None and not (math.isfinite(self.sigma) and self.sigma >= 0):
            raise UsageError(
                "GD-147", given=f"noise of σ = {self.sigma}", allowed="σ ≥ 0 in the map's unit", do="give another σ"
            )

    def __call__(self, image: QuantitativeMap, regions: Regions) -> tuple[QuantitativeMap, Regions]:
        """The noisier image, and the regions as they are."""
        value = image.value if image.value.is_floating_point() else image.value.to(torch.float32)
        known = image.mask & torch.isfinite(value)
        sigma = noise_from_detail(value.detach(), known).sigma if self.sigma is None else self.sigma
        noise = torch.randn(value.shape, generator=stream(self.seed, image.value), dtype=value.dtype)
        return replace(image, value=torch.where(known, value + sigma * noise.to(value.device), value)), regions
