"""gradatim restore mri: an image from undersampled k-space."""

import json as jsonlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from gradatim.base.choice import choose


@dataclass(frozen=True)
class Mri:
    """Make an image from undersampled Cartesian k-space by compressed sensing.

    The zero frequency lies in the middle of each axis. Several coils without maps get maps by ESPIRiT from the
    fully sampled middle. λ is chosen by samples held out unless it is given.

    Attributes:
        kspace: complex samples, (coil, x, y), (coil, x, y, z) or (x, y) for one coil; .npy, or .mat up to version 7.
        out: where the complex image goes, .npy.
        mask: 1 where a sample was taken; without it, all that is not exactly 0.
        coil_maps: sensitivities, of the shape of the samples.
        prior: cosines (reweighted, the best) or tv (total variation).
        weight: λ in the unit of the image; without it, it is chosen.
        json: print one JSON object, for programs.
    """

    kspace: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="KSPACE")]
    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
    mask: Path | None = None
    coil_maps: Path | None = None
    prior: str = "cosines"
    weight: float | None = None
    json: bool = False

    def run(self) -> int:
        """Read, reconstruct, write and tell what was done.

        Raises:
            UsageError: GD-102 for an unknown prior; GD-103 if mask or maps do not fit the samples.
            InputError: what the readers refuse; GD-682 if maps cannot be estimated.
        """
        from gradatim.cli.outcome import plain
        from gradatim.io.kspace import read_kspace, read_sampling_mask, require_array_name, write_array
        from gradatim.restore.mri.coil_maps import Espirit
        from gradatim.restore.mri.compressed_sensing import CompressedSensing
        from gradatim.restore.mri.held_out import HeldOut
        from gradatim.restore.mri.kspace import KSpace
        from gradatim.restore.mri.sparsity import CosineSparsity, TotalVariation

        require_array_name(self.out)
        sparsity, rounds = choose(
            self.prior, {"cosines": (CosineSparsity(), 3), "tv": (TotalVariation(), 0)}, what="prior"
        )
        samples = read_kspace(self.kspace)
        kspace = KSpace.measured(samples) if self.mask is None else KSpace(samples, read_sampling_mask(self.mask))
        maps = None if self.coil_maps is None else read_kspace(self.coil_maps).to(samples.dtype)
        if maps is None and len(samples) > 1:
            maps = Espirit()(kspace).maps
        method = CompressedSensing(sparsity, HeldOut() if self.weight is None else self.weight, rounds)
        found = method(kspace, maps=maps)
        write_array(self.out, found.image)
        told = {
            "output": str(self.out),
            "coils": len(samples),
            "acceleration": round(kspace.acceleration, 3),
            "weight": found.weight,
            "iterations": found.solution.iterations,
            "stopped": found.solution.reason.value,
            "message": "" if found.choice is None else found.choice.message,
        }
        if self.json:
            print(jsonlib.dumps(told, indent=2))
            return 0
        print(f"{told['coils']} coils, {told['acceleration']} times fewer samples than voxels", file=sys.stderr)
        print(f"λ {found.weight:.4g}, {told['iterations']} iterations", file=sys.stderr)
        print(
            *(line for line in (told["message"], f"written {plain(str(self.out))}") if line), sep="\n", file=sys.stderr
        )
        return 0
