"""The mean of a region of an image whose noise is correlated, with an honest standard error."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError

FEWEST = 8
"""Voxels below which a region says nothing about its own noise."""


@dataclass(frozen=True)
class RegionMean:
    """Mean of a region and its standard error, neighbours taken as dependent within a reach.

    s.e.² = Σ rᵢ·rⱼ / (n² − M) over the M ordered pairs (i, j) that lie within ``reach`` voxels of each other along
    every axis, r = x − mean. With reach 0 this is s²/n of independent voxels; M corrects for the mean being taken
    from the same voxels. Noise of a sharp kernel has little power at low frequency, which would give less than s²/n:
    the larger of the two counts. Source: Priestley 1981, Spectral Analysis and Time Series, chapter 5.

    Args:
        reach: voxels along each axis within which noise is correlated.

    Raises:
        InputError: when called, GD-723 if the region has fewer than 8 voxels, is smaller than the reach allows, or
            holds values that are not finite.

    Example:
        >>> image = torch.arange(64.0).view(4, 4, 4) % 2
        >>> mean, error = RegionMean(reach=0)(image, torch.ones(4, 4, 4, dtype=torch.bool), what="water")
        >>> round(float(mean), 6), round(float(error), 6)
        (0.5, 0.062994)
    """

    reach: int = 4

    def __call__(self, image: Tensor, mask: Tensor, *, what: str) -> tuple[Tensor, Tensor]:
        """Mean and standard error, both (), float64, in the image's unit. Differentiable.

        Args:
            image: (x, y, z).
            mask: (x, y, z), bool.
            what: the region's name, for the message.
        """
        count = int(mask.sum())
        values = image[mask].double()
        if count < FEWEST or not bool(torch.isfinite(values).all()):
            raise _unfit(f"the region of {what} with {count} voxels", f"{FEWEST} voxels or more, all finite")
        mean = values.mean()
        places = mask.nonzero()
        ends = zip(places.amin(0).tolist(), places.amax(0).tolist(), strict=True)
        box = tuple(slice(low, high + 1) for low, high in ends)
        inside = mask[box].double()
        rest = torch.where(mask[box], image[box].double() - mean, 0.0)
        pairs = float((inside * self._near(inside)).sum())
        if pairs >= 0.5 * count**2:
            raise _unfit(
                f"the region of {what} with {count} voxels", f"a region several times larger than {self.reach} voxels"
            )
        white = rest.square().sum() / (count * (count - 1.0))
        correlated = (rest * self._near(rest)).sum() / (count**2 - pairs)
        return mean, torch.maximum(white, correlated).sqrt()

    def _near(self, values: Tensor) -> Tensor:
        """Sum over the cube of voxels within reach, zeros beyond the box."""
        for axis in range(3):
            lines = values.movedim(axis, -1)
            edge = torch.nn.functional.pad(lines.cumsum(-1), (self.reach + 1, 0))
            edge = torch.cat((edge, edge[..., -1:].expand(*edge.shape[:-1], self.reach)), -1)
            n = lines.shape[-1]
            values = (edge[..., 2 * self.reach + 1 :][..., :n] - edge[..., :n]).movedim(-1, axis)
        return values


def _unfit(given: str, allowed: str) -> InputError:
    return InputError("GD-723", given=given, allowed=allowed, do="draw a larger region inside one material")
