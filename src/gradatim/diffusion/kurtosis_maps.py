"""Mean, axial and radial kurtosis: averages of the apparent kurtosis over directions."""

import functools
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gradatim.base.nouns import QuantitativeMap
from gradatim.diffusion.fitted import spread
from gradatim.diffusion.kurtosis import KurtosisFit, kurtosis_design

NODES = 32
"""Of each quadrature rule; good to 1e-9 while the largest diffusivity is below a hundred times the least."""


@dataclass(frozen=True)
class KurtosisMaps:
    """MK, AK, RK and MKT as maps.

    With K(n) = V(n)/D(n)² the apparent kurtosis along n, V = MD²·W:

    - MK, its mean over the sphere. In the frame of D's eigenvectors only the even elements of V are left,
      MK = Σ V_iijj·⟨nᵢ²nⱼ²/D(n)²⟩; the integrals over an octant are taken by Gauss-Legendre and trapezoidal rules
      in place of elliptic functions.
    - AK, K along the main direction; RK, its mean over the circle across it.
    - MKT = tr W/5, the mean of W(n), which needs no division by D(n)² and bears noise better.

    MK carries its standard error by the delta method. Values are not clipped; where D is not positive there is no
    answer, NaN.

    Source:
        Tabesh et al., Magn Reson Med 65:823 (2011); Hansen et al., Magn Reson Med 69:1754 (2013) (MKT).

    Example:
        >>> KurtosisMaps()
        KurtosisMaps()
    """

    def __call__(self, fit: KurtosisFit) -> dict[str, QuantitativeMap]:
        """The maps, named MK, AK, RK and MKT.

        Args:
            fit: of tensor and kurtosis.
        """
        known = (fit.verdict == 0) & ~fit.coefficients.detach().isnan().any(1)
        tensor, fourth = fit.tensor[known], fit.fourth[known]
        values, vectors = torch.linalg.eigh(tensor)
        values, vectors = values.flip(-1), vectors.flip(-1)
        turned = torch.einsum("vabcd,vai,vbi,vcj,vdj->vij", fourth, vectors, vectors, vectors, vectors)
        md = tensor.diagonal(dim1=-2, dim2=-1).mean(-1)
        trace = torch.einsum("viijj->v", fourth) / 5.0
        found = {
            "MK": (mean_kurtosis(values, turned), "mean kurtosis"),
            "AK": (turned[:, 0, 0] / values[:, 0].square(), "axial kurtosis"),
            "RK": (radial_kurtosis(values, turned), "radial kurtosis"),
            "MKT": (trace / md.square(), "mean of the kurtosis tensor"),
        }
        errors = {"MK": _error(fit, known)}
        return {
            name: QuantitativeMap(
                _on_grid(value, known, fit),
                fit.mask,
                fit.grid,
                said,
                "",
                error=_on_grid(errors[name], known, fit) if name in errors else None,
            )
            for name, (value, said) in found.items()
        }


def mean_kurtosis(values: Tensor, pairs: Tensor) -> Tensor:
    """⟨V(n)/D(n)²⟩ over the sphere, in the frame of the eigenvectors.

    Args:
        values: eigenvalues of D, (voxel, 3), > 0.
        pairs: V_iijj in their frame, (voxel, 3, 3).

    Returns:
        (voxel).

    Example:
        >>> same = torch.ones(3, 3).double() / 3 + 2 * torch.eye(3).double() / 3  # W(n) = 1
        >>> round(mean_kurtosis(torch.ones(1, 3).double(), same[None]).item(), 9)
        1.0
    """
    squares, weights = _octant()
    return _mean_over(squares.to(values.device), weights.to(values.device), values, pairs)


def radial_kurtosis(values: Tensor, pairs: Tensor) -> Tensor:
    """⟨V(n)/D(n)²⟩ over the circle across the first eigenvector.

    Args:
        values: eigenvalues of D, (voxel, 3), > 0.
        pairs: V_iijj in their frame, (voxel, 3, 3).
    """
    angle = (torch.arange(NODES, dtype=torch.float64) + 0.5) * (0.5 * math.pi / NODES)
    squares = torch.stack([torch.zeros_like(angle), angle.cos().square(), angle.sin().square()], 1)
    weights = torch.full_like(angle, 1.0 / NODES)
    return _mean_over(squares.to(values.device), weights.to(values.device), values, pairs)


def _mean_over(squares: Tensor, weights: Tensor, values: Tensor, pairs: Tensor) -> Tensor:
    """Σ w·(Σᵢⱼ mᵢⱼ V_iijj nᵢ²nⱼ²)/(Σ λᵢnᵢ²)², m = 1 on the diagonal and 3 beside it."""
    share = weights / (values @ squares.T).square()
    products = (squares[:, :, None] * squares[:, None, :]).flatten(1)
    many = 3.0 - 2.0 * torch.eye(3, dtype=values.dtype, device=values.device)
    return ((share @ products).reshape(-1, 3, 3) * many * pairs).sum((-2, -1))


@functools.cache
def _octant() -> tuple[Tensor, Tensor]:
    """Squared components of directions over an octant, the first along the pole, and their weights."""
    node, weight = np.polynomial.legendre.leggauss(NODES)
    height, share = 0.5 * (node + 1.0), 0.5 * weight
    angle = (np.arange(NODES) + 0.5) * (0.5 * math.pi / NODES)
    across = 1.0 - height[:, None] ** 2
    squares = np.stack(
        [
            np.broadcast_to(height[:, None] ** 2, (NODES, NODES)),
            across * np.cos(angle) ** 2,
            across * np.sin(angle) ** 2,
        ],
        -1,
    )
    return torch.from_numpy(squares.reshape(-1, 3)), torch.from_numpy(np.repeat(share / NODES, NODES))


@functools.cache
def _half_sphere() -> tuple[Tensor, Tensor]:
    """Directions over half a sphere and their weights, for the slope of MK."""
    node, weight = np.polynomial.legendre.leggauss(16)
    height, share = node[node > 0], weight[node > 0]
    angle = 2.0 * math.pi * np.arange(32) / 32
    across = np.sqrt(1.0 - height[:, None] ** 2)
    parts = [across * np.cos(angle), across * np.sin(angle), np.broadcast_to(height[:, None], (8, 32))]
    return torch.from_numpy(np.stack(parts, -1).reshape(-1, 3)), torch.from_numpy(np.repeat(share / 32, 32))


def _error(fit: KurtosisFit, known: Tensor) -> Tensor:
    """Standard error of MK from ∂MK/∂V = ⟨n⁴/D²⟩ and ∂MK/∂D = −2⟨V(n)·n²/D³⟩, (voxel known)."""
    directions, weights = (part.to(fit.mask.device) for part in _half_sphere())
    design = kurtosis_design(directions[:, :, None] * directions[:, None, :])
    second, fourth = -design[:, 1:7], 6.0 * design[:, 7:]
    coefficients = fit.coefficients.detach()[known]
    along = coefficients[:, 1:7] @ second.T
    share = weights / along.square()
    slope_d = -2.0 * (share / along * (coefficients[:, 7:] @ fourth.T)) @ second
    slope = torch.cat([slope_d, share @ fourth], 1)
    return (slope[:, None] @ fit.covariance[known][:, 1:, 1:] @ slope[..., None])[:, 0, 0].clamp_min(0.0).sqrt()


def _on_grid(values: Tensor, known: Tensor, fit: KurtosisFit) -> Tensor:
    every = torch.full((len(known),), math.nan, dtype=values.dtype, device=values.device)
    return spread(every.index_put((known.nonzero().flatten(),), values), fit.mask)
