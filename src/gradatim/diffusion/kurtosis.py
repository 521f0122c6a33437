"""Diffusion kurtosis: how far displacements are from a normal distribution, in each direction."""

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.diffusion_series import DiffusionSeries
from gradatim.base.grid import Grid
from gradatim.diffusion.decay_fit import require_iterations
from gradatim.diffusion.log_signal import fit_log_signal, voxels_of
from gradatim.diffusion.tensor import judged
from gradatim.diffusion.tensor_fit import symmetric, tensor_design

QUADS = tuple(itertools.combinations_with_replacement(range(3), 4))
"""The fifteen different elements of a symmetric tensor of fourth order, xxxx first."""


@dataclass(frozen=True, eq=False)
class KurtosisFit:
    """ln S = ln S0 − B : D + ⅙·V :: B⊗B in each voxel of a mask, V = MD²·W.

    Args:
        coefficients: (voxel, 22): ln S0; Dxx, Dyy, Dzz, Dxy, Dxz, Dyz in m²/s; the fifteen elements of V in m⁴/s² in
            the order of :data:`QUADS`; NaN where a voxel has no answer.
        covariance: (voxel, 22, 22).
        sigma: (voxel), standard deviation of the signal's noise.
        verdict: (voxel), uint8, :class:`~gradatim.diffusion.fitted.Verdict`.
        mask: (x, y, z), bool, the voxels in order.
        grid: where they lie.
    """

    coefficients: Tensor
    covariance: Tensor
    sigma: Tensor
    verdict: Tensor
    mask: Tensor
    grid: Grid

    @property
    def tensor(self) -> Tensor:
        """D, (voxel, 3, 3), m²/s."""
        return symmetric(self.coefficients[:, 1:7])

    @property
    def fourth(self) -> Tensor:
        """V = MD²·W, (voxel, 3, 3, 3, 3), m⁴/s²."""
        place = [QUADS.index(tuple(sorted(quad))) for quad in itertools.product(range(3), repeat=4)]
        return self.coefficients[:, 7:][:, place].reshape(-1, 3, 3, 3, 3)


@dataclass(frozen=True)
class WeightedKurtosis:
    """Fits ln S = ln S0 − B : D + ⅙·MD²·W :: B⊗B with weights S², in closed form.

    The fourth-order term takes the b-matrix whole; it is exact for linear encoding, B = b·g·gᵀ, where it is
    ⅙·b²·MD²·W(g). For other shapes of B the part of the covariance tensor that is not symmetric in all its indices is
    missing. Two different b-values besides 0 and fifteen directions at least are needed. The expansion holds up to
    b ≈ 3/(D·K), about 2.5e9 s/m² in the brain. Differentiable in the signal.

    Args:
        rounds: how often weights are renewed.

    Raises:
        UsageError: GD-186 for no round.
        InputError: when called, GD-842 if the b-matrices do not determine a kurtosis; GD-601, GD-603 and GD-843 as
            :func:`~gradatim.diffusion.log_signal.voxels_of`.

    Source:
        Jensen et al., Magn Reson Med 53:1432 (2005); Tabesh et al., Magn Reson Med 65:823 (2011).

    Example:
        >>> WeightedKurtosis().rounds
        1
    """

    rounds: int = 1

    def __post_init__(self) -> None:
        require_iterations(self.rounds)

    def __call__(self, series: DiffusionSeries) -> KurtosisFit:
        """Fit every voxel of the mask.

        Args:
            series: images with a b-matrix each.
        """
        found = fit_log_signal(voxels_of(series), kurtosis_design(series.b), rounds=self.rounds)
        verdict = judged(found.coefficients[:, 1:7])
        sigma = found.sigma.detach()
        return KurtosisFit(found.coefficients, found.covariance, sigma, verdict, series.mask, series.grid)


def kurtosis_design(b: Tensor) -> Tensor:
    """X of ln S = X·(ln S0, six of D, fifteen of V).

    Args:
        b: b-matrices, (n, 3, 3), s/m².

    Returns:
        (n, 22), float64.

    Example:
        >>> along_x = torch.zeros(1, 3, 3).double()
        >>> along_x[0, 0, 0] = 6.0
        >>> kurtosis_design(along_x)[0, 7].item()  # ⅙·b²
        6.0
    """
    b = b.double()
    columns = dict.fromkeys(QUADS, torch.zeros_like(b[:, 0, 0]))
    for quad in itertools.product(range(3), repeat=4):
        i, j, k, m = quad
        key = tuple(sorted(quad))
        columns[key] = columns[key] + b[:, i, j] * b[:, k, m] / 6.0  # type: ignore[index]
    return torch.cat([tensor_design(b), torch.stack([columns[quad] for quad in QUADS], 1)], 1)
