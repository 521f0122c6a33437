"""A diffusion series as the command line gives it, and what the commands say about their maps."""

import json as jsonlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from gradatim.base.errors import UsageError

if TYPE_CHECKING:
    from gradatim.diffusion.noise_models import NoiseModel
    from gradatim.pipelines.diffusion_routes import DiffusionRoute


@dataclass(frozen=True)
class SeriesInput:
    """Where the series and its weightings are.

    Attributes:
        image: NIfTI, volumes last.
        bval: b-values, s/mm², one a volume.
        bvec: directions, as FSL, dcm2niix and BIDS write them.
        bmatrix: whole b-matrices in place of both: a row xx yy zz xy xz yz a volume, s/mm², along the array's axes.
        mask: NIfTI, 0 outside; by default every voxel with signal.
    """

    image: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DWI")]
    bval: Path | None = None
    bvec: Path | None = None
    bmatrix: Path | None = None
    mask: Path | None = None

    def map(self, route: "DiffusionRoute", out: Path) -> dict[str, Any]:
        """Read the series, take it through a route and write the maps.

        Args:
            route: what is fitted and mapped.
            out: the folder for the maps.

        Raises:
            UsageError: GD-104 unless b-values and directions, or b-matrices, are given.
        """
        from gradatim.cli.findings_in_words import in_words
        from gradatim.io.diffusion import load_diffusion, load_diffusion_matrices
        from gradatim.pipelines.diffusion_run import DiffusionRun

        files = {"series": self.image, "bval": self.bval, "bvec": self.bvec, "bmatrix": self.bmatrix, "mask": self.mask}
        given = {role: path for role, path in files.items() if path is not None}
        if self.bmatrix is not None and self.bval is None and self.bvec is None:
            loaded = load_diffusion_matrices(self.image, self.bmatrix, mask=self.mask)
        elif self.bmatrix is None and self.bval is not None and self.bvec is not None:
            loaded = load_diffusion(self.image, self.bval, self.bvec, mask=self.mask)
        else:
            raise UsageError(
                "GD-104",
                given=" and ".join(f"--{role}" for role in ("bval", "bvec", "bmatrix") if role in given)
                or "no weightings",
                allowed="--bval with --bvec, or --bmatrix alone",
                do="give the weightings of the volumes once",
            )
        if loaded.notes:
            print(in_words(loaded.notes), file=sys.stderr)
        found = DiffusionRun(route, out)(loaded.series, files=given)
        print(f"wrote {len(found['maps'])} maps, with a verdict for each voxel, to {out}", file=sys.stderr)
        return found


def say(found: dict[str, Any], *, json: bool) -> None:
    """Print what was found: a line a map, or one JSON object.

    Args:
        found: as :class:`gradatim.pipelines.diffusion_run.DiffusionRun` gives it.
        json: whether for a program.
    """
    if json:
        print(jsonlib.dumps(found, indent=2))
        return
    said = [f"{count} {name.replace('_', ' ')}" for name, count in found["verdicts"].items() if count]
    print(f"voxels  {found['voxels']} in the mask: {', '.join(said)}")
    for name, one in found["maps"].items():
        mean, error = one["mean"], one["median_error"]
        about = "" if error is None else f", error of a voxel {error:.3g}"
        value = "no value" if mean is None else f"mean {mean:.5g}, median {one['median']:.5g}{about}"
        print(f"{name:<7} {value} {one['unit']}".rstrip())


def noise_model(rician: float | None) -> "NoiseModel":
    """Rician noise of a given σ, or Gaussian noise that the residuals tell.

    Args:
        rician: σ of each channel in the signal's unit.

    Raises:
        UsageError: GD-187 unless σ is positive.
    """
    from gradatim.diffusion.noise_models import GaussianNoise, RicianNoise

    return GaussianNoise() if rician is None else RicianNoise(rician)
