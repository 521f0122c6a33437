"""Rates of calcium and one buffer in half-shells around a mouth, and how they change with the concentrations."""

import math

import numpy as np

from gradatim.transport.calcium.microdomain import Microdomain


class Shells:
    """Finite volumes of free calcium c and bound buffer b, interleaved as c₀, b₀, c₁, b₁ ...

    Args:
        domain: channel, cytosol and buffer.
        edges: of the shells, (n + 1,), m, the first 0.
        middles: (n,), m.

    Example:
        >>> from gradatim.transport.calcium.microdomain import Buffer
        >>> domain = Microdomain(0.1e-12, Buffer(0.0, 1e5, 1e-2))
        >>> shells = Shells(domain, np.array([0.0, 1e-8, 1e-7]), np.array([5e-9, 3e-8]))
        >>> bool((shells.rate(np.tile(shells.rest, 2))[1:] == 0).all())  # at rest only the channel's shell changes
        True
    """

    def __init__(self, domain: Microdomain, edges: np.ndarray, middles: np.ndarray) -> None:
        buffer = domain.buffer
        self.rest = np.array([domain.resting, buffer.total - buffer.free(domain.resting)])
        self._total, self._on = buffer.total, buffer.on_rate
        self._off = buffer.on_rate * buffer.dissociation
        self._volume = 2 * math.pi / 3 * np.diff(edges**3)
        self._source = np.zeros(len(middles))
        self._source[0] = domain.source / self._volume[0]
        apart = -np.diff(1 / np.append(middles, edges[-1]))
        self._open = 2 * math.pi * np.array([[domain.diffusivity], [buffer.diffusivity]]) / apart

    def rate(self, state: np.ndarray) -> np.ndarray:
        """∂/∂t of all concentrations, (2n,), mol/(m³·s).

        Args:
            state: (2n,), mol/m³.
        """
        both = state.reshape(-1, 2).T
        outside = np.concatenate([both[:, 1:], self.rest[:, None]], axis=1)
        outward = self._open * (both - outside)
        inward = np.concatenate([np.zeros((2, 1)), outward[:, :-1]], axis=1)
        moved = (inward - outward) / self._volume
        calcium, bound = both
        binding = self._on * (self._total - bound) * calcium - self._off * bound
        moved += np.stack([self._source - binding, binding])
        return moved.T.ravel()

    def slope(self, state: np.ndarray) -> np.ndarray:
        """The Jacobian of :meth:`rate` as five bands, (5, 2n), as LAPACK keeps them.

        Args:
            state: (2n,), mol/m³.
        """
        calcium, bound = state.reshape(-1, 2).T
        inner = np.concatenate([np.zeros((2, 1)), self._open[:, :-1]], axis=1)
        by_calcium = self._on * (self._total - bound)
        by_bound = -self._on * calcium - self._off
        own = -(self._open + inner) / self._volume + np.stack([-by_calcium, by_bound])
        bands = np.zeros((5, len(state)))
        bands[2] = own.T.ravel()
        bands[0, 2:] = (self._open / self._volume)[:, :-1].T.ravel()
        bands[4, :-2] = (inner / self._volume)[:, 1:].T.ravel()
        bands[1, 1::2] = -by_bound
        bands[3, 0::2] = by_calcium
        return bands
