"""The ends of a range of intensities, where images are in single precision."""

import math

import torch


def lower_end(end: float) -> float:
    """A number, or what float32 makes of it if that is less.

    A map that was clipped at −0.2 ppm and stored as float32 holds −0.20000000298, which is meant to lie in a range
    from −0.2 ppm.

    Args:
        end: finite.

    Example:
        >>> lower_end(-0.2) < -0.2, lower_end(-1000.0)
        (True, -1000.0)
    """
    single = float(torch.tensor(end, dtype=torch.float32))
    return min(end, single) if math.isfinite(single) else end


def upper_end(end: float) -> float:
    """A number, or what float32 makes of it if that is more.

    Args:
        end: finite.

    Example:
        >>> upper_end(0.2) > 0.2, upper_end(400.0)
        (True, 400.0)
    """
    return -lower_end(-end)
