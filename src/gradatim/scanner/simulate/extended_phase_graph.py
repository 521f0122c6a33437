"""The extended phase graph: magnetisation of a voxel as configurations of whole orders, and what acts on them."""

import torch
from torch import Tensor

from gradatim.base.errors import UsageError


def rest(batch: tuple[int, ...], orders: int, like: Tensor) -> Tensor:
    """States before any pulse: Z₀ = 1 and nothing else, (*batch, 3, orders), complex.

    Rows are F₊, F₋ = F₊*(−k) and Z; columns are orders k = 0 … orders − 1.

    Args:
        batch: leading axes.
        orders: how many orders are followed, 1 or more.
        like: gives precision and device.

    Raises:
        UsageError: GD-101 without an order.

    Example:
        >>> rest((), 2, torch.zeros(())).real.tolist()
        [[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]]
    """
    if orders < 1:
        raise UsageError("GD-101", given=f"{orders} orders", allowed="1 or more", do="follow order 0 at least")
    states = torch.zeros(*batch, 3, orders, dtype=like.dtype.to_complex(), device=like.device)
    states[..., 2, 0] = 1.0
    return states


def rotation(flip: Tensor, phase: Tensor) -> Tensor:
    """What a pulse does to (F₊, F₋, Z) of every order, (..., 3, 3), complex.

    F₊' = cos²(α/2)·F₊ + e^{2iφ}sin²(α/2)·F₋ − i e^{iφ}sin α·Z, F₋' its mirror image, and
    Z' = −(i/2)·e^{−iφ}sin α·F₊ + (i/2)·e^{iφ}sin α·F₋ + cos α·Z.

    Args:
        flip: α, (...), rad.
        phase: φ, (...), rad.

    Source:
        Weigel, J Magn Reson Imaging 41:266-295 (2015), equation 18.

    Example:
        >>> turned = rotation(torch.tensor(torch.pi), torch.tensor(0.0)) @ torch.tensor([1j, 0, 0])
        >>> [round(abs(v), 6) for v in turned.tolist()]
        [0.0, 1.0, 0.0]
    """
    flip, phase = torch.broadcast_tensors(flip, phase)
    turn = torch.polar(torch.ones_like(phase), phase)
    same, cross, sine = (flip / 2).cos().square(), (flip / 2).sin().square(), flip.sin()
    rows = [
        [same + 0j, turn.square() * cross, -1j * turn * sine],
        [turn.conj().resolve_conj().square() * cross, same + 0j, 1j * turn.conj() * sine],
        [-0.5j * turn.conj() * sine, 0.5j * turn * sine, flip.cos() + 0j],
    ]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def relaxed(states: Tensor, *, time: float | Tensor, t1: Tensor, t2: Tensor) -> Tensor:
    """States after a while: F·exp(−t/T2), Z·exp(−t/T1), and Z₀ grows back towards 1.

    Args:
        states: (..., 3, orders).
        time: s.
        t1: (...), s.
        t2: (...), s.

    Example:
        >>> later = relaxed(rest((), 1, torch.zeros(())) * 0, time=1.0, t1=torch.tensor(1.0), t2=torch.tensor(0.1))
        >>> round(later[2, 0].real.item(), 4)
        0.6321
    """
    transverse, longitudinal = torch.exp(-time / t2), torch.exp(-time / t1)
    factors = torch.stack(torch.broadcast_tensors(transverse, transverse, longitudinal), -1)[..., None]
    fresh = torch.zeros_like(states)
    fresh[..., 2, 0] = 1.0
    return states * factors + fresh * (1.0 - longitudinal)[..., None, None]


def dephased(states: Tensor) -> Tensor:
    """States after a gradient of one order: F₊ goes up by one, F₋ down by one, Z stays; the highest order is lost.

    Args:
        states: (..., 3, orders).

    Example:
        >>> dephased(torch.tensor([[1 + 0j, 0], [1, 0], [0, 0]])).real.tolist()
        [[0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]
    """
    plus, minus, stored = states.unbind(-2)
    nothing = torch.zeros_like(minus[..., :1])
    minus = torch.cat([minus[..., 1:], nothing], -1)
    plus = torch.cat([minus[..., :1].conj(), plus[..., :-1]], -1)
    return torch.stack([plus, minus, stored], -2)
