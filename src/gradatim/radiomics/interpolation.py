"""What an image is between its voxels, one axis at a time."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor


class Interpolation(Protocol):
    """Anything that gives an image values between its voxels, along one axis.

    Class attributes:
        reach: so many voxels away, a voxel counts for less than 1e-9 of its value.
    """

    reach: ClassVar[int]

    def along(self, values: Tensor, axis: int, places: Tensor) -> Tensor:
        """The image at other places of an axis.

        Args:
            values: a floating image; ``axis`` holds n voxels.
            axis: which of its axes.
            places: (m,), float64, in voxels: 0 is the first centre, n − 1 the last; beyond them their value is kept.

        Returns:
            The image with m voxels on that axis, dtype and device of ``values``.
        """


@dataclass(frozen=True)
class Nearest:
    """The value of the nearest voxel, of two equally near ones the later.

    Example:
        >>> Nearest().along(torch.tensor([1.0, 5.0]), 0, torch.tensor([-0.2, 0.4, 0.5])).tolist()
        [1.0, 1.0, 5.0]
    """

    reach: ClassVar[int] = 1

    def along(self, values: Tensor, axis: int, places: Tensor) -> Tensor:
        """The image at ``places`` (m,) of an axis."""
        nearest = torch.floor(places + 0.5).clamp(0, values.shape[axis] - 1).to(values.device, torch.int64)
        return values.index_select(axis, nearest)


@dataclass(frozen=True)
class Linear:
    """A straight line between neighbouring voxels; over three axes trilinear.

    Constants and straight ramps stay what they are; no value leaves the range of its neighbours.
    Differentiable in the image.

    Example:
        >>> Linear().along(torch.tensor([1.0, 5.0]), 0, torch.tensor([-0.2, 0.25, 0.5])).tolist()
        [1.0, 2.0, 3.0]
    """

    reach: ClassVar[int] = 1

    def along(self, values: Tensor, axis: int, places: Tensor) -> Tensor:
        """The image at ``places`` (m,) of an axis."""
        n = values.shape[axis]
        places = places.clamp(0, n - 1)
        below = places.floor()
        weight = (places - below).to(values.device, values.dtype)
        first = below.to(values.device, torch.int64)
        upper = values.index_select(axis, (first + 1).clamp(max=n - 1))
        weight = weight.view(-1, *[1] * (values.ndim - axis % values.ndim - 1))
        return values.index_select(axis, first).lerp_(upper, weight)  # in place: three images at a time, not four


@dataclass(frozen=True)
class CubicSpline:
    """The cubic spline through all voxels, mirrored at the outermost centres; over three axes tricubic.

    Twice continuously differentiable in place; overshoots at edges, where values leave the range of their
    neighbours. Differentiable in the image. Source: Unser 1999, doi:10.1109/79.799930.

    Example:
        >>> ramp = torch.arange(40.0, dtype=torch.float64)
        >>> round(CubicSpline().along(ramp, 0, torch.tensor([19.25])).item(), 9)
        19.25
    """

    reach: ClassVar[int] = 18

    def along(self, values: Tensor, axis: int, places: Tensor) -> Tensor:
        """The image at ``places`` (m,) of an axis."""
        axis %= values.ndim
        n, before, after = values.shape[axis], values.shape[:axis], values.shape[axis + 1 :]
        if n == 1:
            return values.index_select(axis, torch.zeros(len(places), dtype=torch.int64, device=values.device))
        along = by_product if values.requires_grad or values.device.type != "cpu" else by_kernel
        found = along(
            values.reshape(before.numel(), n, after.numel()), *_taps(n, places.cpu().to(torch.float64).clamp(0, n - 1))
        )
        return found.reshape(*before, len(places), *after)


def by_kernel(values: Tensor, index: Tensor, weights: Tensor) -> Tensor:
    """The spline by the compiled kernel, the same on any number of threads; as :func:`by_product`."""
    from gradatim.radiomics.interpolation_kernel import add_spline

    # Lines that lie one behind the other in the memory are laid side by side, where they are filtered together.
    turned = values.shape[2] == 1
    lines = (values.transpose(0, 2) if turned else values).contiguous()
    found = torch.empty(len(lines), len(index), lines.shape[2], dtype=values.dtype)
    add_spline(lines.numpy(), index.numpy(), weights.numpy(), found.numpy())
    return found.transpose(0, 2) if turned else found


def by_product(values: Tensor, index: Tensor, weights: Tensor) -> Tensor:
    """The spline by a product of matrices, on any device; differentiable.

    Args:
        values: (b, n, a), n ≥ 2, the voxels of many lines along the middle axis.
        index: (m, 4), int64, the coefficients that the spline takes at each place.
        weights: (m, 4), float64, what they count there.

    Returns:
        The image at the places (b, m, a).
    """
    rows = _spline_weights(values.shape[1], index, weights).to(values.device, values.dtype)
    found: Tensor = rows @ values
    return found


def _taps(n: int, places: Tensor) -> tuple[Tensor, Tensor]:
    """The four cubic B-splines around each place, mirrored, and their values there; both (m, 4)."""
    below = places.floor()
    taps = torch.arange(-1, 3)
    distance = (below[:, None] + taps - places[:, None]).abs()
    near = 2 / 3 - distance.square() + distance**3 / 2
    far = (2 - distance).clamp(min=0) ** 3 / 6
    return _mirrored(below.to(torch.int64)[:, None] + taps, n), torch.where(distance < 1, near, far)


def _spline_weights(n: int, index: Tensor, weights: Tensor) -> Tensor:
    """What each of n voxels counts for the spline's value at each of the places; (m, n), float64, rows sum to 1."""
    basis = torch.zeros(len(index), n, dtype=torch.float64).scatter_add_(1, index, weights)
    sampled = torch.diag(torch.full((n,), 2 / 3, dtype=torch.float64))
    index = torch.arange(n)
    for side in (-1, 1):
        sampled.index_put_((index, _mirrored(index + side, n)), torch.tensor(1 / 6, dtype=torch.float64), True)
    return torch.linalg.solve(sampled, basis, left=False)


def _mirrored(index: Tensor, n: int) -> Tensor:
    """Indices reflected at the centres of the first and of the last voxel."""
    period = 2 * (n - 1)
    folded = index.remainder(period)
    return torch.minimum(folded, period - folded)
