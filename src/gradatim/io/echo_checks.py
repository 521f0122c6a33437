"""What the sidecars and names of a scan must agree on, before any voxel is looked at."""

import itertools
import math
from collections import Counter
from collections.abc import Iterator
from typing import TypeGuard

from gradatim.base.findings import Finding, Severity
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.io.echo_series import EchoFile, EchoSeries, Part

TIME_TOLERANCE_S = 1e-5
"""Two echo times that differ less are one; sidecars round to this."""
LONGEST_TIME_S = 1.0
"""A gradient echo is never this late; such a number is in milliseconds."""
NOMINAL_TOLERANCE = 0.05
"""How far the imaging frequency may lie from the nominal field: a "3 T" magnet may have 2.89 T."""
STRONGEST_FIELD_T = 30.0

_POLAR = {Part.MAG, Part.PHASE}
_CARTESIAN = {Part.REAL, Part.IMAG}


def check_parts(series: EchoSeries) -> tuple[Finding, ...]:
    """Whether every echo is there with magnitude and phase, or with real and imaginary part.

    Args:
        series: the scan.

    Returns:
        GD-319 two files for one image (or both pairs of parts), GD-309 no phase, GD-310 no magnitude, GD-308 an
        echo without one of its parts, GD-307 a gap in the echo numbers.

    Example:
        >>> from pathlib import Path
        >>> only_phase = EchoFile(Path("p.nii"), Part.PHASE, 1)
        >>> [finding.code for finding in check_parts(EchoSeries("01", "", (), "MEGRE", (only_phase,)))]
        ['GD-310']
    """
    return tuple(_check_parts(series))


def _check_parts(series: EchoSeries) -> Iterator[Finding]:
    for (part, echo), count in Counter((f.part, f.echo) for f in series.files).items():
        if count > 1:
            yield _stop("GD-319", series, f"{count} files for echo {echo} {part.value}", "one", "remove the others")
    parts = {echo: {f.part for f in series.files if f.echo == echo} for echo in sorted(f.echo for f in series.files)}
    present = set().union(*parts.values())
    if not parts:
        yield _stop("GD-324", series, "no image", "magnitude and phase of each echo", "see the other findings")
    elif not present & _CARTESIAN and Part.PHASE not in present:
        yield _stop("GD-309", series, "no phase image", "phase of each echo", "export phase from the scanner too")
    elif not present & _CARTESIAN and Part.MAG not in present:
        yield _stop("GD-310", series, "no magnitude image", "magnitude of each echo", "add the magnitude images")
    else:
        wanted = _POLAR if present >= _POLAR else _CARTESIAN
        for echo, has in parts.items():
            missing = ", ".join(sorted(p.value for p in wanted - has))
            if missing:
                yield _stop("GD-308", series, f"echo {echo} has no {missing}", "all parts of each echo", "add it")
        if present >= _POLAR and present & _CARTESIAN:
            what, fix = "mag and phase beside real and imag; mag and phase are used", "remove the pair not wanted"
            yield Finding("GD-319", Severity.WARN, series.name, what, "one pair", fix)
    if parts:
        yield from _check_numbers(series, sorted(parts))


def _check_numbers(series: EchoSeries, echoes: list[int]) -> Iterator[Finding]:
    gaps = [b for a, b in itertools.pairwise(echoes) if b > a + 1]
    if gaps:
        fix = "add the missing echo, or number the echoes without gap if it was left out on purpose"
        yield _stop("GD-307", series, f"echo numbers {_listed(echoes)}", "numbers without gap", fix)
    elif echoes[0] != 1:
        what = f"the first echo has the number {echoes[0]}"
        yield Finding(
            "GD-307", Severity.WARN, series.name, what, "numbers from 1", "add the first echo if there is one"
        )


def echo_times(series: EchoSeries) -> tuple[dict[int, float], tuple[Finding, ...]]:
    """Echo number → echo time in s, for the echoes whose files agree; and what is wrong with the others.

    Args:
        series: the scan.

    Returns:
        Times by echo number, and findings: GD-301 missing or no number, GD-302 in ms, GD-303 not positive, GD-304
        parts of one echo disagree, GD-305 two echoes alike, GD-306 times do not grow with the echo number.

    Example:
        >>> from pathlib import Path
        >>> files = tuple(EchoFile(Path(f"{e}.nii"), Part.MAG, e, None, {"EchoTime": 0.004 * e}) for e in (1, 2))
        >>> echo_times(EchoSeries("01", "", (), "MEGRE", files))
        ({1: 0.004, 2: 0.008}, ())
    """
    times: dict[int, float] = {}
    findings: list[Finding] = []
    for echo in sorted({f.echo for f in series.files}):
        files = [f for f in series.files if f.echo == echo]
        faults = [fault for f in files if (fault := _time_fault(f))]
        findings += faults
        values = [float(f.sidecar["EchoTime"]) for f in files] if not faults else []
        if values and max(values) - min(values) > TIME_TOLERANCE_S:
            what = "; ".join(f"{f.part.value} {v:g} s" for f, v in zip(files, values, strict=True))
            fix = "correct EchoTime in the wrong sidecar"
            findings.append(_stop("GD-304", series, f"echo {echo}: {what}", "one EchoTime per echo", fix))
        elif values:
            times[echo] = values[0]
    for (a, first), (b, second) in itertools.pairwise(sorted(times.items())):
        what = f"echo {a} at {first:g} s, echo {b} at {second:g} s"
        if abs(second - first) <= TIME_TOLERANCE_S:
            fix = "correct EchoTime, or remove the echo given twice"
            findings.append(_stop("GD-305", series, what, "another time for each echo", fix))
        elif second < first:
            fix = "put files, echo numbers and echo times into one order"
            findings.append(_stop("GD-306", series, what, "times that grow with the echo number", fix))
    return times, tuple(findings)


