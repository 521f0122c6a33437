"""A small head seen by smooth coils, known exactly."""

import math

import torch
from torch import Tensor

from gradatim.linop.fourier import CentredFourier
from gradatim.restore.mri.kspace import KSpace


def grid(shape: tuple[int, ...]) -> list[Tensor]:
    """Coordinates between −1 and 1 along each axis."""
    return list(torch.meshgrid(*(torch.linspace(-1, 1, n, dtype=torch.float64) for n in shape), indexing="ij"))


def head(shape: tuple[int, ...]) -> Tensor:
    """A bright rim, a brain with two dark holes, and a smooth phase; 0 outside."""
    x, y, *_ = grid(shape)
    radius = sum(c.square() for c in grid(shape)).sqrt() / 0.8
    image = 1.0 * (radius < 1) - 0.4 * (radius < 0.85)
    for cx in (-0.2, 0.2):
        image = image - 0.3 * (((x - cx) / 0.12).square() + (y / 0.3).square() < 1) * (radius < 0.85)
    return image * torch.exp(1j * (0.7 * x - 0.5 * y * y))


def coils(shape: tuple[int, ...], count: int = 4) -> Tensor:
    """Coils in a ring: Gaussian sensitivities, each with its own phase; (count, *shape)."""
    x, y, *_ = grid(shape)
    found = []
    for i in range(count):
        angle = 2 * math.pi * i / count
        distance = (x - 1.1 * math.cos(angle)).square() + (y - 1.1 * math.sin(angle)).square()
        found.append(torch.exp(-0.5 * distance + 1j * (0.8 * i + 0.4 * math.cos(angle) * x)))
    return torch.stack(found)


def pattern(shape: tuple[int, ...], *, share: float, middle: int, seed: int = 0) -> Tensor:
    """A random mask with a fully sampled middle."""
    mask = torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < share
    mask[tuple(slice(n // 2 - middle // 2, n // 2 - middle // 2 + middle) for n in shape)] = True
    return mask


def scan(image: Tensor, maps: Tensor, mask: Tensor, *, noise: float = 0.0, seed: int = 1) -> KSpace:
    """What the coils measure, with complex noise of σ per part."""
    samples = CentredFourier(tuple(mask.shape)).apply(maps * image)
    parts = torch.randn(2, *samples.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return KSpace(torch.where(mask, samples + noise * torch.complex(parts[0], parts[1]), 0.0), mask)
