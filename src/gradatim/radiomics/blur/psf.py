"""From a sampled point spread function to its optical and its modulation transfer function."""

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.convolution import Convolution
from gradatim.linop.fft import frequencies
from gradatim.radiomics.blur.mtf import MeasuredMtf


def optical_transfer(psf: Tensor) -> Tensor:
    """OTF of a sampled PSF, complex half spectrum, 1 at frequency 0.

    OTF(f) = Σ h(r)·exp(−2πi f·(r − c)) / Σ h(r), with c = ⌊n/2⌋ the middle voxel. Its modulus is the MTF, which an
    offset of the PSF does not change; its argument is the phase transfer. Frequencies are those of
    :func:`~gradatim.linop.fft.frequencies`; above them nothing is known, and a PSF that is narrower than two voxels
    is aliased. Differentiable.

    Args:
        psf: (x, y, z), (x, y) or (x,), its sum positive.

    Raises:
        UsageError: GD-140 if the sum is not positive.

    Example:
        >>> h = torch.zeros(8, 8)
        >>> h[3:6, 4] = 1 / 3
        >>> [round(v, 4) for v in optical_transfer(h).abs()[:, 0].tolist()]
        [1.0, 0.8047, 0.3333, 0.1381, 0.3333, 0.1381, 0.3333, 0.8047]
    """
    total = psf.sum()
    if not bool(total > 0):
        raise UsageError(
            "GD-140",
            given=f"a point spread function of sum {float(total.detach()):.3g}",
            allowed="a positive sum",
            do="take the background off, and turn a dark wire's sign",
        )
    return Convolution(psf / total, tuple(psf.shape)).multiplier.symbol


def radial_mtf(psf: Tensor, spacing: tuple[float, ...]) -> MeasuredMtf:
    """MTF of a sampled PSF as a curve, averaged over directions.

    Frequencies are binned by the coarsest frequency step of the grid, each bin stands at the mean of its frequencies,
    and goes up to the lowest Nyquist frequency.

    Args:
        psf: as for :func:`optical_transfer`.
        spacing: voxel edges, mm.

    Example:
        >>> x = torch.arange(-16.0, 16.0)
        >>> h = torch.exp(-(x[:, None] ** 2 + x**2) / 8)
        >>> round(radial_mtf(h, (0.5, 0.5)).frequency_at(0.5), 2)  # σ = 1 mm: 0.187
        0.19
    """
    grid = frequencies(tuple(psf.shape), spacing)
    modulus = sum((f.square() for f in grid), torch.zeros((), dtype=torch.float64)).sqrt().flatten()
    step = max(1 / (n * edge) for n, edge in zip(psf.shape, spacing, strict=True))
    top = min(0.5 / edge for edge in spacing)
    ring = (modulus / step).round().long()
    inside = ring <= int(top / step)
    ring = ring[inside]
    values = optical_transfer(psf).abs().double().flatten()[inside]
    count = torch.zeros(int(top / step) + 1, dtype=torch.float64).index_add(0, ring, torch.ones_like(values))
    mean = torch.zeros_like(count).index_add(0, ring, values) / count
    where = torch.zeros_like(count).index_add(0, ring, modulus[inside]) / count
    return MeasuredMtf(where, mean / mean[0])
