"""Sensitivities of receive coils from the fully sampled middle of k-space."""

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.linop.fourier import CentredFourier
from gradatim.restore.mri.kspace import KSpace

LEAST_CALIBRATION = 8
"""Samples an axis below which no maps are tried; the literature uses 20 to 30."""


@dataclass(frozen=True, eq=False)
class CoilMaps:
    """Sensitivities S_c of the coils, with what is known about them.

    Where there is a map its length over the coils is 1, so an image made with it has the scale of the
    root-sum-of-squares image. Its phase is relative to the virtual coil Σ w̄_c S_c (w the strongest principal
    component of the middle of k-space), in which it is 0: an image made with it carries that coil's phase.

    Args:
        maps: (coil, *shape), complex; 0 where no coil sees anything.
        trust: (*shape), 1 where the middle of k-space is wholly explained by one map. ESPIRiT's
            largest eigenvalue; for low-resolution maps the length of their images over its largest value.
    """

    maps: Tensor
    trust: Tensor


@dataclass(frozen=True)
class Espirit:
    """Coil maps as eigenvectors of the calibration data's own subspace (ESPIRiT), one set of maps.

    Every block of kernel^d samples of all coils, taken from the fully sampled middle, is a row of the
    calibration matrix. Its right singular vectors with σ ≥ threshold·σ_max span the blocks that can occur.
    Projecting all blocks of k-space onto that span and averaging the overlaps is, in image space, a coil×coil
    matrix G(r) at every voxel, Hermitian with eigenvalues between 0 and 1. Data are consistent with the span
    if and only if G S = S, so the map at r is the eigenvector of eigenvalue 1.

    G is a trigonometric polynomial; its coefficients are summed once over the kernel and evaluated by one
    Fourier transform for each pair of coils. Memory: coils² images. Not differentiable.

    Args:
        calibration: largest edge of the fully sampled middle that is used, samples.
        kernel: edge of a block, samples.
        threshold: singular values below this share of the largest are noise.
        crop: voxels whose largest eigenvalue is below this have no map.

    Raises:
        UsageError: GD-101 if a parameter is out of range.
        InputError: GD-682 if k-space has no fully sampled middle of at least 8 samples an axis.

    Source:
        Uecker, Lai, Murphy, Virtue, Elad, Pauly, Vasanawala & Lustig, Magn Reson Med 71:990-1001, 2014.

    Example:
        >>> from gradatim.linop.fourier import CentredFourier
        >>> x = torch.linspace(-1.0, 1.0, 32)
        >>> coils = torch.stack([1.0 + x, 1.0 - x])[:, :, None] * torch.ones(2, 32, 32)
        >>> kspace = KSpace(CentredFourier((32, 32)).apply(coils), torch.ones(32, 32, dtype=torch.bool))
        >>> found = Espirit(calibration=16, kernel=4)(kspace)
        >>> tuple(found.maps.shape)
        (2, 32, 32)
    """

    calibration: int = 24
    kernel: int = 6
    threshold: float = 0.02
    crop: float = 0.9

    def __post_init__(self) -> None:
        if not (self.kernel >= 2 and self.calibration >= 2 * self.kernel):
            raise UsageError(
                "GD-101",
                given=f"a kernel of {self.kernel} in a calibration region of {self.calibration}",
                allowed="kernel ≥ 2 and calibration ≥ 2·kernel",
                do="use 6 and 24",
            )
        if not (0 < self.threshold < 1 and 0 <= self.crop < 1):
            raise UsageError(
                "GD-101",
                given=f"threshold {self.threshold}, crop {self.crop}",
                allowed="0 < threshold < 1 and 0 ≤ crop < 1",
                do="use 0.02 and 0.9",
            )

    def __call__(self, kspace: KSpace) -> CoilMaps:
        """Maps of the coils of a k-space whose middle is fully sampled."""
        with torch.no_grad():
            middle = calibration_region(kspace, edge=self.calibration)
            kernel = tuple(min(self.kernel, n) for n in middle.shape[1:])
            gram = _averaged_projection(_signal_space(middle, kernel, self.threshold), kernel, kspace.shape)
            values, vectors = torch.linalg.eigh(gram.flatten(2).permute(2, 0, 1))
            trust = values[:, -1].view(kspace.shape)
            maps = vectors[:, :, -1].T.reshape(kspace.samples.shape)
            maps = _referred(maps, middle) * (trust >= self.crop)
        return CoilMaps(maps.to(kspace.samples.dtype), trust.to(kspace.samples.dtype.to_real()))


