"""From a camera's numbers to photons: gain and offset, told from the image's own noise."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError

LEVELS = 20
"""Groups of equal size into which pixels are sorted by their local mean."""

FEWEST = 100
"""Pixels that a group must have; its variance is then known to 25 %."""

_GAUSSIAN = 1.4826
"""Standard deviation of a Gaussian over the median of its absolute values."""


@dataclass(frozen=True)
class PhotonTransfer:
    """Var = gain·(value − offset) + σ²: photon noise and read noise of a camera, and what they make of its numbers.

    p = (d − offset)/gain + σ²/gain² has variance = mean, as photons have (shifted Poisson). Deconvolve p with
    ``background(b)``; the object then is in photons. Which part of the intercept is offset and which is read
    noise cannot be told from one image: ``intercept`` is σ² − gain·offset, and the background says what value an
    empty voxel has.

    Args:
        gain: camera units a photon, > 0.
        intercept: σ² − gain·offset, camera units squared.

    Raises:
        UsageError: GD-101 if the gain is not positive.

    Source:
        Janesick et al., Opt Eng 26:972-980, 1987 (photon transfer); Snyder, Hammoud & White, J Opt Soc Am A
        10:1014-1023, 1993 (shifted Poisson).

    Example:
        >>> camera = PhotonTransfer(gain=2.0, intercept=-180.0)  # offset 100, read noise √20
        >>> camera.photons(torch.tensor([100.0, 300.0])).tolist(), camera.background(100.0)
        ([5.0, 105.0], 5.0)
    """

    gain: float
    intercept: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.gain < float("inf"):
            raise UsageError(
                "GD-101", given=f"a gain of {self.gain}", allowed="a positive number", do="give camera units a photon"
            )

    def photons(self, image: Tensor) -> Tensor:
        """Numbers of the camera as numbers whose variance is their mean; noise can leave a few below 0."""
        return image / self.gain + self.intercept / self.gain**2

    def background(self, level: float) -> float:
        """The background in photons, from the value of an empty voxel in camera units; 0 at least."""
        return max(level / self.gain + self.intercept / self.gain**2, 0.0)

    def units(self, object_: Tensor) -> Tensor:
        """An object in photons, in camera units over the background."""
        return object_ * self.gain

    @classmethod
    def of(cls, image: Tensor) -> "PhotonTransfer":
        """The line through variance over mean, from the image's finest detail.

        For each pixel of each plane: the mean of its 3×3 neighbours, and the second difference along both
        axes, whose noise is 36 times a pixel's and in which a smooth object cancels. Sorted by mean into 20
        groups; the median of a group gives its variance, so that edges count little; the line is weighted by
        1/variance². Assumes noise that is white from pixel to pixel (not resampled, smoothed or denoised), an
        object sampled finely enough to be smooth over three pixels, and more than a few photons; else the gain
        comes out wrong.

        Args:
            image: (x, y) or (x, y, z), camera units.

        Raises:
            InputError: GD-672 if the noise does not grow with the light, or the image is too small or flat to tell.
        """
        planes = image.double().movedim(-1, 0) if image.ndim == 3 else image.double()[None]
        if min(planes.shape[-2:]) < 3:
            raise _unknown(f"an image {tuple(image.shape)}")
        detail = planes.diff(n=2, dim=1).diff(n=2, dim=2).flatten()
        means = torch.nn.functional.avg_pool2d(planes[:, None], 3, stride=1).flatten()
        groups = [group for group in torch.tensor_split(means.argsort(), LEVELS) if len(group) >= FEWEST]
        if len(groups) < 3:
            raise _unknown(f"an image {tuple(image.shape)}")
        mean = torch.stack([means[group].mean() for group in groups])
        variance = torch.stack([(_GAUSSIAN * detail[group].abs().median()).square() / 36.0 for group in groups])
        return cls(*_line(mean, variance))


def _line(mean: Tensor, variance: Tensor) -> tuple[float, float]:
    """Slope and intercept of variance over mean, each group's variance known to the same share of itself."""
    weights = 1.0 / variance.clamp_min(1e-3 * float(variance.mean()) + 1e-300)
    rows = torch.stack([mean, torch.ones_like(mean)], dim=1) * weights[:, None]
    slope, intercept = torch.linalg.lstsq(rows, (variance * weights)[:, None]).solution.flatten().tolist()
    if not slope * float(mean.max() - mean.min()) > 0.1 * float(variance.median()):
        raise _unknown(f"noise whose variance changes by {slope:g} a unit of light")
    return slope, intercept


def _unknown(what: str) -> InputError:
    return InputError(
        "GD-672",
        given=what,
        allowed="noise that grows with the light, over at least three levels of it",
        do="give gain and offset from the camera's data sheet",
    )
