"""gradatim diffusion b: the diffusion weighting that a sequence delivers, imaging gradients included."""

import json as jsonlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from gradatim.base.errors import InputError

if TYPE_CHECKING:
    from gradatim.diffusion.b_matrix import Weighting

_PER_MM2 = 1e-6


@dataclass(frozen=True)
class B:
    """Say the echo time and the b-matrix of each excitation of a Pulseq file, version 1.2 to 1.5.1.

    It is the integral of the gradients as they are played, with all imaging gradients and cross terms, up to the sample
    nearest the centre of k-space.

    Attributes:
        file: the .seq file.
        field_strength: B0, T, for files with offsets in parts per million.
        json: print one JSON object in SI units, for programs.
    """

    file: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FILE")]
    field_strength: float | None = None
    json: bool = False

    def run(self) -> int:
        """Read, integrate, and say.

        Raises:
            InputError: GD-856 if nothing that was excited is read; GD-804 without readouts; what the reader refuses.
        """
        from gradatim.diffusion.b_matrix import weightings
        from gradatim.io.pulseq import read_pulseq

        found = weightings(read_pulseq(self.file, field_strength=self.field_strength))
        if not found:
            raise InputError(
                "GD-856",
                given=f"{self.file.name} without a readout after an excitation",
                allowed="one excitation at least that is read",
                do="give the whole sequence; a file must say which pulses excite",
            )
        if self.json:
            print(jsonlib.dumps({"excitations": [_record(weighting) for weighting in found]}, indent=2))
        else:
            print("\n".join(_lines(found)))
        return 0


def _record(weighting: "Weighting") -> dict[str, object]:
    return {
        "time_s": weighting.time,
        "echo_time_s": weighting.echo_time,
        "b_s_per_m2": float(weighting.b.trace()),
        "b_matrix_s_per_m2": weighting.b.tolist(),
        "centre_per_m": weighting.centre,
    }


def _lines(found: "tuple[Weighting, ...]") -> list[str]:
    """A line for each excitation; those alike are told once."""
    lines = ["TE ms      b s/mm²    b_xx       b_yy       b_zz       b_xy       b_xz       b_yz       excitations"]
    counts: dict[str, int] = {}
    for each in found:
        b = _PER_MM2 * each.b
        values = (b.trace(), b[0, 0], b[1, 1], b[2, 2], b[0, 1], b[0, 2], b[1, 2])
        line = " ".join(f"{float(value):<10.5g}" for value in (1e3 * each.echo_time, *values))
        counts[line] = counts.get(line, 0) + 1
    return lines + [f"{line} {count}" for line, count in counts.items()]
