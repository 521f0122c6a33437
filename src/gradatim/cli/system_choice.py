"""Which gradient system a command works with: by its limits, by its name, or from a file."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradatim.base.errors import UsageError

if TYPE_CHECKING:
    from gradatim.scanner.system import System

STRENGTHS = (1e-4, 5.0)
"""T/m between which gradients of scanners and spectrometers lie."""

SLEWS = (1.0, 1e5)
"""T/(m·s), likewise."""


@dataclass(frozen=True)
class SystemChoice:
    """A gradient system; without any of the four 40 mT/m and 150 T/(m·s).

    Attributes:
        gmax: strongest gradient on one axis, T/m: 40 mT/m is 0.040.
        smax: fastest slew rate on one axis, T/(m·s).
        system: a scanner's model by name, e.g. "MAGNETOM Cima X"; gmax and smax may lower or raise its limits.
        system_file: TOML with max_gradient, max_slew and what else `gradatim.System` has, times in ns.
    """

    gmax: float | None = None
    smax: float | None = None
    system: str | None = None
    system_file: Path | None = None

    def chosen(self) -> "tuple[System, str]":
        """The system, and where it comes from, in words.

        Raises:
            UsageError: GD-104 for a name and a file; GD-159 for a limit in another unit; GD-102 for an unknown name
                or key, GD-105 for a file that is not TOML, GD-106 for a value of the wrong kind.
            InputError: GD-222 if the file is missing.
        """
        require_plausible(self.gmax, STRENGTHS, what="--gmax", unit="T/m", do="40 mT/m is 0.040")
        require_plausible(self.smax, SLEWS, what="--smax", unit="T/(m·s)", do="150 mT/(m·ms) is 150")
        system, origin = self._before_limits()
        given = {"max_gradient": self.gmax, "max_slew": self.smax}
        changed: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        return (replace(system, **changed), f"{origin}, changed" if origin and changed else origin)

    def _before_limits(self) -> "tuple[System, str]":
        from gradatim.scanner.system import System

        if self.system is not None and self.system_file is not None:
            raise UsageError(
                "GD-104",
                given="--system and --system-file",
                allowed="one of them",
                do="leave one out; --gmax and --smax may change either",
            )
        if self.system is not None:
            from gradatim.scanner.named_system import named_system

            named = named_system(self.system)
            return named.system, f"{named.manufacturer} {named.name}: {named.stated}"
        if self.system_file is not None:
            return read_system(self.system_file), self.system_file.name
        return System(), ""


def read_system(path: Path) -> "System":
    """A gradient system from a TOML file, whose keys are the fields of ``System``, in SI units, times in ns.

    ::

        max_gradient = 0.080     # T/m on one axis
        max_slew = 200           # T/(m·s)
        readout_dead = 20_000    # ns
        rasters = { gradient = 10_000, pulse = 1_000 }

    Args:
        path: the file.

    Raises:
        InputError: GD-222 if it is missing.
        UsageError: GD-105 if it is not TOML; GD-102 for an unknown key; GD-106 for a value that is missing or of the
            wrong kind; GD-101 for an impossible one; GD-159 for a limit in another unit.
    """
    from gradatim.base.sequence import Rasters
    from gradatim.cli.methods_from_tables import method, of_kind
    from gradatim.cli.toml_file import read_toml
    from gradatim.scanner.system import System

    content = read_toml(path)
    for name, range_, unit in (("max_gradient", STRENGTHS, "T/m"), ("max_slew", SLEWS, "T/(m·s)")):
        limit = of_kind(content.get(name), float, where=name)
        require_plausible(limit, range_, what=f"{name} in {path.name}", unit=unit, do="40 mT/m is 0.040")
    if isinstance(content.get("rasters"), dict):
        content["rasters"] = {"method": "Rasters", **content["rasters"]}
    table = {"method": "System", **content}
    found: System = method(table, {"System": System, "Rasters": Rasters}, where=path.name)
    return found


def require_plausible(value: float | None, allowed: tuple[float, float], *, what: str, unit: str, do: str) -> None:
    """Refuse a number that only another unit would explain.

    Args:
        value: as typed; None passes.
        allowed: the smallest and the largest that is believed.
        what: its name.
        unit: the unit it is asked in.
        do: how to write it.

    Raises:
        UsageError: GD-159 outside of the two.

    Example:
        >>> require_plausible(40.0, (1e-4, 5.0), what="--gmax", unit="T/m", do="40 mT/m is 0.040")
        Traceback (most recent call last):
        gradatim.base.errors.UsageError: GD-159: --gmax 40 T/m; allowed: 0.0001 to 5 T/m; 40 mT/m is 0.040
    """
    if value is not None and not allowed[0] <= value <= allowed[1]:
        raise UsageError(
            "GD-159", given=f"{what} {value:g} {unit}", allowed=f"{allowed[0]:g} to {allowed[1]:g} {unit}", do=do
        )
