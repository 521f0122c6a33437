"""How noisy an image will be: voxel, sampling time, and one measured signal-to-noise ratio."""

import math
from dataclasses import dataclass

from torch import Tensor

from gradatim.base.errors import UsageError


@dataclass(frozen=True)
class ImageNoise:
    """σ/M₀ = (V₀/V)·√(T₀/T) / SNR₀: noise falls with the voxel's volume and the root of the time spent sampling.

    T is the time that the receiver listens in all: phase-encoding steps × averages × samples × dwell. SNR₀ is that of
    the fully relaxed signal M₀, in each of the real and imaginary channel, of an image whose V₀ and T₀ are known.

    Args:
        snr: SNR₀.
        volume: V₀, m³; 1 mm³ is 1e-9.
        sampling_time: T₀, s.

    Raises:
        UsageError: GD-101 if a number is not positive and finite.

    Source:
        Edelstein, Glover, Hardy & Redington, Magn Reson Med 3:604-618, 1986.

    Example:
        >>> import torch
        >>> round(ImageNoise(snr=100.0)(torch.tensor(2e-9), sampling_time=torch.tensor(4.0)).item(), 6)
        0.0025
    """

    snr: float = 100.0
    volume: float = 1e-9
    sampling_time: float = 1.0

    def __post_init__(self) -> None:
        given = (self.snr, self.volume, self.sampling_time)
        if not all(math.isfinite(value) and value > 0 for value in given):
            raise UsageError(
                "GD-101",
                given=f"a reference image of SNR, volume and time {given}",
                allowed="positive finite numbers",
                do="measure SNR in an image whose voxel (m³) and sampling time (s) are known",
            )

    def __call__(self, volume: Tensor, *, sampling_time: Tensor) -> Tensor:
        """σ of one real channel, relative to M₀.

        Args:
            volume: V of a voxel, m³.
            sampling_time: T, s.
        """
        return self.volume / volume * (self.sampling_time / sampling_time).sqrt() / self.snr
