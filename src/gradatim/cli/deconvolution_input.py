"""A stack, its PSF and its photons, as they come from the command line."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.io.tiff import TiffImage, read_tiff
from gradatim.restore.microscopy.born_wolf import BornWolf
from gradatim.restore.microscopy.gibson_lanni import GibsonLanni, Layers
from gradatim.restore.microscopy.photon_transfer import PhotonTransfer
from gradatim.restore.microscopy.radial_psf import RadialPsf
from gradatim.restore.microscopy.richardson_lucy import RichardsonLucy
from gradatim.restore.microscopy.total_variation import TotalVariationDeconvolution
from gradatim.solve.solution import Solution
from gradatim.solve.stopping import Discrepancy, IterationBound

if TYPE_CHECKING:
    from gradatim.cli.restore_deconvolve import Deconvolve

REACH = (6.0, 8.0)
"""Half width of a computed PSF: Airy radii along x and y, and along z in axial ones; held to the stack's size."""

MOST = 200
"""Iterations at which stopping at the noise gives up waiting."""

UNEXPLAINED = 1.5
"""Misfit from which a bound on iterations is no longer the reason that the data are not explained."""


@dataclass(frozen=True, eq=False)
class DeconvolutionInput:
    """Everything that a deconvolution needs.

    Args:
        stack: (image, x, y, z), the stack's unit.
        shape: of the data in the file, (…, x, y, z).
        grid: where the voxels lie; None where the stack does not say and nothing needs it.
        psf: (x, y, z).
        transfer: to photons.
        measured_gain: whether the gain was told from the noise.
        level: value of an empty voxel.
        method: what deconvolves.
    """

    stack: Tensor
    shape: tuple[int, ...]
    grid: Grid | None
    psf: Tensor
    transfer: PhotonTransfer
    measured_gain: bool
    level: float
    method: RichardsonLucy | TotalVariationDeconvolution

    def deconvolved(self) -> "Deconvolved":
        """Each image of the stack; values that noise took below 0 photons are set to 0 and counted."""
        values, records, flat = [], [], self.stack.shape[-1] == 1
        for image in self.stack:
            photons = self.transfer.photons(image)
            below = int((photons < 0).sum())
            counts, psf = photons.clamp_min(0.0), self.psf
            solution = self._solved(
                counts[..., 0] if flat else counts, psf.sum(dim=2) if flat and psf.shape[2] == 1 else psf
            )
            value = self.transfer.units(solution.value)
            values.append(value[..., None] if flat else value)
            records.append(_record(solution, below))
        return Deconvolved(torch.stack(values).reshape(self.shape).float(), records)

    def _solved(self, counts: Tensor, psf: Tensor) -> Solution:
        background = self.transfer.background(self.level)
        if isinstance(self.method, RichardsonLucy):
            return self.method(counts, psf=psf, background=background)
        return self.method(counts, psf=psf, background=background, spacing=relative_edges(self.grid, counts.ndim))

    def record(self) -> dict[str, Any]:
        """What was decided, as plain data."""
        return {
            "gain": self.transfer.gain,
            "gain_from_noise": self.measured_gain,
            "background": self.level,
            "psf_shape": list(self.psf.shape),
        }

    def lines(self) -> list[str]:
        """The same for a reader."""
        how = "told from the stack's noise" if self.measured_gain else "taken as given"
        lines = [f"{self.transfer.gain:.4g} units a photon, {how}; background {self.level:.4g}"]
        if self.grid is None and isinstance(self.method, TotalVariationDeconvolution):
            lines.append("the stack does not state its voxels' size: --tv takes them for cubes, or give --pixel-um")
        return lines


@dataclass(frozen=True, eq=False)
class Deconvolved:
    """What came of it.

    Args:
        data: of the file's shape, its unit over the background.
        records: one an image.
    """

    data: Tensor
    records: list[dict[str, Any]]

    def lines(self) -> list[str]:
        """One line an image, and one more where its model does not explain it."""
        said = []
        for number, record in enumerate(self.records):
            misfit = record["misfit"]
            level = "" if misfit is None else f", misfit {misfit:.3f} (1 is the noise)"
            gap = record["relative_gap"]
            level += "" if gap is None else f", the objective at most {100 * gap:.2g} % above its minimum"
            below = f", {record['set_to_zero']} values below 0 photons set to 0" if record["set_to_zero"] else ""
            said.append(f"image {number}: {record['iterations']} iterations, {record['stopped']}{level}{below}")
            if record["unexplained"]:
                few = ", or the iterations are too few" if record["iterations"] < MOST else ""
                said.append(f"warning: image {number}: gain, background or PSF do not explain the data{few}")
        return said


