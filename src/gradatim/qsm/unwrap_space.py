"""Phase unwrapping of one image in space."""

import torch
from torch import Tensor

from gradatim.base.soundness import require_sound
from gradatim.qsm.edge_quality import edge_weights
from gradatim.qsm.islands import level_islands
from gradatim.qsm.region_growing import grow

Box = tuple[slice, slice, slice]


def unwrap_phase(
    phase: Tensor,
    *,
    magnitude: Tensor | None = None,
    mask: Tensor | None = None,
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> Tensor:
    """Unwrap one phase image in space by quality-guided region growing.

    Region growing along the best edges (:func:`gradatim.qsm.region_growing.grow`) with the weights of
    :func:`gradatim.qsm.edge_quality.edge_weights`; parts of the mask that do not touch are brought together
    by :func:`gradatim.qsm.islands.level_islands`. The median of the largest part lies in [−π, π]. CPU only
    inside; the turns are piecewise constant, so gradients pass to the phase unchanged.

    Args:
        phase: (x, y, z), rad.
        magnitude: (x, y, z), ≥ 0; None weighs by phase alone.
        mask: (x, y, z), bool; None takes every voxel.
        spacing: voxel edges, mm; only the levelling of separate parts uses it.

    Returns:
        (x, y, z), rad, 0 outside the mask.

    Raises:
        UsageError: GD-103 if shapes disagree.
        InputError: GD-601 if the mask is empty; GD-603 if phase or magnitude is not finite inside it.

    Source:
        Dymerska et al., Magn Reson Med 85:2294 (2021).

    Example:
        >>> from gradatim.qsm.wrapping import wrap
        >>> true = torch.linspace(-4.0, 9.0, 12).reshape(12, 1, 1)
        >>> jumps = torch.diff(unwrap_phase(wrap(true)), dim=0)
        >>> bool((jumps - 13 / 11).abs().max() < 1e-5)
        True
    """
    inside = torch.ones_like(phase, dtype=torch.bool) if mask is None else mask
    require_sound(inside, phase, *([] if magnitude is None else [magnitude]))
    box = bounding_box(inside)
    inside = inside[box]
    phase_in = torch.where(inside, phase[box], 0.0)
    weights = edge_weights(phase_in, magnitude=None if magnitude is None else torch.where(inside, magnitude[box], 0.0))
    unwrapped, regions = grow(phase_in, weights, inside)
    return restore(level_islands(unwrapped, regions, spacing=spacing), box, tuple(phase.shape))


def bounding_box(mask: Tensor) -> Box:
    """The smallest box that holds a mask, so that air costs no time.

    Example:
        >>> mask = torch.zeros(4, 4, 4, dtype=torch.bool); mask[1:3, 2, 0] = True
        >>> bounding_box(mask)
        (slice(1, 3, None), slice(2, 3, None), slice(0, 1, None))
    """
    spans = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        used = torch.nonzero(mask.any(dim=others[1]).any(dim=others[0])).flatten()
        spans.append(slice(int(used[0]), int(used[-1]) + 1))
    return spans[0], spans[1], spans[2]


def restore(image: Tensor, box: Box, shape: tuple[int, ...]) -> Tensor:
    """Put (..., box) back into (..., shape) with zeros around it."""
    full = image.new_zeros((*image.shape[:-3], *shape))
    full[(..., *box)] = image
    return full
