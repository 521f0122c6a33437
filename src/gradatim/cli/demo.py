"""gradatim demo: the whole chain on a simulated head, the truth beside the result."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from gradatim.base.errors import UsageError
from gradatim.cli.scan_options import Chain


@dataclass(frozen=True)
class Demo:
    """Simulate a head, run the whole chain on it, and show the result beside the truth.

    Needs no data. Writes the scan as a BIDS data set (raw), the BIDS derivatives, report.html and demo.png.

    Attributes:
        out: the folder to write.
        voxel_mm: edge of a voxel, mm; larger ones are faster.
        seed: another seed is another person.
        chain: which methods are used.
        json: print the scores as one JSON object, for programs.
    """

    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")] = Path("demo-output")
    voxel_mm: float = 1.6
    seed: int = 0
    chain: Annotated[Chain, tyro.conf.arg(name="")] = Chain()
    json: bool = False

    def run(self) -> int:
        """Simulate, run, show.

        Raises:
            UsageError: GD-101 for voxels that no head fits into; GD-107 if the folder holds something else.
        """
        from gradatim.cli.demonstration import demonstrate
        from gradatim.pipelines.simulated_dataset import head_dataset

        if not (math.isfinite(self.voxel_mm) and 0.5 <= self.voxel_mm <= 6.0):
            given, allowed = f"voxels of {self.voxel_mm} mm", "0.5 to 6 mm"
            raise UsageError("GD-101", given=given, allowed=allowed, do="leave it at 1.6 mm")
        return demonstrate(head_dataset(self.voxel_mm, seed=self.seed), self.out, self.chain.route(), json=self.json)
