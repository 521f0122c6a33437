"""Surface to volume from diffusion over short times: only spins near a wall feel it."""

import math
from dataclasses import dataclass

import torch
from scipy.special import stdtrit
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.diffusion.restricted.cumulant import half_displacement
from gradatim.diffusion.restricted.pores import Pore

_DEEPEST = 0.2


def apparent_diffusivity(pore: Pore, time: Tensor, *, diffusivity: Tensor | float) -> Tensor:
    """D(t) = ⟨(x(t) − x(0))²⟩/2t between reflecting walls, exactly; (...), m²/s.

    Args:
        pore: between whose walls.
        time: t, (...), s, > 0.
        diffusivity: in the free liquid, m²/s.

    Example:
        >>> from gradatim.diffusion.restricted.pores import Sphere
        >>> found = apparent_diffusivity(Sphere(5e-6), torch.tensor([1e-5, 1.0]).double(), diffusivity=2e-9)
        >>> [f"{value:.3g}" for value in found.tolist()]  # at last R²/5t
        ['1.96e-09', '5e-12']
    """
    return half_displacement(pore, time, diffusivity) / time


@dataclass(frozen=True)
class SurfaceFit:
    """What short times say of a pore space.

    Args:
        surface_to_volume: S/V, 1/m.
        error: one standard error, 1/m.
        low: lower end of the interval, 1/m.
        high: its upper end.
        diffusivity: D₀ of the free liquid, m²/s.
        level: what the interval is to cover.
        depth: 1 − D(t)/D₀ at the longest time, as fitted; the law is one for small depths.
    """

    surface_to_volume: float
    error: float
    low: float
    high: float
    diffusivity: float
    level: float
    depth: float

    @property
    def holds(self) -> bool:
        """Whether the longest time is still short: no more than a fifth of the diffusivity is gone."""
        return self.depth <= _DEEPEST


@dataclass(frozen=True)
class SurfaceToVolume:
    """Fits D(t) = D₀·[1 − 4/(3d√π)·(S/V)·√(D₀t) + c·t] to diffusivities at short times, walls reflecting.

    In three dimensions the slope is Mitra's 4/(9√π). The term in t stands for what curvature adds; without it, S/V of
    a sphere comes out biased by the share that the term has. A linear least-squares fit in √t and t; the interval
    follows Student's t with n − p degrees of freedom, by linear propagation to S/V.

    Args:
        dimensions: d, of the directions that walls confine, over which D(t) is the mean: 3 for grains, 2 for long
            cylinders seen from the side, 1 for planes.
        terms: p, 2 for the law alone, 3 with the term in t.
        level: what the interval is to cover.

    Raises:
        UsageError: GD-194 for other dimensions, terms or levels.

    Source:
        Mitra, Sen, Schwartz & Le Doussal, Phys Rev Lett 68:3555-3558, 1992; Mitra, Sen & Schwartz, Phys Rev B
        47:8565-8574, 1993.

    Example:
        >>> from gradatim.diffusion.restricted.pores import Sphere
        >>> t = torch.linspace(1e-5, 3e-4, 12).double()
        >>> found = SurfaceToVolume()(apparent_diffusivity(Sphere(5e-6), t, diffusivity=2e-9), time=t)
        >>> f"{found.surface_to_volume:.3g}"  # 3/R = 6e5
        '6.02e+05'
    """

    dimensions: int = 3
    terms: int = 3
    level: float = 0.95

    def __post_init__(self) -> None:
        if self.dimensions not in {1, 2, 3} or self.terms not in {2, 3} or not 0 < self.level < 1:
            raise UsageError(
                "GD-194",
                given=f"{self.dimensions} dimensions, {self.terms} terms, level {self.level}",
                allowed="1 to 3 dimensions, 2 or 3 terms, a level between 0 and 1",
                do="leave the defaults",
            )

    def __call__(self, diffusivity: Tensor, *, time: Tensor) -> SurfaceFit:
        """S/V of what was measured.

        Args:
            diffusivity: D(t), (n,), m²/s.
            time: t, (n,), s, > 0.

        Raises:
            InputError: GD-855 for fewer times than terms and one, values that are not finite, or a D₀ below zero.
        """
        measured, times = diffusivity.double().reshape(-1), time.double().reshape(-1)
        count = len(times)
        sound = len(measured) == count > self.terms and bool((times > 0).all())
        if not sound or not bool((measured.isfinite() & times.isfinite()).all()):
            raise _no_surface(f"{len(measured)} diffusivities at {count} times")
        unit = float(times.max())
        share = (times / unit).sqrt()
        design = torch.stack([share**power for power in range(self.terms)], 1)
        if int(torch.linalg.matrix_rank(design)) < self.terms:
            raise _no_surface(f"{count} times of which fewer than {self.terms} differ")
        found = torch.linalg.lstsq(design, measured[:, None]).solution[:, 0]
        free, slope = float(found[0]), float(found[1])
        if free <= 0:
            raise _no_surface(f"D₀ = {free:.3g} m²/s by the fit")
        freedom = count - self.terms
        noise = float((measured - design @ found).square().sum()) / freedom
        covariance = noise * torch.linalg.inv(design.T @ design)
        scale = 3 * self.dimensions * math.sqrt(math.pi) / (4 * math.sqrt(unit))
        surface = -scale * slope / free**1.5
        tangent = torch.tensor([-1.5 * surface / free, -scale / free**1.5, 0.0], dtype=torch.float64)[: self.terms]
        error = math.sqrt(float(tangent @ covariance @ tangent))
        reach = float(stdtrit(freedom, 0.5 + 0.5 * self.level)) * error
        depth = 1.0 - float(found.sum()) / free
        return SurfaceFit(surface, error, surface - reach, surface + reach, free, self.level, depth)


def _no_surface(given: str) -> InputError:
    return InputError(
        "GD-855",
        given=given,
        allowed="finite diffusivities at more different times than the fit has terms, D₀ above zero",
        do="measure at more short times",
    )
