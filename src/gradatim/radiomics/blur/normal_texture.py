"""Grey level co-occurrence of a Gaussian texture, from its covariance alone."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.radiomics.aggregation import SPACE, Offset
from gradatim.radiomics.blur.covariance import Covariance
from gradatim.radiomics.discretise import MAX_LEVELS, FixedBinSize
from gradatim.radiomics.glcm import CoOccurrence

_NODES, _WEIGHTS = (torch.from_numpy(part) for part in np.polynomial.legendre.leggauss(16))

TAILS = 6.0
"""Standard deviations beyond which a normal variable has no levels."""


@dataclass(frozen=True)
class NormalTexture:
    """Covariance → the co-occurrence matrix that a Gaussian texture has, merged over directions.

    p(i, j) = P(x in bin i, x′ in bin j) for a bivariate normal pair of mean μ, variance C(0) and covariance C(d); the
    matrices of the directions d are weighted by their pairs of voxels. All features of the GLCM follow from it by
    their own records. One of them has a short form: with bins of width w,

    contrast = 2·(C(0) − C(d))/w² + 1/6.

    The first term is the mean square difference of a pair in bins; the rest is the mean square difference of two
    rounding errors, each uniform in a bin (1/12). It holds where the pair differs by about a bin or more; the matrix
    needs no such thing. Differentiable. Source: own derivation; rounding errors as in Sheppard 1898.

    Args:
        bins: width and origin of the bins.
        offsets: directions, voxels.

    Raises:
        UsageError: GD-101, when called, if the texture spans more than 1024 bins, or reaches no bin.

    Example:
        >>> lags = torch.zeros(3, 3, 3, dtype=torch.float64)
        >>> lags[1, 1, 1] = 4.0
        >>> white = Covariance(lags, torch.ones_like(lags), torch.tensor(20.0), (1.0, 1.0, 1.0))
        >>> texture = NormalTexture(FixedBinSize(width=1.0, origin=0.0))
        >>> matrix = texture(white)
        >>> by_matrix = matrix.over_difference(matrix.gap**2)
        >>> round(float(texture.contrast(white)), 4), round(float(by_matrix), 4)
        (8.1667, 8.1667)
    """

    bins: FixedBinSize
    offsets: tuple[Offset, ...] = SPACE

    def contrast(self, covariance: Covariance) -> Tensor:
        """GLCM contrast by the short form, ()."""
        weights = self._weights(covariance)
        gaps = torch.stack([covariance.at((0, 0, 0)) - covariance.at(d) for d in self.offsets])
        return 2 * (weights * gaps).sum() / self.bins.width**2 + 1 / 6

    def __call__(self, covariance: Covariance) -> CoOccurrence:
        """The matrix, as the GLCM's records take it.

        Args:
            covariance: of the texture; variance above 0.
        """
        variance = covariance.at((0, 0, 0))
        spread = variance.detach().clamp(min=0).sqrt()
        middle = (covariance.mean.detach() - self.bins.origin) / self.bins.width
        low, high = (float(middle + sign * TAILS * spread / self.bins.width) for sign in (-1, 1))
        first, last = max(math.floor(low), 0), math.ceil(high)
        if not (float(spread) > 0 and first < last <= MAX_LEVELS):
            raise UsageError(
                "GD-101",
                given=f"a texture of deviation {float(spread):.4g} over bins {first + 1} to {last}",
                allowed=f"a deviation above 0 over bins 1 to {MAX_LEVELS}",
                do="choose other bins",
            )
        edges = torch.arange(first, last + 1, dtype=torch.float64, device=variance.device) * self.bins.width
        edges = (edges + self.bins.origin - covariance.mean) / variance.sqrt()
        weights = self._weights(covariance)
        total = torch.zeros(last - first, last - first, dtype=torch.float64, device=variance.device)
        for weight, offset in zip(weights, self.offsets, strict=True):
            if bool(weight > 0):
                total = total + weight * _pair(edges, covariance.at(offset) / variance)
        p = torch.nn.functional.pad(total, (first, 0, first, 0))
        return CoOccurrence((p / p.sum()).unsqueeze(0))

    def _weights(self, covariance: Covariance) -> Tensor:
        counts = [
            covariance.count(d)
            if all(abs(step) <= n // 2 for step, n in zip(d, covariance.values.shape, strict=True))
            else torch.zeros_like(covariance.mean)
            for d in self.offsets
        ]
        pairs = torch.stack([count.double() for count in counts])
        return pairs / pairs.sum()


def _pair(edges: Tensor, correlation: Tensor) -> Tensor:
    """P(x in bin i, x′ in bin j) of standard normals, symmetric; Gauss-Legendre over x within each bin."""
    half = (edges[1:] - edges[:-1]) / 2
    x = (edges[:-1] + half)[:, None] + half[:, None] * _NODES.to(edges)
    density = torch.exp(-x.square() / 2) / math.sqrt(2 * math.pi) * (half[:, None] * _WEIGHTS.to(edges))
    width = (1 - correlation.square()).clamp(min=1e-12).sqrt()
    below = torch.special.ndtr((edges - correlation * x[..., None]) / width)
    p = (density[..., None] * (below[..., 1:] - below[..., :-1])).sum(1)
    return (p + p.mT) / 2
