"""Writing sequences as Pulseq files through pypulseq: timing-checked, read back and compared before they appear."""

import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

from gradatim.base.errors import ResourceError, UsageError
from gradatim.base.optional import pypulseq
from gradatim.base.sequence import Sequence
from gradatim.io.atomic import atomic_file, require_place
from gradatim.io.pulseq import read_pulseq
from gradatim.io.pulseq_difference import difference
from gradatim.io.pulseq_translate import Translation, definitions, hardware, problems_of

_SHOWN = 5
"""How many timing errors a message lists."""


@dataclass(frozen=True)
class PulseqWriter:
    """Writes a sequence for a scanner of given limits.

    Args:
        max_gradient: T/m on each axis.
        max_slew: T/(m·s) on each axis.
        pulse_dead: ns that the transmitter needs before a pulse.
        pulse_ringdown: ns that it needs after one.
        readout_dead: ns that the receiver needs before and after a readout.

    Example:
        >>> PulseqWriter(max_gradient=0.08).max_slew
        150.0
    """

    max_gradient: float = 0.040
    max_slew: float = 150.0
    pulse_dead: int = 100_000
    pulse_ringdown: int = 20_000
    readout_dead: int = 10_000

    def __call__(self, sequence: Sequence, path: Path | str) -> None:
        """Write a file of version 1.5.

        pypulseq's timing check must find nothing. Amplitudes keep six digits, as the format prints them; labels are
        set before each readout that changes them. The file is read back and compared before it appears.

        Args:
            sequence: what to write.
            path: final name, ending in ``.seq``; its folder must exist.

        Raises:
            UsageError: GD-101 for another ending; GD-161 if the format cannot hold the sequence, or the limits do not
                allow it; GD-162 if its times do not fit the scanner's.
            ResourceError: GD-501 without pypulseq; GD-502 to GD-504 if the file cannot be written, GD-506 if it does
                not read back as it was given.
        """
        path = Path(path)
        require_pulseq_name(path)
        pulseq = pypulseq()
        with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
            warnings.simplefilter("ignore")
            target = pulseq.Sequence(hardware(pulseq, self, sequence.rasters))
            Translation(pulseq, target, self).play(sequence)
            for name, value in definitions(sequence).items():
                target.set_definition(name, value)
            _refuse(problems_of(pulseq, self, target, sequence))
            draft = Path(folder) / "draft.seq"
            target.write(str(draft), create_signature=True, check_timing=False)
            content = draft.read_bytes()
            unlike = difference(sequence, read_pulseq(draft))
        if unlike:
            raise ResourceError(
                "GD-506",
                given=f"{path}: the sequence does not read back as it was given: {unlike}",
                allowed="times in whole µs (dwell in ns), amplitudes and offsets of six digits, plain definitions",
                do="bring the sequence's times to the rasters of the scanner",
            )
        with atomic_file(path) as file:
            file.write(content)


def require_pulseq_name(path: Path) -> None:
    """Refuse, before any work, a name that no Pulseq file can be written to.

    Args:
        path: the final name.

    Raises:
        UsageError: GD-101 for another ending than ``.seq``.
        ResourceError: GD-503 or GD-504 if no file can appear in that folder.

    Example:
        >>> require_pulseq_name(Path("gre.seq"))
    """
    if path.suffix != ".seq":
        raise UsageError(
            "GD-101", given=f"the file name {path.name!r}", allowed="a name ending in .seq", do="name it so"
        )
    require_place(path)


def _refuse(problems: list[str]) -> None:
    if problems:
        more = f" and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise UsageError(
            "GD-162",
            given=f"{'; '.join(problems[:_SHOWN])}{more}",
            allowed="times on the rasters, with the dead times of transmitter and receiver kept",
            do="make the sequence for this scanner's rasters and dead times",
        )
