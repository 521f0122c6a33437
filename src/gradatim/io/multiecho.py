"""From the files of a multi-echo scan to the signal: every decision written down, every doubt a coded refusal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.base.findings import Finding, Severity, first_error, refusals
from gradatim.base.grid import Grid
from gradatim.base.nouns import MultiEcho
from gradatim.io.echo_checks import check_parts, echo_times, field_strength
from gradatim.io.echo_series import EchoSeries, Part
from gradatim.io.echo_volumes import (
    Volume,
    check_decay,
    check_swapped,
    common_grid,
    read_volumes,
    settle_cartesian,
    settle_polar,
)
from gradatim.io.orientation import Frame
from gradatim.io.phase_decision import decide_phase_scaling
from gradatim.io.phase_units import Confidence, FullRange, PhaseEvidence, PhaseScaling, PhaseSign, PhaseUnits

_BROKEN_SIDECAR = "GD-221"


@dataclass(frozen=True, eq=False)
class Examination:
    """What looking at a scan gave: the signal if nothing forbids it, and all findings.

    Args:
        loaded: the scan, None if a finding refuses it.
        findings: refusals, warnings and notes.
        digests: fingerprint of each volume's values, to find copies.
    """

    loaded: "LoadedEchoes | None"
    findings: tuple[Finding, ...]
    digests: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class LoadedEchoes:
    """A scan ready for the chain, with the record of how it was read.

    Args:
        signal: magnitude, phase in rad growing with the field, echo times, B0.
        series: the files it came from.
        scaling: how stored phase became radians.
        sign: how stored phase moved with the field.
        findings: warnings and notes.
    """

    signal: MultiEcho
    series: EchoSeries
    scaling: PhaseScaling
    sign: PhaseSign
    findings: tuple[Finding, ...]

    def record(self) -> dict[str, Any]:
        """The decisions as plain data for the provenance sidecar."""
        return {
            "EchoTimes": list(self.signal.echo_times),
            "MagneticFieldStrength": self.signal.field_strength,
            "PhaseScale": self.scaling.scale,
            "PhaseOffset": self.scaling.offset,
            "PhaseRule": self.scaling.rule,
            "PhaseConfidence": self.scaling.confidence.value,
            "PhaseDecision": self.scaling.sentence,
            "PhaseSign": self.sign.name.lower(),
            "Findings": [finding.record() for finding in self.findings],
        }


@dataclass(frozen=True)
class EchoReader:
    """Reads a multi-echo scan, :class:`~gradatim.io.echo_series.EchoSeries` → :class:`LoadedEchoes`.

    Phase becomes rad by :func:`~gradatim.io.phase_decision.decide_phase_scaling` and is turned to grow with the
    field; real and imaginary part become |S| and arg S; echoes lead and are ordered by number and time.

    Args:
        phase_units: the user's word on the unit of phase; None lets the rules decide.
        phase_sign: how stored phase moves with the field.
        frame: which of a header's orientations to follow.
        b0_direction: B0 in array axes, for images without orientation.
        field_strength: the user's word on B0, T; None takes it from the sidecars.
        budget_bytes: the most bytes one file may unpack to; None for an eighth of the free memory.

    Raises:
        InputError: GD-2xx for a file, GD-3xx for the acquisition.
        UnsafeInputError: GD-401 to GD-403.
        ResourceError: GD-505.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from gradatim.io.echo_series import series_from_files
        >>> from gradatim.io.nifti_write import write_nifti
        >>> from gradatim.io.phase_units import RADIANS
        >>> folder, grid = Path(tempfile.mkdtemp()), Grid((4, 4, 2), (1.0, 1.0, 2.0))
        >>> noise = torch.rand(2, 2, 4, 4, 2, generator=torch.Generator().manual_seed(0))
        >>> write_nifti(folder / "mag.nii", noise[0], grid)
        >>> write_nifti(folder / "phase.nii", noise[1], grid)
        >>> series = series_from_files(magnitude=[folder / "mag.nii"], phase=[folder / "phase.nii"],
        ...                            echo_times=[0.004, 0.008], field_strength=3.0)
        >>> EchoReader(phase_units=RADIANS)(series).signal.echo_times
        (0.004, 0.008)
    """

    phase_units: PhaseUnits | FullRange | None = None
    phase_sign: PhaseSign = PhaseSign.GROWS
    frame: Frame = Frame.AGREED
    b0_direction: tuple[float, float, float] | None = None
    field_strength: float | None = None
    budget_bytes: int | None = None

    def __call__(self, series: EchoSeries) -> LoadedEchoes:
        """Read a scan; the first refusal is raised, the others are counted in its message."""
        seen = self.examine(series)
        if seen.loaded is None:
            raise first_error(seen.findings)
        return seen.loaded

    def examine(self, series: EchoSeries) -> Examination:
        """Look at everything and collect all findings; raises nothing for bad input."""
        times, about_times = echo_times(series)
        strength, about_field = field_strength(series, given=self.field_strength)
        findings = [*series.findings, *check_parts(series)]
        told = not any(f.code == _BROKEN_SIDECAR for f in findings)  # else all that it would have said is missing
        findings += [*about_times, *about_field] if told else []
        volumes, about_files = read_volumes(series, frame=self.frame, budget_bytes=self.budget_bytes)
        findings += [self._judged(f, volumes) for f in about_files]
        grid: Grid | None = None
        if volumes:
            grid, about_grid = common_grid(volumes, b0_direction=self.b0_direction)
            findings += about_grid
        scaling, about_phase = self._scaling(volumes)
        findings += about_phase if told else ()
        findings += check_swapped(_of(volumes, Part.MAG), _of(volumes, Part.PHASE))
        findings += check_decay(_of(volumes, Part.MAG))
        stacks, about_values = _stacked(volumes, scaling) if len({v.data.shape for v in volumes}) == 1 else (None, ())
        findings += about_values
        loaded = None
        if not refusals(findings) and grid and scaling and strength and stacks:
            magnitude, phase = stacks
            phase = phase if self.phase_sign is PhaseSign.GROWS else -phase
            signal = MultiEcho(magnitude, phase, tuple(times[e] for e in sorted(times)), strength, grid)
            loaded = LoadedEchoes(signal, series, scaling, self.phase_sign, tuple(findings))
        return Examination(loaded, tuple(findings), tuple(v.digest for v in volumes))

    def _scaling(self, volumes: Sequence[Volume]) -> tuple[PhaseScaling | None, tuple[Finding, ...]]:
        phase = _of(volumes, Part.PHASE)
        if not phase:
            if not _of(volumes, Part.REAL):
                return None, ()
            return PhaseScaling(1.0, 0.0, "complex", Confidence.COMPUTED, "phase is the angle of real and imag"), ()
        evidence = [
            PhaseEvidence.of(v.data, v.image.header, units=_units(v.file.sidecar), name=v.file.label) for v in phase
        ]
        try:
            scaling = decide_phase_scaling(evidence, chosen=self.phase_units)
        except InputError as error:
            return None, (Finding.of(error, phase[0].file.label),)
        return scaling, scaling.notes

    def _judged(self, finding: Finding, volumes: Sequence[Volume]) -> Finding:
        """An unusable slope is a warning for magnitude, but a refusal for phase whose unit it could have told."""
        names = {v.file.path.name for v in volumes if v.file.part is not Part.MAG}
        if finding.code != "GD-214" or finding.where not in names or self.phase_units is not None:
            return finding
        fix = f"{finding.fix}, or say what the stored numbers mean with --phase-units"
        return Finding(finding.code, Severity.REFUSE, finding.where, finding.what, finding.allowed, fix)


def _of(volumes: Sequence[Volume], part: Part) -> list[Volume]:
    return [v for v in volumes if v.file.part is part]


def _units(sidecar: Mapping[str, Any]) -> str | None:
    return None if sidecar.get("Units") is None else str(sidecar["Units"])


def _stacked(
    volumes: Sequence[Volume], scaling: PhaseScaling | None
) -> tuple[tuple[Tensor, Tensor] | None, tuple[Finding, ...]]:
    """Magnitude and phase in rad with the echoes leading, as far as both parts of an echo are there."""
    first, second = _of(volumes, Part.MAG), _of(volumes, Part.PHASE)
    settle = settle_polar if first and second else settle_cartesian
    if settle is settle_cartesian:
        first, second = _of(volumes, Part.REAL), _of(volumes, Part.IMAG)
    elif scaling is not None:
        second = [replace(v, data=scaling.apply(v.data)) for v in second]
    second_of = {v.file.echo: v for v in second}
    settled = [settle(v, second_of[v.file.echo]) for v in first if v.file.echo in second_of]
    if not settled:
        return None, ()
    findings = tuple(f for _, _, found in settled for f in found)
    return (torch.stack([m for m, _, _ in settled]), torch.stack([p for _, p, _ in settled])), findings
