"""Images of echo-planar lines that are sampled on ramps: each line by its exact k, then one Fourier transform."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.base.raw import RawData
from gradatim.linop.fourier import CentredFourier
from gradatim.scanner.reconstruct.box import Box, Reconstructed, box_of, kept, one_image
from gradatim.scanner.reconstruct.cartesian import BESIDE, gathered, grid_places
from gradatim.scanner.reconstruct.ghost import GhostCorrection, Lines

_SMALLEST = 1e-6
"""Singular values below this share of the largest are not inverted."""


@dataclass(frozen=True)
class Regrid:
    """Profiles of lines with unevenly spaced samples, by least squares, and a Fourier transform across the lines.

    Along its readout axis each line's samples s(kᵢ) = Σₘ pₘ·exp(−2πi kᵢxₘ) are solved for the voxels' pₘ by the
    pseudo-inverse, exactly for as many samples as voxels or more; at evenly spaced k this is the Fourier transform.
    Lines that run backwards need nothing else. Ghosts are corrected between, if a correction is given.

    Args:
        matrix: voxels along x, y and z; by default the raw data's.
        extent: field of view, m; by default the raw data's.
        centre: of the middle voxel, m.
        correction: of the difference between forward and backward lines, or none.

    Raises:
        InputError: GD-802 if lines differ in length, GD-810 if k moves across a line, or lines lie beside the grid;
            GD-811 to GD-813 and GD-815 as :class:`~gradatim.scanner.reconstruct.cartesian.Cartesian`; GD-814 if a
            correction finds no reference lines, or a line has too few samples.

    Source:
        Bruder et al., Magn Reson Med 23:311-323, 1992 (echo-planar imaging with nonequidistant
        k-space sampling).

    Example:
        >>> k = torch.tensor([-2.0, -1.2, 0.1, 1.0, 1.4]).double()
        >>> raw = RawData(torch.ones(1, 5).double() + 0j, torch.stack([k, 0 * k, 0 * k], 1), 0 * k,
        ...               torch.zeros(5, dtype=torch.int64))
        >>> [round(v, 6) + 0.0 for v in Regrid((4, 1, 1), (1.0, 1.0, 1.0))(raw).image[0, :, 0, 0].real.tolist()]
        [0.0, 0.0, 4.0, 0.0]
    """

    matrix: tuple[int, int, int] | None = None
    extent: tuple[float, float, float] | None = None
    centre: tuple[float, float, float] = (0.0, 0.0, 0.0)
    correction: GhostCorrection | None = None

    def __call__(self, raw: RawData) -> Reconstructed:
        """Reconstruct.

        Args:
            raw: lines of one image, with navigators (``NAV`` = 1) if the correction needs them.
        """
        image = one_image(raw)
        box = box_of(image, self.matrix, self.extent, self.centre)
        axis = _readout_axis(image)
        lines = self._profiles(image, box, axis)
        if self.correction is not None:
            across = _Across(image, box, axis)
            flag = raw.counters.get("NAV", torch.zeros(raw.readouts)).cpu() != 0
            navigators = self._profiles(kept(raw, flag, "navigators"), box, axis) if bool(flag.any()) else None
            lines = self.correction(lines, navigators, across)
        return Reconstructed(_Across(image, box, axis)(lines.profiles), box.grid)

    def _profiles(self, raw: RawData, box: Box, axis: int) -> Lines:
        position = raw.lines(raw.position.T.double())
        along = position[axis]
        others = [i for i in range(3) if i != axis]
        moved = max(float((position[i] - position[i][:, :1]).abs().max()) * box.extent[i] for i in others)
        if moved > BESIDE:
            raise InputError(
                "GD-810",
                given=f"lines that move by {moved:.3g} of a step across their direction",
                allowed=f"straight lines along {'xyz'[axis]}, within {BESIDE} of a step",
                do="use NonUniform",
            )
        samples = raw.lines(box.centred(raw))
        return Lines(_solved(samples, along, box, axis), along[:, -1] < along[:, 0])


@dataclass(frozen=True, eq=False)
class _Across:
    """From profiles of lines to the image: the Fourier transform along the other two axes."""

    raw: RawData
    box: Box
    axis: int

    def __call__(self, profiles: Tensor) -> Tensor:
        """(coils, lines, voxels along the readout) → (coils, x, y, z)."""
        first = self.raw.lines(self.raw.position.T)[:, :, 0].T.clone()
        first[:, self.axis] = 0.0
        place, beside = grid_places(first, self.box)
        n = self.box.matrix[self.axis]
        one = tuple(1 if i == self.axis else m for i, m in enumerate(self.box.matrix))
        flat = Box((one[0], one[1], one[2]), self.box.extent)
        coils = len(profiles)
        stacked = profiles.transpose(1, 2).reshape(coils * n, -1)
        k_space = gathered(stacked, place, flat).reshape(coils, n, *flat.matrix)
        image = CentredFourier(flat.matrix).adjoint(k_space) * math.sqrt(math.prod(flat.matrix))
        image = image.movedim(1, self.axis + 1 + 1).squeeze(self.axis + 1)
        for axis, shift in enumerate(beside):
            turns = self.box.places(axis) * (shift / self.box.extent[axis])
            image = image * torch.exp(2j * math.pi * turns).reshape([-1 if i == axis else 1 for i in range(3)]).to(
                image
            )
        return image * (n / self.box.volume)


def _solved(samples: Tensor, along: Tensor, box: Box, axis: int) -> Tensor:
    """Profiles of all lines, (coils, lines, voxels), each pattern of k inverted once."""
    n, extent = box.matrix[axis], box.extent[axis]
    found = samples.new_zeros(*samples.shape[:2], n)
    patterns, which = (along * extent * 1e6).round().unique(dim=0, return_inverse=True)
    for number in range(len(patterns)):
        mine = which == number
        k = along[mine][0]
        inside = (k * extent).abs() <= (n + 1) / 2
        if int(inside.sum()) < n:
            raise InputError(
                "GD-814",
                given=f"{int(inside.sum())} samples of a line for {n} voxels",
                allowed="as many samples as voxels, or more",
                do="give a smaller matrix",
            )
        matrix = torch.exp(-2j * math.pi * k[inside, None] * box.places(axis).to(k))
        inverse = torch.linalg.pinv(matrix, rtol=_SMALLEST).to(samples)
        found = found.index_copy(1, mine.nonzero()[:, 0], samples[:, mine][..., inside] @ inverse.mT)
    return found


def _readout_axis(raw: RawData) -> int:
    """The axis along which samples of a line are spread most."""
    position = raw.lines(raw.position.T)
    return int((position.amax(2) - position.amin(2)).amax(1).argmax())