def read_deconvolution(options: "Deconvolve") -> DeconvolutionInput:
    """Read the stack and settle PSF, photons and method.

    Raises:
        UsageError: GD-101 for numbers out of range; GD-104 unless the PSF is given in one way.
        InputError: GD-283 if the pixel size is needed and unknown; what the readers refuse.
    """
    numbers = options.na is not None and options.wavelength_nm is not None
    if (options.psf is not None) == numbers or (options.na is None) != (options.wavelength_nm is None):
        raise UsageError(
            "GD-104",
            given=f"--psf {options.psf}, --na {options.na}, --wavelength-nm {options.wavelength_nm}",
            allowed="either --psf, or --na with --wavelength-nm",
            do="give the PSF in one of these ways",
        )
    image = read_tiff(options.image)
    grid = _grid(image, options)
    stack = image.data.reshape(-1, *image.data.shape[-3:])
    level = float(_quantile(stack)) if options.background is None else options.background
    transfer, measured = _transfer(stack, options, level)
    psf = (
        _computed(options)(_psf_grid(options, _stated(image, grid))).float()
        if options.psf is None
        else read_tiff(options.psf).data
    )
    if psf.ndim != 3:
        raise InputError(
            "GD-282", given=f"a PSF of shape {tuple(psf.shape)}", allowed="one stack", do="give a PSF of one channel"
        )
    method = _method(options)
    return DeconvolutionInput(stack, tuple(image.data.shape), grid, psf, transfer, measured, level, method)


def _grid(image: TiffImage, options: "Deconvolve") -> Grid | None:
    x, y, z = (int(n) for n in image.data.shape[-3:])
    if options.pixel_um is not None:
        a, b, c = (edge * 1e-3 for edge in options.pixel_um)
        return Grid((x, y, z), (a, b, c))
    known = [edge is not None for edge in image.spacing]
    return image.grid if all(known[:2]) and (known[2] or z == 1) else None


def _stated(image: TiffImage, grid: Grid | None) -> Grid:
    if grid is None:
        raise InputError(
            "GD-283",
            given=f"{image.name} does not state its voxels' size along each axis",
            allowed="a size along x, y and z",
            do="give --pixel-um, or the PSF as a file",
        )
    return grid


def relative_edges(grid: Grid | None, axes: int) -> tuple[float, ...] | None:
    """Edges of a voxel in units of the smallest of them, so that λ is the price of a step along that one.

    Example:
        >>> relative_edges(Grid((8, 8, 4), (1e-4, 1e-4, 2.5e-4)), 3)
        (1.0, 1.0, 2.5)
    """
    if grid is None:
        return None
    edges = grid.spacing[:axes]
    return tuple(edge / min(edges) for edge in edges)


def _transfer(stack: Tensor, options: "Deconvolve", level: float) -> tuple[PhotonTransfer, bool]:
    """Gain given, told from the noise, or 1."""
    if options.gain is not None:
        return PhotonTransfer(options.gain, -options.gain * level), False
    try:
        return PhotonTransfer.of(stack[len(stack) // 2]), True
    except InputError:
        return PhotonTransfer(1.0), False


def _quantile(stack: Tensor) -> Tensor:
    flat = stack.flatten()
    return flat[:: max(1, len(flat) >> 20)].quantile(0.01)


def _computed(options: "Deconvolve") -> RadialPsf:
    wavelength, aperture = (options.wavelength_nm or 0.0) * 1e-9, options.na or 0.0
    if options.depth_um is None:
        return BornWolf(aperture, wavelength, options.refractive_index)
    layers = Layers(immersion_index=options.refractive_index)
    return GibsonLanni(aperture, wavelength, options.sample_index, options.depth_um * 1e-6, layers)


def _psf_grid(options: "Deconvolve", grid: Grid) -> Grid:
    """Odd sizes, as far as the PSF reaches or the stack does."""
    length, aperture = (options.wavelength_nm or 0.0) * 1e-6, options.na or 1.0  # mm
    lateral, axial = 0.61 * length / aperture, 2.0 * options.refractive_index * length / aperture**2
    deep = 2.0 * (options.depth_um or 0.0) * 1e-3
    reach = (REACH[0] * lateral, REACH[0] * lateral, REACH[1] * axial + deep)
    x, y, z = (
        2 * min(max(1, math.ceil(far / edge)), max(n - 1, 0)) + 1 if n > 1 else 1
        for far, edge, n in zip(reach, grid.spacing, grid.shape, strict=True)
    )
    return Grid((x, y, z), grid.spacing)


def _method(options: "Deconvolve") -> RichardsonLucy | TotalVariationDeconvolution:
    if options.tv is not None:
        if options.iterations is None:
            return TotalVariationDeconvolution(options.tv)
        return TotalVariationDeconvolution(options.tv, IterationBound(options.iterations))
    if options.iterations is not None:
        return RichardsonLucy(IterationBound(options.iterations))
    return RichardsonLucy(IterationBound(MOST) | Discrepancy())


def _record(solution: Solution, below: int) -> dict[str, Any]:
    misfit = solution.history[-1].misfit if solution.history else math.nan
    gap = None if solution.certificate is None else solution.certificate.relative
    return {
        "iterations": solution.iterations,
        "stopped": solution.reason.value,
        "unexplained": not solution.converged and misfit > UNEXPLAINED,
        "misfit": None if math.isnan(misfit) else misfit,
        "relative_gap": None if gap is None or math.isinf(gap) else gap,
        "set_to_zero": below,
    }
