"""Where to look: the brain, and where its phase can be trusted."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from skimage.filters import threshold_otsu
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import MultiEcho
from gradatim.base.soundness import require_sound
from gradatim.qsm.echo_fit import EchoFitResult

DARK = 3.0
"""Tissue is at least this many times brighter than air and bone."""


@dataclass(frozen=True)
class BrainMask:
    """Finds the brain in the magnitude by threshold, opening and the largest part; no weights, no atlas.

    The root mean square over the echoes is split into signal and background by Otsu's threshold. If what it calls
    background is brighter than a third of the signal (medians), it has split tissue from tissue, as in a block cut
    from a brain; then a third of the overall median is the threshold. Skull and scalp touch the brain only
    through thin bridges: an erosion by ``opening_mm`` cuts them, the largest part that is left is grown back by
    a fifth more inside the signal, a closing by half of it bridges gaps at the rim (sulci, vessels), and holes
    (iron, calcifications without signal) are filled. It is simple and says so: fat that lies against the brain,
    or a brain in a bad coil, needs a mask of your own. CPU only.

    Args:
        opening_mm: radius of the opening, mm, > 0: thicker than the bridges, thinner than the brain stem.

    Raises:
        UsageError: GD-101 if the radius is not positive.
        InputError: GD-601 if nothing is left; GD-603 if the magnitude is not finite anywhere in the image.

    Source:
        Otsu, IEEE Trans SMC 9:62 (1979); opening by distance after Serra, Image Analysis (1982).

    Example:
        >>> BrainMask(opening_mm=4.0)
        BrainMask(opening_mm=4.0)
    """

    opening_mm: float = 5.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.opening_mm) and self.opening_mm > 0):
            raise UsageError("GD-101", given=f"opening_mm {self.opening_mm}", allowed="> 0 mm", do="use 3 to 6 mm")

    def __call__(self, signal: MultiEcho) -> Tensor:
        """Find the brain of a scan.

        Args:
            signal: the scan, for its magnitudes.

        Returns:
            (x, y, z), bool, on the scan's device.
        """
        require_sound(torch.ones_like(signal.magnitude[0], dtype=torch.bool), signal.magnitude)
        strength = signal.magnitude.detach().square().mean(0).sqrt().cpu().numpy()
        edges = signal.grid.spacing
        bright = strength > _air_threshold(strength)
        core = _depth(bright, edges) > self.opening_mm
        if not core.any():
            raise InputError(
                "GD-601",
                given=f"a magnitude without a bright part thicker than {2 * self.opening_mm:g} mm",
                allowed="a brain that stands out from its surroundings",
                do="give a mask of your own, or a smaller opening",
            )
        reach = ndimage.distance_transform_edt(~largest_part(core), sampling=edges)
        grown = largest_part(bright & (reach <= self.opening_mm * 1.2))
        closed = ndimage.distance_transform_edt(~grown, sampling=edges) <= 0.5 * self.opening_mm
        closed = _depth(closed, edges) > 0.5 * self.opening_mm
        return torch.from_numpy(ndimage.binary_fill_holes(grown | closed)).to(signal.magnitude.device)


@dataclass(frozen=True, eq=False)
class QualityMask:
    """Where the phase can be trusted, with what was asked of it.

    Args:
        mask: (x, y, z), bool, part of the mask that was given.
        dispersed: voxels lost because the field is too steep for the last echo.
        misfitting: voxels lost because the echoes do not lie on a line.
    """

    mask: Tensor
    dispersed: int
    misfitting: int


@dataclass(frozen=True)
class PhaseQuality:
    """Leaves out voxels whose phase says something else than the field at their centre.

    Two rules, both without a unit of the scanner:

    - dispersion: |∇f|·h·2π·TE_last > ``dispersion``, the phase spreads by more than that over the voxel at
      the last echo; at π neighbours are half a turn apart, the sampling limit, and the voxel loses signal;
    - misfit: the reduced χ² of the echoes around their line exceeds ``misfit``.

    Voxels that fail in gaps of one or two between good ones are kept (a closing by one voxel): the error map
    already says that they are worse. Then the largest part is taken. CPU only.

    Args:
        dispersion: rad, > 0.
        misfit: reduced χ², > 0.

    Raises:
        UsageError: GD-101 if a threshold is not positive.
        InputError: GD-601 if nothing is left.

    Source:
        Derived here from the sampling limit and the χ² of the fit; the aim is that of Stewart et al., Magn
        Reson Med 87:1289 (2022).

    Example:
        >>> PhaseQuality().misfit
        7.0
    """

    dispersion: float = math.pi
    misfit: float = 7.0

    def __post_init__(self) -> None:
        if not (self.dispersion > 0 and self.misfit > 0):
            raise UsageError(
                "GD-101",
                given=f"dispersion {self.dispersion}, misfit {self.misfit}",
                allowed="positive thresholds",
                do="use π rad and 7",
            )

    def __call__(self, fit: EchoFitResult, *, last_echo: float) -> QualityMask:
        """Judge a field fit.

        Args:
            fit: the field in Hz with the misfit of its echoes.
            last_echo: s, the longest echo time that the fit used.

        Returns:
            The mask and what each rule took.
        """
        mask = fit.field.mask.cpu().numpy()
        spread = 2.0 * math.pi * last_echo * _steepness(fit.field.field.detach().cpu().numpy(), mask)
        dispersed = mask & (spread > self.dispersion)
        misfitting = mask & ~dispersed & (fit.misfit.detach().cpu().numpy() > self.misfit)
        good = mask & ~dispersed & ~misfitting
        kept = mask & ndimage.binary_closing(np.pad(good, 2))[2:-2, 2:-2, 2:-2]
        if not kept.any():
            raise InputError(
                "GD-601",
                given="a phase that no voxel of the mask can be trusted with",
                allowed=f"misfit up to {self.misfit:g} and dispersion up to {self.dispersion:.3g} rad",
                do="check echo times and phase units, or relax the thresholds",
            )
        chosen = largest_part(kept)
        lost = int((dispersed & ~chosen).sum()), int((misfitting & ~chosen).sum())
        return QualityMask(torch.from_numpy(chosen).to(fit.field.mask.device), *lost)


def largest_part(mask: np.ndarray) -> np.ndarray:
    """The largest part of a mask whose voxels touch by faces.

    Args:
        mask: (x, y, z), bool, at least one voxel.

    Example:
        >>> largest_part(np.array([1, 1, 0, 1], dtype=bool).reshape(4, 1, 1)).ravel().tolist()
        [True, True, False, False]
    """
    parts, count = ndimage.label(mask)
    return mask if count < 2 else parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))


def _air_threshold(strength: np.ndarray) -> float:
    """Magnitude between air or bone and tissue; below all tissue where the image shows only tissue."""
    split = float(threshold_otsu(strength))
    bright = strength > split
    if not bright.any() or np.median(strength[~bright]) > np.median(strength[bright]) / DARK:
        return float(np.median(strength)) / DARK
    return split


def touches_border(mask: Tensor, grid: Grid) -> bool:
    """Whether a mask reaches the first or last voxel of an axis, so that tissue may be cut off."""
    return any(bool(mask.movedim(axis, 0)[[0, grid.shape[axis] - 1]].any()) for axis in range(3))


def _depth(mask: np.ndarray, edges: tuple[float, float, float]) -> np.ndarray:
    """Distance to the nearest voxel outside, mm; beyond the image counts as inside."""
    padded = np.pad(mask, 1, mode="edge")
    if padded.all():
        return np.full(mask.shape, np.inf)
    return ndimage.distance_transform_edt(padded, sampling=edges)[1:-1, 1:-1, 1:-1]


def _steepness(field: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Change of the field over a voxel, Hz: mean of the steps to the neighbours in the mask, along each axis."""
    squared = np.zeros(field.shape)
    for axis in range(3):
        f, m, steps = np.moveaxis(field, axis, 0), np.moveaxis(mask, axis, 0), np.zeros(squared.shape)
        s = np.moveaxis(steps, axis, 0)
        inside = m[1:] & m[:-1]
        step, count = np.where(inside, f[1:] - f[:-1], 0.0), np.zeros(s.shape)
        s[1:] += step
        s[:-1] += step
        count[1:] += inside
        count[:-1] += inside
        s /= np.maximum(count, 1)
        squared += steps**2
    return np.sqrt(squared)
