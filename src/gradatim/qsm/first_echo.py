"""A second opinion on the template's turns, from the shorter evolution time of the first echo."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.qsm.edge_quality import edge_weights
from gradatim.qsm.region_growing import grow
from gradatim.qsm.wrapping import wrap

TWO_PI = 2.0 * math.pi


@dataclass(frozen=True)
class FirstEcho:
    """Repairs turns of φ₂ − φ₁ where the field is too steep for it, using φ₁ itself.

    Next to air the field may change by more than half a turn a voxel within TE₂ − TE₁ but not yet within TE₁.
    With r = TE₁/(TE₂ − TE₁) < 1 and u the unwrapped φ₂ − φ₁: the phase offset is taken as smooth,
    φ₀ = arg Z, Z = G∗(M₁M₂·exp(i(φ₁ − r·u))), the rest φ₁ − φ₀ is unwrapped in space, and u moves by whole turns
    to the value nearest to (φ₁ − φ₀)/r. A voxel is left alone where that answer is too uncertain: where the
    phase under the kernel spreads over more than a sixth of a turn, √(−2·ln(|Z|/G∗M₁M₂))/r > π/3 (the offset is
    not smooth there), or where ``sigmas`` times the noise of (φ₁ − φ₀)/r − u reaches half a turn; that noise is
    the median absolute value over the mask, scaled to the voxel by its two magnitudes. CPU only in its region
    growing.

    Args:
        smoothing_mm: standard deviation of the Gaussian G that smooths the offset, mm, > 0.
        sigmas: how many standard deviations of noise must fit into half a turn, > 0.

    Raises:
        UsageError: GD-101 if a parameter is out of range.

    Example:
        >>> FirstEcho().smoothing_mm
        6.0
    """

    smoothing_mm: float = 6.0
    sigmas: float = 4.0

    def __post_init__(self) -> None:
        if not (self.smoothing_mm > 0 and self.sigmas > 0):
            raise UsageError(
                "GD-101",
                given=f"smoothing {self.smoothing_mm} mm, sigmas {self.sigmas}",
                allowed="both > 0",
                do="choose positive values",
            )

    @torch.no_grad()
    def __call__(
        self,
        template: Tensor,
        *,
        phase: Tensor,
        magnitude: Tensor,
        regions: Tensor,
        ratio: float,
        spacing: tuple[float, ...],
    ) -> Tensor:
        """Turns to add to the template.

        Args:
            template: (x, y, z), rad, u = φ₂ − φ₁ unwrapped.
            phase: (x, y, z), rad, wrapped φ₁.
            magnitude: (2, x, y, z), M₁ and M₂.
            regions: (x, y, z), integers, 0 outside the mask, one number for each connected part.
            ratio: r = TE₁/(TE₂ − TE₁); at 1 or more the first echo knows no better and nothing changes.
            spacing: voxel edges, mm.

        Returns:
            (x, y, z), whole turns; 0 outside the mask.
        """
        mask = regions > 0
        if ratio >= 1.0:
            return torch.zeros_like(template)
        weight = magnitude[0] * magnitude[1] * mask
        residual = phase - ratio * template
        smooth = torch.stack([weight * residual.cos(), weight * residual.sin(), weight])
        smooth = _gaussian(smooth, [self.smoothing_mm / edge for edge in spacing])
        rest = wrap(phase - torch.atan2(smooth[1], smooth[0]))
        rest, _ = grow(rest, edge_weights(rest, magnitude=magnitude[0]), mask)
        rest = rest + TWO_PI * _common_turn(ratio * template - rest, regions)
        difference = (rest / ratio - template) / TWO_PI
        turns = torch.round(difference)
        noise = _noise((difference - turns) * TWO_PI, magnitude, ratio, mask)
        coherence = torch.hypot(smooth[0], smooth[1]) / smooth[2].clamp(min=torch.finfo(smooth.dtype).tiny)
        spread = (-2.0 * coherence.clamp(1e-6, 1.0).log()).sqrt() / ratio
        return torch.where(mask & (self.sigmas * noise < math.pi) & (spread < math.pi / 3.0), turns, 0.0)


def _common_turn(difference: Tensor, regions: Tensor) -> Tensor:
    """Mean of a difference over each region, in whole turns, spread back over the region's voxels."""
    labels = regions.flatten().long()
    count = int(labels.max()) + 1
    total = torch.zeros(count, dtype=torch.float64, device=labels.device)
    total.index_add_(0, labels, difference.flatten().double())
    mean = total / torch.bincount(labels, minlength=count).clamp(min=1)
    return torch.round(mean / TWO_PI)[labels].to(difference.dtype).reshape(difference.shape)


def _noise(deviation: Tensor, magnitude: Tensor, ratio: float, mask: Tensor) -> Tensor:
    """Standard deviation of φ₁/r − (φ₂ − φ₁) per voxel: coefficients 1/r + 1 and 1 over each magnitude."""
    tiny = torch.finfo(magnitude.dtype).tiny
    scale = torch.hypot((1.0 / ratio + 1.0) / magnitude[0].clamp(min=tiny), 1.0 / magnitude[1].clamp(min=tiny))
    unit = 1.4826 * (deviation.abs() / scale)[mask].median()
    return unit * scale


def _gaussian(images: Tensor, sigmas: list[float]) -> Tensor:
    """Gaussian blur of each leading image, zeros beyond the edge, sigmas in voxels."""
    for axis, sigma in enumerate(sigmas, start=1):
        half = min(math.ceil(3.0 * sigma), images.shape[axis] - 1)
        offsets = torch.arange(-half, half + 1, dtype=images.dtype, device=images.device)
        kernel = torch.exp(-0.5 * (offsets / sigma).square())
        lines = images.movedim(axis, -1)
        flat = lines.reshape(-1, 1, lines.shape[-1])
        blurred = torch.nn.functional.conv1d(flat, (kernel / kernel.sum()).view(1, 1, -1), padding=half)
        images = blurred.reshape(lines.shape).movedim(-1, axis)
    return images
