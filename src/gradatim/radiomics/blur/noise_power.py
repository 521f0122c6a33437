"""The noise power spectrum: how much variance each spatial frequency carries."""

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.seeds import generator


@dataclass(frozen=True, eq=False)
class NoiseSpectrum:
    """NPS on the frequencies of a block of voxels, as ``torch.fft.fftfreq`` orders them.

    Its integral is the variance: Σ NPS·Π(1/(n·Δ)) = σ².

    Args:
        power: (nx, ny, nz) or (nx, ny), unit²·mm³ or unit²·mm².
        spacing: voxel edges, mm, one an axis.
        blocks: how many blocks were averaged; 0 for a model.

    Raises:
        UsageError: GD-103 if power and spacing have other axes.

    Example:
        >>> white = NoiseSpectrum(torch.full((8, 8), 9.0 * 0.25), (0.5, 0.5))
        >>> round(white.variance, 6)
        9.0
    """

    power: Tensor
    spacing: tuple[float, ...]
    blocks: int = 0

    def __post_init__(self) -> None:
        if self.power.ndim != len(self.spacing):
            raise UsageError(
                "GD-103",
                given=f"power of shape {tuple(self.power.shape)} with spacing {self.spacing}",
                allowed="one edge an axis",
                do="give the spacing of the block's axes",
            )

    @property
    def variance(self) -> float:
        """The integral over all frequencies, unit²."""
        return float(self.power.double().sum()) / math.prod(
            n * edge for n, edge in zip(self.power.shape, self.spacing, strict=True)
        )

    @property
    def relative_error(self) -> float:
        """Standard error of one frequency's power beside itself, about 1/√blocks: their overlap is not counted."""
        return 1 / math.sqrt(self.blocks) if self.blocks else 0.0

    def at(self, frequencies: tuple[Tensor, ...]) -> Tensor:
        """NPS at other frequencies in cycles/mm, which broadcast; linear between those known, periodic beyond."""
        corners, weights = [], []
        for f, n, edge in zip(frequencies, self.power.shape, self.spacing, strict=True):
            place = f.double() * n * edge
            low = place.floor()
            part = place - low
            corners.append((low.long() % n, (low.long() + 1) % n))
            weights.append((1 - part, part))
        total = torch.zeros((), dtype=torch.float64, device=frequencies[0].device)
        power = self.power.double().to(frequencies[0].device)
        for choice in itertools.product((0, 1), repeat=len(frequencies)):
            index = torch.broadcast_tensors(*(corner[c] for corner, c in zip(corners, choice, strict=True)))
            share = weights[0][choice[0]]
            for weight, c in zip(weights[1:], choice[1:], strict=True):
                share = share * weight[c]
            total = total + share * power[index]
        return total.to(frequencies[0].dtype)


def require_voxels(spectrum: NoiseSpectrum, spacing: tuple[float, float, float]) -> None:
    """Refuse a spectrum of other voxels: which noise folds to which frequency depends on their size.

    Args:
        spectrum: as measured, or made.
        spacing: voxel edges of the image that it should describe, mm.

    Raises:
        UsageError: GD-103.
    """
    edges = spectrum.spacing
    if len(edges) != 3 or any(abs(a - b) > 1e-3 * b for a, b in zip(edges, spacing, strict=True)):
        raise UsageError(
            "GD-103",
            given=f"a noise power spectrum of voxels of {edges} mm for an image of {spacing} mm",
            allowed="that of the image's own voxels, along three axes",
            do="resample the images first, and measure their noise afterwards",
        )


