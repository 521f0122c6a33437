"""A b-matrix a voxel: what gradients that are not linear in space do to a tensor, undone in closed form."""

from dataclasses import replace

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.diffusion.tensor import judged
from gradatim.diffusion.tensor_fit import PLACES, TensorFit, six


def with_true_gradients(fit: TensorFit, *, gradients: Tensor) -> TensorFit:
    """The tensor under the gradients that each voxel really felt, from a fit with the nominal b-matrices.

    Where the coils give G' = L·G, the true weighting is B' = L·B·Lᵀ, and B' : D = B : (Lᵀ·D·L). So the nominal fit has
    found Lᵀ·D·L exactly, and D = L⁻ᵀ·(Lᵀ·D·L)·L⁻¹, without another fit; so has its covariance.

    Args:
        fit: with nominal b-matrices.
        gradients: L, (x, y, z, 3, 3), along the array's axes; 1 where coils are perfect.

    Returns:
        The same fit with D, its covariance and verdicts made anew.

    Raises:
        UsageError: GD-103 if L lies on another grid.
        InputError: GD-842 if L is singular or not finite in a voxel of the mask.

    Source:
        Bammer et al., Magn Reson Med 50:560 (2003).
    """
    if tuple(gradients.shape) != (*fit.mask.shape, 3, 3):
        raise UsageError(
            "GD-103",
            given=f"gradients of shape {tuple(gradients.shape)} for a mask {tuple(fit.mask.shape)}",
            allowed="(x, y, z, 3, 3) on the fit's grid",
            do="resample the map of the coils to the images",
        )
    inverse, failed = torch.linalg.inv_ex(gradients[fit.mask].double())
    if bool(failed.any()) or not bool(inverse.isfinite().all()):
        raise InputError(
            "GD-842",
            given="coils that leave a voxel without a gradient along some direction",
            allowed="an invertible, finite L in each voxel",
            do="take such voxels out of the mask",
        )
    columns = []
    for i, j in PLACES:
        basis = torch.zeros(3, 3, dtype=torch.float64, device=inverse.device)
        basis[i, j] = basis[j, i] = 1.0
        columns.append(six(inverse.mT @ basis @ inverse))
    turn = torch.zeros(len(inverse), 7, 7, dtype=torch.float64, device=inverse.device)
    turn[:, 0, 0] = 1.0
    turn[:, 1:, 1:] = torch.stack(columns, -1)
    coefficients = (turn @ fit.coefficients[..., None])[..., 0]
    return replace(
        fit,
        coefficients=coefficients,
        covariance=turn @ fit.covariance @ turn.mT,
        verdict=torch.where(coefficients.detach().isnan().any(1), fit.verdict, judged(coefficients[:, 1:])),
    )
