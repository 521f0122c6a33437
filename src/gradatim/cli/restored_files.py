"""From files through a restoration to a file, and what is said about it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradatim.cli.outcome import plain

if TYPE_CHECKING:
    from gradatim.io.any_image import AnyImage
    from gradatim.restore.restored import Restored

Restoration = Callable[["AnyImage"], "Restored"]

LOOSE = 0.03
"""Relative gap above which a proof is too weak to be passed over in silence."""


def restore_file(image: Path, out: Path, restoration: Restoration, *, what: str, as_json: bool) -> int:
    """Read, restore, write and say how it went.

    Args:
        image: the file to read.
        out: the file to write.
        restoration: what to do with the image.
        what: in words, for the spinner.
        as_json: one JSON object on stdout instead of lines on stderr.

    Returns:
        The exit code, 0.
    """
    from rich.console import Console

    from gradatim.cli.findings_in_words import in_words
    from gradatim.io.any_image import read_any, require_writable, write_any

    talk = Console(stderr=True, highlight=False)
    given = read_any(image)
    require_writable(out, given)
    with talk.status(f"{what} {plain(image.name)}"):
        found = restoration(given)
        notes = given.notes + write_any(out, found.value, given)
    if as_json:
        print(json.dumps({"output": str(out), **record(found), "notes": [note.record() for note in notes]}, indent=2))
        return 0
    if notes:
        talk.print(in_words(notes), soft_wrap=True)
    for line in (*in_lines(found), f"written {out}"):
        talk.print(plain(line), soft_wrap=True, markup=False)
    return 0


def record(found: "Restored") -> dict[str, Any]:
    """What was decided and proved, as plain data; null where a method has no such thing."""
    certificate, solution = found.certificate, found.solution
    proved = certificate is not None and certificate.gap < float("inf")
    return {
        "noise": found.noise,
        "weight": found.weight,
        "iterations": None if solution is None else solution.iterations,
        "stopped": None if solution is None else solution.reason.value,
        "converged": None if solution is None else solution.converged,
        "objective": certificate.objective if certificate is not None and proved else None,
        "gap": certificate.gap if certificate is not None and proved else None,
        "holds_within": certificate.radius if certificate is not None and proved and certificate.radius else None,
        "message": found.message,
    }


def in_lines(found: "Restored") -> list[str]:
    """The same for a reader."""
    said, share = record(found), 0.0
    lines = [f"noise {found.noise:.4g}, in the image's unit"] if found.noise else ["no noise assumed"]
    if found.weight is not None:
        lines.append(f"λ {found.weight:.4g}" + (f" ({found.message})" if found.message else ""))
    if said["gap"] is not None and said["objective"]:
        share = said["gap"] / abs(said["objective"])
        scope = "" if said["holds_within"] is None else f" for every image within {said['holds_within']:.4g} of it"
        lines.append(f"the objective is at most {100 * share:.2g} % above its minimum{scope}")
    if said["iterations"] is not None:
        lines.append(f"{said['iterations']} iterations: {said['stopped']}")
    if said["converged"] is False:
        lines.append("warning: it did not converge; the image may differ from the one that was sought")
    elif share > LOOSE:
        lines.append("warning: the proof is weak; the image may differ from the one that was sought")
    return lines
