"""gradatim limits optimise t2star and susceptibility: the best echoes of a spoiled 3-D scan."""

import json as jsonlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from gradatim.cli.reference_image import ReferenceImage
from gradatim.cli.system_choice import SystemChoice

if TYPE_CHECKING:
    from gradatim.scanner.protocol.best_echoes import BestProtocol
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
        """The scan in SI units."""
        from gradatim.cli.typed_units import fov_metres
        from gradatim.scanner.protocol.gradient_echoes import GradientEchoScan

        readout, phase, partition = (fov_metres(side) or 0.0 for side in self.fov_mm)
        return GradientEchoScan(
            matrix=self.matrix,
            extent=(readout, phase, partition),
            echoes=self.echoes,
            scan_time=self.scan_time,
            t1=self.t1_ms / 1e3,
            noise=self.reference.noise(),
        )

    def best(self, target: "EchoTarget", hardware: SystemChoice) -> "BestProtocol":
        """The best protocol for a target."""
        from gradatim.base.units import hz_per_ppm
        from gradatim.scanner.protocol.best_echoes import BestEchoes

        offset = self.max_offset_ppm * hz_per_ppm(self.field_strength) if self.max_offset_ppm else None
        return BestEchoes(self.scan(), target, offset, self.least_bandwidth)(hardware.chosen()[0])


@dataclass(frozen=True)
class OptimisedT2Star:
    """Tell the echoes that know T2* best.

    Attributes:
        given: what is fixed.
        hardware: the gradient system.
        json: print one JSON object in SI units, for programs.
    """

    given: Annotated[EchoScan, tyro.conf.arg(name="")] = EchoScan()
    hardware: Annotated[SystemChoice, tyro.conf.arg(name="")] = SystemChoice()
    json: bool = False

    def run(self) -> int:
        """Optimise and print.

        Raises:
            UsageError: GD-191 if nothing fits into the time; GD-192 if nothing unwraps; what the options refuse.
        """
        from gradatim.scanner.protocol.targets import T2StarTarget

        target = T2StarTarget(self.given.t2_star_ms / 1e3)
        return told(self.given.best(target, self.hardware), "T2*", 1e3, "ms", json=self.json)


@dataclass(frozen=True)
class OptimisedSusceptibility:
    """Tell the echoes that know susceptibility best.

    Attributes:
        given: what is fixed.
        hardware: the gradient system.
        json: print one JSON object in SI units, for programs.
    """

    given: Annotated[EchoScan, tyro.conf.arg(name="")] = EchoScan()
    hardware: Annotated[SystemChoice, tyro.conf.arg(name="")] = SystemChoice()
    json: bool = False

    def run(self) -> int:
        """Optimise and print.

        Raises:
            UsageError: GD-191 if nothing fits into the time; GD-192 if nothing unwraps; what the options refuse.
        """
        from gradatim.scanner.protocol.targets import SusceptibilityTarget

        target = SusceptibilityTarget(self.given.t2_star_ms / 1e3, self.given.field_strength)
        return told(self.given.best(target, self.hardware), "susceptibility", 1e3, "ppb", json=self.json)


def told(best: "BestProtocol", quantity: str, factor: float, unit: str, *, json: bool) -> int:
    """Print a best protocol.

    Args:
        best: the protocol.
        quantity: whose error.
        factor: from the error's unit to the shown one.
        unit: that is shown.
        json: one object instead of sentences.
    """
    if json:
        print(jsonlib.dumps(_record(best), indent=2))
        return 0
    timing = best.delivered
    echoes = ", ".join(f"{1e3 * time:.2f}" for time in timing.echo_times.tolist())
    print(f"echo times: {echoes} ms")
    often = "once" if timing.averages == 1 else f"{timing.averages} times"
    repetition, dwell = 1e3 * float(timing.repetition), 1e6 * float(timing.dwell)
    print(f"TR {repetition:.2f} ms, dwell {dwell:.2f} µs, k-space read {often}")
    print(f"standard error of {quantity}: {factor * best.delivered_error:.4g} {unit} a voxel (Cramér-Rao bound)")
    print(f"before rounding to the scanner's clock: {factor * best.error:.4g} {unit}")
    moves = ", ".join(f"{name.replace('_', ' ')} {percent:+.2f} %" for name, percent in best.elasticity.items())
    print(f"one per cent more of each changes it by: {moves}")
    return 0


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