@dataclass(frozen=True)
class LowResolutionMaps:
    """Coil maps as low-resolution images divided by their root-sum-of-squares: the simple way.

    The fully sampled middle is tapered by a Hann window and transformed; what is common to all coils (the
    object) cancels in the quotient, but for the blur at its edges, where these maps are wrong and
    :class:`Espirit` is not. Phase and length as in :class:`CoilMaps`. Differentiable.

    Args:
        calibration: largest edge of the middle that is used, samples.
        crop: voxels whose low-resolution image is below this share of its largest value have no map.

    Raises:
        UsageError: GD-101 if a parameter is out of range.
        InputError: GD-682 if k-space has no fully sampled middle of at least 8 samples an axis.

    Source:
        McKenzie, Yeh, Ohliger, Price & Sodickson, Magn Reson Med 47:529-538, 2002.

    Example:
        >>> found = LowResolutionMaps()(KSpace.measured(torch.ones(2, 16, 16) + 0j))
        >>> round(found.maps[:, 8, 8].abs().square().sum().item(), 6)
        1.0
    """

    calibration: int = 24
    crop: float = 0.05

    def __post_init__(self) -> None:
        if not (self.calibration >= LEAST_CALIBRATION and 0 <= self.crop < 1):
            raise UsageError(
                "GD-101",
                given=f"calibration {self.calibration}, crop {self.crop}",
                allowed=f"calibration ≥ {LEAST_CALIBRATION} and 0 ≤ crop < 1",
                do="use 24 and 0.05",
            )

    def __call__(self, kspace: KSpace) -> CoilMaps:
        """Maps of the coils of a k-space whose middle is fully sampled."""
        middle = calibration_region(kspace, edge=self.calibration)
        tapered = middle
        for axis in range(1, middle.ndim):
            window = torch.hann_window(middle.shape[axis] + 2, periodic=False, device=middle.device)[1:-1]
            tapered = tapered * window.view([-1 if a == axis else 1 for a in range(middle.ndim)])
        images = kspace.transform.adjoint(_in_middle(tapered, kspace.shape))
        length = torch.linalg.vector_norm(images, dim=0)
        seen = length > self.crop * length.max()
        maps = torch.where(seen, images / torch.where(seen, length, 1.0), 0.0)
        return CoilMaps(_referred(maps, middle).to(kspace.samples.dtype), length / length.max())


def calibration_region(kspace: KSpace, *, edge: int) -> Tensor:
    """The largest fully sampled box in the middle of k-space, at most ``edge`` samples an axis.

    Grown evenly in all axes, then in those where there is more.

    Args:
        kspace: samples and mask.
        edge: most samples an axis.

    Returns:
        (coil, *box), with the zero frequency at index n // 2 of each axis.

    Raises:
        InputError: GD-682 if it has fewer than 8 samples along an axis that is longer than that.

    Example:
        >>> calibration_region(KSpace.measured(torch.ones(2, 32, 16) + 0j), edge=20).shape
        torch.Size([2, 20, 16])
    """
    most = [min(edge, n) for n in kspace.shape]
    sizes = [1] * len(most)
    growing = list(range(len(most)))
    while growing:
        for axis in list(growing):
            larger = [n + (a == axis) for a, n in enumerate(sizes)]
            if larger[axis] <= most[axis] and bool(kspace.mask[_middle(kspace.shape, larger)].all()):
                sizes = larger
            else:
                growing.remove(axis)
    if any(n < min(LEAST_CALIBRATION, whole) for n, whole in zip(sizes, kspace.shape, strict=True)):
        raise InputError(
            "GD-682",
            given=f"a fully sampled middle of {' × '.join(map(str, sizes))} samples",
            allowed=f"at least {LEAST_CALIBRATION} samples an axis",
            do="give coil maps from another scan, or sample the middle of k-space fully",
        )
    return kspace.samples[:, *_middle(kspace.shape, sizes)]


def _middle(shape: tuple[int, ...], sizes: list[int]) -> tuple[slice, ...]:
    starts = [whole // 2 - n // 2 for whole, n in zip(shape, sizes, strict=True)]
    return tuple(slice(start, start + n) for start, n in zip(starts, sizes, strict=True))


def _in_middle(block: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A block of samples in the middle of zeros."""
    before = [whole // 2 - n // 2 for whole, n in zip(shape, block.shape[-len(shape) :], strict=True)]
    margins = [(b, whole - n - b) for b, whole, n in zip(before, shape, block.shape[-len(shape) :], strict=True)]
    return torch.nn.functional.pad(block, [m for pair in reversed(margins) for m in pair])


def _signal_space(middle: Tensor, kernel: tuple[int, ...], threshold: float) -> Tensor:
    """Projector onto the span of the calibration blocks, (coil·offset, coil·offset), complex128."""
    blocks = middle.to(torch.complex128)
    for axis, edge in enumerate(kernel, 1):
        blocks = blocks.unfold(axis, edge, 1)
    places = len(kernel)
    rows = blocks.movedim(0, places).flatten(places).flatten(0, places - 1)  # (block, coil·offset)
    _, singular, vectors = torch.linalg.svd(rows, full_matrices=False)
    span = vectors[singular >= threshold * singular[0]].T  # a row is Σ s·u·vᴴ: its span is that of the conjugates
    return span @ span.conj().T


def _averaged_projection(projector: Tensor, kernel: tuple[int, ...], shape: tuple[int, ...]) -> Tensor:
    """G(r), (coil, coil, *shape): the projector averaged over overlapping blocks, in image space."""
    offsets = list(itertools.product(*(range(edge) for edge in kernel)))
    count, coils = len(offsets), projector.shape[0] // len(offsets)
    blocks = projector.view(coils, count, coils, count)
    lags = projector.new_zeros((coils, coils, *(2 * edge - 1 for edge in kernel)))
    for i, first in enumerate(offsets):
        for j, second in enumerate(offsets):
            lag = (a - b + edge - 1 for a, b, edge in zip(first, second, kernel, strict=True))
            place: tuple[slice | int, ...] = (slice(None), slice(None), *lag)
            lags[place] += blocks[:, i, :, j]
    unitary = torch.tensor(shape, dtype=torch.float64).prod().sqrt()
    return CentredFourier(shape).adjoint(_in_middle(lags, shape)) * (unitary / count)


def _referred(maps: Tensor, middle: Tensor) -> Tensor:
    """The maps with phase 0 in the virtual coil that receives most of the middle of k-space."""
    data = middle.flatten(1)
    _, vectors = torch.linalg.eigh(data @ data.conj().T)
    virtual = torch.einsum("c,c...->...", vectors[:, -1].conj().to(maps.dtype), maps)
    length = virtual.abs()
    phase = torch.where(length > 0, virtual / torch.where(length > 0, length, 1.0), 1.0)
    return maps * phase.conj()
