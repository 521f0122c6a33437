"""MTF in the plane and across the slices from a small bead."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.radiomics.blur.edge_fit import voxels
from gradatim.radiomics.blur.mtf import MeasuredMtf
from gradatim.radiomics.blur.point_fit import fit_line
from gradatim.radiomics.blur.wire import FAINTEST, FEWEST, Wire

Array = np.ndarray

AXIAL_POINTS = 51
"""Frequencies of the axial curve, from 0 to the Nyquist frequency of the slices."""


@dataclass(frozen=True)
class Bead:
    """MTF in the plane and MTF across the slices from one bead; the two make a separable transfer.

    Summed over the slices a bead is a wire, because the plane f_z = 0 of a spectrum is the spectrum of the sum; the
    rest is as for :class:`~gradatim.radiomics.blur.wire.Wire`. Summed over the plane it is the slice profile, whose
    Fourier transform is the axial MTF. That one is sampled by the slices alone: it goes up to their Nyquist frequency,
    is aliased where the profile is narrower than two slices (an edge slanted against the slices is not), and has no
    standard error. Both are divided by the spectrum
    of a ball, 3·(sin u − u·cos u)/u³, u = πf·d. Source: Thornton and
    Flynn 2006, Proceedings of SPIE 6142.

    Args:
        diameter_mm: d of the bead, mm; 0 for one that is small beside the voxels.
        wire: how the sum over the slices becomes an MTF.

    Raises:
        UsageError: GD-101 for a diameter that is negative or not finite.
        InputError: when called, GD-724 if there is no bead in the region, or it touches the region's first or last
            slice.

    Example:
        >>> from gradatim.radiomics.blur.transfer import SeparableTransfer
        >>> x = torch.arange(21.0, dtype=torch.float64)
        >>> bell = torch.exp(-((x - 10.2) ** 2) / 2)
        >>> ball = bell[:, None, None] * bell[:, None] * bell
        >>> plane, axial = Bead()(ball, mask=torch.ones(21, 21, 21, dtype=torch.bool), spacing=(1.0, 1.0, 2.0))
        >>> round(plane.frequency_at(0.5), 3), round(axial.frequency_at(0.5), 3)
        (0.187, 0.094)
        >>> transfer = SeparableTransfer(plane, axial)
    """

    diameter_mm: float = 0.0
    wire: Wire = Wire()

    def __post_init__(self) -> None:
        if not 0 <= self.diameter_mm < math.inf:
            raise UsageError(
                "GD-101", given=f"a diameter of {self.diameter_mm} mm", allowed="0 mm or more", do="measure the bead"
            )

    def __call__(
        self, image: Tensor, *, mask: Tensor, spacing: tuple[float, float, float]
    ) -> tuple[MeasuredMtf, MeasuredMtf]:
        """MTF in the plane and MTF across the slices.

        Args:
            image: (x, y, z), any linear unit.
            mask: (x, y, z), bool; the box around it is looked at, which holds one bead.
            spacing: voxel edges, mm.
        """
        whole = voxels(image, mask, spacing, fewest=FEWEST)
        ends = [
            (round(float(p.min()) / e), round(float(p.max()) / e)) for p, e in zip(whole.places.T, spacing, strict=True)
        ]
        box = image[tuple(slice(low, high + 1) for low, high in ends)].double()
        projected = box.sum(2, keepdim=True)
        region = voxels(projected, torch.ones_like(projected, dtype=torch.bool), spacing, fewest=FEWEST)
        line = fit_line(region)
        plane = self.wire.from_line(region, line)
        columns = box.cpu().numpy().reshape(-1, box.shape[2])
        near = line.distance <= 4 * line.sigma_mm
        ring = (line.distance > 5 * line.sigma_mm) & (line.distance <= 9 * line.sigma_mm)
        if not ring.any():
            raise InputError(
                "GD-724",
                given="a region without voxels beyond five widths of the bead",
                allowed="a wider one",
                do="draw it several times as wide as the bead",
            )
        profile = columns[near].sum(0) - near.sum() * columns[ring].mean(0)
        return self._without_ball(plane), self._without_ball(_axial(profile, spacing[2]))

    def _without_ball(self, curve: MeasuredMtf) -> MeasuredMtf:
        u = math.pi * self.diameter_mm * curve.frequencies
        safe = torch.where(u > 1e-3, u, 1.0)
        ball = torch.where(u > 1e-3, 3 * (safe.sin() - safe * safe.cos()) / safe**3, 1 - u**2 / 10)
        n = int((ball > FAINTEST).long().cumprod(0).sum())
        errors = None if curve.errors is None else curve.errors[:n] / ball[:n]
        return MeasuredMtf(curve.frequencies[:n], curve.values[:n] / ball[:n], errors)


def _axial(profile: Array, spacing: float) -> MeasuredMtf:
    top = int(np.argmax(np.abs(profile)))
    if top in (0, len(profile) - 1):
        raise InputError(
            "GD-724",
            given=f"a bead brightest in slice {top + 1} of {len(profile)}",
            allowed="slices on both sides of it",
            do="draw the region with several slices above and below the bead",
        )
    frequencies = np.linspace(0.0, 0.5 / spacing, AXIAL_POINTS)
    wave = np.exp(-2j * math.pi * np.arange(len(profile))[:, None] * spacing * frequencies)
    modulus = np.abs(profile @ wave)
    return MeasuredMtf(torch.from_numpy(frequencies), torch.from_numpy(modulus / modulus[0]))
