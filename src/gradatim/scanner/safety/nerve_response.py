"""The response of a nerve to any waveform: dB/dt folded with the kernel whose pulses obey strength and duration."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.sequence import Sequence
from gradatim.base.waveform import Waveform
from gradatim.scanner.safety.sampling import raster_midpoints, samples_of_axes, waveform_of
from gradatim.scanner.safety.stimulation import Stimulation
from gradatim.scanner.safety.strength_duration import FIRST_LEVEL, StrengthDuration


@dataclass(frozen=True)
class NerveResponse:
    """Stimulation as a convolution, in % of a limit of strength and duration; differentiable.

    R(t) = (1/r)·∫ dB/dθ · c/(c + t − θ)² dθ, dB/dθ = lever·dG/dθ on each axis; axes join by the root of the sum of
    squares. A constant dB/dt for tₛ gives R = (dB/dt)/r · tₛ/(c + tₛ), which is 1 exactly on the hyperbola
    r·(1 + c/tₛ). The gradient is taken as linear between samples at multiples of the step, for which the convolution
    is exact; a waveform whose knots lie on them loses nothing. An estimate, not a clearance.

    Args:
        threshold: the hyperbola.
        lever: of the field from the gradient, m: 0.2 is a rule of thumb.
        step: s between samples.

    Raises:
        UsageError: GD-175 unless lever and step are positive.

    References:
        den Boer JA, Bourland JD, Nyenhuis JA et al.: Comparison of the threshold for peripheral nerve stimulation
        during gradient switching in whole body MR systems. J Magn Reson Imaging 15 (2002) 520.

    Example:
        >>> from gradatim.base.sequence import Block, Sequence, trapezoid
        >>> lobe = trapezoid(0, 400_000, 0, 400_000, amplitude=0.04)
        >>> print(NerveResponse()(Sequence((Block(800_000, lobes=(lobe, None, None)),))))
        52.6 % of the limit 20 T/s·(1 + 0.36 ms/ts); an estimate, not a clearance
    """

    threshold: StrengthDuration = FIRST_LEVEL
    lever: float = 0.2
    step: float = 1e-5

    def __post_init__(self) -> None:
        if not all(math.isfinite(number) and number > 0 for number in (self.lever, self.step)):
            raise UsageError(
                "GD-175",
                given=f"a lever of {self.lever:g} m, a step of {self.step:g} s",
                allowed="both positive and finite",
                do="give the lever in m and the gradient raster in s",
            )

    def __call__(self, played: Waveform | Sequence) -> Stimulation:
        """Response over time; sample i is at i·step from the waveform's beginning.

        Args:
            played: gradients, or the sequence whose gradients are asked about.

        Raises:
            UsageError: GD-175 if there would be too many samples.
        """
        waveform = waveform_of(played)
        gradients = waveform.at(raster_midpoints(waveform, self.step) - 0.5 * self.step)
        return self.of_samples(gradients)

    def of_samples(self, gradients: Tensor) -> Stimulation:
        """Response to gradients that are linear between samples every ``step``.

        Args:
            gradients: (n, 3), T/m.

        Raises:
            UsageError: GD-176 unless they are finite and three an instant.
        """
        gradients = samples_of_axes(gradients)
        rates = torch.cat([gradients[:1], gradients.diff(dim=0)]) * (self.lever / self.step)
        lag = torch.arange(len(rates) + 1, dtype=torch.float64, device=rates.device) * self.step
        kernel = -(self.threshold.chronaxie / (self.threshold.chronaxie + lag)).diff()
        size = 2 * len(rates)
        spectrum = torch.fft.rfft(rates, size, dim=0) * torch.fft.rfft(kernel, size)[:, None]
        response = torch.fft.irfft(spectrum, size, dim=0)[: len(rates)] / self.threshold.rheobase
        limit = f"the limit {self.threshold.rheobase:g} T/s·(1 + {1e3 * self.threshold.chronaxie:g} ms/ts)"
        return Stimulation(100 * response.abs(), self.step, limit)
