"""Where the samples of a line lie, and the prephaser that puts one of them at k = 0."""

import torch
from torch import Tensor

from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.limits.limit import Number, real, require_positive


def symmetric_prephaser(matrix: int, fov: Number) -> Tensor:
    """Half the area that is read, N/(2·γ̄·FOV), T·s/m: the prephaser one writes down first.

    Samples are taken in the middle of their dwell times, so that it gives k = (i + ½ − N/2)/FOV: symmetric, and no
    sample at k = 0. Fourier transforms expect (i − N/2)/FOV, and see a phase that grows over the image.

    Args:
        matrix: N, samples a line.
        fov: field of view, m.

    Raises:
        UsageError: GD-101 if one is not positive and finite.

    Example:
        >>> area = symmetric_prephaser(64, 0.22)
        >>> round(sample_positions(64, 0.22, prephaser=area)[0].item(), 2)
        -143.18
    """
    require_positive({"matrix": matrix, "fov": fov})
    return matrix / (2 * PROTON_GAMMA_BAR_HZ_PER_T * real(fov))


def centred_prephaser(matrix: int, fov: Number) -> Tensor:
    """Half a sample more, (N + 1)/(2·γ̄·FOV), T·s/m: sample N/2 lies at k = 0, exactly.

    The area counts from where the first dwell time begins; what the gradient gives before it, as half of its ramp
    does, comes on top.

    Args:
        matrix: N, samples a line.
        fov: field of view, m.

    Raises:
        UsageError: GD-101 if one is not positive and finite.

    Example:
        >>> positions = sample_positions(64, 0.22, prephaser=centred_prephaser(64, 0.22))
        >>> round(positions[0].item(), 2), abs(positions[32].item()) < 1e-12
        (-145.45, True)
    """
    require_positive({"matrix": matrix, "fov": fov})
    return (matrix + 1) / (2 * PROTON_GAMMA_BAR_HZ_PER_T * real(fov))


def sample_positions(matrix: int, fov: Number, *, prephaser: Number) -> Tensor:
    """k of each sample of a plateau at Nyquist's step, (i + ½)/FOV − γ̄·A, (N,), 1/m.

    Args:
        matrix: N, samples a line.
        fov: field of view, m.
        prephaser: A, area before the first dwell time, against the readout, T·s/m.

    Raises:
        UsageError: GD-101 if a number is not positive and finite.

    Example:
        >>> [round(k, 9) for k in sample_positions(2, 0.5, prephaser=symmetric_prephaser(2, 0.5)).tolist()]
        [-1.0, 1.0]
    """
    require_positive({"matrix": matrix, "fov": fov, "prephaser": prephaser})
    middle = torch.arange(matrix, dtype=torch.float64) + 0.5
    return middle / real(fov) - PROTON_GAMMA_BAR_HZ_PER_T * real(prephaser)
