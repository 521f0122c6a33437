"""Descent with momentum on x²/2, where everything is known in closed form.

The recurrence x_{k+1} = x_k − αλx_k + β(x_k − x_{k−1}) has the roots of z² − (1 + β − αλ)z + β (Polyak 1964). For
λ = 1, α = 0.1, β = 0.9 and a start at rest in 1 they give x_k = 0.9^{k/2} cos kθ with cos θ = √0.9, and the energy
½x² + (β/2α)(x_k − x_{k−1})² is 0.5·0.9^k.
"""

import math
from fractions import Fraction
from itertools import pairwise

import pytest
import torch

from gradatim.solve.gradient_stopping import Lasting, Plateau, RelativeGradient, SmallEnergy, SmallGradient
from gradatim.solve.momentum import HeavyBall
from gradatim.solve.solution import Solution, Stop
from gradatim.solve.stopping import IterationBound, RelativeChange, StoppingRule

F64 = torch.float64


def swing(rule: StoppingRule, *, curvatures=(1.0,), step=0.1, momentum=0.9) -> Solution:
    scale = torch.tensor(curvatures, dtype=F64)
    start = torch.ones(len(curvatures), dtype=F64)
    return HeavyBall(step, momentum, rule=rule)(lambda x: 0.5 * torch.sum(scale * x * x), start=start)


def path(steps: int, *, curvature=1.0, step=0.1, momentum=0.9) -> list[float]:
    """x_0 to x_steps."""
    method = HeavyBall(step, momentum)
    state = method.init(torch.ones(1, dtype=F64))
    found = [1.0]
    for _ in range(steps):
        state = method.step(state, curvature * state.theta)
        found.append(state.theta.item())
    return found


def test_the_iterates_are_a_damped_cosine():
    angle = math.acos(math.sqrt(0.9))
    found = path(200)
    assert found == pytest.approx([0.9 ** (k / 2) * math.cos(k * angle) for k in range(201)], abs=1e-13)
    assert found[:7] == pytest.approx([1.0, 0.9, 0.72, 0.486, 0.2268, -0.02916, -0.256608], abs=1e-15)


def test_the_gradient_first_rises_at_the_sixth_step_though_the_method_converges():
    norms = [abs(x) for x in path(200)]
    rises = [k for k in range(1, 201) if norms[k] > norms[k - 1]]
    assert (rises[0], len(rises)) == (6, 87)
    assert norms[6] / norms[5] == pytest.approx(8.8, abs=0.01)
    assert max(norms[6:]) == pytest.approx(0.6037, abs=5e-5)
    assert norms[200] < 1e-4


def test_the_energy_is_one_half_of_point_nine_to_the_k():
    x, before, step, momentum = Fraction(1), Fraction(1), Fraction(1, 10), Fraction(9, 10)
    for k in range(60):  # the identity itself, in rational numbers
        assert x * x / 2 + momentum / (2 * step) * (x - before) ** 2 == Fraction(9, 10) ** k / 2
        x, before = x - step * x + momentum * (x - before), x
    history = swing(IterationBound(200)).history
    assert [p.energy for p in history] == pytest.approx([0.5 * 0.9**k for k in range(1, 201)], rel=1e-10)


@pytest.mark.parametrize(
    ("rule", "steps", "x", "reason"),
    [
        (SmallGradient(0.03), 5, -0.02916, Stop.GRADIENT),  # in flight through the minimum
        (RelativeChange(0.02 / 0.5888), 10, -0.5888, Stop.CHANGE),  # at a turning point: |Δx| < 0.02
        (RelativeGradient(0.035), 5, -0.02916, Stop.GRADIENT),
        (Plateau(window=5, tolerance=0.01), 15, 0.0516, Stop.PLATEAU),  # in flight again, no lower than before
    ],
)
def test_rules_that_the_swing_fools(rule, steps, x, reason):
    found = swing(rule | IterationBound(500))
    assert (found.iterations, found.reason) == (steps, reason)
    assert found.value.item() == pytest.approx(x, abs=5e-5)
    still_to_come = max(abs(later) for later in path(200)[steps + 1 :])
    assert still_to_come > 0.35


@pytest.mark.parametrize("tolerance", [0.1, 1e-2, 1e-3, 1e-4, 1e-6])
@pytest.mark.parametrize("floor", [0.0, None])
def test_the_energy_rule_is_not_fooled(tolerance, floor):
    found = swing(SmallEnergy(tolerance, floor) | IterationBound(500))
    assert found.reason is Stop.ENERGY
    highest_later = max(0.5 * x * x for x in path(600)[found.iterations :])
    assert highest_later <= tolerance * 0.45 * (1 + 1e-9)
    if floor is not None:  # then it stops at the very step at which 0.9^k has fallen so far
        assert found.iterations == 1 + math.ceil(math.log(tolerance) / math.log(0.9) - 1e-9)


def test_a_rule_that_must_last_for_a_period_is_not_fooled_either():
    period = math.ceil(2 * math.pi / math.acos(math.sqrt(0.9)))
    assert period == 20
    found = swing(Lasting(SmallGradient(0.03), period) | IterationBound(500))
    assert found.reason is Stop.GRADIENT
    assert max(abs(x) for x in path(600)[found.iterations :]) < 0.03


def test_a_gradient_can_vanish_at_full_speed():
    assert path(2, step=1.0, momentum=0.5) == [1.0, 0.0, -0.5]
    found = swing(SmallGradient(1e-12) | IterationBound(10), step=1.0, momentum=0.5)
    assert (found.iterations, found.reason, found.value.item()) == (1, Stop.GRADIENT, 0.0)
    assert swing(SmallEnergy(1e-6) | IterationBound(10), step=1.0, momentum=0.5).iterations == 10


@pytest.mark.parametrize(
    ("condition", "step", "momentum", "gradient", "objective"),
    [(25, Fraction(1, 9), Fraction(4, 9), 1.925, None), (100, Fraction(4, 121), Fraction(81, 121), 3.71, 13.6)],
)
def test_even_the_best_tuning_grows_first(condition, step, momentum, gradient, objective):
    # Polyak's choice on ½(x² + κy²): √α = 2/(√κ + 1), √β = (√κ − 1)/(√κ + 1)
    root = math.isqrt(condition)
    assert (step, momentum) == (Fraction(2, root + 1) ** 2, Fraction(root - 1, root + 1) ** 2)
    tuned = {"step": float(step), "momentum": float(momentum)}
    history = swing(IterationBound(100), curvatures=(1.0, float(condition)), **tuned).history
    assert max(p.gradient for p in history) / math.hypot(1, condition) == pytest.approx(gradient, abs=0.005)
    if objective is not None:
        assert max(p.objective for p in history) / (0.5 + 0.5 * condition) == pytest.approx(objective, abs=0.05)


@pytest.mark.parametrize("gain", [0.05, 0.5, 1.0])
def test_the_energy_never_rises_below_the_proved_step(gain):
    # α = 2(1 − β)/L and less, for a curvature that varies: f = Σ log cosh, L = 1, in flat and steep directions
    for momentum in (0.3, 0.9, 0.99):
        method = HeavyBall(gain * 2 * (1 - momentum), momentum, rule=IterationBound(300))
        scale = torch.tensor([1.0, 0.1, 0.01], dtype=F64)
        start = torch.tensor([5.0, -20.0, 60.0], dtype=F64)
        history = method(lambda x, s=scale: torch.log(torch.cosh(s.sqrt() * x)).sum(), start=start).history
        energies = [p.energy for p in history]
        assert all(later <= earlier * (1 + 1e-13) for earlier, later in pairwise(energies))
