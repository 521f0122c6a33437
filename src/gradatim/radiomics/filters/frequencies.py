"""At which frequencies a filter that is defined by its spectrum is sampled."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gradatim.linop.fft import frequencies


class Frequencies(Protocol):
    """Anything that says which frequencies the Fourier coefficients of an image stand for."""

    def samples(self, shape: tuple[int, ...]) -> tuple[tuple[Tensor, ...], ...]:
        """For images of this shape, one or more sets of frequencies; a filter is the mean over the sets.

        Returns:
            Each set has one tensor an axis, cycles/voxel, float64, which broadcast to the half spectrum.
        """


@dataclass(frozen=True)
class FourierFrequencies:
    """The frequencies that Fourier coefficients have: ν = m/n cycles/voxel, m = −⌊n/2⌋ … ⌈n/2⌉ − 1.

    Example:
        >>> FourierFrequencies().samples((4,))[0][0].tolist()
        [0.0, 0.25, 0.5]
    """

    def samples(self, shape: tuple[int, ...]) -> tuple[tuple[Tensor, ...], ...]:
        """One set."""
        return (frequencies(shape, (1.0,) * len(shape)),)


@dataclass(frozen=True)
class EndpointFrequencies:
    """n frequencies at equal distances from −½ to ½ cycles/voxel, both ends among them.

    ν = (2·(m + ⌊n/2⌋) − (n − 1))/(2(n − 1)): for even n half a step beside the frequencies that the coefficients
    have, so the filter would turn real images complex; its real part is the mean over ν(m) and −ν(−m). IBSI's maps
    8.a.1 to 8.a.3 were made so (8.a.2 and 8.a.3 agree to 5e-8 of their range; at the frequencies of Fourier they
    differ by 2.5 % and 8 %), and its values of filters 8 and 9 on CT. The larger the image, the smaller the
    difference. Along axes of even n the filter is not quite the same in both directions.

    Example:
        >>> [[round(v, 3) for v in axis.tolist()] for (axis,) in EndpointFrequencies().samples((4,))]
        [[0.167, 0.5, -0.5], [0.167, -0.167, -0.5]]
    """

    def samples(self, shape: tuple[int, ...]) -> tuple[tuple[Tensor, ...], ...]:
        """Two sets, at m and at −m."""
        return tuple(self._signed(shape, sign) for sign in (1, -1))

    def _signed(self, shape: tuple[int, ...], sign: int) -> tuple[Tensor, ...]:
        found = []
        for axis, n in enumerate(shape):
            m = torch.arange(n if axis < len(shape) - 1 else n // 2 + 1)
            place = (sign * m + n // 2) % n
            nu = (2.0 * place.to(torch.float64) - (n - 1)) / (2.0 * max(n - 1, 1))
            found.append(nu.view([-1 if other == axis else 1 for other in range(len(shape))]))
        return tuple(found)
