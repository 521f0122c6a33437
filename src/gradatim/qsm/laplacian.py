"""Laplacian unwrapping: fast, smooth, and not exact."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.nouns import MultiEcho
from gradatim.base.soundness import require_sound
from gradatim.qsm.edge_quality import edge_weights, voxel_quality
from gradatim.qsm.unwrap import UnwrappedPhase


@dataclass(frozen=True)
class Laplacian:
    """Each echo's phase from its Laplacian, which wrapping leaves alone.

        φ = ∇⁻²(cos φ_w·∇² sin φ_w − sin φ_w·∇² cos φ_w)

    with ∇² and its inverse as −|k|² between FFTs (periodic borders, mean set to 0). **Not exact**: the answer
    differs from the measured phase by more than whole turns. It loses what is harmonic, and part of the
    background field with it, rings where the phase is steep or the image's borders do not meet, and knows no mask
    while it works. Choose it to look at a scan; :class:`gradatim.qsm.unwrap.Romeo` is the method for measuring.
    Differentiable; runs on the tensor's device.

    Raises:
        UsageError: GD-103 if the mask has another shape.
        InputError: GD-601 if the mask is empty; GD-603 if the phase is not finite anywhere in the image.

    Source:
        Schofield & Zhu, Opt Lett 28:1194 (2003).

    Example:
        >>> from gradatim.base.grid import Grid
        >>> x = torch.arange(32) * (2 * math.pi / 32)
        >>> true = (4.0 * x.cos()).view(1, 32, 1, 1).repeat(1, 1, 8, 8)
        >>> grid = Grid((32, 8, 8), (1.0, 1.0, 1.0))
        >>> wrapped = torch.atan2(true.sin(), true.cos())
        >>> scan = MultiEcho(torch.ones_like(true), wrapped, (0.02,), 3.0, grid)
        >>> bool((Laplacian()(scan).phase - true).abs().max() < 1e-3)
        True
    """

    def __call__(self, signal: MultiEcho, *, mask: Tensor | None = None) -> UnwrappedPhase:
        """Unwrap every echo on its own.

        Args:
            signal: the scan.
            mask: (x, y, z), bool; only the answer is masked. None takes every voxel with magnitude in all echoes.
        """
        inside = (signal.magnitude > 0).all(0) if mask is None else mask
        require_sound(torch.ones_like(inside), signal.phase)
        require_sound(inside, signal.phase)
        phase = torch.stack([_unwrap(echo, signal.grid.spacing) for echo in signal.phase])
        quality = voxel_quality(edge_weights(signal.phase[0], magnitude=signal.magnitude[0]), inside)
        return UnwrappedPhase(torch.where(inside, phase, 0.0), inside, quality, 1)


def _unwrap(phase: Tensor, spacing: tuple[float, float, float]) -> Tensor:
    frequency = torch.zeros((*phase.shape[:2], phase.shape[2] // 2 + 1), dtype=phase.dtype, device=phase.device)
    for axis, (size, edge) in enumerate(zip(phase.shape, spacing, strict=True)):
        line = torch.fft.rfftfreq if axis == 2 else torch.fft.fftfreq
        wave = 2.0 * math.pi * line(size, d=edge, dtype=phase.dtype, device=phase.device)
        frequency = frequency + wave.square().view([-1 if each == axis else 1 for each in range(3)])

    def filtered(image: Tensor, response: Tensor) -> Tensor:
        return torch.fft.irfftn(torch.fft.rfftn(image) * response, s=phase.shape)

    sine, cosine = phase.sin(), phase.cos()
    source = cosine * filtered(sine, -frequency) - sine * filtered(cosine, -frequency)
    inverse = torch.where(frequency > 0, -1.0 / frequency, 0.0)
    return filtered(source, inverse)