def field_strength(series: EchoSeries, *, given: float | None) -> tuple[float | None, tuple[Finding, ...]]:
    """B0 of a scan in T, and what is wrong with it.

    The user's value counts first. Else the sidecars' ``MagneticFieldStrength``, which must be one; where
    ``ImagingFrequency`` (MHz) confirms it within 5 % that is more exact, and B0 = f/γ̄ is taken.

    Args:
        series: the scan.
        given: the user's value, T, or None.

    Returns:
        B0, None if it cannot be told, and findings: GD-313 missing or impossible, GD-314 contradictory, GD-315
        refined by the imaging frequency.

    Example:
        >>> from pathlib import Path
        >>> said = {"MagneticFieldStrength": 3, "ImagingFrequency": 123.2}
        >>> series = EchoSeries("01", "", (), "MEGRE", (EchoFile(Path("a.nii"), Part.MAG, 1, None, said),))
        >>> round(field_strength(series, given=None)[0], 4)
        2.8935
    """
    if given is not None:
        if math.isfinite(given) and 0 < given <= STRONGEST_FIELD_T:
            return given, ()
        return None, (_field_missing(series, f"field strength {given:g}"),)
    stated = {f.label: f.sidecar.get("MagneticFieldStrength") for f in series.files}
    for label, value in stated.items():
        if not (_is_number(value) and 0 < value <= STRONGEST_FIELD_T):
            return None, (_field_missing(series, f"{label}: MagneticFieldStrength {_said(value)}"),)
    fields = sorted({float(v) for v in stated.values() if _is_number(v)})
    frequencies = sorted(
        {float(v) for f in series.files if _is_number(v := f.sidecar.get("ImagingFrequency")) and v > 0}
    )
    if not fields:
        return None, ()
    measured = [f * 1e6 / PROTON_GAMMA_BAR_HZ_PER_T for f in frequencies]
    spread = [*fields, *measured]
    if fields[-1] > 1.01 * fields[0] or max(spread) > (1 + NOMINAL_TOLERANCE) * min(spread):
        what = f"MagneticFieldStrength {_listed(fields)} T"
        what += f", ImagingFrequency {_listed(frequencies)} MHz" if frequencies else ""
        fix = "correct the sidecars, or give --field-strength"
        return None, (_stop("GD-314", series, what, "one field, 42.577 MHz per T", fix),)
    if not measured:
        return fields[0], ()
    what = f"{measured[0]:.4f} T from ImagingFrequency {frequencies[0]:g} MHz instead of the nominal {fields[0]:g} T"
    note = Finding("GD-315", Severity.NOTE, series.name, what, "either", "give --field-strength to overrule it")
    return measured[0], (note,)


def _time_fault(file: EchoFile) -> Finding | None:
    value = file.sidecar.get("EchoTime")
    where = file.label
    if not _is_number(value):
        what, fix = f"EchoTime {_said(value)}", "write EchoTime in s into the sidecar"
        return Finding("GD-301", Severity.REFUSE, where, what, "a number of seconds", fix)
    if not value > 0:
        what, fix = f"EchoTime {value:g} s", "correct EchoTime"
        return Finding("GD-303", Severity.REFUSE, where, what, "a positive time", fix)
    if value >= LONGEST_TIME_S:
        what, fix = f"EchoTime {value:g} s is in ms", f"divide by 1000: {value / 1000:g}"
        return Finding("GD-302", Severity.REFUSE, where, what, f"seconds, below {LONGEST_TIME_S:g}", fix)
    return None


def _field_missing(series: EchoSeries, what: str) -> Finding:
    fix = "write MagneticFieldStrength in T into the sidecars, or give --field-strength"
    return _stop("GD-313", series, what, f"a number of T up to {STRONGEST_FIELD_T:g}", fix)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _said(value: object) -> str:
    return "missing" if value is None else repr(value)[:40]


def _listed(values: list[int] | list[float]) -> str:
    return ", ".join(f"{v:g}" for v in values)


def _stop(code: str, series: EchoSeries, what: str, allowed: str, fix: str) -> Finding:
    return Finding(code, Severity.REFUSE, series.name or "the scan", what, allowed, fix)
