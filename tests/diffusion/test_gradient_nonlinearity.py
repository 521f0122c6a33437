"""Gradients that bend in space: the corrected tensor is that of a fit with each voxel's own b-matrices."""

import math

import pytest
import torch

from gradatim.base.diffusion_series import DiffusionSeries
from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.diffusion.gradient_nonlinearity import with_true_gradients
from gradatim.diffusion.tensor import WeightedTensor
from gradatim.diffusion.tensor_fit import TensorFit

RANDOM = torch.Generator().manual_seed(0)
ROOTS = torch.randn(20, 3, generator=RANDOM, dtype=torch.float64)
B = torch.cat([torch.zeros(1, 3, 3, dtype=torch.float64), 0.3e9 * ROOTS[:, :, None] * ROOTS[:, None, :]])
COILS = torch.eye(3, dtype=torch.float64) + 0.05 * torch.randn(4, 1, 1, 3, 3, generator=RANDOM, dtype=torch.float64)
TRUTH = torch.tensor([[1.5, 0.2, 0.1], [0.2, 0.6, 0.0], [0.1, 0.0, 0.4]], dtype=torch.float64) * 1e-9


def fitted(signal: torch.Tensor, b: torch.Tensor) -> TensorFit:
    shape = (signal.shape[1], 1, 1)
    series = DiffusionSeries(signal.reshape(-1, *shape), b, torch.ones(shape).bool(), Grid(shape, (2.0, 2.0, 2.0)))
    return WeightedTensor()(series)


def test_the_correction_is_a_fit_with_each_voxels_own_matrices() -> None:
    own = COILS[:, 0, 0, None] @ B @ COILS[:, 0, 0, None].mT
    noise = 0.5 * torch.randn(21, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    signal = 100.0 * torch.exp(-(own * TRUTH).sum((-2, -1))).T + noise
    corrected = with_true_gradients(fitted(signal, B), gradients=COILS)
    for i in range(4):
        alone = fitted(signal[:, i : i + 1].contiguous(), own[i])
        torch.testing.assert_close(corrected.tensor[i], alone.tensor[0], rtol=1e-8, atol=1e-18)
        torch.testing.assert_close(corrected.covariance[i], alone.covariance[0], rtol=1e-7, atol=1e-26)
        assert math.isclose(corrected.sigma[i].item(), alone.sigma[0].item(), rel_tol=1e-8)


def test_what_is_no_map_of_coils_is_refused() -> None:
    fit = fitted(100.0 * torch.exp(-(B * TRUTH).sum((-2, -1)))[:, None].expand(-1, 4), B)
    with pytest.raises(UsageError, match="GD-103"):
        with_true_gradients(fit, gradients=COILS[:2])
    with pytest.raises(InputError, match="GD-842"):
        with_true_gradients(fit, gradients=torch.zeros_like(COILS))
