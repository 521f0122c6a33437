"""The diffusion tensor by weighted least squares of the logarithm: closed form and fast."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.diffusion_series import DiffusionSeries
from gradatim.diffusion.decay_fit import require_iterations
from gradatim.diffusion.fitted import Verdict
from gradatim.diffusion.log_signal import fit_log_signal, voxels_of
from gradatim.diffusion.tensor_fit import TensorFit, symmetric, tensor_design


@dataclass(frozen=True)
class WeightedTensor:
    """Fits ln S = ln S0 − B : D with weights S², from b-matrices, in closed form.

    The first fit has equal weights; its signals, squared, are the weights of the second, and so on. The b-matrix of
    each volume counts whole: imaging gradients and their cross terms belong into it. Where noise or motion gives a
    negative diffusivity, the voxel keeps its tensor and is ``NOT_POSITIVE``; :class:`PositiveTensor` excludes that.
    Values ≤ 0 count as the smallest positive one. Differentiable in the signal.

    Args:
        rounds: how often weights are renewed.

    Raises:
        UsageError: GD-186 for no round.
        InputError: when called, GD-842 if the b-matrices do not determine a tensor; GD-601, GD-603 and GD-843 as
            :func:`~gradatim.diffusion.log_signal.voxels_of`.

    Source:
        Basser, Mattiello & Le Bihan, J Magn Reson B 103:247 (1994); Salvador et al., Hum Brain Mapp 24:144 (2005).

    Example:
        >>> from gradatim.base.grid import Grid
        >>> g = torch.tensor([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]])
        >>> b = 1e9 * (g[:, :, None] * g[:, None, :]).double()
        >>> truth = torch.diag(torch.tensor([1.7e-9, 0.3e-9, 0.2e-9], dtype=torch.float64))
        >>> signal = 100 * torch.exp(-(b * truth).sum((1, 2))).reshape(8, 1, 1, 1)
        >>> series = DiffusionSeries(signal, b, torch.ones(1, 1, 1).bool(), Grid((1, 1, 1), (2.0, 2.0, 2.0)))
        >>> [f"{v:.3g}" for v in WeightedTensor()(series).tensor[0].diagonal().tolist()]
        ['1.7e-09', '3e-10', '2e-10']
    """

    rounds: int = 1

    def __post_init__(self) -> None:
        require_iterations(self.rounds)

    def __call__(self, series: DiffusionSeries) -> TensorFit:
        """Fit every voxel of the mask.

        Args:
            series: images with a b-matrix each.
        """
        found = fit_log_signal(voxels_of(series), tensor_design(series.b), rounds=self.rounds)
        verdict = judged(found.coefficients[:, 1:])
        return TensorFit(found.coefficients, found.covariance, found.sigma.detach(), verdict, series.mask, series.grid)


def judged(elements: Tensor) -> Tensor:
    """Verdicts of tensors: dark where NaN, not positive where a diffusivity is below zero.

    Args:
        elements: (voxel, 6).

    Returns:
        (voxel), uint8.
    """
    elements = elements.detach()
    dark = elements.isnan().any(1)
    least = torch.linalg.eigvalsh(symmetric(elements.nan_to_num(0.0)))[:, 0]
    verdict = torch.where(least < 0, int(Verdict.NOT_POSITIVE), int(Verdict.FITTED))
    return torch.where(dark, int(Verdict.DARK), verdict).to(torch.uint8)
