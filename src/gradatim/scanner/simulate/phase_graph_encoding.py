"""What samples hear of dephased magnetisation: the exact Fourier sum over voxels, as matrix products."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.scanner.simulate.spins import Spins
from gradatim.scanner.simulate.voxel_shape import VoxelShape

SAME_PATH = 1e-6
"""How near two readouts' relative positions lie, 1/m, to share one matrix."""
SAME_TIME = 1e-9
"""And their relative times, s."""
LARGEST_EXPONENT = 100.0
"""Where the growth towards an echo is cut, before samples to which it does not belong."""


@dataclass(frozen=True, eq=False)
class FourierSum:
    """s_j = Σ_h Σ_v ρ_v·F_hv·ŝ(κ_h + k_j)·exp(2πi(κ_h + k_j)·r_v + (2πiΔf_v − 1/T2_v)·t_j − |τ_h + t_j|/T2'_v).

    Readouts that follow one path from their first samples on share one matrix (voxels × samples), so that each costs a
    matrix product and no exponentials but those of its beginning.

    Args:
        spins: r, ρ, T2, Δf, T2' and the voxels' size.
        shape: of a voxel, ŝ.
    """

    spins: Spins
    shape: VoxelShape
    _paths: dict[tuple[bytes, int], Tensor] = field(default_factory=dict)

    def __call__(self, values: Tensor, *, dephasing: Tensor, samples: Tensor) -> Tensor:
        """Samples of readouts with one path, (g, j) complex.

        Args:
            values: F right after the pulse, (h, v) complex.
            dephasing: κ and τ there, (h, 4), 1/m and s.
            samples: γ̄∫G dt and time from the pulse to each sample, (g, j, 4); the samples of each of the g readouts
                lie alike around its first.
        """
        begin = samples[:, 0]
        here = self.spins.density * self._turned(begin)
        there = values * self._wound(dephasing)
        sources = here[:, None] * there[None]
        k = dephasing[None, :, None, :3] + samples[:, None, :, :3]
        seen = self.shape.seen(k, self.spins.size)
        since = dephasing[None, :, None, 3] + samples[:, None, :, 3]
        found = torch.zeros(samples.shape[:2], dtype=sources.dtype, device=values.device)
        for sign in self._signs(since):
            path = self._path(samples[0] - samples[0, 0], sign)
            decayed = sources if sign == 0 else sources * self._inhomogeneous(since[:, :, 0], sign)
            heard = (decayed.flatten(0, 1) @ path).unflatten(0, sources.shape[:2])
            ours = torch.ones_like(seen) if sign == 0 else (since >= 0 if sign > 0 else since < 0).to(seen.dtype)
            found = found + (heard * (seen * ours).to(heard.real.dtype)).sum(1)
        return found

    def _turned(self, begin: Tensor) -> Tensor:
        """exp(2πi k·r + (2πiΔf − 1/T2)·t), (g, v)."""
        angle = begin[:, :3] @ self.spins.position.T.to(begin) + begin[:, 3:] * self.spins.offset
        return torch.polar(torch.exp(-begin[:, 3:] / self.spins.t2).expand_as(angle), 2 * math.pi * angle)

    def _wound(self, dephasing: Tensor) -> Tensor:
        angle = 2 * math.pi * (dephasing[:, :3] @ self.spins.position.T.to(dephasing))
        return torch.polar(torch.ones_like(angle), angle).to(self.spins.density.dtype.to_complex())

    def _signs(self, since: Tensor) -> tuple[int, ...]:
        """0 where T2' does nothing; 1 for samples past the inhomogeneous echo, −1 for those before."""
        if not bool(self.spins.t2_prime.isfinite().any()):
            return (0,)
        return tuple(sign for sign, there in ((1, since >= 0), (-1, since < 0)) if bool(there.any()))

    def _inhomogeneous(self, since: Tensor, sign: int) -> Tensor:
        return torch.exp((-sign * since[..., None] / self.spins.t2_prime).clamp(max=LARGEST_EXPONENT))

    def _path(self, samples: Tensor, sign: int) -> Tensor:
        """exp(2πi Δk·r + (2πiΔf − 1/T2 ∓ 1/T2')·Δt), (v, j)."""
        key = (path_key(samples), sign)
        if key not in self._paths:
            path = self._turned(samples)
            if sign != 0:
                path = path * torch.exp((-sign * samples[:, 3:] / self.spins.t2_prime).clamp(max=LARGEST_EXPONENT))
            self._paths[key] = path.T
        return self._paths[key]


def path_key(samples: Tensor) -> bytes:
    """What readouts have in common whose samples lie alike around their first.

    Args:
        samples: γ̄∫G dt, 1/m, and time, s, (j, 4).
    """
    relative = (samples - samples[0]) / torch.tensor([SAME_PATH, SAME_PATH, SAME_PATH, SAME_TIME], dtype=samples.dtype)
    return bytes(relative.round().long().flatten().numpy().tobytes())
