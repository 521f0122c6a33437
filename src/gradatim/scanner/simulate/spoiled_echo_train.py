"""Gradient echoes of a spoiled train on its way to the steady state, by extended phase graphs."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.scanner.simulate.extended_phase_graph import dephased, relaxed, rest, rotation
from gradatim.scanner.simulate.spin_echo_train import require_positive_times


@dataclass(frozen=True, eq=False)
class SpoiledEchoTrain:
    """n equal pulses a repetition apart, each followed by an echo and a gradient of one order; phases grow by squares.

    φ_j = ψ·j(j + 1)/2, and the receiver follows. ψ = 117° comes near to Ernst's formula, within some per cent that
    depend on flip, T1 and T2; ψ = 0 is the refocused gradient echo. Differentiable in flip, repetition, echo, T1,
    T2 and B1.

    Args:
        flip: rad.
        repetition: TR, s.
        echo: TE, s, between 0 and TR.
        pulses: n, 1 or more.
        increment: ψ, rad.
        orders: how many orders are followed; what has dephased further is lost. 0 follows all n.

    Returns (call):
        (..., n) complex, the echo after each pulse, in units of the equilibrium magnetisation.

    Raises:
        UsageError: GD-182 if times or numbers are not possible.
        InputError: GD-830 (call) if T1 or T2 is not positive.

    Source:
        Zur, Wood & Neuringer, Magn Reson Med 21:251-263 (1991); Weigel, J Magn Reson Imaging 41:266-295 (2015).

    Example:
        >>> train = SpoiledEchoTrain(0.2, 0.02, 0.005, pulses=2)
        >>> train(torch.tensor(1.0), torch.tensor(0.1)).shape
        torch.Size([2])
    """

    flip: float | Tensor
    repetition: float | Tensor
    echo: float | Tensor
    pulses: int
    increment: float = math.radians(117.0)
    orders: int = 0

    def __post_init__(self) -> None:
        repetition, echo = float(self.repetition), float(self.echo)
        if self.pulses < 1 or self.orders < 0 or not 0 <= echo <= repetition < math.inf or repetition == 0:
            raise UsageError(
                "GD-182",
                given=f"{self.pulses} pulses every {repetition} s with an echo at {echo} s and {self.orders} orders",
                allowed="a pulse at least, 0 ≤ TE ≤ TR, TR > 0, no negative number of orders",
                do="give times in s",
            )

    def __call__(self, t1: Tensor, t2: Tensor, *, b1: Tensor | None = None) -> Tensor:
        """The echoes of voxels.

        Args:
            t1: (...), s.
            t2: (...), s.
            b1: (...), by what the flip is multiplied; 1 where not given.
        """
        require_positive_times(t1, t2)
        b1 = torch.ones_like(t1) if b1 is None else b1
        t1, t2, b1 = torch.broadcast_tensors(t1, t2, b1)
        states = rest(tuple(t1.shape), self.orders or self.pulses, t1)
        echoes = []
        for pulse in range(self.pulses):
            phase = torch.full_like(b1, self.increment * pulse * (pulse + 1) / 2)
            states = rotation(b1 * self.flip, phase) @ states
            echoes.append(states[..., 0, 0] * torch.exp(-self.echo / t2) * torch.polar(torch.ones_like(b1), -phase))
            states = dephased(relaxed(states, time=self.repetition, t1=t1, t2=t2))
        return torch.stack(echoes, -1)
