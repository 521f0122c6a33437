"""gradatim limits echo-times: whether the phase of a multi-echo scan unwraps, and how well it knows the field."""

import json as jsonlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradatim.scanner.protocol.echo_plan import PlannedEchoes


@dataclass(frozen=True)
class EchoTimesLimit:
    """Tell whether echo times unwrap safely, and the error of the field and of susceptibility that they allow.

    Attributes:
        echo_times_ms: one after the other, ms, the shortest first.
        field_strength: B0, T.
        max_offset_ppm: the largest field offset that must unwrap, ppm of B0; 1 to 3 near air.
        slope_ppm: how much the field changes from one voxel to the next where it is steepest, ppm.
        snr: of the magnitude at TE = 0.
        t2_star_ms: of the tissue that matters, ms.
        risk: accepted chance of a wrong wrap between two echoes at the largest offset.
        json: print one JSON object in SI units, for programs.
    """

    echo_times_ms: tuple[float, ...]
    field_strength: float
    max_offset_ppm: float = 1.0
    slope_ppm: float = 0.1
    snr: float = 50.0
    t2_star_ms: float = 30.0
    risk: float = 1e-3
    json: bool = False

    def run(self) -> int:
        """Plan and print.

        Raises:
            UsageError: GD-190 for echo times that do not increase; GD-159 for ms or T in another unit; GD-101 for
                other impossible numbers.
        """
        import torch

        from gradatim.base.units import hz_per_ppm
        from gradatim.cli.scan_units import require_offset, t2_star_seconds, tesla
        from gradatim.cli.system_choice import require_plausible
        from gradatim.scanner.protocol.echo_plan import EchoPlan
        from gradatim.scanner.protocol.targets import SusceptibilityTarget

        require_offset(self.max_offset_ppm, what="--max-offset-ppm")
        require_offset(self.slope_ppm, what="--slope-ppm")
        for time in self.echo_times_ms:
            require_plausible(time, (0.05, 1000.0), what="--echo-times-ms", unit="ms", do="0.004 s is 4")
        hertz = hz_per_ppm(tesla(self.field_strength))
        t2_star = t2_star_seconds(self.t2_star_ms)
        times = torch.tensor(self.echo_times_ms, dtype=torch.float64) / 1e3
        plan = EchoPlan(self.max_offset_ppm * hertz, self.slope_ppm * hertz, self.snr, t2_star, self.risk)(times)
        target = SusceptibilityTarget(t2_star, self.field_strength)
        susceptibility = float(target.error(times, snr=torch.tensor(self.snr, dtype=torch.float64)))
        if self.json:
            print(jsonlib.dumps(self._record(plan, susceptibility), indent=2))
            return 0
        print(
            " TE (ms)  from echo to echo   chance of a wrong wrap   between neighbours   signal left in a steep voxel"
        )
        steps, risks = [None, *plan.steps.tolist()], [None, *plan.risks.tolist()]
        rows = zip(times.tolist(), steps, risks, plan.neighbours.tolist(), plan.signal_left.tolist(), strict=True)
        for time, step, risk, neighbours, left in rows:
            moved = f"{step / math.pi:5.2f} π" if step is not None else "first"
            chance = f"{risk:.2g}" if risk is not None else ""
            space = f"{neighbours / math.pi:16.2f} π"
            print(f"{1e3 * time:8.3f}  {moved:>17}   {chance:>22}   {space}   {100 * left:8.1f} %")
        for sentence in self._sentences(plan):
            print(sentence)
        field, chi = 1e3 * plan.field_error / hertz, 1e3 * susceptibility
        print(f"standard errors of a voxel: field {field:.2f} ppb, susceptibility {chi:.1f} ppb (Cramér-Rao bound)")
        return 0

    def _sentences(self, plan: "PlannedEchoes") -> list[str]:
        widest = 1e3 * plan.largest_spacing
        safe = bool((plan.risks <= self.risk).all())
        in_space = bool((plan.neighbours < math.pi).all())
        return [
            f"from echo to echo: {'safe' if safe else 'NOT safe'} for offsets of {self.max_offset_ppm:g} ppm at "
            f"{self.field_strength:g} T; echoes up to {widest:.2f} ms apart are",
            "first echo: "
            + (
                "no offset wraps in it"
                if plan.first < math.pi
                else f"wraps at {plan.first / math.pi:.2f} π; unwrap in space"
            ),
            f"in space: {'safe' if in_space else 'NOT safe'} at a slope of {self.slope_ppm:g} ppm a voxel",
        ]

    def _record(self, plan: "PlannedEchoes", susceptibility: float) -> dict[str, Any]:
        return {
            "echo_times_s": plan.echo_times.tolist(),
            "steps_rad": plan.steps.tolist(),
            "risks": plan.risks.tolist(),
            "first_rad": plan.first,
            "neighbours_rad": plan.neighbours.tolist(),
            "signal_left": plan.signal_left.tolist(),
            "safe_between_echoes": bool((plan.risks <= self.risk).all()),
            "safe_in_space": bool((plan.neighbours < math.pi).all()),
            "largest_spacing_s": plan.largest_spacing,
            "field_error_hz": plan.field_error,
            "susceptibility_error_ppm": susceptibility,
        }
