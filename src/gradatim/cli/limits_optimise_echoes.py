"""gradatim limits optimise t2star and susceptibility: the best echoes of a spoiled 3-D scan."""

import json as jsonlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from gradatim.cli.reference_image import ReferenceImage
from gradatim.cli.system_choice import SystemChoice

if TYPE_CHECKING:
    from gradatim.scanner.protocol.best_echoes import BestEchoes, BestProtocol
    from gradatim.scanner.protocol.finest_voxel import FoundVoxel
    from gradatim.scanner.protocol.gradient_echoes import GradientEchoScan
    from gradatim.scanner.protocol.targets import EchoTarget


@dataclass(frozen=True)
class EchoScan:
    """What is fixed of the scan.

    Attributes:
        matrix: voxels along readout, phase and partition.
        fov_mm: field of view along them, mm.
        echoes: how many.
        scan_time: of the whole, s.
        t1_ms: ms.
        t2_star_ms: of the tissue that matters, ms.
        max_offset_ppm: field offset that must unwrap from echo to echo, ppm of B0; 0 for no such demand.
        field_strength: B0, T.
        least_bandwidth: lowest bandwidth of a pixel, Hz.
        reference: an image whose signal-to-noise ratio is known.
    """

    matrix: tuple[int, int, int] = (128, 128, 64)
    fov_mm: tuple[float, float, float] = (220.0, 220.0, 128.0)
    echoes: int = 5
    scan_time: float = 300.0
    t1_ms: float = 1200.0
    t2_star_ms: float = 30.0
    max_offset_ppm: float = 0.0
    field_strength: float = 3.0
    least_bandwidth: float = 100.0
    reference: Annotated[ReferenceImage, tyro.conf.arg(name="")] = ReferenceImage()

    def scan(self) -> "GradientEchoScan":
        """The scan in SI units.

        Raises:
            UsageError: GD-159 for a number in another unit; GD-101 for an impossible one.
        """
        from gradatim.cli.scan_units import seconds_of_scan, t1_seconds
        from gradatim.cli.typed_units import fov_metres
        from gradatim.scanner.protocol.gradient_echoes import GradientEchoScan

        readout, phase, partition = (fov_metres(side) or 0.0 for side in self.fov_mm)
        return GradientEchoScan(
            matrix=self.matrix,
            extent=(readout, phase, partition),
            echoes=self.echoes,
            scan_time=seconds_of_scan(self.scan_time),
            t1=t1_seconds(self.t1_ms),
            noise=self.reference.noise(),
        )

    def best(self, target: "EchoTarget") -> "BestEchoes":
        """The search for a target's best echoes."""
        from gradatim.base.units import hz_per_ppm
        from gradatim.cli.scan_units import require_offset, tesla
        from gradatim.scanner.protocol.best_echoes import BestEchoes

        require_offset(self.max_offset_ppm, what="--max-offset-ppm")
        offset = self.max_offset_ppm * hz_per_ppm(tesla(self.field_strength)) if self.max_offset_ppm else None
        return BestEchoes(self.scan(), target, offset, self.least_bandwidth)


@dataclass(frozen=True)
class OptimisedT2Star:
    """Tell the echoes that know T2* best; with a target error, the finest voxel that still meets it too.

    Attributes:
        given: what is fixed.
        target_error: standard error that is good enough, ms: the voxel shrinks or grows in proportion until it has it.
        hardware: the gradient system.
        json: print one JSON object in SI units, for programs.
    """

    given: Annotated[EchoScan, tyro.conf.arg(name="")] = EchoScan()
    target_error: float | None = None
    hardware: Annotated[SystemChoice, tyro.conf.arg(name="")] = SystemChoice()
    json: bool = False

    def run(self) -> int:
        """Optimise and print.

        Raises:
            UsageError: GD-191 if nothing fits into the time; GD-192 if nothing unwraps; GD-198 if no voxel meets the
                target; GD-199 for an impossible target; what the options refuse.
        """
        from gradatim.cli.scan_units import t2_star_seconds
        from gradatim.scanner.protocol.targets import T2StarTarget

        search = self.given.best(T2StarTarget(t2_star_seconds(self.given.t2_star_ms)))
        return answered(search, self.hardware, self.target_error, "T2*", "ms", json=self.json)


