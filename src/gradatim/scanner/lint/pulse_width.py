"""How broad a band of frequencies a pulse excites, by its Fourier transform."""

import torch

from gradatim.base.sequence import TICKS, Pulse

_POINTS = 1024


def excited_width(pulse: Pulse) -> float:
    """Full width at half maximum of |∫B1·exp(−2πi f t) dt|, Hz: the small-tip profile.

    At large flips the delivered profile differs by ten to some tens of per cent; it is close enough to count cycles.

    Args:
        pulse: as it is played.

    Example:
        >>> hard = Pulse(0, torch.tensor([0, 1_000_000]), torch.ones(1, dtype=torch.complex128), centre=500_000)
        >>> round(excited_width(hard))
        1207
    """
    reach = 60.0 / (pulse.duration / TICKS)
    low, high = _band(pulse, torch.linspace(-reach, reach, _POINTS, dtype=torch.float64))
    margin = 0.5 * (high - low)
    low, high = _band(pulse, torch.linspace(low - margin, high + margin, _POINTS, dtype=torch.float64))
    return high - low


def _band(pulse: Pulse, frequencies: torch.Tensor) -> tuple[float, float]:
    """Where the profile rises to half of its largest value first, and falls below it last, Hz."""
    widths = pulse.edges.diff() / TICKS
    middles = 0.5 * (pulse.edges[1:] + pulse.edges[:-1]).double() / TICKS
    pieces = torch.exp(-2j * torch.pi * frequencies[:, None] * middles)
    for width in widths.unique():  # each piece is a sinc of its own
        pieces[:, widths == width] *= torch.sinc(frequencies * width)[:, None]
    profile = (pieces @ (pulse.field * widths)).abs()
    inside = torch.nonzero(profile >= 0.5 * profile.max())[:, 0]
    first, last = int(inside[0]), int(inside[-1])
    step = float(frequencies[1] - frequencies[0])
    low = float(frequencies[first]) - step * _beyond(profile, first, -1)
    return low, float(frequencies[last]) + step * _beyond(profile, last, 1)


def _beyond(profile: torch.Tensor, index: int, ahead: int) -> float:
    """How far beyond a sample the profile falls to half of its largest value, in steps, by a straight line."""
    if not 0 <= index + ahead < len(profile):
        return 0.5
    here, there, half = float(profile[index]), float(profile[index + ahead]), 0.5 * float(profile.max())
    return (here - half) / max(here - there, 1e-300)
