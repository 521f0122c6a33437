"""From voxels at known distances from an edge to an MTF: edge spread, line spread, Fourier transform."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from gradatim.base.errors import InputError
from gradatim.radiomics.blur.cubic_spline import design, fit_without_each, parts_along
from gradatim.radiomics.blur.edge_fit import FittedEdge, Voxels
from gradatim.radiomics.blur.mtf import MeasuredMtf

Array = np.ndarray

PARTS = 8
"""Parts of the data that are left out in turn for the standard errors."""

POINTS = 101
"""Frequencies of a curve, from 0 to twice the Nyquist frequency of the grid."""


@dataclass(frozen=True)
class EdgeSpread:
    """Oversampled edge spread function → line spread function → MTF.

    The edge spread is a cubic spline with knots of width δ, fitted to all voxels at their own distances, so that no
    voxel is moved to the middle of a bin. Its derivative is exact: the difference of neighbouring coefficients times a
    quadratic B-spline, whose spectrum sinc³(f·δ), sinc(u) = sin(πu)/(πu), takes the place of the corrections for
    binning and for finite differences. The line spread is windowed by Tukey's window, 1 over the inner 60 % of the
    reach. What remains in the MTF is the scanner's: kernel, focal spot, detector and voxel. Errors are a jackknife
    over eight parts along the edge. Noise lifts the modulus: where the MTF is below its error it is too high. Source:
    ISO 12233:2017, annex D; Samei 1998, doi:10.1118/1.598165.

    Args:
        oversampling: knots a voxel.
        reach: how far from the edge is looked, in widths σ of the fitted Gaussian, at least three voxels.

    Raises:
        InputError: when called, GD-724 if the edge is not oblique enough, so that knots see no voxel.
    """

    oversampling: int = 4
    reach: float = 8.0

    def __call__(self, region: Voxels, edge: FittedEdge) -> MeasuredMtf:
        """MTF across the edge, up to twice the Nyquist frequency.

        Args:
            region: the voxels.
            edge: their distances.
        """
        voxel = edge.voxel_mm
        knot = voxel / self.oversampling
        available = min(float(-edge.distance.min()), float(edge.distance.max()))
        half = int(min(max(self.reach * edge.sigma_mm, 3 * voxel), available) / knot)
        used = np.abs(edge.distance) <= half * knot
        u = edge.distance[used] / knot + half
        seen = np.bincount(np.minimum(u.astype(int), max(2 * half - 1, 0)), minlength=2 * half) > 0
        if half < 4 or seen.mean() < 0.9:
            raise InputError(
                "GD-724",
                given=f"{int(seen.sum())} of {2 * half} steps across the edge with a voxel",
                allowed="eight steps or more, nine of ten with a voxel",
                do="tilt the edge by 2° to 10° against the voxels, or take a longer piece of it",
            )
        group = parts_along(edge.along[used], parts=PARTS)
        coefficients = fit_without_each(design(u, 2 * half), region.values[used], group, parts=PARTS)
        places = (np.arange(2 * half + 2) - 0.5 - half) * knot
        outer = np.clip((np.abs(places) / (half * knot) - 0.6) / 0.4, 0.0, 1.0)
        line = np.diff(coefficients, axis=1) * (0.5 + 0.5 * np.cos(math.pi * outer))
        frequencies = np.linspace(0.0, 1.0 / voxel, POINTS)
        wave = np.exp(-2j * math.pi * places[:, None] * frequencies)
        modulus = np.abs(line @ wave) * np.sinc(frequencies * knot) ** 3
        return jackknifed(frequencies, modulus / modulus[:, :1])


def jackknifed(frequencies: Array, curves: Array) -> MeasuredMtf:
    """An MTF whose errors come from leaving out parts of the data.

    Args:
        frequencies: (n,), cycles/mm.
        curves: (1 + g, n): from all the data, then without each of g parts.
    """
    parts = curves[1:]
    error = np.sqrt((len(parts) - 1) / len(parts) * np.square(parts - parts.mean(0)).sum(0))
    return MeasuredMtf(torch.from_numpy(frequencies), torch.from_numpy(curves[0].copy()), torch.from_numpy(error))
