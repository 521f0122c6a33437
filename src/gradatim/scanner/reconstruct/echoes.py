"""Multi-echo raw data to the noun that the rest of the chain takes: magnitude, phase and echo times."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.base.nouns import MultiEcho
from gradatim.base.raw import RawData
from gradatim.scanner.reconstruct.box import Reconstructed, chosen
from gradatim.scanner.reconstruct.coils import Adaptive


@dataclass(frozen=True)
class Echoes:
    """One image for each value of the counter ``ECO``, with the time at which its k passes 0.

    Phases grow with a positive field offset, φ = 2πΔf·TE, as raw data have it. Coils are combined with the
    sensitivities that the first echo shows, so that differences between echoes keep their phase; one coil's image
    stays as it is.

    Args:
        method: makes an image of each echo, e.g. :class:`~gradatim.scanner.reconstruct.cartesian.Cartesian`.
        field_strength: B0, T.
        combination: of coils.

    Raises:
        InputError: GD-816 if an echo's k does not come near 0; what the method raises.

    Example:
        >>> from gradatim.scanner.reconstruct.cartesian import Cartesian
        >>> k = torch.tensor([-1.0, 0.0, -1.0, 0.0]).double()
        >>> raw = RawData(torch.ones(1, 4).double() + 0j, torch.stack([k, 0 * k, 0 * k], 1),
        ...               torch.tensor([0.01, 0.02, 0.03, 0.04]).double(), torch.tensor([0, 0, 1, 1]),
        ...               {"ECO": torch.tensor([0, 1])}, (2, 1, 1), (1.0, 1.0, 1.0))
        >>> [round(time, 6) for time in Echoes(Cartesian(), 3.0)(raw).echo_times]
        [0.02, 0.04]
    """

    method: Callable[[RawData], Reconstructed]
    field_strength: float
    combination: Adaptive = field(default_factory=Adaptive)

    def __call__(self, raw: RawData) -> MultiEcho:
        """Reconstruct all echoes.

        Args:
            raw: lines of all echoes of one slice or volume.
        """
        numbers = raw.counters.get("ECO", torch.zeros(1, dtype=torch.int64)).unique().tolist()
        parts = [chosen(raw, {"ECO": int(number)}) for number in numbers]
        found = [self.method(part) for part in parts]
        conj = self.combination.sensitivities(found[0].image).conj()
        images = torch.stack([(conj * each.image).sum(0) for each in found])
        times = tuple(passing(part) for part in parts)
        return MultiEcho(images.abs(), images.angle(), times, self.field_strength, found[0].grid)


def passing(raw: RawData) -> float:
    """When k passes nearest to 0, between samples by the line through the two on either side, s.

    Args:
        raw: the lines of one image.

    Raises:
        InputError: GD-816 if the nearest sample is no nearer than a tenth of the farthest.
    """
    position, times = raw.position.detach().double(), raw.times.detach().double()
    distance = position.norm(dim=1)
    nearest = int(distance.argmin())
    if not float(distance[nearest]) <= 0.1 * float(distance.max()):
        raise InputError(
            "GD-816",
            given=f"an echo whose k stays {float(distance[nearest]):.4g} /m away from 0",
            allowed="lines through the middle of k-space",
            do="give the echo's lines whole",
        )
    line = raw.readout == raw.readout[nearest]
    place, when = position[line], times[line]
    axis = int((place.amax(0) - place.amin(0)).argmax())
    along = place[:, axis]
    return _crossing(along, when, int((times[nearest] - when).abs().argmin()))


def _crossing(along: Tensor, when: Tensor, nearest: int) -> float:
    """The time at which k is 0 beside its nearest sample."""
    for other in (nearest - 1, nearest + 1):
        if 0 <= other < len(along) and float(along[other] * along[nearest]) < 0:
            share = float(along[nearest] / (along[nearest] - along[other]))
            return float(when[nearest]) + share * float(when[other] - when[nearest])
    return float(when[nearest])
