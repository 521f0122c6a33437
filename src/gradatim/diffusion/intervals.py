"""Intervals of fitted parameters: from the curvature at the maximum, or from the likelihood's own shape."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from scipy.special import ndtri, stdtrit
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.diffusion.likelihood import Ascent, Likelihood, climb

WIDENINGS = 12
"""How often the search for an end doubles its distance before it calls the interval open."""
HALVINGS = 16
"""Bisections towards an end of a profile: to 1.5e-5 of the distance."""


class Intervals(ABC):
    """How far each coordinate may lie from its estimate.

    The threshold is that of the normal distribution where σ is known, and Student's with n − p degrees of freedom
    where the residuals tell it.
    """

    @property
    @abstractmethod
    def covers(self) -> float:
        """The share of intervals that is to hold the truth."""

    @abstractmethod
    def ends(self, likelihood: Likelihood, found: Ascent, *, unit: Tensor, freedom: float) -> tuple[Tensor, Tensor]:
        """Lower and upper ends, (voxel, p), in coordinates.

        Args:
            likelihood: of the voxels.
            found: where it is greatest.
            unit: (voxel), the variance by which deviances are divided; 1 where σ is known.
            freedom: degrees of freedom of that variance; inf where σ is known.
        """


def covariance(information: Tensor) -> Tensor:
    """Inverse of symmetric positive matrices (..., p, p), made in each coordinate's own unit; NaN where singular.

    Args:
        information: Fisher information.

    Example:
        >>> covariance(torch.diag(torch.tensor([4.0, 1e12], dtype=torch.float64))).diagonal().tolist()
        [0.25, 1e-12]
    """
    size = information.diagonal(dim1=-2, dim2=-1).clamp_min(1e-300).rsqrt()
    outer = size[..., :, None] * size[..., None, :]
    inverse, failed = torch.linalg.inv_ex(information * outer)
    return torch.where((failed != 0)[..., None, None], torch.nan, inverse * outer)


def quantile(level: float, freedom: float) -> float:
    """Half width of a central interval, in standard errors.

    Args:
        level: its coverage.
        freedom: degrees of freedom; inf for the normal distribution.

    Example:
        >>> round(quantile(0.95, float("inf")), 4), round(quantile(0.95, 5), 4)
        (1.96, 2.5706)
    """
    tail = 0.5 + 0.5 * level
    return float(ndtri(tail) if freedom == float("inf") else stdtrit(freedom, tail))


@dataclass(frozen=True)
class QuadraticIntervals(Intervals):
    """Estimate ± quantile·standard error in the fit's coordinates, from the expected information.

    Where a coordinate is a logarithm the interval of the parameter is not symmetric, and never crosses 0. Right where
    the likelihood is a parabola over the width of the interval; use :class:`ProfileIntervals` where it is not.

    Args:
        level: coverage, between 0 and 1.

    Raises:
        UsageError: GD-186 for another level.

    Example:
        >>> QuadraticIntervals().covers
        0.95
    """

    level: float = 0.95

    def __post_init__(self) -> None:
        _require(self.level)

    @property
    def covers(self) -> float:
        return self.level

    def ends(self, likelihood: Likelihood, found: Ascent, *, unit: Tensor, freedom: float) -> tuple[Tensor, Tensor]:
        variance = covariance(found.information).diagonal(dim1=-2, dim2=-1) * unit[:, None]
        half = quantile(self.level, freedom) * variance.clamp_min(0.0).sqrt()
        return found.state - half, found.state + half


@dataclass(frozen=True)
class ProfileIntervals(Intervals):
    """All values of a coordinate that the data do not refuse when every other coordinate is fitted anew.

    An end is where the profile's deviance exceeds the least one by quantile²·σ². It follows a likelihood that is
    skew or flat to one side; an end that is not found within 2¹² standard errors is infinite: the data set no bound.

    Args:
        level: coverage, between 0 and 1.
        iterations: most steps of each of the fits.

    Raises:
        UsageError: GD-186 for another level, or no iteration.

    Source:
        Venzon & Moolgavkar, Appl Stat 37:87 (1988).

    Example:
        >>> ProfileIntervals(0.68).covers
        0.68
    """

    level: float = 0.95
    iterations: int = 30

    def __post_init__(self) -> None:
        _require(self.level)
        if self.iterations < 1:
            raise UsageError("GD-186", given="no iteration", allowed="one or more", do="leave it at 30")

    @property
    def covers(self) -> float:
        return self.level

    def ends(self, likelihood: Likelihood, found: Ascent, *, unit: Tensor, freedom: float) -> tuple[Tensor, Tensor]:
        errors = (covariance(found.information).diagonal(dim1=-2, dim2=-1) * unit[:, None]).sqrt()
        first = (quantile(self.level, freedom) * errors).nan_to_num(1.0).clamp(1e-9, 3.0)
        limit = found.deviance + quantile(self.level, freedom) ** 2 * unit
        each = range(found.state.shape[1])
        low = [self._end(likelihood, found.state, held, -first[:, held], limit) for held in each]
        high = [self._end(likelihood, found.state, held, first[:, held], limit) for held in each]
        return torch.stack(low, 1), torch.stack(high, 1)

    def _end(self, likelihood: Likelihood, best: Tensor, held: int, distance: Tensor, limit: Tensor) -> Tensor:
        """One end of one coordinate, (voxel): first outwards until it is passed, then by bisection."""
        inner, outer = torch.zeros_like(distance), distance.clone()
        others = best.clone()
        waiting = torch.arange(len(best), device=best.device)
        for _ in range(WIDENINGS):
            inside, others[waiting] = self._allowed(likelihood.at(waiting), best, others, waiting, held, outer, limit)
            waiting = waiting[inside]
            if not len(waiting):
                break
            inner[waiting], outer[waiting] = outer[waiting], 2.0 * outer[waiting]
        everywhere = torch.arange(len(best), device=best.device)
        for _ in range(HALVINGS):
            middle = 0.5 * (inner + outer)
            inside, others = self._allowed(likelihood, best, others, everywhere, held, middle, limit)
            inner, outer = torch.where(inside, middle, inner), torch.where(inside, outer, middle)
        end = best[:, held] + outer
        end[waiting] = torch.copysign(torch.full_like(end[waiting], torch.inf), distance[waiting])
        return end

    def _allowed(
        self,
        likelihood: Likelihood,
        best: Tensor,
        others: Tensor,
        chosen: Tensor,
        held: int,
        distance: Tensor,
        limit: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Whether the data allow a coordinate at a distance from its estimate, and the other coordinates there."""
        start = others[chosen].clone()
        start[:, held] = best[chosen, held] + distance[chosen]
        found = climb(likelihood, start, iterations=self.iterations, held=held)
        return found.deviance <= limit[chosen], found.state


def _require(level: float) -> None:
    if not 0 < level < 1:
        raise UsageError("GD-186", given=f"a level of {level}", allowed="between 0 and 1", do="use 0.95")
