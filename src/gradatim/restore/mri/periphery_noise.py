"""How noisy k-space is, from its own outermost samples."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.restore.mri.kspace import KSpace

LEAST_SAMPLES = 30
"""Outer samples below which no noise level is given; 30 know it to about 15 %."""


@dataclass(frozen=True)
class PeripheryNoise:
    """Noise of each coil from the samples farthest from the middle of k-space, where images have least energy.

    σ_c = √(median |y_c|² / (2 ln 2)) over the outer samples: |y|² of complex noise is exponentially
    distributed with mean 2σ², and a median bears some signal among them. An image with fine detail leaves
    signal there, so σ is an upper bound; data without noise give their own weakest signal.

    Args:
        outer: share of the taken samples that count as outer, those of the largest radius, with the axes'
            ends at radius 1.

    Raises:
        UsageError: GD-101 if the share is not between 0 and 1.
        InputError: GD-683 if fewer than 30 outer samples are there.

    Source:
        Median of the exponential distribution: Johnson, Kotz & Balakrishnan, Continuous Univariate
        Distributions 1, 1994, chapter 19.

    Example:
        >>> noise = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
        >>> sigma = PeripheryNoise()(KSpace.measured(torch.complex(noise[0], noise[1])))
        >>> bool(((sigma - 1.0).abs() < 0.1).all())
        True
    """

    outer: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.outer < 1:
            raise UsageError("GD-101", given=f"outer share {self.outer}", allowed="between 0 and 1", do="use 0.1")

    def __call__(self, kspace: KSpace) -> Tensor:
        """σ of the real (and of the imaginary) part of the noise, (coil,), unit of k-space; not differentiable."""
        radius = distance_from_middle(kspace.shape).to(kspace.mask.device)
        taken = radius[kspace.mask]
        count = int(self.outer * len(taken))
        if count < LEAST_SAMPLES:
            raise InputError(
                "GD-683",
                given=f"{count} outer samples of {len(taken)}",
                allowed=f"at least {LEAST_SAMPLES}",
                do="give the noise level, or count a larger share as outer",
            )
        farthest = taken.topk(count).indices
        power = kspace.samples[:, kspace.mask][:, farthest].detach().abs().double().square()
        return (power.median(dim=1).values / (2.0 * math.log(2.0))).sqrt()


def distance_from_middle(shape: tuple[int, ...]) -> Tensor:
    """Distance of every sample from the zero frequency, (*shape), 1 at the end of each axis.

    Args:
        shape: of k-space; its zero frequency lies at n // 2.

    Example:
        >>> distance_from_middle((4, 1))[:, 0].tolist()
        [1.0, 0.5, 0.0, 0.5]
    """
    squared = torch.zeros(shape, dtype=torch.float64)
    for axis, n in enumerate(shape):
        along = (torch.arange(n, dtype=torch.float64) - n // 2) / max(n / 2, 1.0)
        squared = squared + along.square().view([-1 if a == axis else 1 for a in range(len(shape))])
    return squared.sqrt()
