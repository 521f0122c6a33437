"""Which echo times unwrap: against simulated phase, and the field's bound against closed forms."""

import math

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.scanner.protocol.echo_plan import EchoPlan, field_error

TIMES = torch.tensor([0.004, 0.008, 0.012], dtype=torch.float64)


def test_steps_risks_and_slopes_have_their_closed_forms() -> None:
    plan = EchoPlan(max_offset=100.0, max_slope=20.0, snr=20.0, t2_star=0.02)(TIMES)
    assert plan.steps.tolist() == pytest.approx([0.8 * math.pi] * 2)
    assert plan.first == pytest.approx(0.8 * math.pi)
    assert plan.neighbours.tolist() == pytest.approx([2 * math.pi * 20 * t for t in TIMES.tolist()])
    assert plan.signal_left[2].item() == pytest.approx(math.sin(math.pi * 0.24) / (math.pi * 0.24))


def test_the_risk_is_the_share_of_wrong_wraps() -> None:
    plan = EchoPlan(max_offset=110.0, snr=10.0, t2_star=0.02)
    draw = torch.Generator().manual_seed(3)
    clean = torch.polar((-TIMES / 0.02).exp(), 2 * math.pi * 110.0 * TIMES)
    noise = torch.randn(200_000, 3, 2, generator=draw, dtype=torch.float64) / 10.0
    noisy = clean + torch.view_as_complex(noise)
    steps = (noisy[:, 1:] * noisy[:, :-1].conj()).angle()
    wrong = (steps < 0).double().mean(0)
    assert wrong.tolist() == pytest.approx(plan(TIMES).risks.tolist(), rel=0.08)


def test_the_largest_spacing_has_the_accepted_risk() -> None:
    plan = EchoPlan(max_offset=100.0, snr=200.0, t2_star=1e3, risk=0.01)
    spacing = plan(TIMES).largest_spacing
    found = plan(torch.tensor([0.004, 0.004 + spacing], dtype=torch.float64))
    assert found.risks.item() == pytest.approx(0.01, rel=1e-3)
    assert spacing < 0.005


def test_two_echoes_know_the_field_by_the_phase_between_them() -> None:
    """σ_f = √(σ₁² + σ₂²)/(2πΔTE), σ_j = e^(TE_j/T2*)/SNR."""
    pair, snr, t2_star = torch.tensor([0.003, 0.011], dtype=torch.float64), 40.0, 0.02
    spread = (pair / t2_star).exp() / snr
    expected = spread.square().sum().sqrt() / (2 * math.pi * 0.008)
    assert field_error(pair, snr=snr, t2_star=t2_star).item() == pytest.approx(expected.item(), rel=1e-9)


def test_the_fields_error_carries_gradients_to_the_echo_times() -> None:
    times = TIMES.clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda t: field_error(t * 1e-3, snr=30.0, t2_star=0.02), times.detach().mul(1e3).requires_grad_()
    )


@pytest.mark.parametrize("times", [[0.004], [0.004, 0.004], [0.008, 0.004], [0.0, 0.004], [0.004, float("nan")]])
def test_impossible_echo_times_are_refused(times: list[float]) -> None:
    with pytest.raises(UsageError, match="GD-190"):
        EchoPlan(max_offset=100.0)(torch.tensor(times, dtype=torch.float64))


def test_impossible_plans_are_refused() -> None:
    for bad in ({"max_offset": 0.0}, {"max_offset": 1.0, "snr": -1.0}, {"max_offset": 1.0, "risk": 0.5}):
        with pytest.raises(UsageError, match="GD-101"):
            EchoPlan(**bad)
