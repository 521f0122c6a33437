"""Statistics of a texture, as objectives for a picture that shall have them."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.linop.fft import irfftn, rfftn

QUANTILES = 256
"""Grey values that stand for a histogram."""


@dataclass(frozen=True, eq=False)
class Histogram:
    """Squared distance of a picture's grey values from an example's, each sorted, as a part of the example's variance.

    That is the squared Wasserstein distance W₂² of the two histograms, taken at 256 quantiles and divided by σ² of the
    example: 0 where they agree. Where each value stands in the picture does not count. It is differentiable where no
    two values are equal.

    Args:
        example: whose histogram is wanted, any shape, not flat.

    Raises:
        InputError: GD-690 if the example is flat or not finite.

    Source:
        Rabin, Peyré, Delon & Bernot, SSVM 2011 (texture mixing by optimal transport).

    Example:
        >>> wanted = Histogram(torch.tensor([0.0, 1.0]))
        >>> round(wanted(torch.tensor([1.0, 0.0])).item(), 6), round(wanted(torch.tensor([2.0, 1.0])).item(), 6)
        (0.0, 2.0)
    """

    example: Tensor

    def __post_init__(self) -> None:
        _require_texture(self.example)

    def __call__(self, picture: Tensor) -> Tensor:
        """The distance, one number ≥ 0."""
        apart = quantiles(picture) - self._wanted.to(picture)
        return apart.square().mean() / self.example.var()

    @cached_property
    def _wanted(self) -> Tensor:
        return quantiles(self.example)


@dataclass(frozen=True, eq=False)
class SecondOrder:
    """Squared distance of a picture's autocorrelation from an example's, over all steps up to a radius.

    With c(h) = mean of (x(p) − x̄)(x(p + h) − x̄) over the picture, wrapped around its edges: the sum of |c(h) − c'(h)|²
    over all |hᵢ| ≤ radius, divided by that of |c'(h)|². It is the power spectrum, seen as finely as the radius allows,
    and free of the picture's size, so that example and picture may differ in it. All that two pixels say together is in
    it, and nothing that needs three: phases, and so edges and shapes, are free.

    Args:
        example: (x, y) or (x, y, z), not flat, each side longer than twice the radius.
        radius: pixels, ≥ 0.

    Raises:
        UsageError: GD-103 if the example, or a picture, is not longer than twice the radius.
        InputError: GD-690 if the example is flat or not finite.

    Source:
        Galerne, Gousseau & Morel, IEEE Trans Image Process 20:257-267, 2011 (textures that a spectrum describes).

    Example:
        >>> stripes = torch.tensor([0.0, 1.0] * 4).expand(8, 8).clone()
        >>> round(SecondOrder(stripes, radius=2)(stripes.roll(1, 1)).item(), 6)
        0.0
    """

    example: Tensor
    radius: int = 6

    def __post_init__(self) -> None:
        _require_texture(self.example)
        autocorrelation(self.example, radius=self.radius)

    def __call__(self, picture: Tensor) -> Tensor:
        """The distance, one number ≥ 0."""
        wanted = self._wanted.to(picture)
        return (autocorrelation(picture, radius=self.radius) - wanted).square().sum() / wanted.square().sum()

    @cached_property
    def _wanted(self) -> Tensor:
        return autocorrelation(self.example, radius=self.radius)


def quantiles(picture: Tensor) -> Tensor:
    """256 grey values that stand for the histogram: mid-points of as many equal shares of the sorted values.

    Args:
        picture: any shape.

    Example:
        >>> quantiles(torch.arange(256.0)).tolist() == torch.arange(256.0).tolist()
        True
    """
    values = picture.reshape(-1).sort().values
    places = (torch.arange(QUANTILES, device=picture.device) + 0.5) * (len(values) / QUANTILES) - 0.5
    places = places.clamp(0, len(values) - 1)
    below = places.floor().long()
    above = (below + 1).clamp_max(len(values) - 1)
    share = (places - below).to(values)
    return (1 - share) * values[below] + share * values[above]


def autocorrelation(picture: Tensor, *, radius: int) -> Tensor:
    """c(h) = mean of (x(p) − x̄)(x(p + h) − x̄) with wrapped edges, for all |hᵢ| ≤ radius.

    Args:
        picture: (x, y) or (x, y, z), each side longer than twice the radius.
        radius: pixels, ≥ 0.

    Returns:
        2·radius + 1 numbers along each axis, h = 0 in the middle; there it is the variance.

    Raises:
        UsageError: GD-103 if the picture is not longer than twice the radius.

    Example:
        >>> autocorrelation(torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(2, 2), radius=1).diagonal().tolist()
        [1.0, 1.0, 1.0]
    """
    shape = tuple(picture.shape)
    if radius < 0 or len(shape) not in (2, 3) or min(shape) <= 2 * radius:
        raise UsageError(
            "GD-103",
            given=f"a picture of shape {shape} for steps up to {radius}",
            allowed="two or three axes, each longer than twice the radius",
            do="take a larger picture or a smaller radius",
        )
    spectrum = rfftn(picture - picture.mean(), ndim=len(shape))
    found = irfftn(
        torch.complex((spectrum.real.square() + spectrum.imag.square()), torch.zeros_like(spectrum.real)), shape
    ) / math.prod(shape)
    axes = tuple(range(len(shape)))
    centred = found.roll((radius,) * len(shape), axes)
    return centred[(slice(0, 2 * radius + 1),) * len(shape)]


def _require_texture(example: Tensor) -> None:
    if not bool(torch.isfinite(example).all()) or not float(example.var()) > 0:
        raise InputError(
            "GD-690",
            given="an example that is flat or not finite",
            allowed="finite grey values that differ",
            do="give a picture of the texture",
        )
