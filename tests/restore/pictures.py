"""Pictures that scikit-image ships, cropped, and noise to put on them."""

import math

import numpy as np
import torch
from skimage import data
from torch import Tensor

CROPS = {"camera": (100, 160), "coins": (90, 60), "brick": (50, 50)}
"""Picture → where its crop of 128×128 begins."""


def grey(name: str, size: int = 128) -> Tensor:
    """A grey crop, float32, 0 … 255."""
    row, column = CROPS[name]
    picture = getattr(data, name)()[row : row + size, column : column + size]
    return torch.from_numpy(picture.astype(np.float32))


def colour(size: int = 96) -> Tensor:
    """A colour crop, (3, row, column)."""
    picture = data.astronaut()[40 : 40 + size, 180 : 180 + size]
    return torch.from_numpy(picture.astype(np.float32)).movedim(-1, 0).contiguous()


def noisy(image: Tensor, sigma: float, seed: int = 0) -> Tensor:
    """The image with white noise."""
    return image + sigma * torch.randn(image.shape, generator=torch.Generator().manual_seed(seed))


def psnr(found: Tensor, truth: Tensor) -> float:
    """Peak signal to noise in dB, for a peak of 255."""
    return 10.0 * math.log10(255.0**2 / float((found - truth).double().square().mean()))