@dataclass(frozen=True)
class NoisePower:
    """Uniform region → :class:`NoiseSpectrum`, the mean over half-overlapping blocks inside it.

    NPS(f) = Π(Δ/n)·⟨|Σ (x − trend)·exp(−2πi f·r)|²⟩. The trend is a polynomial fitted to each block, which takes the
    cupping of CT, and with it some noise of the lowest frequencies: p of n coefficients of white noise, exactly. The
    integral over frequencies is the mean square of what the trend leaves, exactly. Blocks are not tapered, so that a
    steep spectrum leaks. A block with two axes is laid in each slice. Source: ICRU Report 87 (2012); Siewerdsen 2002,
    doi:10.1118/1.1513158.

    Args:
        size: voxels of a block along each axis, two or three.
        degree: of the trend; 0 takes the mean off, 1 a plane, 2 a paraboloid.

    Raises:
        UsageError: GD-101 unless the sizes are 4 or more and the degree is 0, 1 or 2.
        InputError: when called, GD-724 if no block fits into the region.

    Example:
        >>> noise = torch.randn(64, 64, 8, generator=torch.Generator().manual_seed(0))
        >>> everywhere = torch.ones(64, 64, 8, dtype=torch.bool)
        >>> spectrum = NoisePower((16, 16))(noise, mask=everywhere, spacing=(1.0, 1.0, 1.0))
        >>> spectrum.blocks, round(spectrum.variance, 2)
        (392, 0.99)
    """

    size: tuple[int, ...] = (32, 32)
    degree: int = 1

    def __post_init__(self) -> None:
        if len(self.size) not in (2, 3) or min(self.size) < 4 or self.degree not in (0, 1, 2):
            raise UsageError(
                "GD-101",
                given=f"blocks of {self.size} with a trend of degree {self.degree}",
                allowed="two or three sizes of 4 or more, degree 0, 1 or 2",
                do="choose blocks of 16 to 64 voxels",
            )

    def __call__(self, image: Tensor, *, mask: Tensor, spacing: tuple[float, float, float]) -> NoiseSpectrum:
        """The spectrum of the noise in a region.

        Args:
            image: (x, y, z), any linear unit.
            mask: (x, y, z), bool, where the object is uniform; values that are not finite lie outside.
            spacing: voxel edges, mm.
        """
        cut = (*self.size, *([1] if len(self.size) == 2 else []))
        inside = mask & torch.isfinite(image)
        starts = [range(0, n - c + 1, max(c // 2, 1)) for n, c in zip(image.shape, cut, strict=True)]
        blocks = [
            image[box].double()
            for corner in itertools.product(*starts)
            if bool(inside[(box := tuple(slice(a, a + c) for a, c in zip(corner, cut, strict=True)))].all())
        ]
        if not blocks:
            raise InputError(
                "GD-724",
                given=f"a region of {int(mask.sum())} voxels",
                allowed=f"one that holds a block of {self.size}",
                do="draw a larger region, or choose smaller blocks",
            )
        stack = torch.stack(blocks).reshape(len(blocks), *self.size)
        rest = self._without_trend(stack)
        edges = spacing[: len(self.size)]
        scale = math.prod(edge / n for edge, n in zip(edges, self.size, strict=True))
        axes = tuple(range(1, stack.ndim))
        power = torch.fft.fftn(rest, dim=axes).abs().square().mean(0) * scale
        return NoiseSpectrum(power, edges, len(blocks))

    def _without_trend(self, stack: Tensor) -> Tensor:
        axes = [torch.linspace(-1, 1, n, dtype=torch.float64, device=stack.device) for n in self.size]
        grid = torch.meshgrid(*axes, indexing="ij")
        powers = [e for e in itertools.product(range(self.degree + 1), repeat=len(grid)) if sum(e) <= self.degree]
        terms = [torch.stack([g**k for g, k in zip(grid, e, strict=True)]).prod(0).flatten() for e in powers]
        basis = torch.linalg.qr(torch.stack(terms, 1)).Q
        flat = stack.flatten(1)
        return (flat - flat @ basis @ basis.T).view_as(stack)


def coloured_noise(
    spectrum: Tensor, shape: tuple[int, ...], spacing: tuple[float, ...], *, seed: int | torch.Generator
) -> Tensor:
    """Gaussian noise of a given NPS, periodic beyond its edge.

    Args:
        spectrum: NPS on the half spectrum of the image, as ``at(frequencies(shape, spacing))`` gives it, unit²·mm³
            or unit²·mm².
        shape: of the image.
        spacing: voxel edges, mm.
        seed: an integer, or a generator.

    Returns:
        Of that shape, float64.

    Example:
        >>> field = coloured_noise(torch.full((16, 9), 4.0), (16, 16), (1.0, 1.0), seed=1)
        >>> tuple(field.shape), bool(1.5 < field.std() < 2.5)
        ((16, 16), True)
    """
    white = torch.randn(shape, dtype=torch.float64, generator=generator(seed))
    gain = (spectrum.double().cpu() / math.prod(spacing)).clamp(min=0).sqrt()
    axes = tuple(range(len(shape)))
    return torch.fft.irfftn(torch.fft.rfftn(white, dim=axes) * gain, s=shape, dim=axes)
