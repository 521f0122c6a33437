"""The way to the steady state: calcium and its buffer in shells around the mouth, over time."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.integrate import solve_ivp
from scipy.linalg import solve_banded
from torch import Tensor

from gradatim.transport.calcium.microdomain import Microdomain, impossible
from gradatim.transport.calcium.shells import Shells

_NEWTON = 100


@dataclass(frozen=True, eq=False)
class Approach:
    """Concentrations on their way.

    Args:
        radius: of the shells, (shells,), m.
        times: (n,), s.
        calcium: c, (n, shells), mol/m³.
        bound: CaB, (n, shells), mol/m³.
    """

    radius: Tensor
    times: Tensor
    calcium: Tensor
    bound: Tensor


@dataclass(frozen=True)
class Transient:
    """∂c/∂t = D∇²c − k₊Bc + k₋CaB, ∂CaB/∂t = D_B∇²CaB + k₊Bc − k₋CaB, B = B_T − CaB, k₋ = k₊K, in half-shells.

    Finite volumes whose radii grow geometrically; the flux between two shells is 2πD(c₁ − c₂)/(1/r₁ − 1/r₂), exact for
    any steady flow, so that the grid leaves no error in the steady state. The channel feeds the innermost shell; at the
    outer radius concentrations rest. Time goes by the implicit formulae of LSODA with a banded Jacobian.

    Args:
        inner: innermost radius, m.
        outer: outer radius, m.
        shells: how many.
        tolerance: relative, of a step in time.

    Raises:
        InputError: GD-852 if a size or time is not possible, or time cannot be stepped.

    Source:
        Smith, Wagner & Keizer, Biophys J 70:2527-2539, 1996 (the equations); Hindmarsh's LSODA through SciPy.

    Example:
        >>> from gradatim.transport.calcium.microdomain import Buffer
        >>> found = Transient(shells=40)(Microdomain(0.1e-12, Buffer(0.5, 1e5, 1e-2)), times=torch.tensor([1e-3]))
        >>> tuple(found.calcium.shape)
        (1, 40)
    """

    inner: float = 1e-9
    outer: float = 2e-6
    shells: int = 200
    tolerance: float = 1e-8

    def __post_init__(self) -> None:
        if not (math.isfinite(self.outer) and 0 < self.inner < self.outer and self.tolerance > 0) or self.shells < 3:
            raise impossible(
                f"{self.shells} shells from {self.inner} to {self.outer} m", "three shells or more, 0 < inner < outer"
            )

    @property
    def radius(self) -> Tensor:
        """Of the shells' middles, (shells,), m."""
        return torch.from_numpy(self._edges()[1])

    def __call__(self, domain: Microdomain, *, times: Tensor) -> Approach:
        """From rest, with the channel open from t = 0.

        Args:
            domain: channel, cytosol and buffer, fixed or mobile.
            times: (n,), s, increasing, > 0.
        """
        asked = times.to(torch.float64).numpy()
        if (
            asked.ndim != 1
            or not len(asked)
            or not np.isfinite(asked).all()
            or asked[0] <= 0
            or (np.diff(asked) <= 0).any()
        ):
            raise impossible(f"times {asked.tolist()}", "increasing finite times above 0")
        shells = Shells(domain, *self._edges())
        found = solve_ivp(
            lambda _, state: shells.rate(state),
            (0.0, float(asked[-1])),
            np.tile(shells.rest, self.shells),
            method="LSODA",
            t_eval=asked,
            rtol=self.tolerance,
            atol=self.tolerance * 1e-6,
            jac=lambda _, state: shells.slope(state),
            lband=2,
            uband=2,
        )
        if not found.success:
            raise impossible(f"a course over time that could not be stepped: {found.message}", "milder numbers")
        states = torch.from_numpy(found.y.T.reshape(len(asked), self.shells, 2).copy())
        return Approach(self.radius, torch.from_numpy(asked), states[..., 0], states[..., 1])

    def steady(self, domain: Microdomain) -> Approach:
        """Where it ends, by Newton's method for calcium and buffer together, begun at rest.

        Args:
            domain: channel, cytosol and buffer.
        """
        shells = Shells(domain, *self._edges())
        state = np.tile(shells.rest, self.shells)
        for _ in range(_NEWTON):
            step = solve_banded((2, 2), shells.slope(state), -shells.rate(state))
            state = np.maximum(state + step, 0.0)
            if float(np.abs(step).max()) < 1e-13 * float(state.max()):
                break
        else:
            raise impossible("a steady state that was not found", "milder numbers")
        both = torch.from_numpy(state.reshape(1, self.shells, 2).copy())
        return Approach(self.radius, torch.tensor([math.inf], dtype=torch.float64), both[..., 0], both[..., 1])

    def free_in_ball(self, domain: Microdomain) -> Tensor:
        """c₀ + σ/(2πD)·(1/r − 1/r_outer): the steady state without buffer in this ball, (shells,), mol/m³.

        Args:
            domain: channel and cytosol.
        """
        return domain.resting + domain.length * (1 / self.radius - 1 / self.outer)

    def _edges(self) -> tuple[np.ndarray, np.ndarray]:
        """The shells' edges (shells + 1,), from the mouth on, and their middles (shells,), m."""
        edges = np.geomspace(self.inner, self.outer, self.shells + 1)
        return np.concatenate([[0.0], edges[1:]]), np.sqrt(edges[1:] * edges[:-1])