@dataclass(frozen=True)
class OptimisedSusceptibility:
    """Tell the echoes that know susceptibility best; with a target error, the finest voxel that still meets it too.

    Attributes:
        given: what is fixed.
        target_error: standard error that is good enough, ppb: the voxel shrinks or grows in proportion until it has it.
        hardware: the gradient system.
        json: print one JSON object in SI units, for programs.
    """

    given: Annotated[EchoScan, tyro.conf.arg(name="")] = EchoScan()
    target_error: float | None = None
    hardware: Annotated[SystemChoice, tyro.conf.arg(name="")] = SystemChoice()
    json: bool = False

    def run(self) -> int:
        """Optimise and print.

        Raises:
            UsageError: GD-191 if nothing fits into the time; GD-192 if nothing unwraps; GD-198 if no voxel meets the
                target; GD-199 for an impossible target; what the options refuse.
        """
        from gradatim.cli.scan_units import t2_star_seconds, tesla
        from gradatim.scanner.protocol.targets import SusceptibilityTarget

        search = self.given.best(
            SusceptibilityTarget(t2_star_seconds(self.given.t2_star_ms), tesla(self.given.field_strength))
        )
        return answered(search, self.hardware, self.target_error, "susceptibility", "ppb", json=self.json)


def answered(
    search: "BestEchoes", hardware: SystemChoice, target_error: float | None, quantity: str, unit: str, *, json: bool
) -> int:
    """Search and print.

    Args:
        search: for the best protocol of the voxel as given.
        hardware: the gradient system.
        target_error: that the finest voxel shall meet, in the shown unit; None keeps the voxel.
        quantity: whose error.
        unit: that is shown, a thousandth of the error's own.
        json: one object instead of sentences.
    """
    from gradatim.scanner.protocol.finest_voxel import FinestVoxel

    system = hardware.chosen()[0]
    voxel = None if target_error is None else FinestVoxel(search, target_error / 1e3)(system)
    best: Any = search(system) if voxel is None else voxel.best
    if json:
        print(jsonlib.dumps(_record(best) | ({} if voxel is None else voxel_record(voxel, best.unit)), indent=2))
        return 0
    if voxel is not None:
        print(voxel_sentence(voxel, 1e3, unit))
    _tell(best, quantity, unit)
    return 0


def voxel_sentence(voxel: "FoundVoxel", factor: float, unit: str) -> str:
    """The finest voxel in words.

    Args:
        voxel: what was found.
        factor: from the error's unit to the shown one.
        unit: that is shown.
    """
    edges = " × ".join(f"{1e3 * edge:.3g}" for edge in voxel.voxel)
    matrix = " × ".join(str(n) for n in voxel.matrix)
    finer = f"{factor * voxel.finer_error:.4g} {unit}" if math.isfinite(voxel.finer_error) else "no protocol that fits"
    return f"finest voxel: {edges} mm, matrix {matrix}; the next finer one has {finer}"


def voxel_record(voxel: "FoundVoxel", ending: str) -> dict[str, Any]:
    """The finest voxel for programs.

    Args:
        voxel: what was found.
        ending: the errors' unit, as it stands in their names.
    """
    finer = voxel.finer_error if math.isfinite(voxel.finer_error) else None
    return {"voxel_m": list(voxel.voxel), "matrix": list(voxel.matrix), f"error_of_next_finer_{ending}": finer}


def _tell(best: "BestProtocol", quantity: str, unit: str) -> None:
    timing = best.delivered
    echoes = ", ".join(f"{1e3 * time:.2f}" for time in timing.echo_times.tolist())
    print(f"echo times: {echoes} ms")
    often = "once" if timing.averages == 1 else f"{timing.averages} times"
    repetition, dwell = 1e3 * float(timing.repetition), 1e6 * float(timing.dwell)
    print(f"TR {repetition:.2f} ms, dwell {dwell:.2f} µs, k-space read {often}")
    print(f"standard error of {quantity}: {1e3 * best.delivered_error:.4g} {unit} a voxel (Cramér-Rao bound)")
    print(f"before rounding to the scanner's clock: {1e3 * best.error:.4g} {unit}")
    moves = ", ".join(f"{name.replace('_', ' ')} {percent:+.2f} %" for name, percent in best.elasticity.items())
    print(f"one per cent more of each changes it by: {moves}")


def _record(best: "BestProtocol") -> dict[str, Any]:
    timing, ending = best.delivered, f"_{best.unit}"
    return {
        "echo_times_s": timing.echo_times.tolist(),
        "repetition_s": float(timing.repetition),
        "dwell_s": float(timing.dwell),
        "averages": timing.averages,
        "snr": float(timing.snr),
        f"error{ending}": best.delivered_error,
        f"error_before_rounding{ending}": best.error,
        "elasticity": dict(best.elasticity),
    }
