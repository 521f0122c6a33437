"""The sweeps of expectation and maximisation: what Richardson-Lucy and its relatives do between transforms."""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gradatim.restore.microscopy.field_transforms import Array, transforms_for
from gradatim.restore.microscopy.photon_counts import PhotonCounts
from gradatim.restore.microscopy.poisson_noise import mean_deviance

UNSEEN = 1e-4
"""Share of the largest sensitivity below which a voxel counts as unseen: next to none of its light is in the data."""

SAMPLE = 1 << 16
"""Data from which the deviance of noise is told; it is a smooth function between 0 and 1.2."""


class Figures(NamedTuple):
    """How well an object explains the data.

    Attributes:
        deviance: 2 Σ (d log(d/m) − d + m), m = A x + b.
        noise: what the deviance would be on average if the data were Poisson with means m.
    """

    deviance: float
    noise: float

    @property
    def misfit(self) -> float:
        """√(deviance / noise), 1 at the noise, at any count."""
        return math.sqrt(max(self.deviance, 0.0) / max(self.noise, 1e-300))


class EmSweeps:
    """The transforms of one image. Between calls they hold d / (A x + b) of the object compared last.

    Args:
        counts: the image and its blur.
    """

    def __init__(self, counts: PhotonCounts) -> None:
        self.counts, self.shape = counts, counts.blur.shape
        self.transforms = transforms_for(counts.blur.support, counts.data)
        self._tiny = torch.finfo(counts.data.dtype).tiny
        self._least = torch.finfo(counts.data.dtype).eps * float(counts.data.mean(dtype=torch.float64)) + self._tiny
        self._every = max(1, counts.data.numel() // SAMPLE)
        self._symbol = self.transforms.symbol(counts.blur.laid(counts.blur.psf))
        self._data = self.transforms.array(counts.data)
        self._background = self.transforms.array(counts.background)
        self._weights = None if counts.weights is None else self.transforms.array(counts.weights)
        self._share = self._inverse_sensitivity()

    def compare(self, x: Tensor) -> Figures:
        """Blur an object and hold it against the data."""
        values = self.transforms.array(x)
        self.transforms.load(x.shape, lambda planes, _: (values[planes], ()))
        return self._figures()

    def step(self, x: Tensor, out: Tensor) -> tuple[Figures, float]:
        """x · A*(d / (A x + b)) / A* w into ``out``, for the x compared last, and compare that.

        Returns:
            Its figures, and ‖out − x‖ / ‖out‖.
        """
        old, new = self.transforms.array(x), self.transforms.array(out)

        def correct(planes: slice, correction: Array) -> tuple[Array, tuple[float, float]]:
            part, before = new[planes], old[planes]
            part[...] = correction.clip(min=0) * self._share[planes] * before
            change = part - before
            return part, (_dot(change, change), _dot(part, part))

        self.transforms.filter_adjoint(self._symbol)
        moved, length = self.transforms.exchange(x.shape, correct)
        return self._figures(), math.sqrt(moved / length) if length > 0 else 0.0

    def corrected(self, x: Tensor) -> Tensor:
        """The step alone, for the x compared last; nothing is compared afterwards."""
        out = torch.empty_like(x)
        old, new = self.transforms.array(x), self.transforms.array(out)

        def correct(planes: slice, correction: Array) -> tuple[None, tuple[()]]:
            new[planes] = correction.clip(min=0) * self._share[planes] * old[planes]
            return None, ()

        self.transforms.filter_adjoint(self._symbol)
        self.transforms.unload(x.shape, correct)
        return out

    def correction(self) -> Tensor:
        """A*(d / (A x + b)), for the x compared last."""
        out = self.counts.data.new_empty(self.transforms.support)
        new = self.transforms.array(out)

        def keep(planes: slice, values: Array) -> tuple[None, tuple[()]]:
            new[planes] = values
            return None, ()

        self.transforms.filter_adjoint(self._symbol)
        self.transforms.unload(self.transforms.support, keep)
        return out

    @property
    def inverse_sensitivity(self) -> Tensor:
        """1 / A* w on the support, 0 for voxels that the data do not see."""
        return torch.as_tensor(self._share)

    def first(self, start: Tensor | None) -> Tensor:
        """The first object: a given one, a flat one where none is given, dark where the data do not see."""
        return self.counts.started(start).mul_(self.inverse_sensitivity > 0)

    def _figures(self) -> Figures:
        self.transforms.filter(self._symbol)
        deviance, noise = self.transforms.exchange(self.shape, self._compare)
        return Figures(2.0 * deviance, noise)

    def _compare(self, planes: slice, blurred: Array) -> tuple[Array, tuple[float, float]]:
        data = self._data[planes]
        background = self._background[planes] if self._background.ndim else self._background
        means = (blurred + background).clip(min=self._least)
        ratio = data / means
        excess = self.transforms.xp.log(ratio.clip(min=self._tiny)) * data
        excess -= data
        if self._weights is None:
            excess += means
        else:
            excess += means * self._weights[planes]
        return ratio, (float(excess.sum(dtype=self.transforms.xp.float64)), self._noise(planes, means))

    def _noise(self, planes: slice, means: Array) -> float:
        sample = torch.as_tensor(means.reshape(-1)[:: self._every])
        of_each = mean_deviance(sample)
        if self._weights is not None:
            of_each = of_each * torch.as_tensor(self._weights[planes].reshape(-1)[:: self._every])
        return float(of_each.sum()) * means.reshape(-1).shape[0] / max(len(sample), 1)

    def _inverse_sensitivity(self) -> Array:
        ones = torch.ones_like(self.counts.data) if self.counts.weights is None else self.counts.weights
        values = self.transforms.array(ones)
        self.transforms.load(self.shape, lambda planes, _: (values[planes], ()))
        sensitivity = self.correction()
        seen = sensitivity > UNSEEN * sensitivity.max()
        return self.transforms.array(sensitivity.clamp_min_(self._tiny).reciprocal_().mul_(seen))


def _dot(a: Array, b: Array) -> float:
    return float(np.vdot(a, b)) if isinstance(a, np.ndarray) else float((a * b).sum(dtype=torch.float64))
