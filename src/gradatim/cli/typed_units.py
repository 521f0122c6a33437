"""Millimetres, micro- and milliseconds as people type them, in SI and refused where only another unit explains them."""

from gradatim.cli.system_choice import require_plausible


def fov_metres(typed: float | None) -> float | None:
    """A field of view typed in mm, in m.

    Raises:
        UsageError: GD-159 outside of 1 to 2000 mm.

    Example:
        >>> fov_metres(220.0)
        0.22
    """
    return _scaled(typed, 1e3, (1.0, 2000.0), "--fov-mm", "mm", "22 cm is 220")


def metres(typed: float | None, *, what: str) -> float | None:
    """A thickness or a pixel typed in mm, in m.

    Args:
        typed: mm; None passes.
        what: the option's name.

    Raises:
        UsageError: GD-159 outside of 0.001 to 500 mm.

    Example:
        >>> metres(5.0, what="--thickness-mm")
        0.005
    """
    return _scaled(typed, 1e3, (1e-3, 500.0), what, "mm", "5e-3 m is 5")


def from_milliseconds(typed: float | None, *, what: str) -> float | None:
    """A time typed in ms, in s.

    Args:
        typed: ms; None passes, and so does 0.
        what: the option's name.

    Raises:
        UsageError: GD-159 outside of 0.001 to 10 000 ms.

    Example:
        >>> from_milliseconds(2.0, what="--pulse-ms")
        0.002
    """
    return typed if typed == 0 else _scaled(typed, 1e3, (1e-3, 1e4), what, "ms", "2e-3 s is 2")


def from_microseconds(typed: float | None, *, what: str) -> float | None:
    """A dwell time typed in µs, in s.

    Args:
        typed: µs; None passes.
        what: the option's name.

    Raises:
        UsageError: GD-159 outside of 0.01 to 100 000 µs.

    Example:
        >>> from_microseconds(20.0, what="--dwell-us")
        2e-05
    """
    return _scaled(typed, 1e6, (1e-2, 1e5), what, "µs", "2e-5 s is 20")


def _scaled(
    typed: float | None, scale: float, allowed: tuple[float, float], what: str, unit: str, do: str
) -> float | None:
    require_plausible(typed, allowed, what=what, unit=unit, do=do)
    return None if typed is None else typed / scale
