"""The SAFE model of nerve stimulation, as a recursive filter."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.sequence import Sequence
from gradatim.base.waveform import Waveform
from gradatim.scanner.safety.hardware import EXAMPLE_HARDWARE, SafeHardware
from gradatim.scanner.safety.safe_kernel import peak_of_pieces, stimulate
from gradatim.scanner.safety.sampling import raster_midpoints, samples_of_axes, waveform_of
from gradatim.scanner.safety.stimulation import Stimulation, StimulationPeak


@dataclass(frozen=True)
class Safe:
    """Stimulation of peripheral nerves by the SAFE model, in % of the hardware's limit.

    Each axis: (a₁·|LP₁(s)| + a₂·LP₂(|s|) + a₃·|LP₃(s)|) / limit · scale · 100, with s = dG/dt and LP a first-order
    low pass, y₀ = α·s₀, yₙ = yₙ₋₁ + α·(sₙ − yₙ₋₁), α = step/(τ + step). Axes join by the root of the sum of squares.
    s is the difference of gradients sampled at the middle of each step, from a gradient of 0 before. An estimate by a
    model of two numbers a nerve: it is not a clearance, whatever it gives.

    On the CPU without gradients a compiled kernel runs; else a differentiable twin in torch, where |·| has slope 0 at
    0.

    Args:
        hardware: its coefficients; by default the published example, which is no scanner's.
        step: s between samples, the gradient raster.

    References:
        Hebrank FX, Gebhardt M: SAFE-Model - A New Method for Predicting Peripheral Nerve Stimulations in MRI. Proc
        ISMRM 8 (2000) 2007.

    Example:
        >>> from gradatim.base.sequence import Block, Sequence, trapezoid
        >>> lobe = trapezoid(0, 200_000, 500_000, 200_000, amplitude=0.03)
        >>> print(Safe()(Sequence((Block(900_000, lobes=(lobe, None, None)),))))
        65.9 % of the limit of the example hardware (not a real scanner); an estimate, not a clearance
    """

    hardware: SafeHardware = EXAMPLE_HARDWARE
    step: float = 1e-5

    def __post_init__(self) -> None:
        if not (math.isfinite(self.step) and self.step > 0):
            raise UsageError(
                "GD-175", given=f"a step of {self.step:g} s", allowed="a positive step", do="give the raster, e.g. 1e-5"
            )

    def __call__(self, played: Waveform | Sequence) -> Stimulation:
        """Stimulation over time.

        Args:
            played: gradients, or the sequence whose gradients are asked about.

        Raises:
            UsageError: GD-175 if there would be too many samples; :meth:`peak` keeps none.
        """
        waveform = waveform_of(played)
        return self.of_samples(waveform.at(raster_midpoints(waveform, self.step)))

    def of_samples(self, gradients: Tensor) -> Stimulation:
        """Stimulation of gradients sampled every ``step``, 0 before the first.

        Args:
            gradients: (n, 3), T/m.

        Raises:
            UsageError: GD-176 unless they are finite and three an instant.
        """
        gradients = samples_of_axes(gradients)
        if gradients.device.type == "cpu" and not gradients.requires_grad:
            rates, weights = (part.numpy() for part in self._coefficients())
            axes = torch.from_numpy(stimulate(gradients.contiguous().numpy(), self.step, rates, weights))
        else:
            axes = self._differentiable(gradients)
        return Stimulation(axes, self.step, self._limit)

    def peak(self, played: Waveform | Sequence) -> StimulationPeak:
        """The strongest stimulation; samples are made, filtered and forgotten one by one, on the CPU.

        Args:
            played: gradients, or the sequence whose gradients are asked about.

        Raises:
            UsageError: GD-176 if a gradient is not finite.
        """
        waveform = waveform_of(played)
        parts = [part.detach().cpu().double().contiguous() for part in (waveform.edges, waveform.left, waveform.right)]
        if not all(bool(torch.isfinite(part).all()) for part in parts):
            raise UsageError(
                "GD-176", given="gradients that are not finite", allowed="finite values in T/m", do="look at the source"
            )
        rates, weights = (part.numpy() for part in self._coefficients())
        edges, left, right = (part.numpy() for part in parts)
        total, axes, index = peak_of_pieces(edges, left, right, self.step, rates, weights)
        x, y, z = axes.tolist()
        return StimulationPeak(float(total), (x, y, z), int(index) * self.step, self._limit)

    @property
    def _limit(self) -> str:
        return f"the limit of {self.hardware.name}"

    def _coefficients(self) -> tuple[Tensor, Tensor]:
        """α of each axis and filter, (3, 3), and what each filter's output is worth in %, (3, 3)."""
        axes = self.hardware.axes
        taus = torch.tensor([axis.time_constants for axis in axes], dtype=torch.float64)
        worth = torch.tensor([100 * axis.scale / axis.limit for axis in axes], dtype=torch.float64)
        weights = torch.tensor([axis.weights for axis in axes], dtype=torch.float64)
        return self.step / (taus + self.step), weights * worth[:, None]

    def _differentiable(self, gradients: Tensor) -> Tensor:
        """The same in torch."""
        slew = torch.cat([gradients[:1], gradients.diff(dim=0)]) / self.step
        rates, weights = (part.to(gradients.device) for part in self._coefficients())
        found = []
        for axis in range(3):
            s = slew[:, axis]
            first, second, third = (
                low_pass(given, rate) for given, rate in zip((s, s.abs(), s), rates[axis], strict=True)
            )
            parts = torch.stack([first.abs(), second, third.abs()], dim=-1)
            found.append(parts @ weights[axis])
        return torch.stack(found, dim=-1)


def low_pass(values: Tensor, rate: Tensor) -> Tensor:
    """yₙ = yₙ₋₁ + α·(xₙ − yₙ₋₁) from rest, as two products with triangular matrices, one within and one across rows.

    Args:
        values: x, (n,), float64.
        rate: α, 0 < α < 1.

    Example:
        >>> low_pass(torch.ones(4).double(), torch.tensor(0.5).double()).tolist()
        [0.5, 0.75, 0.875, 0.9375]
    """
    width = max(1, math.isqrt(len(values)))
    rows = torch.nn.functional.pad(values, (0, -len(values) % width)).reshape(-1, width)
    within = rate * rows @ _powers(1 - rate, width).T
    carried = _powers((1 - rate) ** width, len(rows)) @ within[:, -1]
    before = torch.cat([carried.new_zeros(1), carried[:-1]])
    decay = (1 - rate) ** torch.arange(1, width + 1, dtype=values.dtype, device=values.device)
    return (within + before[:, None] * decay).flatten()[: len(values)]


def _powers(base: Tensor, count: int) -> Tensor:
    """base^(i − j) for j ≤ i, else 0, (count, count)."""
    index = torch.arange(count, device=base.device)
    lag = (index[:, None] - index).clamp(min=0)
    return torch.tril(base**lag)
