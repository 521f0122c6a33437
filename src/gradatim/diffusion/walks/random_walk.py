"""Random walks through a pore space: phases under waveforms, displacements, and their standard errors."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.seeds import generator
from gradatim.base.waveform import Waveform
from gradatim.diffusion.walks.spaces import Space
from gradatim.diffusion.walks.step_weights import step_weights

_CROWD, _BLOCK = 2048, 64
_LARGEST = 100_000_000
_REACH = 8.0
_COARSEST = 0.25


@dataclass(frozen=True, eq=False)
class WalkSignal:
    """A mean over walkers.

    Args:
        value: (k,), complex128, 1 without gradients.
        error: (k,), one standard error of its real part.
    """

    value: Tensor
    error: Tensor


@dataclass(frozen=True, eq=False)
class Walks:
    """What the walkers bring back.

    Args:
        phases: (n, waveforms), rad.
        displacement: (n, 3), m, from the first place to the last.
        lost: (waveforms,), what the way within steps leaves of the signal.
        duration: of the walk, s.
        stride: root mean square of a step, m.
        finest: the smallest radius or voxel of the space, m.
    """

    phases: Tensor
    displacement: Tensor
    lost: Tensor
    duration: float
    stride: float
    finest: float

    @property
    def holds(self) -> bool:
        """Whether steps are short against walls: up to a quarter of the smallest radius or voxel."""
        return self.stride <= _COARSEST * self.finest

    def signal(self) -> WalkSignal:
        """⟨exp(iφ)⟩ of each waveform."""
        found = _mean(torch.polar(torch.ones_like(self.phases), self.phases))
        return WalkSignal(found.value * self.lost, found.error * self.lost)

    def echo(self, wavevectors: Tensor) -> WalkSignal:
        """⟨exp(i·Q·Δr)⟩, the signal of two pulses without length at both ends of the walk.

        Args:
            wavevectors: Q = γGδ, (k, 3), rad/m.
        """
        phases = self.displacement @ wavevectors.to(self.displacement).T
        return _mean(torch.polar(torch.ones_like(phases), phases))

    def diffusivity(self) -> tuple[Tensor, Tensor]:
        """⟨Δx²⟩/2t along x, y and z, and one standard error of each, (3,), m²/s."""
        square = self.displacement.square() / (2.0 * self.duration)
        return square.mean(0), square.std(0) / math.sqrt(len(square))


@dataclass(frozen=True)
class RandomWalk:
    """Brownian motion in equal times by normally distributed steps, walls reflecting like mirrors.

    The phase is integrated exactly along the straight ways between places; that the true way between two places is not
    straight takes the same factor from all, which is known exactly without walls. So free diffusion gives exp(−b·D)
    for any number of steps; with walls the steps must be short against them. Memory does not grow with the steps.

    Args:
        walkers: n.
        steps: over the longest waveform.
        diffusivity: of the free liquid, m²/s.
        device: where it walks: compiled on "cpu", in torch elsewhere.

    Raises:
        UsageError: GD-196 for less than 2 walkers, no steps, a diffusivity that is not positive, or when called for no
            waveform, or for more than 1e8 phases or weights.

    Example:
        >>> from gradatim.diffusion.walks.spaces import ClosedPores
        >>> one = torch.tensor([[0.01, 0.0, 0.0]], dtype=torch.float64)
        >>> pulses = Waveform(torch.tensor([0.0, 0.01, 0.02]).double(), torch.cat([one, -one]), torch.cat([one, -one]))
        >>> walks = RandomWalk(500, 200, 2e-9)(ClosedPores((5e-6,)), [pulses], seed=1)
        >>> round(walks.signal().value.real.item(), 2), walks.holds
        (1.0, True)
    """

    walkers: int
    steps: int
    diffusivity: float
    device: str = "cpu"

    def __post_init__(self) -> None:
        free = self.diffusivity
        if not (2 <= self.walkers <= _LARGEST and 1 <= self.steps <= _LARGEST and 0 < free < 1):
            raise _impossible(f"{self.walkers} walkers, {self.steps} steps, D = {free} m²/s")

    def __call__(self, space: Space, waveforms: Sequence[Waveform], *, seed: int | torch.Generator) -> Walks:
        """Walk once under all waveforms.

        Args:
            space: where the walkers may be.
            waveforms: as the coherence feels them, all from the walk's beginning on.
            seed: of places and steps; the same on one device gives the same walks.
        """
        counts = self.walkers * (3 + len(waveforms)), 2 * self.steps * len(waveforms)
        if not waveforms or max(counts) > _LARGEST:
            raise _impossible(f"{len(waveforms)} waveforms for {self.walkers} walkers and {self.steps} steps")
        duration = max(float(waveform.edges[-1] - waveform.edges[0]) for waveform in waveforms)
        step = duration / self.steps
        weights = [step_weights(waveform, steps=self.steps, step=step) for waveform in waveforms]
        near = torch.stack([each.near for each in weights]).to(self.device)
        far = torch.stack([each.far for each in weights]).to(self.device)
        draws, sigma = generator(seed, self.device), math.sqrt(2.0 * self.diffusivity * step)
        found = [
            self._crowd(space, min(_CROWD, self.walkers - begin), near, far, sigma=sigma, draws=draws)
            for begin in range(0, self.walkers, _CROWD)
        ]
        phases, displacement = (torch.cat(parts) for parts in zip(*found, strict=True))
        within = torch.tensor([each.within for each in weights], dtype=torch.float64, device=self.device)
        lost = torch.exp(-self.diffusivity * within)
        return Walks(phases, displacement, lost, duration, math.sqrt(3.0) * sigma, space.finest)

    def _crowd(
        self, space: Space, count: int, near: Tensor, far: Tensor, *, sigma: float, draws: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Phases and displacements of so many walkers as fit into little memory at once."""
        walkers = space.enter(count, generator=draws, reach=_REACH * sigma)
        begin = walkers.path.clone()
        phases = torch.zeros(count, len(near), dtype=torch.float64, device=near.device)
        for first in range(0, self.steps, _BLOCK):
            last = min(first + _BLOCK, self.steps)
            normal = torch.randn(count, last - first, 3, generator=draws, device=near.device)
            increments = sigma * normal.clamp(-_REACH, _REACH).double()
            walkers.advance(increments, near[:, first:last], far[:, first:last], phases)
        return phases, walkers.path - begin


def _mean(values: Tensor) -> WalkSignal:
    return WalkSignal(values.mean(0), values.real.std(0) / math.sqrt(len(values)))


def _impossible(given: str) -> UsageError:
    return UsageError(
        "GD-196",
        given=given,
        allowed="2 walkers, a step and a waveform at least, a positive diffusivity below 1, up to 1e8 numbers a kind",
        do="use some thousands of walkers and steps, and m²/s: water at 25 °C has 2.3e-9",
    )
