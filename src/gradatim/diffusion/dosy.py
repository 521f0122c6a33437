"""Spectra of diffusivities (DOSY): the inverse Laplace transform of a decay, non-negative and smooth."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.seeds import generator
from gradatim.diffusion.decay_input import decays
from gradatim.diffusion.multi_exponential import refined
from gradatim.diffusion.spectrum import DiffusionSpectrum, bands, centres
from gradatim.linop.identity import Identity
from gradatim.linop.matrix import Matrix
from gradatim.solve.constraints import NonNegative
from gradatim.solve.criterion import Criterion
from gradatim.solve.discrepancy_principle import DiscrepancyPrinciple
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.nonnegative import NonNegativeLeastSquares
from gradatim.solve.norms import SquaredL2
from gradatim.solve.problem import Problem, Term
from gradatim.solve.selection import Selected

LEAST_WEIGHT, LARGEST_WEIGHT = 1e-9, 1e3
"""Range of λ, in units of the mean squared column of the whitened kernel."""
FLOOR = 1e-6
"""Least noise that is reckoned with, over the largest value: keeps decays without noise solvable."""


@dataclass(frozen=True)
class DiffusionOrdered:
    """Finds a ≥ 0 of least ½‖(K a − y)/σ‖² + ½λ‖a″‖², K = exp(−bᵢ·Dⱼ), D in equal steps of ln D.

    λ is chosen by the discrepancy, so that the data are fitted to their noise and no better: that smooths rather more
    than needed, and so does not split one component into two. Two equal components come apart where their
    diffusivities differ fivefold at a signal-to-noise of 500, and in about half of all decays where they differ tenfold
    at 100. A criterion of a lower level resolves more and splits more.

    Each component of the spectrum is then fitted as a single decay, started from the spectrum, which gives its
    diffusivity without the bias of the prior, with an interval. What these decays leave beyond the noise says that a
    component is a distribution, or several. σ is estimated from what the best non-negative spectrum leaves; a larger
    one may be given, a smaller one counts for nothing, because data fitted closer than their noise split. The band
    around the amplitudes holds quantiles over replicates under fresh noise at the same λ: how noise moves the
    spectrum, not how the prior widens it.

    Args:
        criterion: chooses λ; σ is 1 for it, the data being whitened.
        bins: diffusivities.
        range: least and largest D, m²/s; None takes 0.02/b_max to 5/b of the third least b above 0: what has gone by
            then is seen in two values only.
        sigma: standard deviation of the noise, in the signal's unit, where it is larger than the data tell; None to
            estimate it.
        replicates: for the intervals.
        level: their coverage.
        seed: of their noise.

    Raises:
        UsageError: GD-188 for fewer than 10 bins or more than 400, or an impossible range; GD-186 for fewer than 10
            replicates or an impossible level; GD-187 for a noise that is not positive.
        InputError: when called, as :func:`gradatim.diffusion.decay_input.decays`; GD-844 if no decay fits at all.

    Source:
        Provencher, Comput Phys Commun 27:213 (1982) (CONTIN); Johnson, Prog Nucl Magn Reson Spectrosc 34:203 (1999).

    Example:
        >>> b = torch.linspace(0.0, 5e9, 32).double()
        >>> spectrum = DiffusionOrdered(sigma=0.002, replicates=10)(torch.exp(-b * 1e-9), b=b)
        >>> [f"{peak.diffusivity:.1e}" for peak in spectrum.peaks]
        ['1.0e-09']
    """

    criterion: Criterion = field(default=DiscrepancyPrinciple(1.0))
    bins: int = 80
    range: tuple[float, float] | None = None
    sigma: float | None = None
    replicates: int = 50
    level: float = 0.95
    seed: int | torch.Generator = 0

    def __post_init__(self) -> None:
        low, high = self.range or (1.0, 2.0)
        if not (10 <= self.bins <= 400 and 0 < low < high < math.inf):
            raise UsageError(
                "GD-188",
                given=f"{self.bins} diffusivities over {self.range}",
                allowed="10 to 400 of them between two rising positive numbers, m²/s",
                do="use 80, and leave the range out to have it found",
            )
        if not (self.replicates >= 10 and 0 < self.level < 1):
            raise UsageError(
                "GD-186",
                given=f"{self.replicates} replicates, level {self.level}",
                allowed="10 replicates or more, a level between 0 and 1",
                do="use 50 and 0.95",
            )
        if self.sigma is not None and not 0 < self.sigma < math.inf:
            raise UsageError("GD-187", given=f"noise {self.sigma}", allowed="a number > 0", do="leave it out")

    def __call__(self, signal: Tensor, *, b: Tensor) -> DiffusionSpectrum:
        """The spectrum of one decay.

        Args:
            signal: (n,), real.
            b: (n,), s/m².
        """
        _, data, b = decays(signal[:, None], b, None, parameters=4)
        y = data[0].detach()
        diffusivity = self._grid(b)
        kernel = torch.exp(-b[:, None] * diffusivity)
        sigma = max(self.sigma or 0.0, _left_over(kernel, y), FLOOR * float(y.abs().max()))
        scale = float((kernel / sigma).square().sum()) / self.bins
        limits = (LEAST_WEIGHT * scale, LARGEST_WEIGHT * scale)
        chosen = Selected(self.criterion, NonNegativeLeastSquares(), range=limits)(
            lambda weight: _problem(kernel, y, sigma, weight), start=torch.zeros(self.bins, dtype=torch.float64)
        )
        if not bool((chosen.value > 0).any()):
            raise InputError(
                "GD-844",
                given="a decay that no sum of exponentials fits better than nothing",
                allowed="a signal that falls with b",
                do="check the sign of the signal and the order of the weightings",
            )
        again = self._again(kernel, kernel @ chosen.value, sigma, chosen.weight)
        tails = torch.tensor([0.5 - 0.5 * self.level, 0.5 + 0.5 * self.level], dtype=torch.float64)
        low, high = again.quantile(tails, dim=0)
        sums, means = centres(chosen.value, diffusivity)
        found, left = refined(y, b, amplitudes=sums, diffusivities=means, sigma=sigma, level=self.level)
        return DiffusionSpectrum(
            diffusivity, chosen.value, low, high, found, left, sigma, chosen.weight, chosen.message
        )

    def _grid(self, b: Tensor) -> Tensor:
        low, high = self.range or (0.02 / float(b.max()), 5.0 / float(b[b > 0].unique()[2]))
        return torch.logspace(math.log10(low), math.log10(high), self.bins, dtype=torch.float64)

    def _again(self, kernel: Tensor, fitted: Tensor, sigma: float, weight: float) -> Tensor:
        """Spectra of the fitted decay under fresh noise, (replicate, bin)."""
        random, start = generator(self.seed), torch.zeros(self.bins, dtype=torch.float64)
        noise = torch.randn(self.replicates, len(fitted), generator=random, dtype=torch.float64)
        solve = NonNegativeLeastSquares()
        return torch.stack(
            [solve(_problem(kernel, fitted + sigma * each, sigma, weight), start=start).value for each in noise]
        )


def _problem(kernel: Tensor, y: Tensor, sigma: float, weight: float) -> Problem:
    bins = kernel.shape[1]
    return Problem(
        (
            Term(SquaredDistance(y, 1.0 / sigma**2), Matrix(kernel)),
            Term(SquaredL2(), Matrix(_bend(bins)), weight),
            Term(NonNegative(), Identity((bins,))),
        )
    )


def _bend(bins: int) -> Tensor:
    """Second differences, with 0 beyond both ends, (bins + 2, bins)."""
    found = torch.zeros(bins + 2, bins, dtype=torch.float64)
    for offset, value in ((0, 1.0), (1, -2.0), (2, 1.0)):
        found[torch.arange(bins) + offset, torch.arange(bins)] = value
    return found


def _left_over(kernel: Tensor, y: Tensor) -> float:
    """σ from what the best non-negative spectrum leaves; each of its components takes two degrees of freedom."""
    free = Problem((Term(SquaredDistance(y), Matrix(kernel)), Term(NonNegative(), Identity((kernel.shape[1],)))))
    best = NonNegativeLeastSquares()(free, start=torch.zeros(kernel.shape[1], dtype=torch.float64)).value
    used = 2 * max(len(bands(best, least_share=0.0)), 1)
    return math.sqrt(float((kernel @ best - y).square().sum()) / max(len(y) - used, 1))
