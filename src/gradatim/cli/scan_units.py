"""Times, fields and sizes of a scan as people type them, in SI, and refused where only another unit explains them."""

from gradatim.cli.system_choice import require_plausible


def seconds_of_scan(typed: float) -> float:
    """A scan time typed in s.

    Raises:
        UsageError: GD-159 outside of 0.1 to 100 000 s.

    Example:
        >>> seconds_of_scan(300.0)
        300.0
    """
    require_plausible(typed, (0.1, 1e5), what="--scan-time", unit="s", do="5 minutes are 300")
    return typed


def t1_seconds(typed: float) -> float:
    """T1 typed in ms, in s.

    Raises:
        UsageError: GD-159 outside of 10 to 20 000 ms.

    Example:
        >>> t1_seconds(1200.0)
        1.2
    """
    require_plausible(typed, (10.0, 2e4), what="--t1-ms", unit="ms", do="1.2 s is 1200")
    return typed / 1e3


def t2_seconds(typed: float) -> float:
    """T2 typed in ms, in s.

    Raises:
        UsageError: GD-159 outside of 1 to 10 000 ms.

    Example:
        >>> t2_seconds(80.0)
        0.08
    """
    require_plausible(typed, (1.0, 1e4), what="--t2-ms", unit="ms", do="0.08 s is 80")
    return typed / 1e3


def t2_star_seconds(typed: float) -> float:
    """T2* typed in ms, in s.

    Raises:
        UsageError: GD-159 outside of 0.5 to 5000 ms.

    Example:
        >>> t2_star_seconds(30.0)
        0.03
    """
    require_plausible(typed, (0.5, 5000.0), what="--t2-star-ms", unit="ms", do="0.03 s is 30")
    return typed / 1e3


def diffusivity(typed: float) -> float:
    """D typed in µm²/ms, in m²/s.

    Raises:
        UsageError: GD-159 outside of 0.001 to 100 µm²/ms.

    Example:
        >>> round(diffusivity(0.8) * 1e9, 12)
        0.8
    """
    do = "0.8e-3 mm²/s and 0.8e-9 m²/s are 0.8"
    require_plausible(typed, (1e-3, 100.0), what="--diffusivity-um2-per-ms", unit="µm²/ms", do=do)
    return typed * 1e-9


def slice_metres(typed: float) -> float:
    """A slice's thickness typed in mm, in m.

    Raises:
        UsageError: GD-159 outside of 0.01 to 500 mm.

    Example:
        >>> slice_metres(3.0)
        0.003
    """
    require_plausible(typed, (0.01, 500.0), what="--slice-mm", unit="mm", do="0.003 m is 3")
    return typed / 1e3


def tesla(typed: float) -> float:
    """B0 typed in T.

    Raises:
        UsageError: GD-159 outside of 0.01 to 30 T.

    Example:
        >>> tesla(3.0)
        3.0
    """
    require_plausible(typed, (0.01, 30.0), what="--field-strength", unit="T", do="give it in T; 128 MHz are 3")
    return typed


def require_offset(typed: float, *, what: str) -> None:
    """Refuse a field offset that only another unit explains; 0 passes.

    Args:
        typed: ppm of B0.
        what: the option's name.

    Raises:
        UsageError: GD-159 outside of 0.0001 to 100 ppm.
    """
    if typed != 0:
        require_plausible(typed, (1e-4, 100.0), what=what, unit="ppm", do="give it in ppm: 128 Hz at 3 T are 1")
