"""Echoes of a train of refocusing pulses (CPMG, RARE), with stimulated echoes, by extended phase graphs."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.scanner.simulate.extended_phase_graph import dephased, relaxed, rest, rotation


@dataclass(frozen=True, eq=False)
class SpinEchoTrain:
    """Excitation, then n refocusing pulses one spacing apart with equal crushers around each: the n echoes.

    Half a spacing of relaxation and a gradient of one order lie before and after every refocusing pulse, so that
    an echo is F₀ at whole spacings. With perfect 180° pulses the echoes are exp(−n·ESP/T2); with any others
    stimulated echoes join, and T1 matters. Differentiable in flips, phases, spacing, T1, T2 and B1.

    Args:
        flips: of the refocusing pulses, (n,), rad.
        spacing: ESP, s, > 0.
        phases: of the refocusing pulses, (n,), rad; all 0 where not given.
        excitation: flip of the first pulse, rad.
        excitation_phase: rad; π/2 beside refocusing pulses of phase 0 is the condition of Carr, Purcell, Meiboom
            and Gill.

    Returns (call):
        (..., n) complex, in units of the equilibrium magnetisation.

    Raises:
        UsageError: GD-182 unless there are pulses, phases fit them and the spacing is positive.
        InputError: GD-830 (call) if T1 or T2 is not positive.

    Source:
        Hennig, J Magn Reson 78:397-407 (1988); Weigel, J Magn Reson Imaging 41:266-295 (2015).

    Example:
        >>> train = SpinEchoTrain(torch.full((3,), math.pi, dtype=torch.float64), 0.010)
        >>> [round(s, 4) for s in train(torch.tensor(1.0).double(), torch.tensor(0.1).double()).abs().tolist()]
        [0.9048, 0.8187, 0.7408]
    """

    flips: Tensor
    spacing: float | Tensor
    phases: Tensor | None = None
    excitation: float = math.pi / 2
    excitation_phase: float = math.pi / 2

    def __post_init__(self) -> None:
        fits = self.flips.ndim == 1 and len(self.flips) > 0
        fits = fits and (self.phases is None or self.phases.shape == self.flips.shape)
        if not fits or not 0 < float(self.spacing) < math.inf:
            raise UsageError(
                "GD-182",
                given=f"flips {tuple(self.flips.shape)} every {float(self.spacing)} s",
                allowed="one flip, and at most one phase, a pulse; a positive spacing in s",
                do="give flips and phases of shape (n,)",
            )

    def __call__(self, t1: Tensor, t2: Tensor, *, b1: Tensor | None = None) -> Tensor:
        """The echoes of voxels.

        Args:
            t1: (...), s.
            t2: (...), s.
            b1: (...), by what every flip is multiplied; 1 where not given.
        """
        require_positive_times(t1, t2)
        b1 = torch.ones_like(t1) if b1 is None else b1
        t1, t2, b1 = torch.broadcast_tensors(t1, t2, b1)
        phases = torch.zeros_like(self.flips) if self.phases is None else self.phases
        states = rest(tuple(t1.shape), 2 * len(self.flips) + 2, t1)
        states = rotation(b1 * self.excitation, torch.full_like(b1, self.excitation_phase)) @ states
        echoes = []
        for flip, phase in zip(self.flips, phases, strict=True):
            states = dephased(relaxed(states, time=self.spacing / 2, t1=t1, t2=t2))
            states = rotation(b1 * flip, phase.expand_as(b1)) @ states
            states = dephased(relaxed(states, time=self.spacing / 2, t1=t1, t2=t2))
            echoes.append(states[..., 0, 0])
        return torch.stack(echoes, -1)


def require_positive_times(t1: Tensor, t2: Tensor) -> None:
    """Refuse relaxation times that are none.

    Raises:
        InputError: GD-830 if one is not positive.
    """
    if not bool((t1 > 0).all()) or not bool((t2 > 0).all()):
        raise InputError(
            "GD-830",
            given="a T1 or T2 that is not positive",
            allowed="times > 0 s",
            do="leave out voxels without magnetisation",
        )
