"""Who decides the unit of phase: the user, else Units, slope and intercept, and the range of values together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gradatim.base.errors import InputError
from gradatim.base.findings import Finding, Severity
from gradatim.io.phase_units import (
    DEGREES,
    PHASE_UNITS,
    RADIANS,
    STATED,
    Confidence,
    FullRange,
    PhaseEvidence,
    PhaseScaling,
    PhaseUnits,
)

_ASK = f"say what the numbers mean with --phase-units, one of {', '.join(PHASE_UNITS)}"
_COMMON_SHARE = 0.5
_LEAST_SPAN = 1.0


@dataclass(frozen=True)
class _Vote:
    rule: str
    name: str
    convention: PhaseUnits


def decide_phase_scaling(
    evidence: Sequence[PhaseEvidence], *, chosen: PhaseUnits | FullRange | None = None
) -> PhaseScaling:
    """Decide how the stored phase of one scan becomes radians.

    The user's choice counts before everything. Else each volume's ``Units``, its slope and intercept, and the
    range that its values fill each name a convention or abstain; all that speak must name the same one. Nothing
    is ever stretched from its smallest to its largest value unless the user says so (:class:`FullRange`).

    Args:
        evidence: one per phase volume of the scan, at least one.
        chosen: the user's word.

    Returns:
        The scaling with its reason; its notes hold GD-331 (the user's word against a rule), GD-333 (no Units),
        GD-335 (Units that BIDS does not know) and GD-336 (does not look like wrapped phase).

    Raises:
        InputError: GD-331 if two rules disagree, GD-332 if none speaks, GD-333 if only some volumes state their
            unit, GD-334 for integer phase that was wrapped around, GD-335 for a unit that is not one of phase,
            GD-337 for degrees that no sidecar states.

    Example:
        >>> seen = PhaseEvidence("phase.nii", None, 2.0, -4096.0, -4096.0, 4094.0, True, False)
        >>> decide_phase_scaling([seen]).rule
        'slope+range'
    """
    _refuse_wrapped_storage(evidence)
    if isinstance(chosen, FullRange):
        return _full_range(evidence)
    if chosen is not None:
        return _as_chosen(chosen, evidence)
    return _by_rules(evidence)


def _votes(evidence: Sequence[PhaseEvidence]) -> list[_Vote]:
    votes = []
    for e in evidence:
        spoken = {"units": STATED.get((e.units or "").lower()), "slope": e.by_slope, "range": e.by_range}
        votes += [_Vote(rule, e.name, convention) for rule, convention in spoken.items() if convention is not None]
    return votes


def _by_rules(evidence: Sequence[PhaseEvidence]) -> PhaseScaling:
    _refuse_stated(evidence)
    votes = _votes(evidence)
    named = {v.convention.name: v.convention for v in votes}
    values = f"values from {_low(evidence):.6g} to {_high(evidence):.6g}"
    if len(named) > 1:
        who = "; ".join(f"{_who(votes, name)} {name}" for name in named)
        raise InputError("GD-331", given=f"{who}; {values}", allowed="rules that agree", do=f"correct Units, or {_ASK}")
    if not named:
        raise InputError(
            "GD-332",
            given=f"phase with {values}{_symmetry(evidence)}, Units {evidence[0].units or 'not stated'}",
            allowed="a stated unit, a known slope and intercept, or values that fill a known range",
            do=f"{_ASK}; full-range if the smallest and largest value are −π and π",
        )
    ((name, convention),) = named.items()
    rules = sorted({v.rule for v in votes}, key=("units", "slope", "range").index)
    if convention is DEGREES:
        _refuse_degrees(rules, values)
    return PhaseScaling(
        convention.scale,
        convention.offset,
        "+".join(rules),
        Confidence.AGREED if len(rules) > 1 else Confidence.SINGLE,
        f"{_who(votes, name)} {name}; {values}",
        _notes(convention, rules, evidence),
    )


def _as_chosen(chosen: PhaseUnits, evidence: Sequence[PhaseEvidence]) -> PhaseScaling:
    votes = [v for v in _votes(evidence) if v.convention != chosen]
    notes: tuple[Finding, ...] = ()
    if votes:
        what = f"--phase-units {chosen.name} is followed, but {votes[0].rule} of {votes[0].name} says "
        notes = (_warn("GD-331", evidence, what + votes[0].convention.name, "check the choice"),)
    sentence = f"the user chose {chosen.name}"
    return PhaseScaling(chosen.scale, chosen.offset, "user", Confidence.CHOSEN, sentence, notes)


def _full_range(evidence: Sequence[PhaseEvidence]) -> PhaseScaling:
    low, high = _low(evidence), _high(evidence)
    if not high > low:
        raise InputError(
            "GD-332", given=f"phase that is {low:g} everywhere", allowed="phase that varies", do="give the phase image"
        )
    notes: tuple[Finding, ...] = ()
    if any(e.high - e.low < _COMMON_SHARE * (high - low) for e in evidence):
        what = "an echo fills less than half of the common range, so the extremes may not be −π and π for it"
        notes = (_warn("GD-336", evidence, what, "check the range of each echo, or give the unit"),)
    scale = 2 * math.pi / (high - low)
    sentence = f"the user said that the extremes {low:.6g} and {high:.6g} are −π and π"
    return PhaseScaling(scale, -math.pi - scale * low, "user", Confidence.CHOSEN, sentence, notes)


def _notes(convention: PhaseUnits, rules: list[str], evidence: Sequence[PhaseEvidence]) -> tuple[Finding, ...]:
    notes: tuple[Finding, ...] = ()
    if evidence[0].units is None:
        what = f"no Units; {convention.name} by {' and '.join(rules)}"
        notes += (_warn("GD-333", evidence, what, f"write Units into the sidecar, or --phase-units {convention.name}"),)
    elif evidence[0].units not in ("rad", "arbitrary"):
        what = f"Units {evidence[0].units!r} is followed, but BIDS does not know it"
        notes += (_warn("GD-335", evidence, what, "convert the phase to rad"),)
    if convention is RADIANS and rules == ["units"]:
        low, high = _low(evidence), _high(evidence)
        what = f"values from {low:.4g} to {high:.4g} rad "
        if max(-low, high - math.pi) > 1.01 * math.pi:
            notes += (_warn("GD-336", evidence, what + "go beyond one turn", "nothing, if it is unwrapped already"),)
        elif high - low < _LEAST_SPAN:
            notes += (_warn("GD-336", evidence, what + "hardly vary", "check Units"),)
    return notes


def _refuse_wrapped_storage(evidence: Sequence[PhaseEvidence]) -> None:
    for e in evidence:
        if e.gap:
            raise InputError(
                "GD-334",
                given=f"{e.name} holds whole numbers from {e.low:g} to {e.high:g} with a wide empty gap between",
                allowed="numbers without an overflow of their 16 bits",
                do="export the phase again, signed or with slope and intercept",
            )


def _refuse_stated(evidence: Sequence[PhaseEvidence]) -> None:
    """Units must be known ones, and stated for all volumes or for none, as arbitrary for all or for none."""
    for e in evidence:
        if e.units is not None and e.units.lower() not in STATED:
            raise InputError(
                "GD-335", given=f"{e.name} has Units {e.units!r}", allowed="rad or arbitrary", do="give the phase image"
            )
    silent = [e.name for e in evidence if e.units is None]
    if silent and len(silent) < len(evidence):
        raise InputError(
            "GD-333",
            given=f"no Units in {', '.join(silent)}, but in the other echoes",
            allowed="Units rad or arbitrary in the sidecar of every phase image",
            do=f"add it, or {_ASK}",
        )
    if len({(e.units or "").lower() == "arbitrary" for e in evidence}) > 1:
        said = "; ".join(f"{e.name} {e.units}" for e in evidence)
        raise InputError("GD-331", given=f"Units {said}", allowed="one unit for all echoes", do="correct the sidecars")


def _refuse_degrees(rules: list[str], values: str) -> None:
    if "units" not in rules:
        raise InputError(
            "GD-337",
            given=f"phase in degrees by its {' and '.join(rules)}; {values}",
            allowed="Units in the sidecar",
            do="if it is degrees say --phase-units degrees, else name the right unit",
        )
    if rules == ["units"]:
        raise InputError(
            "GD-335",
            given=f"Units degrees, but {values} do not fill −180 to 180",
            allowed="rad or arbitrary",
            do=f"correct Units, or {_ASK}",
        )


def _who(votes: Sequence[_Vote], name: str) -> str:
    """Which rules of which volumes say a name, the first volume of each rule standing for the rest."""
    said = []
    for rule in ("units", "slope", "range"):
        names = [v.name for v in votes if v.rule == rule and v.convention.name == name]
        if names:
            said.append(f"{rule} of {names[0]}{f' and {len(names) - 1} more' if names[1:] else ''}")
    return f"{', '.join(said)} {'say' if len(said) > 1 else 'says'}"


def _symmetry(evidence: Sequence[PhaseEvidence]) -> str:
    low, high = _low(evidence), _high(evidence)
    if low < 0 < high and abs(low + high) < 1e-3 * high:
        return " (symmetric, as wrapped phase of any scale would be)"
    return ""


def _low(evidence: Sequence[PhaseEvidence]) -> float:
    return min(e.low for e in evidence)


def _high(evidence: Sequence[PhaseEvidence]) -> float:
    return max(e.high for e in evidence)


def _warn(code: str, evidence: Sequence[PhaseEvidence], what: str, fix: str) -> Finding:
    return Finding(code, Severity.WARN, evidence[0].name, what, "one unit, clearly stated", fix)
