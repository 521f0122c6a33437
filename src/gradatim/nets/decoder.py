"""A small convolutional decoder: from a few coarse numbers to a picture, without a checkerboard."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from gradatim.base.errors import UsageError
from gradatim.base.seeds import generator

SLOPE = 0.2
"""Slope of the leaky rectifiers below zero."""


class Decoder(nn.Module):
    """Draws a picture of a given shape from a coarse grid of features, in two or three dimensions.

    Each level is ``resize ×2 (linear) → 3ᵈ convolution → normalisation of each channel over space → leaky
    rectifier``, after one such level without a resize; a last 1ᵈ convolution mixes the channels to the picture, without
    a bound on its values. Linear resizing followed by a convolution treats all places alike, where a transposed
    convolution with a stride that does not divide its kernel prints its grid. Any size will do: the grid of each level
    is half that of the next, rounded up. Edges are replicated. Parameters are drawn from ``seed`` alone (He's
    variance); torch's global generator is left as it was.

    Args:
        shape: of the picture, (x, y) or (x, y, z).
        channels: of the picture, 1 for grey.
        width: channels inside; the number of parameters grows with its square.
        levels: doublings of the grid, ≥ 1.
        seed: of the first parameters.

    Raises:
        UsageError: GD-101 if a size is not positive or the picture has not two or three axes.

    Source:
        Ulyanov, Vedaldi & Lempitsky, CVPR 2018, arXiv 1711.10925; Heckel & Hand, ICLR 2019, arXiv 1810.03982 (decoder
        alone); Odena, Dumoulin & Olah, Distill 2016, doi 10.23915/distill.00003 (resize, then convolve).

    Example:
        >>> decoder = Decoder((33, 20), width=8, levels=2)
        >>> decoder.coarse, decoder(decoder.features(seed=1)).shape
        ((8, 9, 5), torch.Size([1, 33, 20]))
    """

    def __init__(
        self,
        shape: Sequence[int],
        *,
        channels: int = 1,
        width: int = 32,
        levels: int = 3,
        seed: int | torch.Generator = 0,
    ) -> None:
        super().__init__()
        if len(shape) not in (2, 3) or min(*shape, channels, width, levels) < 1:
            raise UsageError(
                "GD-101",
                given=f"a picture of {tuple(shape)} and {channels} channels, width {width}, {levels} levels",
                allowed="two or three positive sizes, and positive numbers",
                do="put further axes into channels",
            )
        self.grids = tuple(tuple(-(-n // 2**level) for n in shape) for level in reversed(range(levels + 1)))
        self.width = width
        convolution = nn.Conv2d if len(shape) == 2 else nn.Conv3d
        mixes = [
            nn.utils.skip_init(convolution, width, width, 3, padding=1, padding_mode="replicate", bias=False)
            for _ in self.grids
        ]
        self.mixes = nn.ModuleList(mixes)
        self.norms = nn.ModuleList(nn.GroupNorm(width, width) for _ in self.grids)
        self.picture = nn.utils.skip_init(convolution, width, channels, 1)
        random = generator(seed)
        for mix in mixes:
            nn.init.kaiming_normal_(mix.weight, a=SLOPE, generator=random)
        nn.init.kaiming_normal_(self.picture.weight, nonlinearity="linear", generator=random)
        nn.init.zeros_(self.picture.bias)

    @property
    def coarse(self) -> tuple[int, ...]:
        """Shape of the features that it starts from, (width, *grid)."""
        return (self.width, *self.grids[0])

    def features(self, *, seed: int | torch.Generator = 0) -> Tensor:
        """Features to start from, white Gaussian, on the device of the parameters."""
        drawn = torch.randn(self.coarse, generator=generator(seed))
        return drawn.to(self.picture.weight)

    def forward(self, features: Tensor) -> Tensor:
        """The picture.

        Args:
            features: (width, *coarse grid) or a batch of them.

        Returns:
            (channels, *shape), or a batch of them.

        Raises:
            UsageError: GD-103 if the features are not of shape ``coarse``.
        """
        if tuple(features.shape[-len(self.coarse) :]) != self.coarse:
            raise UsageError(
                "GD-103",
                given=f"features of shape {tuple(features.shape)}",
                allowed=f"trailing axes {self.coarse}",
                do="begin with .features()",
            )
        lead = features.shape[: features.ndim - len(self.coarse)]
        found = features.reshape(-1, *self.coarse)
        linear = "bilinear" if len(self.grids[0]) == 2 else "trilinear"
        for grid, mix, normalised in zip(self.grids, self.mixes, self.norms, strict=True):
            if tuple(found.shape[2:]) != grid:
                found = functional.interpolate(found, size=grid, mode=linear, align_corners=False)
            found = functional.leaky_relu(normalised(mix(found)), SLOPE)
        found = self.picture(found)
        return found.reshape(*lead, *found.shape[1:])
