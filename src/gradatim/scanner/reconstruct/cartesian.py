"""Images of samples on a grid in k-space, by one Fourier transform."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.base.raw import RawData
from gradatim.linop.fourier import CentredFourier
from gradatim.scanner.reconstruct.box import Box, Reconstructed, box_of, one_image

BESIDE = 0.02
"""How far beside the grid a sample may lie, in steps of the grid."""


@dataclass(frozen=True)
class Cartesian:
    """ρ(r) = Δk³ Σ s(k)·exp(2πi k·r) over a full grid of k.

    Samples are sorted by where in k-space they were taken, not by their counters, so that lines may come in any order
    and direction. The grid's step is one over the (oversampled) field of view; it need not hold k = 0: samples in the
    middle of their dwell lie half a step beside it, which is taken into account. Samples at one place are averaged,
    those beyond the matrix left out. Linear in the samples, and differentiable.

    Args:
        matrix: voxels along x, y and z; by default the raw data's.
        extent: field of view, m; by default the raw data's.
        centre: of the middle voxel, m.
        oversampling: how many times finer than 1/extent k-space is sampled along each axis; the image is cut to the
            middle.

    Raises:
        InputError: GD-810 if samples lie beside the grid, GD-811 if the box is not known, GD-812 if places of the grid
            were not sampled, GD-813 if there are several images, GD-815 if a sample is not finite.

    Example:
        >>> k = torch.tensor([-2.0, -1.0, 0.0, 1.0]).double()
        >>> place = torch.stack([k, 0 * k, 0 * k], 1)
        >>> raw = RawData(torch.ones(1, 4) + 0j, place, 0 * k, torch.zeros(4, dtype=torch.int64))
        >>> Cartesian((4, 1, 1), (1.0, 1.0, 1.0))(raw).image[0, :, 0, 0].real.tolist()
        [0.0, 0.0, 4.0, 0.0]
    """

    matrix: tuple[int, int, int] | None = None
    extent: tuple[float, float, float] | None = None
    centre: tuple[float, float, float] = (0.0, 0.0, 0.0)
    oversampling: tuple[int, int, int] = (1, 1, 1)

    def __call__(self, raw: RawData) -> Reconstructed:
        """Reconstruct.

        Args:
            raw: samples of one image.
        """
        raw = one_image(raw)
        box = box_of(raw, self.matrix, self.extent, self.centre)
        fine = Box(_times(box.matrix, self.oversampling), _scaled(box.extent, self.oversampling), box.centre)
        place, beside = grid_places(raw.position, fine)
        k_space = gathered(fine.centred(raw), place, fine)
        image = CentredFourier(fine.matrix).adjoint(k_space) * (math.sqrt(math.prod(fine.matrix)) / fine.volume)
        for axis, shift in enumerate(beside):
            turns = fine.places(axis) * (shift / fine.extent[axis])
            image = image * _along(torch.exp(2j * math.pi * turns), axis).to(image)
        for axis, (n, many) in enumerate(zip(box.matrix, fine.matrix, strict=True)):
            image = image.narrow(axis + 1, many // 2 - n // 2, n)
        return Reconstructed(image, box.grid)


def grid_places(position: Tensor, box: Box) -> tuple[Tensor, tuple[float, float, float]]:
    """Which place of a box's grid in k-space each sample takes, and how far beside whole steps the grid lies.

    Args:
        position: k, (n, 3), 1/m.
        box: whose extent sets the step.

    Returns:
        (n, 3) whole steps from the middle, and the grid's offset along x, y and z in steps.

    Raises:
        InputError: GD-810 if samples lie beside one common grid.
    """
    steps = position.detach().double().cpu() * torch.tensor(box.extent, dtype=torch.float64)
    offsets = []
    for axis in range(3):
        offset = _offset(steps[:, axis], box.matrix[axis])
        worst = float((steps[:, axis] - offset - (steps[:, axis] - offset).round()).abs().max())
        if worst > BESIDE:
            raise InputError(
                "GD-810",
                given=f"samples up to {worst:.3g} of a step beside the grid along {'xyz'[axis]}",
                allowed=f"a grid of 1/{box.extent[axis]:g} m, within {BESIDE} of a step",
                do="use Regrid for lines sampled on ramps, NonUniform for anything else, or correct the extent",
            )
        offsets.append(offset)
    places = (steps - torch.tensor(offsets, dtype=torch.float64)).round().long()
    return places, (offsets[0], offsets[1], offsets[2])


def _offset(steps: Tensor, n: int) -> float:
    """How far beside whole steps samples lie: of the offsets a whole step apart, that which leaves the most inside."""
    turn = torch.exp(2j * math.pi * steps).mean()
    near = float(turn.angle()) / (2 * math.pi)
    near = 0.0 if abs(near) < 1e-6 else near

    def outside(offset: float) -> tuple[int, float]:
        index = (steps - offset).round() + n // 2
        return int(((index < 0) | (index >= n)).sum()), abs(offset)

    return min((near, near + 1, near - 1), key=outside)


def gathered(samples: Tensor, place: Tensor, box: Box) -> Tensor:
    """Samples on the grid, averaged where several fell on one place, (coils, x, y, z).

    Args:
        samples: (coils, n).
        place: (n, 3), steps from the middle.
        box: whose matrix is filled.

    Raises:
        InputError: GD-812 if a place has no sample.
    """
    matrix = torch.tensor(box.matrix)
    index = place + matrix // 2
    inside = ((index >= 0) & (index < matrix)).all(1)
    _, ny, nz = box.matrix
    flat = ((index[:, 0] * ny + index[:, 1]) * nz + index[:, 2])[inside]
    count = torch.bincount(flat, minlength=math.prod(box.matrix))
    empty = int((count == 0).sum())
    if empty:
        raise InputError(
            "GD-812",
            given=f"{empty} of {len(count)} places of the grid without a sample",
            allowed="a full grid",
            do="give the matrix that was sampled, or reconstruct with NonUniform",
        )
    flat, inside = flat.to(samples.device), inside.to(samples.device)
    summed = samples.new_zeros(len(samples), len(count)).index_add(1, flat, samples[:, inside])
    return (summed / count.to(samples.device)).reshape(len(samples), *box.matrix)


def _along(values: Tensor, axis: int) -> Tensor:
    return values.reshape([-1 if i == axis else 1 for i in range(3)])


def _times(matrix: tuple[int, int, int], factor: tuple[int, int, int]) -> tuple[int, int, int]:
    x, y, z = (n * f for n, f in zip(matrix, factor, strict=True))
    return x, y, z


def _scaled(extent: tuple[float, float, float], factor: tuple[int, int, int]) -> tuple[float, float, float]:
    x, y, z = (length * f for length, f in zip(extent, factor, strict=True))
    return x, y, z
