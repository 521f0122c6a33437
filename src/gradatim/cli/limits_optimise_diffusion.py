"""gradatim limits optimise diffusion: the b-value that knows D best."""

import json as jsonlib
from dataclasses import dataclass
from typing import Annotated, Any

import tyro

from gradatim.cli.reference_image import ReferenceImage
from gradatim.cli.system_choice import SystemChoice


@dataclass(frozen=True)
class OptimisedDiffusion:
    """Tell the b-value, echo time and numbers of images that know D best, by spin-echo EPI.

    With a target error, the finest voxel that still meets it too; slices become thinner with it, and more.

    Attributes:
        matrix: pixels along readout and phase.
        fov_mm: field of view along them, mm.
        slice_mm: slice thickness, mm.
        slices: in one TR.
        scan_time: of the whole, s.
        diffusivity_um2_per_ms: D of what matters, µm²/ms, which is 1e-3 mm²/s.
        t1_ms: ms.
        t2_ms: ms.
        target_error: standard error of D that is good enough, µm²/ms.
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
    target_error: float | None = None
    reference: Annotated[ReferenceImage, tyro.conf.arg(name="")] = ReferenceImage()
    hardware: Annotated[SystemChoice, tyro.conf.arg(name="")] = SystemChoice()
    json: bool = False

    def run(self) -> int:
        """Optimise and print.

        Raises:
            UsageError: GD-191 if not even two images fit into the time; GD-198 if no voxel meets the target; GD-199 for
                an impossible target; what the options refuse.
        """
        from gradatim.cli.limits_optimise_echoes import voxel_record, voxel_sentence
        from gradatim.cli.scan_units import diffusivity, seconds_of_scan, slice_metres, t1_seconds, t2_seconds
        from gradatim.cli.typed_units import fov_metres
        from gradatim.scanner.protocol.diffusion_echoes import BestDiffusion, DiffusionScan
        from gradatim.scanner.protocol.finest_voxel import FinestVoxel

        readout, phase = (fov_metres(side) or 0.0 for side in self.fov_mm)
        scan = DiffusionScan(
            matrix=self.matrix,
            extent=(readout, phase, slice_metres(self.slice_mm)),
            slices=self.slices,
            scan_time=seconds_of_scan(self.scan_time),
            diffusivity=diffusivity(self.diffusivity_um2_per_ms),
            t1=t1_seconds(self.t1_ms),
            t2=t2_seconds(self.t2_ms),
            noise=self.reference.noise(),
        )
        search, system = BestDiffusion(scan), self.hardware.chosen()[0]
        voxel = None if self.target_error is None else FinestVoxel(search, self.target_error * 1e-9)(system)
        best: Any = search(system) if voxel is None else voxel.best
        if self.json:
            record: dict[str, Any] = {
                "b_s_per_m2": best.b,
                "echo_time_s": best.echo_time,
                "repetition_s": best.repetition,
                "images": list(best.images),
                "error_m2_per_s": best.delivered_error,
                "error_before_rounding_m2_per_s": best.error,
                "elasticity": dict(best.elasticity),
            }
            record |= {} if voxel is None else voxel_record(voxel, "m2_per_s")
            print(jsonlib.dumps(record, indent=2))
            return 0
        if voxel is not None:
            print(voxel_sentence(voxel, 1e9, "µm²/ms"))
        print(f"b = {best.b / 1e6:.0f} s/mm², b·D = {best.b * scan.diffusivity:.3f}")
        print(f"TE {1e3 * best.echo_time:.2f} ms, TR {best.repetition:.3f} s")
        print(f"{best.images[0]} images without weighting and {best.images[1]} with it, in one direction")
        share = 100 * best.delivered_error / scan.diffusivity
        print(f"standard error of D: {best.delivered_error * 1e9:.4g} µm²/ms, {share:.2g} % (Cramér-Rao bound)")
        moves = ", ".join(f"{name.replace('_', ' ')} {percent:+.2f} %" for name, percent in best.elasticity.items())
        print(f"one per cent more of each changes it by: {moves}")
        return 0
