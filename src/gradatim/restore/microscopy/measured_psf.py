"""The PSF from images of small beads."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.restore.microscopy.photon_counts import unit_sum


@dataclass(frozen=True, eq=False)
class BeadAverage:
    """What beads gave.

    Args:
        psf: sum 1, centre at n // 2.
        places: (bead, axis), where the beads used are, voxels.
        scatter: relative distance of a bead from the average, root mean square over beads; NaN for one bead.
    """

    psf: Tensor
    places: Tensor
    scatter: float


@dataclass(frozen=True)
class MeasuredPsf:
    """The mean of bead images, each freed of its background, centred to a fraction of a voxel, weighted by its light.

    A bead is a local maximum that rises by ``prominence`` noise levels over the background, and whose window
    touches neither the border nor another that is a tenth as bright. Background: of an empty frame if given; else
    the median of the image, which in a widefield stack holds light of the beads too and so takes the PSF's faint
    skirts (its core stays right; a window's own rim would take more). Centre: the centroid of what rises above half
    of the maximum; moved by a Fourier phase. What is left below 0 is set to 0. Beads should be smaller than a third
    of the PSF's width, for their size is not taken out.

    Args:
        shape: window along each axis, voxels, each ≥ 3.
        prominence: in noise levels.
        most: beads used, brightest first.

    Raises:
        UsageError: GD-101 for a window below 3; GD-103 if the image has other axes.
        InputError: GD-673 if no bead is found.

    Example:
        >>> image = torch.zeros(20, 20)
        >>> image[6, 7], image[13, 12] = 100.0, 50.0
        >>> found = MeasuredPsf((5, 5))(image)
        >>> found.places.int().tolist(), round(found.psf[2, 2].item(), 3)
        ([[6, 7], [13, 12]], 1.0)
    """

    shape: tuple[int, ...]
    prominence: float = 10.0
    most: int = 50

    def __post_init__(self) -> None:
        if min(self.shape, default=0) < 3 or self.most < 1 or not self.prominence > 0:
            raise UsageError(
                "GD-101",
                given=f"a window {self.shape}, {self.most} beads, prominence {self.prominence}",
                allowed="windows of 3 voxels or more, at least one bead, a prominence above 0",
                do="choose a window that holds all of the PSF that matters",
            )

    def __call__(self, image: Tensor, *, background: float | None = None) -> BeadAverage:
        """Find and average beads.

        Args:
            image: (x, y) or (x, y, z), any linear unit.
            background: value of an empty voxel, the image's unit.
        """
        if image.ndim != len(self.shape) or image.ndim not in (2, 3):
            raise UsageError(
                "GD-103",
                given=f"an image {tuple(image.shape)} and a window {self.shape}",
                allowed="as many axes, two or three",
                do="give one size an axis",
            )
        values = image.double()
        level = float(values.median()) if background is None else background
        cut = [self._bead(values, place, level) for place in self._maxima(values, level)]
        if not cut:
            raise InputError(
                "GD-673",
                given=f"no bead alone in a window {self.shape} of an image {tuple(image.shape)}",
                allowed=f"maxima {self.prominence} noise levels over the background, apart from one another",
                do="choose a smaller window or prominence, or dilute the beads",
            )
        beads = torch.stack([bead for bead, _ in cut])
        mean = beads.sum(0)
        psf = unit_sum(mean.clamp_min(0.0))
        axes = tuple(range(1, beads.ndim))
        distance = (beads / beads.sum(axes, keepdim=True) - mean / mean.sum()).square().sum(axes)
        scatter = float((distance.mean() / (mean / mean.sum()).square().sum()).sqrt()) if len(cut) > 1 else float("nan")
        return BeadAverage(psf, torch.stack([place for _, place in cut]), scatter)

    def _maxima(self, image: Tensor, background: float) -> list[tuple[int, ...]]:
        """Voxels at the tip of beads that have their window for themselves, brightest first."""
        noise = 1.4826 * float((image - background).abs().median())
        pool = torch.nn.functional.max_pool2d if image.ndim == 2 else torch.nn.functional.max_pool3d
        tip = image == pool(image[None, None], 3, stride=1, padding=1)[0, 0]
        tip &= image > background + max(self.prominence * noise, 1e-6 * (float(image.max()) - background))
        found = sorted(tip.nonzero().tolist(), key=lambda place: -float(image[tuple(place)]))
        alone: list[tuple[int, ...]] = []
        for place in found:
            near = [
                other
                for other in found
                if other != place and all(abs(a - b) < n for a, b, n in zip(place, other, self.shape, strict=True))
            ]
            brightest = float(image[tuple(place)]) - background
            if any(float(image[tuple(other)]) - background > 0.1 * brightest for other in near):
                continue
            ends = zip(place, self.shape, image.shape, strict=True)
            if all(i - n // 2 >= 0 and i - n // 2 + n <= whole for i, n, whole in ends):
                alone.append(tuple(place))
        return alone[: self.most]

    def _bead(self, image: Tensor, place: tuple[int, ...], background: float) -> tuple[Tensor, Tensor]:
        """A window without its background, its centroid moved to n // 2, and where the centroid was."""
        wide = image - background
        for axis, (i, n, whole) in enumerate(zip(place, self.shape, image.shape, strict=True)):
            around = torch.arange(i - n // 2 - n, i - n // 2 + 2 * n).clamp(0, whole - 1)
            wide = wide.index_select(axis, around)  # as much again on each side, so that a shift wraps nothing in
        way = [0.0] * wide.ndim
        for _ in range(4):  # the half maximum moves with the bead
            centred = shifted(wide, [-step for step in way])[tuple(slice(n, 2 * n) for n in self.shape)]
            core = (centred - 0.5 * centred.max()).clamp_min(0.0)
            for axis, n in enumerate(self.shape):
                profile = core.movedim(axis, 0).flatten(1).sum(1)
                way[axis] += float((profile * (torch.arange(n) - n // 2)).sum() / core.sum())
        centred = shifted(wide, [-step for step in way])[tuple(slice(n, 2 * n) for n in self.shape)]
        return centred, torch.tensor([i + step for i, step in zip(place, way, strict=True)], dtype=torch.float64)


def shifted(image: Tensor, by: list[float]) -> Tensor:
    """An image moved by a fraction of a voxel along each axis, as a band-limited periodic function.

    Example:
        >>> line = torch.zeros(4, 3, dtype=torch.float64)
        >>> line[1, 1] = 1.0
        >>> shifted(line, [1.0, 0.0])[2, 1].item()
        1.0
    """
    spectrum = torch.fft.fftn(image)
    for axis, (n, way) in enumerate(zip(image.shape, by, strict=True)):
        turn = torch.exp(-2j * torch.pi * way * torch.fft.fftfreq(n, dtype=torch.float64))
        if n % 2 == 0:
            turn = turn.index_fill(0, torch.tensor(n // 2), float(turn[n // 2].real))  # so that a real image stays real
        spectrum = spectrum * turn.view([-1 if a == axis else 1 for a in range(image.ndim)])
    return torch.fft.ifftn(spectrum).real


@dataclass(frozen=True)
class RoundAverage:
    """A PSF made round: each voxel becomes the mean of those as far from the axis, plane by plane.

    Exact, without interpolation: only voxels at equal distance are averaged, so mostly four or eight. Takes
    noise out of a measured PSF whose microscope has no coma or astigmatism. Pixels must be square.

    Example:
        >>> RoundAverage()(torch.tensor([[0.0, 4.0, 0.0], [0.0, 8.0, 0.0], [0.0, 0.0, 0.0]]))[0].tolist()
        [0.0, 1.0, 0.0]
    """

    def __call__(self, psf: Tensor) -> Tensor:
        """Average round the axis through n // 2 of x and y.

        Args:
            psf: (x, y) or (x, y, z).
        """
        x, y = (torch.arange(n, device=psf.device) - n // 2 for n in psf.shape[:2])
        distance, which = torch.unique((x.square()[:, None] + y.square()).flatten(), return_inverse=True)
        planes = psf.reshape(len(x) * len(y), -1)
        sums = planes.new_zeros(len(distance), planes.shape[1]).index_add(0, which, planes)
        return (sums / torch.bincount(which)[:, None])[which].reshape(psf.shape)
