"""Bounds of errors against closed forms and against scatter."""

import math

import pytest
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.solve.information import CramerRao

TIMES = torch.linspace(0.005, 0.045, 9, dtype=torch.float64)


def decay(theta: torch.Tensor) -> torch.Tensor:
    return theta[0] * (-TIMES * theta[1]).exp()


def test_a_line_has_the_errors_of_least_squares() -> None:
    design = torch.stack([torch.ones_like(TIMES), TIMES], 1)
    found = CramerRao(lambda theta: design @ theta)(torch.zeros(2, dtype=torch.float64), sigma=0.3)
    torch.testing.assert_close(found, 0.09 * torch.linalg.inv(design.T @ design))


def test_the_phase_of_a_complex_signal_is_known_to_sigma_over_magnitude() -> None:
    found = CramerRao(lambda theta: torch.polar(theta[0].expand(4), theta[1].expand(4)))(
        torch.tensor([5.0, 0.7], dtype=torch.float64), sigma=0.1
    )
    assert found.diagonal().sqrt().tolist() == pytest.approx([0.1 / 2, 0.1 / 2 / 5.0])
    assert abs(found[0, 1].item()) < 1e-15


def test_each_sample_has_its_own_noise() -> None:
    sigma = torch.linspace(0.1, 0.9, 9, dtype=torch.float64)
    found = CramerRao(lambda theta: theta[0].expand(9))(torch.ones(1, dtype=torch.float64), sigma=sigma)
    assert found.item() == pytest.approx(1 / (1 / sigma**2).sum().item())


def test_maximum_likelihood_reaches_the_bound() -> None:
    truth = torch.tensor([1.0, 40.0], dtype=torch.float64)
    bound = CramerRao(decay)(truth, sigma=0.005).diagonal().sqrt()
    noise = 0.005 * torch.randn(4000, 9, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    theta = truth.expand(4000, 2).clone()
    for _ in range(8):  # Gauss-Newton from the truth, on every noisy decay at once
        model = theta[:, :1] * (-TIMES * theta[:, 1:]).exp()
        slope = torch.stack([model / theta[:, :1], -TIMES * model], -1)
        theta = theta + torch.linalg.lstsq(slope, (decay(truth) + noise - model)[..., None]).solution[..., 0]
    assert (theta.std(0) / bound).tolist() == pytest.approx([1.0, 1.0], abs=0.035)


def test_the_bound_carries_gradients_to_the_protocol() -> None:
    def error(times: torch.Tensor) -> torch.Tensor:
        model = CramerRao(lambda theta: theta[0] * (-times * theta[1]).exp())
        return model(torch.tensor([1.0, 2.0], dtype=torch.float64), sigma=0.1)[1, 1].sqrt()

    times = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(error, times)


def test_two_samples_of_a_decay_are_best_1_1_lifetimes_apart() -> None:
    """σ(R)/R of S₁ = e^(−Rt₁), S₂ = e^(−Rt₂) is √(1 + e^(2x))/x, x = R(t₂ − t₁), at its least for x = 1.1088."""
    x = torch.linspace(0.8, 1.5, 701, dtype=torch.float64)
    bounds = []
    for apart in x.tolist():
        pair = torch.tensor([0.0, apart], dtype=torch.float64)
        bound = CramerRao(lambda theta, at=pair: theta[0] * (-at * theta[1]).exp())
        bounds.append(bound(torch.ones(2, dtype=torch.float64), sigma=1.0)[1, 1].sqrt().item())
    closed = [math.sqrt(1 + math.exp(2 * v)) / v for v in x.tolist()]
    assert bounds == pytest.approx(closed, rel=1e-10)
    assert x[torch.tensor(bounds).argmin()].item() == pytest.approx(1.1088, abs=2e-3)


def test_what_is_not_determined_is_said() -> None:
    both = CramerRao(lambda theta: (theta[0] + theta[1]).expand(5))
    with pytest.raises(InputError, match="GD-645"):
        both(torch.ones(2, dtype=torch.float64), sigma=1.0)
    with pytest.raises(InputError, match="GD-645"):
        CramerRao(lambda theta: (0 * theta[0]).expand(5))(torch.ones(1, dtype=torch.float64), sigma=1.0)
    with pytest.raises(UsageError, match="GD-101"):
        both(torch.ones(2, dtype=torch.float64), sigma=0.0)
