"""gradatim sequence diffusion: diffusion-weighted spin-echo EPI as a Pulseq file."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from gradatim.base.errors import UsageError
from gradatim.cli.plane_options import SliceOptions, TrainOptions
from gradatim.cli.system_choice import SystemChoice

if TYPE_CHECKING:
    from gradatim.base.sequence import Sequence
    from gradatim.scanner.sequences.delivered_weighting import DiffusionWeighting
    from gradatim.scanner.sequences.diffusion_epi import DiffusionEchoPlanar
    from gradatim.scanner.system import System


@dataclass(frozen=True)
class Diffusion:
    """Make diffusion-weighted spin-echo EPI: all weightings at one echo time, b delivered with imaging gradients in.

    Attributes:
        out: Pulseq file to write, ending in .seq.
        b: s/mm²; each but 0 along x, y and z.
        bvals: file of b-values, s/mm², in place of --b; needs --bvecs.
        bvecs: file of directions.
        echo_time_ms: ms; without it the shortest.
        repetition_time_ms: ms; without it 3000, or as long as the slices take.
        pulse_ms: duration of the sinc pulses that excite and refocus, ms.
        crusher_cycles: of dephasing over the slice on each side of the refocusing pulse.
        dummies: volumes without readout before the first.
        train: the plane and how it is read.
        geometry: the slices.
        hardware: the gradient system.
        picture: draw waveforms and k-space to this SVG file.
        json: print one JSON object in SI units, for programs.
    """

    out: Path
    b: tuple[float, ...] = (0.0, 1000.0)
    bvals: Path | None = None
    bvecs: Path | None = None
    echo_time_ms: float | None = None
    repetition_time_ms: float | None = None
    pulse_ms: tuple[float, float] = (2.0, 2.4)
    crusher_cycles: float = 4.0
    dummies: int = 1
    train: Annotated[TrainOptions, tyro.conf.arg(name="")] = TrainOptions()
    geometry: Annotated[SliceOptions, tyro.conf.arg(name="")] = SliceOptions()
    hardware: Annotated[SystemChoice, tyro.conf.arg(name="")] = SystemChoice()
    picture: Path | None = None
    json: bool = False

    def run(self) -> int:
        """Make, write, draw and print; whatever is refused is raised."""
        from gradatim.cli.feature_outputs import require_outputs
        from gradatim.cli.sequence_outputs import deliver

        require_outputs([self.out, self.picture], inputs=(self.bvals, self.bvecs))
        return deliver(self, self._protocol(), delivered=self._delivered)

    def _delivered(self, system: "System", sequence: "Sequence") -> dict[str, float | tuple[float, ...]]:
        plan = self._protocol().plan(system)
        along = {"xx": (0, 0), "yy": (1, 1), "zz": (2, 2), "xy": (0, 1), "xz": (0, 2), "yz": (1, 2)}
        raster = system.rasters.gradient
        return {
            **self.train.delivered(system, sequence),
            "small_delta_s": (plan.timing.lobe(raster) - plan.timing.rise(system)) / 1e9,
            "big_delta_s": plan.timing.separation(raster) / 1e9,
            "strongest_lobe_t_per_m": float(plan.amplitudes.abs().max()),
            "b_s_per_m2": tuple(plan.b.diagonal(dim1=1, dim2=2).sum(1).tolist()),
            **{f"b_{name}_s_per_m2": tuple(plan.b[:, i, j].tolist()) for name, (i, j) in along.items()},
        }

    def _protocol(self) -> "DiffusionEchoPlanar":
        from gradatim.cli.plane_options import sinc_pulse
        from gradatim.cli.typed_units import from_milliseconds
        from gradatim.scanner.sequences.diffusion_epi import DiffusionEchoPlanar

        return DiffusionEchoPlanar(
            self.train.train(),
            self._weightings(),
            self.geometry.thickness,
            sinc_pulse(90.0, self.pulse_ms[0], what="--pulse-ms"),
            sinc_pulse(180.0, self.pulse_ms[1], what="--pulse-ms"),
            self.crusher_cycles,
            from_milliseconds(self.echo_time_ms, what="--echo-time-ms"),
            from_milliseconds(self.repetition_time_ms, what="--repetition-time-ms"),
            self.geometry.positions,
            self.dummies,
        )

    def _weightings(self) -> "tuple[DiffusionWeighting, ...]":
        from gradatim.io.fsl_gradients import read_fsl_gradients
        from gradatim.scanner.sequences.delivered_weighting import DiffusionWeighting, weightings_of

        if (self.bvals is None) != (self.bvecs is None):
            raise UsageError(
                "GD-104", given="one of --bvals and --bvecs", allowed="both or none", do="give the other file as well"
            )
        if self.bvals is None or self.bvecs is None:
            axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
            return weightings_of(tuple(1e6 * b for b in self.b), axes)
        read = read_fsl_gradients(self.bvals, self.bvecs)
        return tuple(
            DiffusionWeighting(b, (x, y, z)) if (x, y, z) != (0, 0, 0) else DiffusionWeighting(b)
            for b, (x, y, z) in zip(read.b.tolist(), read.direction.tolist(), strict=True)
        )
