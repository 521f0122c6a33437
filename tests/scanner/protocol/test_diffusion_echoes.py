"""The best weightings for D: textbook optimum, grid search, sensitivities, what is delivered."""

from dataclasses import replace

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.scanner.protocol.diffusion_echoes import BestDiffusion, DiffusionScan
from gradatim.scanner.system import System

SCAN = DiffusionScan((64, 64), (0.22, 0.22, 0.004), slices=10, scan_time=60.0)
LIMITS = {"max_gradient": 0.040, "max_slew": 150.0}


def test_without_relaxation_it_is_the_textbooks_weighting() -> None:
    """Boundless hardware and T2: b·D = 1.278 and 21.8 % unweighted minimise (1/w + e^(2bD)/(1 − w))/(bD)²."""
    ideal = replace(SCAN, t2=1e9, t1=1e-6, slices=1, pulses=1e3, scan_time=1e7)
    best = BestDiffusion(ideal)(System(4.0, 1e6))
    assert best.b * SCAN.diffusivity == pytest.approx(1.2785, rel=2e-3)
    assert best.images[0] / sum(best.images) == pytest.approx(0.2178, rel=3e-3)


def test_no_weighting_of_a_grid_is_better() -> None:
    best = BestDiffusion(SCAN)(System(**LIMITS))
    errors = [
        SCAN.error(torch.tensor([b * 1e6, share], dtype=torch.float64), **LIMITS).item()
        for b in range(200, 2600, 75)
        for share in (0.1, 0.15, 0.2, 0.25, 0.3, 0.4)
    ]
    assert best.error <= min(errors)
    assert best.error > 0.98 * min(errors)
    assert best.delivered_error == pytest.approx(best.error, rel=0.03)


def test_stronger_gradients_ask_for_more_weighting_and_know_more() -> None:
    weak, strong = (BestDiffusion(SCAN)(System(gradient, 200.0)) for gradient in (0.030, 0.300))
    assert strong.b > weak.b
    assert strong.error < weak.error
    assert strong.echo_time < weak.echo_time


@pytest.mark.slow
@pytest.mark.parametrize("name", ["max_gradient", "max_slew"])
def test_elasticities_are_those_of_the_whole_search(name: str) -> None:
    errors = [BestDiffusion(SCAN)(System(**{**LIMITS, name: LIMITS[name] * f})).error for f in (0.97, 1.0, 1.03)]
    measured = (errors[2] - errors[0]) / 0.06 / errors[1]
    assert BestDiffusion(SCAN)(System(**LIMITS)).elasticity[name] == pytest.approx(measured, rel=0.03, abs=1e-4)


def test_twice_the_time_is_a_root_two_less_error() -> None:
    assert BestDiffusion(SCAN)(System(**LIMITS)).elasticity["scan_time"] == pytest.approx(-0.5, abs=1e-4)


def test_the_bound_carries_gradients_to_limits_and_weightings() -> None:
    def scaled(b: torch.Tensor, share: torch.Tensor, gradient: torch.Tensor, slew: torch.Tensor) -> torch.Tensor:
        return SCAN.error(torch.stack([b * 1e9, share]), max_gradient=gradient, max_slew=slew * 100) * 1e10

    given = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (1.0, 0.25, 0.04, 1.5)]
    assert torch.autograd.gradcheck(scaled, given, rtol=1e-3)


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(UsageError, match="GD-191"):
        BestDiffusion(replace(SCAN, scan_time=0.5))(System())
    with pytest.raises(UsageError, match="GD-101"):
        replace(SCAN, diffusivity=0.0)
