"""The whole nonlinear steady state with a mobile buffer, as a boundary-value problem."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from scipy.integrate import solve_bvp
from torch import Tensor

from gradatim.transport.calcium.approximations import Linearised, excess_length, linear_length
from gradatim.transport.calcium.microdomain import Microdomain, impossible, require_radius

_SOFT_START = (0.01, 0.03, 0.1, 0.2, 0.4, 0.7, 1.0)
"""Shares of the current through which the solution is led where the linearised form is too far to begin from."""


@dataclass(frozen=True)
class FullSolution:
    """D∇²c = k₊(B·c − K(B_T − B)), B from D·c − D_B·B = D·c₀ − D_B·B₀ + σ/(2πr): nothing left out.

    With f = (c − c₀)·r/a, a = σ/(2πD), and x = r/λ it is f″ = x·λ²/D·k₊(…)·λ/a from f(0) = 1 to the linearised form
    far away, by adaptive collocation of fourth order. Without a mobile buffer it is free diffusion.

    Args:
        tolerance: relative, of the collocation's residual.
        reach: outer end, in lengths of the linearised form, beyond the largest radius.

    Raises:
        InputError: GD-852 if the problem is not solved to its tolerance; GD-853 for r ≤ 0.

    Source:
        Smith, Dai, Miura & Sherman, SIAM J Appl Math 61:1816-1838, 2001.

    Example:
        >>> from gradatim.transport.calcium.microdomain import Buffer
        >>> bapta = Microdomain(0.1e-12, Buffer(1.0, 4e5, 1.76e-4, 95e-12))
        >>> at = torch.tensor([10e-9, 50e-9], dtype=torch.float64)
        >>> [round(c * 1e3, 3) for c in FullSolution()(bapta, radius=at).tolist()]
        [26.934, 1.503]
    """

    tolerance: float = 1e-9
    reach: float = 60.0

    def __call__(self, domain: Microdomain, *, radius: Tensor) -> Tensor:
        """c(r), (n,), mol/m³.

        Args:
            domain: channel, cytosol and buffer.
            radius: r, (n,), m, > 0.
        """
        at = require_radius(radius)
        buffer = domain.buffer
        if buffer.diffusivity == 0 or buffer.total == 0:
            return domain.free_diffusion(at)
        scale = excess_length(domain)
        end = (float(at.max()) + self.reach * linear_length(domain)) / scale
        mesh = np.concatenate([[0.0], np.geomspace(1e-4, end, 400)])
        guess = self._linear(domain, mesh, scale)
        for share in (1.0, *_SOFT_START):
            found = self._solve(replace(domain, current=share * domain.current), mesh, guess, scale)
            if found.success and share == 1.0:
                break
            if found.success:
                mesh, guess = found.x, found.y
        if not found.success:
            raise impossible(f"a domain whose steady state was not found: {found.message}", "a tolerance it can meet")
        return domain.resting + domain.length / at * torch.from_numpy(found.sol(at.numpy() / scale)[0])

    def _solve(self, domain: Microdomain, mesh: np.ndarray, guess: np.ndarray, scale: float) -> Any:
        """f and its slope over x = r/scale, from a guess."""
        buffer, rest, a = domain.buffer, domain.resting, domain.length
        b0, last = buffer.free(rest), self._linear(domain, mesh[-2:], scale)[0, -1]
        speed = scale**3 / domain.diffusivity * buffer.on_rate / a
        carried = domain.diffusivity * a / (scale * buffer.diffusivity)

        def slope(x: np.ndarray, state: np.ndarray) -> np.ndarray:
            f, steep = state
            calcium = rest * x + a / scale * f  # x·c
            free = b0 + carried * np.where(x > 1e-12, (f - 1) / np.maximum(x, 1e-12), steep)
            return np.vstack([steep, speed * (free * calcium - x * buffer.dissociation * (buffer.total - free))])

        return solve_bvp(
            slope,
            lambda begin, ending: np.array([begin[0] - 1.0, ending[0] - last]),
            mesh,
            guess,
            tol=self.tolerance,
            max_nodes=20_000,
        )

    def _linear(self, domain: Microdomain, mesh: np.ndarray, scale: float) -> np.ndarray:
        """The linearised form and its slope on a mesh, from which the iteration begins."""
        at = torch.from_numpy(np.maximum(mesh, 1e-9) * scale)
        f = ((Linearised()(domain, radius=at).calcium - domain.resting) * at / domain.length).numpy()
        return np.vstack([f, np.gradient(f, mesh)])
