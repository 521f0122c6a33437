"""How noise lies on a signal: what a fit maximises, and how much each value tells."""

import functools
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import ive
from torch import Tensor

from gradatim.base.errors import UsageError


class NoiseModel(ABC):
    """The distribution of a measured value around the true signal.

    All three functions act value by value and broadcast σ.
    """

    @property
    @abstractmethod
    def known(self) -> float | None:
        """σ if it was given, in the signal's unit; None if the residuals are to tell it."""

    @abstractmethod
    def deviance(self, signal: Tensor, data: Tensor, sigma: Tensor) -> Tensor:
        """−2 ln of the likelihood of each value, up to what does not depend on the signal."""

    @abstractmethod
    def pull(self, signal: Tensor, data: Tensor, sigma: Tensor) -> Tensor:
        """∂ ln likelihood / ∂ signal of each value."""

    @abstractmethod
    def information(self, signal: Tensor, sigma: Tensor) -> Tensor:
        """Fisher information of each value about the signal, E[pull²]."""


@dataclass(frozen=True)
class GaussianNoise(NoiseModel):
    """y = S + N(0, σ²): real-valued data, or magnitudes well above their noise. The fit is least squares.

    Args:
        sigma: σ, in the signal's unit; None estimates it in each voxel from the residuals over n − p.

    Raises:
        UsageError: GD-187 if σ is not positive.

    Example:
        >>> GaussianNoise(2.0).information(torch.tensor([9.0]), torch.tensor([2.0])).item()
        0.25
    """

    sigma: float | None = None

    def __post_init__(self) -> None:
        _require(self.sigma)

    @property
    def known(self) -> float | None:
        return self.sigma

    def deviance(self, signal: Tensor, data: Tensor, sigma: Tensor) -> Tensor:
        return ((data - signal) / sigma).square()

    def pull(self, signal: Tensor, data: Tensor, sigma: Tensor) -> Tensor:
        return (data - signal) / sigma.square()

    def information(self, signal: Tensor, sigma: Tensor) -> Tensor:
        return torch.ones_like(signal) / sigma.square()


@dataclass(frozen=True)
class RicianNoise(NoiseModel):
    """Magnitudes of a complex signal with σ in each channel: never below 0, so that weak signals lie too high.

    ln L = −S²/2σ² + ln I₀(y S/σ²) up to a constant. The information falls from 1/σ² at S ≫ σ to (S/σ)²/σ² at
    S ≪ σ: what lies in the floor tells nothing.

    Args:
        sigma: σ of each channel, in the signal's unit.

    Raises:
        UsageError: GD-187 if σ is not positive.

    Source:
        Gudbjartsson & Patz, Magn Reson Med 34:910 (1995); Karlsen et al., Magn Reson Med 41:614 (1999) (information).

    Example:
        >>> floor = RicianNoise(1.0).information(torch.tensor([0.1, 30.0]).double(), torch.tensor(1.0).double())
        >>> [round(v, 3) for v in floor.tolist()]
        [0.01, 0.999]
    """

    sigma: float

    def __post_init__(self) -> None:
        _require(self.sigma)

    @property
    def known(self) -> float | None:
        return self.sigma

    def deviance(self, signal: Tensor, data: Tensor, sigma: Tensor) -> Tensor:
        height, value = signal / sigma, data.clamp_min(0.0) / sigma
        lever = value * height
        return (value - height).square() - 2.0 * torch.special.i0e(lever).log()

    def pull(self, signal: Tensor, data: Tensor, sigma: Tensor) -> Tensor:
        height, value = signal / sigma, data.clamp_min(0.0) / sigma
        lever = value * height
        return (value * torch.special.i1e(lever) / torch.special.i0e(lever) - height) / sigma

    def information(self, signal: Tensor, sigma: Tensor) -> Tensor:
        height = (signal / sigma).abs()
        place = (height / _STEP).clamp_max(_LAST - 1.001)
        below = place.floor().long()
        table = _information_table().to(height.device)
        near = table[below] + (place - below) * (table[below + 1] - table[below])
        far = 1.0 - 0.5 / height.clamp_min(1.0).square()
        return torch.where(height < _STEP * (_LAST - 2), near, far) / sigma.square()


_STEP, _LAST = 0.02, 1001


@functools.cache
def _information_table() -> Tensor:
    """E[(y I₁/I₀(yθ))²] − θ² over θ in steps of 0.02, σ = 1, by Gauss-Legendre over y."""
    theta = _STEP * np.arange(_LAST)[:, None]
    node, weight = np.polynomial.legendre.leggauss(160)
    low, high = np.maximum(theta - 9.0, 0.0), theta + 9.0
    y = 0.5 * (high + low) + 0.5 * (high - low) * node
    density = y * np.exp(-0.5 * (y - theta) ** 2) * ive(0, y * theta)
    ratio = ive(1, y * theta) / ive(0, y * theta)
    moment = (0.5 * (high - low) * weight * density * (y * ratio - theta) ** 2).sum(1)
    return torch.from_numpy(moment)


def _require(sigma: float | None) -> None:
    if sigma is not None and not 0 < sigma < math.inf:
        raise UsageError(
            "GD-187", given=f"noise of standard deviation {sigma}", allowed="a number > 0", do="measure it in the air"
        )
