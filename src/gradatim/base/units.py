"""Physical constants and the few conversions between units that the house allows.

Inside gradatim every quantity is SI, with three exceptions fixed by the field: image lengths in mm,
susceptibility in ppm, CT numbers in HU.
"""

import math

PROTON_GAMMA_BAR_HZ_PER_T = 42.577478461e6
"""Free-proton gyromagnetic ratio over 2π, Hz/T. Source: CODATA 2022 (42.577 478 461(22) MHz/T)."""

PROTON_GAMMA_RAD_PER_S_T = 2.0 * math.pi * PROTON_GAMMA_BAR_HZ_PER_T
"""Free-proton gyromagnetic ratio, rad/(s·T), from the same CODATA 2022 value."""


def hz_per_ppm(field_strength: float) -> float:
    """Frequency offset in Hz of a field offset of one part per million.

    Formula: γ̄·B0·1e-6, with γ̄ = 42.577478461 MHz/T (CODATA 2022).

    Args:
        field_strength: B0 in T.

    Returns:
        Hz per ppm.

    Example:
        >>> round(hz_per_ppm(3.0), 4)
        127.7324
    """
    return PROTON_GAMMA_BAR_HZ_PER_T * field_strength * 1e-6
