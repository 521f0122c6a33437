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
    middle = 0.5 * (pulse.edges[1:] + pulse.edges[:-1]).double() / TICKS
    area = pulse.field * pulse.edges.diff() / TICKS
    duration = pulse.duration / TICKS
    reach = 60.0 / duration
    found = _width(middle, area, torch.linspace(-reach, reach, _POINTS, dtype=torch.float64))
    return _width(middle, area, torch.linspace(-found, found, _POINTS, dtype=torch.float64))


def _width(times: torch.Tensor, areas: torch.Tensor, frequencies: torch.Tensor) -> float:
    """Between the outermost of the given frequencies that reach half of the largest."""
    profile = (torch.exp(-2j * torch.pi * frequencies[:, None] * times) @ areas).abs()
    inside = torch.nonzero(profile >= 0.5 * profile.max())[:, 0]
    step = float(frequencies[1] - frequencies[0])
    found = float(frequencies[inside[-1]] - frequencies[inside[0]])
    return found + step * (_beyond(profile, int(inside[0]), -1) + _beyond(profile, int(inside[-1]), 1))


def _beyond(profile: torch.Tensor, index: int, ahead: int) -> float:
    """How far beyond a sample the profile falls to half of its largest value, in steps, by a straight line."""
    if not 0 <= index + ahead < len(profile):
        return 0.5
    here, there, half = float(profile[index]), float(profile[index + ahead]), 0.5 * float(profile.max())
    return (here - half) / max(here - there, 1e-300)
