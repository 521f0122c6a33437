"""How many voxels still look a turn off, judged without the truth."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.qsm.unwrap import UnwrappedPhase
from gradatim.qsm.unwrap_space import bounding_box, restore


@dataclass(frozen=True, eq=False)
class WrapVerdict:
    """What is left to doubt after unwrapping.

    Args:
        fraction: per echo, share of mask voxels that are suspect, 0 … 1.
        suspect: (echo, x, y, z), bool, the voxels themselves.
    """

    fraction: tuple[float, ...]
    suspect: Tensor


@dataclass(frozen=True)
class ResidualWraps:
    """Finds voxels that a remaining turn error cuts off from the rest.

    The step over an edge between face neighbours is compared with the steps before and behind it on the same
    axis, which a smooth field repeats, however steep it is; one that leaves the mask counts as 0. An edge is
    torn where it differs from both by more than ``threshold``. Without the torn edges each part of the mask
    falls into pieces: suspect are all voxels outside its largest piece and, for a seam that ends in the open,
    the voxel of lower quality on each torn edge inside the largest piece. A closed region off by a turn is
    thus counted voxel by voxel. Mostly an upper estimate: noise above a radian and curvature above half a turn
    a voxel tear edges too. A turn of a whole separate part of the mask cannot be seen. CPU only.

    Args:
        threshold: rad, > 0; half a turn by default.

    Raises:
        UsageError: GD-101 if the threshold is not positive.

    Example:
        >>> ramp = torch.arange(8.0).reshape(1, 8, 1, 1).repeat(1, 1, 4, 4)
        >>> ramp[0, 3, 1, 1] += 2 * math.pi
        >>> inside = torch.ones(8, 4, 4, dtype=torch.bool)
        >>> verdict = ResidualWraps()(UnwrappedPhase(ramp, inside, torch.ones(8, 4, 4), 1))
        >>> verdict.fraction == (1 / 128,)
        True
    """

    threshold: float = math.pi

    def __post_init__(self) -> None:
        if not self.threshold > 0:
            raise UsageError(
                "GD-101",
                given=f"threshold {self.threshold} rad",
                allowed="threshold > 0",
                do="choose a positive phase, π for half a turn",
            )

    def __call__(self, unwrapped: UnwrappedPhase) -> WrapVerdict:
        """Judge every echo.

        Args:
            unwrapped: from :class:`gradatim.qsm.unwrap.Romeo` or another method.

        Returns:
            The suspect share of each echo and where.
        """
        box = bounding_box(unwrapped.mask)
        mask, quality = unwrapped.mask[box], unwrapped.quality[box].flatten().cpu().numpy()
        edges = _edges(mask)
        part = _pieces(edges, mask.numel())
        echoes = []
        for phase in unwrapped.phase:
            cut = np.concatenate([self._torn(phase[box].detach(), mask, axis) for axis in range(3)])
            echoes.append(_suspect(mask.flatten().cpu().numpy(), edges, cut, part, quality))
        suspect = torch.from_numpy(np.stack(echoes)).to(mask.device).reshape(-1, *mask.shape)
        return WrapVerdict(
            fraction=tuple((suspect.sum(dim=(1, 2, 3)) / mask.sum().double()).tolist()),
            suspect=restore(suspect, box, tuple(unwrapped.mask.shape)),
        )

    def _torn(self, phase: Tensor, mask: Tensor, axis: int) -> np.ndarray:
        """Edges along an axis whose step differs from both its neighbours' by more than the threshold."""
        length = mask.shape[axis] - 1
        valid = mask.narrow(axis, 0, length) & mask.narrow(axis, 1, length)
        step = torch.diff(phase, dim=axis)
        if length == 0:
            return np.zeros(0, dtype=bool)
        nearest = torch.full_like(step, math.inf)
        for shift in (-1, 1):
            beside = torch.where(valid, step, 0.0).roll(shift, dims=axis)
            beside.select(axis, 0 if shift == 1 else -1).zero_()
            nearest = torch.minimum(nearest, (step - beside).abs())
        return (nearest > self.threshold)[valid].cpu().numpy()


def _edges(mask: Tensor) -> np.ndarray:
    """Flat voxel numbers (2, edges) of both ends of every edge inside the mask, axis by axis."""
    number = torch.arange(mask.numel(), dtype=torch.int32).reshape(mask.shape)
    ends = []
    for axis in range(3):
        length = mask.shape[axis] - 1
        valid = (mask.narrow(axis, 0, length) & mask.narrow(axis, 1, length)).cpu()
        ends.append(torch.stack([number.narrow(axis, start, length)[valid] for start in (0, 1)]))
    return torch.cat(ends, dim=1).numpy()


def _suspect(
    inside: np.ndarray, edges: np.ndarray, cut: np.ndarray, part: np.ndarray, quality: np.ndarray
) -> np.ndarray:
    """Voxels outside the largest piece of their part, and one end of each seam inside it."""
    piece = _pieces(edges[:, ~cut], inside.size)
    voxels = np.flatnonzero(inside)
    sizes = np.bincount(piece[voxels], minlength=piece.max() + 1)
    order = voxels[np.argsort(sizes[piece[voxels]], kind="stable")]
    best = np.zeros(part.max() + 1, dtype=piece.dtype)
    best[part[order]] = piece[order]  # the last one written is the largest
    suspect = inside & (piece != best[part])
    seam = edges[:, cut]
    seam = seam[:, ~suspect[seam].any(axis=0)]
    suspect[np.where(quality[seam[0]] <= quality[seam[1]], seam[0], seam[1])] = True
    return suspect


def _pieces(edges: np.ndarray, size: int) -> np.ndarray:
    """Number of the connected piece of each voxel."""
    links = coo_array((np.ones(edges.shape[1], dtype=bool), (edges[0], edges[1])), shape=(size, size))
    return connected_components(links, directed=False)[1]
