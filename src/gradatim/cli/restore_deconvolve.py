"""gradatim restore deconvolve: a fluorescence stack made sharp, as photon noise allows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True)
class Deconvolve:
    """Deconvolve a fluorescence stack by Richardson-Lucy, or with total variation, and stop at the noise.

    The PSF is an image (--psf) or comes from the microscope's numbers (--na, --wavelength-nm, --refractive-index),
    for which the stack must state its pixel size, or --pixel-um does. Values become photons by --gain; without it
    the gain is told from the stack's own noise, and where that cannot be, values are taken as photons.

    Attributes:
        image: TIFF, OME-TIFF or ImageJ stack; channels and times are deconvolved one by one.
        out: the file to write, .tif or .ome.tif, float32, in the stack's unit over its background.
        psf: the PSF as a TIFF stack of the same sampling, its centre at n // 2.
        na: numerical aperture.
        wavelength_nm: of the emitted light, in nm.
        refractive_index: of the immersion.
        sample_index: of the sample; with --depth-um, the Gibson-Lanni PSF of a source at that depth.
        depth_um: depth under the coverslip, in µm.
        pixel_um: voxel edges along x, y and z in µm, where the stack does not state them.
        background: value of an empty voxel, in the stack's unit; by default its 1 % quantile.
        gain: stack units a photon.
        iterations: exactly so many, instead of stopping at the noise.
        tv: weight λ of total variation, per photon: the price of a step of one photon a voxel along the voxel's
            shortest edge; along a longer edge the same step costs less. By default none.
        json: print one JSON object, for programs.
    """

    image: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="IN")]
    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
    psf: Path | None = None
    na: float | None = None
    wavelength_nm: float | None = None
    refractive_index: float = 1.515
    sample_index: float = 1.33
    depth_um: float | None = None
    pixel_um: tuple[float, float, float] | None = None
    background: float | None = None
    gain: float | None = None
    iterations: int | None = None
    tv: float | None = None
    json: bool = False

    def run(self) -> int:
        """Read, deconvolve, write and say how it went.

        Raises:
            UsageError: GD-101 for numbers out of range; GD-104 unless one PSF is given, in one way.
            InputError: GD-283 if the pixel size is needed and not known; what the readers refuse.
        """
        import json as jsonlib

        from rich.console import Console

        from gradatim.cli.deconvolution_input import read_deconvolution
        from gradatim.cli.outcome import plain
        from gradatim.io.tiff_write import require_tiff_name, write_tiff

        require_tiff_name(self.out)
        talk = Console(stderr=True, highlight=False)
        with talk.status(f"deconvolving {plain(self.image.name)}"):
            given = read_deconvolution(self)
            found = given.deconvolved()
            write_tiff(self.out, found.data, given.grid)
        if self.json:
            print(jsonlib.dumps({"output": str(self.out), **given.record(), "images": found.records}, indent=2))
            return 0
        for line in (*given.lines(), *found.lines(), f"written {self.out}"):
            talk.print(plain(line), soft_wrap=True, markup=False)
        return 0
