"""Where the voxels of a reconstruction lie, and which raw data make one image."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.base.raw import RawData

APART = ("ECO", "SLC", "SET", "PHS", "REP")
"""Counters that tell images apart; lines that differ in others belong to one image."""

_ASIDE = ("NAV", "NOISE")
"""Flags of lines that are no part of an image."""


@dataclass(frozen=True, eq=False)
class Reconstructed:
    """Images of raw data, one a coil.

    Args:
        image: (coils, x, y, z), complex, in units of the samples per m³, so that the sum over voxels times a voxel's
            volume is the sample at k = 0: the spins' density, where the signal is ∫ρ dr.
        grid: where the voxels lie; the scanner's x, y, z are taken for the world's.
    """

    image: Tensor
    grid: Grid


@dataclass(frozen=True)
class Box:
    """The voxels of an image: as many, and in such a field of view, with the middle one (index ⌊n/2⌋) at the centre.

    Args:
        matrix: voxels along x, y and z.
        extent: field of view, m.
        centre: of the middle voxel, m.

    Raises:
        UsageError: GD-101 if a size is not positive, or a length not finite.

    Example:
        >>> Box((4, 4, 1), (0.2, 0.2, 0.005)).grid.spacing
        (50.0, 50.0, 5.0)
    """

    matrix: tuple[int, int, int]
    extent: tuple[float, float, float]
    centre: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        lengths = all(math.isfinite(length) and length > 0 for length in self.extent)
        if min(self.matrix) < 1 or not lengths or not all(map(math.isfinite, self.centre)):
            raise UsageError(
                "GD-101",
                given=f"{self.matrix} voxels in {self.extent} m about {self.centre} m",
                allowed="one voxel at least along each axis of a positive field of view",
                do="give the matrix, and the field of view in m",
            )

    @property
    def volume(self) -> float:
        """Of the field of view, m³."""
        return math.prod(self.extent)

    @property
    def grid(self) -> Grid:
        """Voxel edges in mm, and where index 0 lies."""
        edges = [1e3 * length / n for length, n in zip(self.extent, self.matrix, strict=True)]
        corner = [1e3 * c - (n // 2) * e for c, n, e in zip(self.centre, self.matrix, edges, strict=True)]
        rows = [tuple(edges[row] if row == column else 0.0 for column in range(3)) for row in range(3)]
        affine = tuple((*row, shift) for row, shift in zip(rows, corner, strict=True))
        return Grid(self.matrix, (edges[0], edges[1], edges[2]), (*affine, (0.0, 0.0, 0.0, 1.0)))

    def places(self, axis: int) -> Tensor:
        """Where the voxels' middles lie along an axis, from the centre, (n,), m."""
        n = self.matrix[axis]
        return (torch.arange(n, dtype=torch.float64) - n // 2) * (self.extent[axis] / n)

    def centred(self, raw: RawData) -> Tensor:
        """The samples as if the box lay in the scanner's middle: s·exp(2πi k·c), (coils, n)."""
        turns = raw.position.double() @ torch.tensor(self.centre, dtype=torch.float64, device=raw.position.device)
        return raw.samples * torch.exp(2j * math.pi * turns).to(raw.samples.dtype)


def box_of(
    raw: RawData,
    matrix: tuple[int, int, int] | None,
    extent: tuple[float, float, float] | None,
    centre: tuple[float, float, float],
) -> Box:
    """The box that is given, or else that of the raw data.

    Raises:
        InputError: GD-811 if neither says how many voxels, or how large a field of view.
    """
    matrix, extent = matrix or raw.matrix, extent or raw.extent
    if matrix is None or extent is None:
        raise InputError(
            "GD-811",
            given=f"raw data with a matrix of {matrix} and a field of view of {extent}",
            allowed="both, from the raw data or the method",
            do="give matrix and extent (m)",
        )
    return Box(matrix, extent, centre)


def chosen(raw: RawData, counters: Mapping[str, int]) -> RawData:
    """The readouts that have these counters, renumbered.

    Args:
        raw: all.
        counters: name → value, e.g. ``{"ECO": 0}``; a counter that the data lack counts as 0.

    Raises:
        InputError: GD-813 if there are none.

    Example:
        >>> raw = RawData(torch.ones(1, 4) + 0j, torch.zeros(4, 3), torch.arange(4.0), torch.tensor([0, 0, 1, 1]),
        ...               {"ECO": torch.tensor([0, 1])})
        >>> chosen(raw, {"ECO": 1}).times.tolist()
        [2.0, 3.0]
    """
    absent = torch.zeros(raw.readouts, dtype=torch.int64)
    keep = torch.ones(raw.readouts, dtype=torch.bool)
    for name, value in counters.items():
        keep &= raw.counters.get(name, absent).cpu() == value
    return kept(raw, keep, f"readouts with {dict(counters)}")


def kept(raw: RawData, keep: Tensor, what: str) -> RawData:
    """Some of the readouts, renumbered.

    Args:
        raw: all.
        keep: (readouts,), bool.
        what: they are, for messages.

    Raises:
        InputError: GD-813 if there are none.
    """
    if not bool(keep.any()):
        raise InputError("GD-813", given=f"no {what}", allowed="one readout at least", do="look at the counters")
    keep = keep.to(raw.readout.device)
    inside = keep[raw.readout]
    number = keep.cumsum(0) - 1
    return RawData(
        samples=raw.samples[:, inside],
        position=raw.position[inside],
        times=raw.times[inside],
        readout=number[raw.readout[inside]],
        counters={name: counter[keep.to(counter.device)] for name, counter in raw.counters.items()},
        matrix=raw.matrix,
        extent=raw.extent,
    )


def one_image(raw: RawData) -> RawData:
    """The lines of the one image that raw data must hold, navigators and noise left out.

    Raises:
        InputError: GD-813 if there are several images, or none; GD-815 if a sample is not finite.
    """
    aside = torch.zeros(raw.readouts, dtype=torch.bool)
    for name in _ASIDE:
        aside |= raw.counters.get(name, torch.zeros(raw.readouts)).cpu() != 0
    found = kept(raw, ~aside, "lines of an image")
    several = [name for name in APART if name in found.counters and len(found.counters[name].unique()) > 1]
    if several:
        raise InputError(
            "GD-813",
            given=f"raw data of several images, told apart by {', '.join(several)}",
            allowed="one image",
            do="choose one first, or reconstruct echoes together",
        )
    if not bool(torch.isfinite(found.samples).all()) or not bool(torch.isfinite(found.position).all()):
        raise InputError(
            "GD-815",
            given="samples, or their places, that are not finite",
            allowed="finite values",
            do="look at what wrote the raw data",
        )
    return found
