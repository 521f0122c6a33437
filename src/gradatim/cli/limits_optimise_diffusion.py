"""gradatim limits optimise diffusion: the b-value that knows D best."""

import json as jsonlib
from dataclasses import dataclass
from typing import Annotated

import tyro

from gradatim.cli.reference_image import ReferenceImage
from gradatim.cli.system_choice import SystemChoice


@dataclass(frozen=True)
class OptimisedDiffusion:
    """Tell the b-value, echo time and numbers of images that know D best, by spin-echo EPI.

    Attributes:
        matrix: pixels along readout and phase.
        fov_mm: field of view along them, mm.
        slice_mm: slice thickness, mm.
        slices: in one TR.
        scan_time: of the whole, s.
        diffusivity_um2_per_ms: D of what matters, µm²/ms, which is 1e-3 mm²/s.
        t1_ms: ms.
        t2_ms: ms.
        reference: an image whose signal-to-noise ratio is known.
        hardware: the gradient system.
        json: print one JSON object in SI units, for programs.
    """

    matrix: tuple[int, int] = (96, 96)
    fov_mm: tuple[float, float] = (220.0, 220.0)
    slice_mm: float = 3.0
    slices: int = 30
    scan_time: float = 60.0
    diffusivity_um2_per_ms: float = 0.8
    t1_ms: float = 1000.0
    t2_ms: float = 80.0
    reference: Annotated[ReferenceImage, tyro.conf.arg(name="")] = ReferenceImage()
    hardware: Annotated[SystemChoice, tyro.conf.arg(name="")] = SystemChoice()
    json: bool = False

    def run(self) -> int:
        """Optimise and print.

        Raises:
            UsageError: GD-191 if not even two images fit into the time; what the options refuse.
        """
        from gradatim.cli.typed_units import fov_metres
        from gradatim.scanner.protocol.diffusion_echoes import BestDiffusion, DiffusionScan

        readout, phase = (fov_metres(side) or 0.0 for side in self.fov_mm)
        scan = DiffusionScan(
            matrix=self.matrix,
            extent=(readout, phase, self.slice_mm / 1e3),
            slices=self.slices,
            scan_time=self.scan_time,
            diffusivity=self.diffusivity_um2_per_ms * 1e-9,
            t1=self.t1_ms / 1e3,
            t2=self.t2_ms / 1e3,
            noise=self.reference.noise(),
        )
        best = BestDiffusion(scan)(self.hardware.chosen()[0])
        if self.json:
            record = {
                "b_s_per_m2": best.b,
                "echo_time_s": best.echo_time,
                "repetition_s": best.repetition,
                "images": list(best.images),
                "error_m2_per_s": best.delivered_error,
                "error_before_rounding_m2_per_s": best.error,
                "elasticity": dict(best.elasticity),
            }
            print(jsonlib.dumps(record, indent=2))
            return 0
        print(f"b = {best.b / 1e6:.0f} s/mm², b·D = {best.b * scan.diffusivity:.3f}")
        print(f"TE {1e3 * best.echo_time:.2f} ms, TR {best.repetition:.3f} s")
        print(f"{best.images[0]} images without weighting and {best.images[1]} with it, in one direction")
        share = 100 * best.delivered_error / scan.diffusivity
        print(f"standard error of D: {best.delivered_error * 1e9:.4g} µm²/ms, {share:.2g} % (Cramér-Rao bound)")
        moves = ", ".join(f"{name.replace('_', ' ')} {percent:+.2f} %" for name, percent in best.elasticity.items())
        print(f"one per cent more of each changes it by: {moves}")
        return 0
