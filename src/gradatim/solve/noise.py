"""How noisy a magnitude image is, from the image itself."""

import math
from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor

from gradatim.base.errors import InputError

AIR_VARIATION = math.sqrt(4.0 / math.pi - 1.0)
"""Standard deviation over mean of a Rayleigh variable, 0.5227: magnitude where there is noise alone."""

BLOCK = 4
"""Edge of the blocks in which air is looked for, voxels; 64 voxels know their own variation to about 0.05."""


class NoiseRule(Enum):
    """Where a noise level comes from."""

    AIR = "second moment of the magnitude in blocks of air, where it is Rayleigh distributed"
    HIGH_PASS = "median absolute second difference over all axes, because the image holds no air"
    GIVEN = "given by the caller"


@dataclass(frozen=True)
class NoiseLevel:
    """Noise of a magnitude image.

    Args:
        sigma: standard deviation of the real (and of the imaginary) part of the noise, in the magnitude's unit.
        rule: how it was found.
        voxels: how many voxels it rests on.
    """

    sigma: float
    rule: NoiseRule
    voxels: int


def estimate_noise(magnitude: Tensor, *, mask: Tensor | None = None) -> NoiseLevel:
    """Noise of a magnitude image: from its air if it has any, else from its finest detail.

    Air: the image is cut into blocks of 4×4×4 voxels. A block counts as air if its standard deviation over
    mean lies within 0.1 of the Rayleigh value √(4/π − 1) ≈ 0.523 and if it belongs to the darkest such
    blocks (second moment within 40 % of the median, sought from the lowest quarter up). Then σ² = ⟨M²⟩/2.
    At least 20 blocks and 1 % of all must be air. Voxels that are exactly 0 (masked before) are no air.

    High pass: else, the second difference [1, −2, 1] along every axis of at least three voxels leaves little
    but noise; σ = 1.4826·median|·|/√6ⁿ for n axes, over the mask. That is low by 5 % at M = 3σ and more below,
    and low too where the image was interpolated.

    Both assume one receive channel, or an adaptive combination: a sum of squares has no Rayleigh air, and
    falls to the second rule. Not differentiable.

    Args:
        magnitude: (x, y, z) or (echo, x, y, z) with the same noise in all echoes, ≥ 0.
        mask: (x, y, z), bool, where the second rule looks; None takes all voxels above 0.

    Returns:
        σ per channel with its rule; with echoes, the median of theirs, by the rule that most of them allow.

    Raises:
        InputError: GD-640 if the image is too small or too flat to tell.

    Source:
        Second moment of Rayleigh noise: Henkelman, Med Phys 12:232 (1985). Difference operator: Immerkær,
        Comput Vis Image Underst 64:300 (1996), here in 3-D and with a median.

    Example:
        >>> noise = torch.randn(2, 32, 32, 32, generator=torch.Generator().manual_seed(1))
        >>> level = estimate_noise(3.0 * torch.hypot(noise[0], noise[1]))
        >>> level.rule.name, abs(level.sigma - 3.0) < 0.05
        ('AIR', True)
    """
    echoes = magnitude.detach() if magnitude.ndim == 4 else magnitude.detach().unsqueeze(0)
    levels = [level for level in (_from_air(echo) for echo in echoes) if level is not None]
    if 2 * len(levels) < len(echoes) or not levels:
        levels = [noise_from_detail(echo, echo > 0 if mask is None else mask) for echo in echoes]
    ranked = sorted(levels, key=lambda level: level.sigma)
    middle = ranked[(len(ranked) - 1) // 2], ranked[len(ranked) // 2]
    return NoiseLevel((middle[0].sigma + middle[1].sigma) / 2, middle[0].rule, sum(level.voxels for level in levels))


def _from_air(image: Tensor) -> NoiseLevel | None:
    """The first rule, or None where there is too little air."""
    whole = [BLOCK * (size // BLOCK) for size in image.shape]
    if 0 in whole:
        return None
    blocks = image[: whole[0], : whole[1], : whole[2]].double()
    for axis in (2, 1, 0):
        blocks = blocks.unfold(axis, BLOCK, BLOCK)
    blocks = blocks.reshape(-1, BLOCK**3)
    blocks = blocks[(blocks > 0).all(dim=1)]
    if len(blocks) == 0:
        return None
    variation = blocks.std(dim=1) / blocks.mean(dim=1)
    power = blocks[(variation - AIR_VARIATION).abs() < 0.1].square().mean(dim=1)
    if len(power) == 0:
        return None
    centre = power.quantile(0.25)
    for _ in range(10):
        near = power[(power / centre - 1.0).abs() < 0.4]
        centre = near.median()
    if len(near) < max(20, len(blocks) // 100):
        return None
    return NoiseLevel(math.sqrt(float(near.mean()) / 2.0), NoiseRule.AIR, len(near) * BLOCK**3)


def noise_from_detail(image: Tensor, mask: Tensor) -> NoiseLevel:
    """Noise by the second rule of :func:`estimate_noise`, for images of any sign.

    Args:
        image: (x, y, z).
        mask: (x, y, z), bool, where to look.

    Raises:
        InputError: GD-640 if the image is too small or too flat to tell.
    """
    detail, inside, axes = image.double(), mask, 0
    for axis in range(3):
        length = image.shape[axis] - 2
        if length < 1:
            continue
        axes += 1
        detail = torch.diff(detail, n=2, dim=axis)
        spans = [inside.narrow(axis, start, length) for start in range(3)]
        inside = spans[0] & spans[1] & spans[2]
    used = detail[inside].abs()
    sigma = 1.4826 * float(used.median()) / math.sqrt(6.0) ** axes if len(used) and axes else 0.0
    if not sigma > 0:
        raise InputError(
            "GD-640",
            given=f"an image of shape {tuple(image.shape)} with {len(used)} voxels to judge, flat or too small",
            allowed="air around the object, or at least three voxels of it along an axis",
            do="give the noise level, in the unit of the magnitude",
        )
    return NoiseLevel(sigma, NoiseRule.HIGH_PASS, len(used))
