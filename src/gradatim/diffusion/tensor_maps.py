"""What a diffusion tensor says whichever way the head is turned: FA, MD, AD, RD, and its main direction."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.nouns import QuantitativeMap
from gradatim.diffusion.fitted import spread
from gradatim.diffusion.tensor_fit import PLACES, TensorFit


def eigenvalues(tensor: Tensor) -> Tensor:
    """Diffusivities along the axes of the tensor, largest first; those below zero are taken as 0.

    Args:
        tensor: (..., 3, 3), m²/s.

    Returns:
        (..., 3), m²/s.

    Example:
        >>> eigenvalues(torch.diag(torch.tensor([-0.1, 2.0, 1.0]))).tolist()
        [2.0, 1.0, 0.0]
    """
    return torch.linalg.eigvalsh(tensor).flip(-1).clamp_min(0.0)


def fractional_anisotropy(values: Tensor) -> Tensor:
    """FA = √(3/2)·√(Σ(λᵢ − λ̄)²/Σλᵢ²), between 0 and 1; 0 where all are 0.

    Args:
        values: eigenvalues, (..., 3), ≥ 0.

    Returns:
        (...).

    Source:
        Basser & Pierpaoli, J Magn Reson B 111:209 (1996).

    Example:
        >>> fractional_anisotropy(torch.tensor([[1.0, 0.0, 0.0], [2.0, 2.0, 2.0]])).tolist()
        [1.0, 0.0]
    """
    size = values.square().sum(-1)
    apart = (values - values.mean(-1, keepdim=True)).square().sum(-1)
    share = torch.where(size > 0, 1.5 * apart / torch.where(size > 0, size, 1.0), 0.0)
    some = share > 0
    return torch.where(some, torch.where(some, share, 1.0).sqrt(), 0.0)


@dataclass(frozen=True)
class TensorMaps:
    """FA, MD, AD, RD and S0 as maps, each with its standard error.

    MD = (λ₁ + λ₂ + λ₃)/3, AD = λ₁, RD = (λ₂ + λ₃)/2, eigenvalues below 0 taken as 0. Errors follow from the covariance
    of the fit by the delta method: exact for MD, to first order for the others. FA and AD have no slope where the
    tensor is isotropic: there noise alone makes FA > 0 and AD > RD, and their errors say nothing of this bias. Maps
    are NaN where a voxel has no answer.

    Source:
        Koay et al., IEEE Trans Med Imaging 26:1017 (2007) (errors).

    Example:
        >>> TensorMaps()
        TensorMaps()
    """

    def __call__(self, fit: TensorFit) -> dict[str, QuantitativeMap]:
        """The maps, named FA, MD, AD, RD and S0.

        Args:
            fit: of the tensor.
        """
        known = ~fit.coefficients.isnan().any(1)
        tensor = fit.tensor.nan_to_num(0.0)
        values = eigenvalues(tensor)
        main = main_direction(tensor.detach())
        third = torch.eye(3, dtype=tensor.dtype, device=tensor.device).expand_as(tensor) / 3.0
        along = main[:, :, None] * main[:, None, :]
        fa = fractional_anisotropy(values)
        found = {
            "FA": (fa, _fa_slope(tensor.detach(), fa.detach()), "fractional anisotropy", ""),
            "MD": (values.mean(-1), third, "mean diffusivity", "m²/s"),
            "AD": (values[:, 0], along, "axial diffusivity", "m²/s"),
            "RD": (values[:, 1:].mean(-1), 0.5 * (3.0 * third - along), "radial diffusivity", "m²/s"),
        }
        s0 = fit.coefficients[:, 0].exp()
        maps = {
            name: self._map(fit, value, self._error(fit, slope), known, said, unit)
            for name, (value, slope, said, unit) in found.items()
        }
        error = s0.detach() * fit.covariance[:, 0, 0].sqrt()
        return {**maps, "S0": self._map(fit, s0, error, known, "signal without diffusion weighting", "signal unit")}

    def _error(self, fit: TensorFit, slope: Tensor) -> Tensor:
        """√(gᵀ C g) of a quantity with slope ∂/∂D, (voxel, 3, 3)."""
        g = torch.stack([slope[:, i, j] * (1.0 if i == j else 2.0) for i, j in PLACES], -1)
        return (g[:, None, :] @ fit.covariance[:, 1:, 1:] @ g[..., None])[:, 0, 0].clamp_min(0.0).sqrt()

    def _map(
        self, fit: TensorFit, value: Tensor, error: Tensor, known: Tensor, said: str, unit: str
    ) -> QuantitativeMap:
        value, error = (torch.where(known, part, math.nan) for part in (value, error))
        return QuantitativeMap(
            spread(value, fit.mask), fit.mask, fit.grid, said, unit, error=spread(error.detach(), fit.mask)
        )


def main_direction(tensor: Tensor) -> Tensor:
    """The unit vector along which diffusion is fastest; its sign means nothing.

    Args:
        tensor: (..., 3, 3).

    Returns:
        (..., 3), along the array's axes.
    """
    return torch.linalg.eigh(tensor)[1][..., 2]


def direction_colours(fit: TensorFit, *, fa: Tensor) -> Tensor:
    """FA times the main direction's absolute components along right, anterior, superior: red, green, blue.

    Args:
        fit: of the tensor.
        fa: (x, y, z), its FA.

    Returns:
        (3, x, y, z), between 0 and 1; 0 where there is no answer.

    Source:
        Pajevic & Pierpaoli, Magn Reson Med 42:526 (1999).
    """
    matrix = torch.as_tensor(fit.grid.matrix, dtype=torch.float64)[:3, :3].to(fit.mask.device)
    turn = matrix / torch.linalg.vector_norm(matrix, dim=0)
    main = main_direction(fit.tensor.detach().nan_to_num(0.0)) @ turn.T
    colours = spread(main.abs(), fit.mask).movedim(-1, 0)
    return colours.clamp(max=1.0) * fa.nan_to_num(0.0).clamp(0.0, 1.0)


def _fa_slope(tensor: Tensor, fa: Tensor) -> Tensor:
    """∂FA/∂D = FA·(D'/‖D'‖² − D/‖D‖²), D' = D − MD·1; 0 where D is isotropic."""
    mean = tensor.diagonal(dim1=-2, dim2=-1).mean(-1)
    apart = tensor - torch.diag_embed(mean[:, None].expand(-1, 3))

    def over_square(matrix: Tensor) -> Tensor:
        size = matrix.square().sum((-2, -1), keepdim=True)
        return torch.where(size > 0, matrix / torch.where(size > 0, size, 1.0), 0.0)

    return fa[:, None, None] * (over_square(apart) - over_square(tensor))
