"""The physics of a sequence, looked over before it is played."""

from collections.abc import Sequence as Several

import torch

from gradatim.base.coherence import Turn, turns_by_use
from gradatim.base.errors import UsageError
from gradatim.base.findings import Finding
from gradatim.base.sequence import Sequence
from gradatim.scanner.lint.balance import Balance
from gradatim.scanner.lint.centre import CentreSample, Dephased
from gradatim.scanner.lint.check import Check
from gradatim.scanner.lint.cpmg import CpmgAreas, CpmgPhase, CpmgTiming
from gradatim.scanner.lint.crushing import UncrushedFid
from gradatim.scanner.lint.echo_times import EchoTimes
from gradatim.scanner.lint.excitation import NothingExcited
from gradatim.scanner.lint.hardware_limits import Amplitude, DeadTimes, Jumps, Slew
from gradatim.scanner.lint.nerves import NerveLimit
from gradatim.scanner.lint.played import Played
from gradatim.scanner.lint.rasters import OffRaster
from gradatim.scanner.lint.sampling import DwellAliasing, LineGaps
from gradatim.scanner.lint.spoiling import ReceiverPhase, SpoilingIncrement
from gradatim.scanner.lint.steady_state import MissingDummy
from gradatim.scanner.safety.hardware import EXAMPLE_HARDWARE, SafeHardware
from gradatim.scanner.system import System

PHYSICS: tuple[Check, ...] = (
    NothingExcited(),
    CpmgPhase(),
    CpmgTiming(),
    CpmgAreas(),
    MissingDummy(),
    CentreSample(),
    Dephased(),
    UncrushedFid(),
    SpoilingIncrement(),
    ReceiverPhase(),
    Balance(),
    DwellAliasing(),
    LineGaps(),
    EchoTimes(),
    Jumps(),
    OffRaster(),
)
"""The checks that need to know nothing but the sequence and the field of view."""


def lint(
    sequence: Sequence,
    *,
    system: System | None = None,
    hardware: SafeHardware = EXAMPLE_HARDWARE,
    fov: tuple[float, float, float] | None = None,
    turns: Several[Turn] | None = None,
    further: tuple[Check, ...] = (),
) -> tuple[Finding, ...]:
    """What is wrong with the physics of a sequence; nothing where no check objects.

    Each check says which codes it gives, and by which numbers; no finding is no proof, and no clearance.

    Args:
        sequence: anybody's.
        system: its limits on gradients and its dead times are checked where it is given.
        hardware: for the estimate of nerve stimulation; by default the published example, which is no scanner's and
            gives warnings at most.
        fov: field of view, m; by default what the sequence's definition ``FOV`` says.
        turns: what each pulse does, in order; by default by their uses.
        further: checks beyond the usual, e.g. a limit of the load.

    Raises:
        UsageError: GD-103 unless there is one turn a pulse; GD-175 for an impossible field of view.

    Example:
        >>> from gradatim.base.sequence import Block, Readout
        >>> [finding.code for finding in lint(Sequence((Block(1_280_000, readout=Readout(0, 20_000, 64)),)))]
        ['GD-924']
    """
    chosen = turns_by_use(sequence) if turns is None else tuple(turns)
    if len(chosen) != len(sequence.pulses):
        raise UsageError(
            "GD-103",
            given=f"{len(chosen)} turns for {len(sequence.pulses)} pulses",
            allowed="one turn a pulse",
            do="say what each pulse does, in the order of play",
        )
    played = Played(sequence, chosen, _stated_fov(sequence) if fov is None else _possible(fov))
    limits: tuple[Check, ...] = () if system is None else (Amplitude(system), Slew(system), DeadTimes(system))
    checks = (*PHYSICS, NerveLimit(hardware, system=system), *limits, *further)
    return tuple(found for check in checks for found in check(played))


def _stated_fov(sequence: Sequence) -> tuple[float, float, float] | None:
    """What the definitions say, if it can be metres."""
    stated = sequence.definitions.get("FOV", ())
    if isinstance(stated, str) or len(stated) != 3 or not all(1e-4 < extent < 3.0 for extent in stated):
        return None
    x, y, z = stated
    return x, y, z


def _possible(fov: tuple[float, float, float]) -> tuple[float, float, float]:
    extents = torch.tensor(fov, dtype=torch.float64)
    if not bool((torch.isfinite(extents) & (extents > 0)).all()):
        raise UsageError("GD-175", given=f"a field of view of {fov} m", allowed="positive extents", do="give metres")
    return fov
