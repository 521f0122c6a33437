"""Methods that see only the gradient: equal to torch.optim step by step, and right without a step size."""

import math

import pytest
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.solve.adaptive import Adam, AdamW, CentredRmsProp, RmsProp
from gradatim.solve.descent import GradientDescent
from gradatim.solve.evaluate import Evaluate
from gradatim.solve.gradient_stopping import Plateau
from gradatim.solve.momentum import HeavyBall, Nesterov
from gradatim.solve.penalised import Penalised
from gradatim.solve.solution import Stop
from gradatim.solve.step_size import MARGIN, curvature
from gradatim.solve.stopping import IterationBound

STEPS = 50
F64 = torch.float64

optim = torch.optim
PAIRS = {
    "gradient descent": (GradientDescent(0.05), lambda p: optim.SGD(p, lr=0.05)),
    "heavy ball": (HeavyBall(0.02, 0.85), lambda p: optim.SGD(p, lr=0.02, momentum=0.85)),
    "dampened": (HeavyBall(0.05, 0.8, 0.4), lambda p: optim.SGD(p, lr=0.05, momentum=0.8, dampening=0.4)),
    "nesterov": (Nesterov(0.02, 0.85), lambda p: optim.SGD(p, lr=0.02, momentum=0.85, nesterov=True)),
    "rmsprop": (RmsProp(0.01, 0.95), lambda p: optim.RMSprop(p, lr=0.01, alpha=0.95)),
    "rmsprop, momentum": (RmsProp(0.01, momentum=0.7), lambda p: optim.RMSprop(p, lr=0.01, momentum=0.7)),
    "centred": (CentredRmsProp(0.003), lambda p: optim.RMSprop(p, lr=0.003, centered=True)),
    "centred, momentum": (
        CentredRmsProp(0.002, momentum=0.5, epsilon=1e-3),
        lambda p: optim.RMSprop(p, lr=0.002, centered=True, momentum=0.5, eps=1e-3),
    ),
    "adam": (Adam(0.03), lambda p: optim.Adam(p, lr=0.03)),
    "adam, decays": (Adam(0.03, 0.8, 0.95, 1e-4), lambda p: optim.Adam(p, lr=0.03, betas=(0.8, 0.95), eps=1e-4)),
    "adamw": (AdamW(0.03, weight_decay=0.2), lambda p: optim.AdamW(p, lr=0.03, weight_decay=0.2)),
}
COUPLED = {
    "gradient descent": (GradientDescent(0.05), lambda p: optim.SGD(p, lr=0.05, weight_decay=0.3)),
    "heavy ball": (HeavyBall(0.02), lambda p: optim.SGD(p, lr=0.02, momentum=0.9, weight_decay=0.3)),
    "nesterov": (Nesterov(0.02), lambda p: optim.SGD(p, lr=0.02, momentum=0.9, nesterov=True, weight_decay=0.3)),
    "rmsprop": (RmsProp(0.01), lambda p: optim.RMSprop(p, lr=0.01, weight_decay=0.3)),
    "adam": (Adam(0.03), lambda p: optim.Adam(p, lr=0.03, weight_decay=0.3)),
}
FREE = [GradientDescent(), HeavyBall(), Nesterov(), RmsProp(), CentredRmsProp(), Adam()]


def rough(seed: int = 3) -> tuple:
    """A smooth, neither quadratic nor convex objective of a 3×4 tensor, and a start."""
    random = torch.Generator().manual_seed(seed)
    mix = torch.randn(12, 12, generator=random, dtype=F64) / 4
    start = torch.randn(3, 4, generator=random, dtype=F64)

    def objective(theta: torch.Tensor) -> torch.Tensor:
        inner = mix @ theta.reshape(-1)
        return torch.log(torch.cosh(inner)).sum() + 0.05 * inner.pow(4).sum() + torch.sin(2 * theta).sum() / 5

    return objective, start


def by_torch(make, objective, start) -> list[torch.Tensor]:
    theta = start.clone().requires_grad_()
    optimizer, path = make([theta]), []
    for _ in range(STEPS):
        optimizer.zero_grad()
        objective(theta).backward()
        optimizer.step()
        path.append(theta.detach().clone())
    return path


@pytest.mark.parametrize("name", PAIRS)
def test_each_step_is_torchs(name):
    method, make = PAIRS[name]
    objective, start = rough()
    evaluate, state = Evaluate(objective), method.init(start)
    for theirs in by_torch(make, objective, start):
        state = method.step(state, evaluate(state.theta).gradient)
        torch.testing.assert_close(state.theta, theirs, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", PAIRS)
def test_the_call_takes_the_same_steps_and_keeps_what_it_saw(name):
    method, make = PAIRS[name]
    objective, start = rough()
    found = type(method)(**{**vars(method), "rule": IterationBound(STEPS)})(objective, start=start)
    path = by_torch(make, objective, start)
    torch.testing.assert_close(found.value, path[-1], rtol=1e-12, atol=1e-13)
    assert (found.reason, found.iterations, len(found.history)) == (Stop.BOUND, STEPS, STEPS)
    for progress, before, after in zip(found.history[1:], path, path[1:], strict=False):
        slope = torch.func.grad(objective)(after)
        assert progress.objective == pytest.approx(float(objective(after)), rel=1e-12)
        assert progress.gradient == pytest.approx(float(slope.norm()), rel=1e-10)
        assert progress.change == pytest.approx(float((after - before).norm() / after.norm()), rel=1e-6)


@pytest.mark.parametrize("name", COUPLED)
def test_a_squared_penalty_is_torchs_weight_decay(name):
    method, make = COUPLED[name]
    objective, start = rough()
    evaluate, state = Evaluate(Penalised(objective, l2=0.3)), method.init(start)
    for theirs in by_torch(make, objective, start):
        state = method.step(state, evaluate(state.theta).gradient)
        torch.testing.assert_close(state.theta, theirs, rtol=1e-12, atol=1e-13)


def test_an_absolute_penalty_pulls_by_the_sign():
    f = Evaluate(Penalised(lambda x: 0.0 * x.sum(), l1=2.0))
    assert f(torch.tensor([-3.0, 0.0, 5.0])).gradient.tolist() == [-2.0, 0.0, 2.0]
    with pytest.raises(UsageError, match="GD-101"):
        Penalised(lambda x: x.sum(), l1=-1.0)


def valley(scale: float = 1.0, unit: float = 1.0) -> tuple:
    """A convex objective without constant curvature, its start; objective times ``scale``, θ in other units."""
    random = torch.Generator().manual_seed(5)
    mix = torch.randn(30, 6, generator=random, dtype=F64) * torch.tensor([3.0, 2.0, 1.0, 1.0, 0.5, 0.5], dtype=F64)
    data = mix @ torch.ones(6, dtype=F64) + torch.randn(30, generator=random, dtype=F64)

    def objective(theta: torch.Tensor) -> torch.Tensor:
        misfit = mix @ (theta / unit) - data
        return scale * torch.sum(torch.sqrt(1.0 + misfit.square()) - 1.0)

    return objective, torch.full((6,), -4.0 * unit, dtype=F64)


def best(objective, start) -> float:
    theta = start.clone().requires_grad_()
    newton = optim.LBFGS([theta], max_iter=500, tolerance_grad=0, tolerance_change=0, line_search_fn="strong_wolfe")

    def closure():
        newton.zero_grad()
        value = objective(theta)
        value.backward()
        return value

    newton.step(closure)
    return float(objective(theta.detach()))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("method", FREE, ids=lambda method: type(method).__name__)
def test_without_a_step_size_no_unit_matters(method, scale, unit):
    objective, start = valley(scale, unit)
    least, first = best(objective, start), float(objective(start))
    found = method(objective, start=start)
    left = (float(objective(found.value)) - least) / (first - least)
    assert left < 1e-5, (found.reason, found.iterations)
    assert found.converged


@pytest.mark.parametrize("method", FREE, ids=lambda method: type(method).__name__)
def test_float32_is_no_hindrance(method):
    curvatures = torch.logspace(0, 2, 40)
    found = method(lambda x: 0.5 * torch.sum(curvatures * (x - 1.0).square()), start=torch.zeros(40))
    assert found.value.dtype == torch.float32
    assert found.history[-1].objective < 1e-4 * 0.5 * float(curvatures.sum())
    assert found.converged


def test_the_curvature_is_that_of_a_quadratic():
    random = torch.Generator().manual_seed(0)
    basis = torch.linalg.qr(torch.randn(20, 20, generator=random, dtype=F64)).Q
    hessian = basis @ torch.diag(torch.logspace(0, 3, 20, dtype=F64)) @ basis.T
    f = Evaluate(lambda x: 0.5 * x @ hessian @ x - x.sum())
    for size in (1e-6, 1.0, 1e6):
        x = size * torch.randn(20, generator=random, dtype=F64)
        assert 995.0 < curvature(f, x, f(x)) / MARGIN < 1000.01


def test_a_step_that_is_too_long_elsewhere_is_shortened():
    # flat at the start, steep at the bottom: the curvature there is a thousand times that of the start
    found = GradientDescent()(lambda x: torch.sqrt(1e-6 + (x - 2.0).square()).sum(), start=torch.zeros(3, dtype=F64))
    assert found.value.tolist() == pytest.approx([2.0] * 3, abs=1e-3)
    objectives = [progress.objective for progress in found.history]
    assert objectives[-1] < 3 * 1.01e-3


def test_a_given_step_that_is_too_long_ends_as_a_value_not_as_an_error():
    found = GradientDescent(2.5)(lambda x: x.square().sum(), start=torch.ones(2))
    assert found.reason is Stop.NON_FINITE
    assert torch.isfinite(found.value).all()
    assert not found.converged


def test_a_stationary_start_stays():
    for method in FREE:
        found = method(lambda x: x.square().sum(), start=torch.zeros(2))
        assert found.value.tolist() == [0.0, 0.0]
        assert found.converged, method


def test_a_given_gradient_is_used():
    seen = []

    def gradient(x: torch.Tensor) -> torch.Tensor:
        seen.append(x)
        return 2 * (x - 3.0)

    found = HeavyBall()(lambda x: (x - 3.0).square().sum().detach(), start=torch.zeros(2), gradient=gradient)
    assert found.value.tolist() == pytest.approx([3.0, 3.0], abs=1e-3)
    assert len(seen) >= found.iterations


@pytest.mark.parametrize("method", [GradientDescent(0.05), Adam(0.05), RmsProp(0.01), HeavyBall(0.02)], ids=repr)
def test_complex_unknowns_are_pairs_of_real_ones(method):
    target = torch.tensor([1.0 + 2.0j, -0.5j], dtype=torch.complex128)
    start = torch.zeros(2, dtype=torch.complex128)
    method = type(method)(**{**vars(method), "rule": IterationBound(30)})
    found = method(lambda z: (z - target).abs().pow(4).sum(), start=start)
    parts = method(
        lambda p: (torch.view_as_complex(p) - target).abs().pow(4).sum(), start=torch.view_as_real(start)
    )  # fmt: skip
    torch.testing.assert_close(torch.view_as_real(found.value), parts.value, rtol=1e-13, atol=0)
    by_hand = method(
        lambda z: (z - target).abs().pow(4).sum(),
        start=start,
        gradient=lambda z: 4 * (z - target).abs().square() * (z - target),
    )
    torch.testing.assert_close(by_hand.value, found.value, rtol=1e-10, atol=1e-14)


def test_unrolled_steps_are_differentiable():
    for method in (HeavyBall(0.1), Adam(0.1), RmsProp(0.1), Nesterov(0.1)):

        def after(start, method=method):
            state = method.init(start)
            for _ in range(3):
                state = method.step(state, torch.sin(state.theta) + state.theta)
            return state.theta

        assert torch.autograd.gradcheck(after, torch.tensor([0.3, -0.8], dtype=F64, requires_grad=True))


def test_a_gradient_that_never_changes_has_no_deviation_and_no_nan():
    """Rounding puts the mean of squares below the squared mean then; torch.optim's centred RMSProp ends in NaN."""
    method = CentredRmsProp(0.1)
    state, gradient = method.init(torch.zeros(100)), torch.rand(100, generator=torch.Generator().manual_seed(0))
    for _ in range(3000):
        state = method.step(state, gradient)
    assert bool(state.theta.isfinite().all())


def test_many_problems_step_at_once():
    method = Adam(0.1)

    def three(start):
        state = method.init(start)
        for _ in range(3):
            state = method.step(state, state.theta.pow(3))
        return state.theta

    starts = torch.linspace(-2, 2, 6, dtype=F64).view(3, 2)
    torch.testing.assert_close(torch.vmap(three)(starts), torch.stack([three(row) for row in starts]))


@pytest.mark.parametrize(
    ("objective", "options", "code"),
    [
        (lambda x: x, {}, "GD-656"),
        (lambda x: (x + 1j).sum(), {}, "GD-656"),
        (lambda x: x.detach().sum(), {}, "GD-657"),
        (lambda x: torch.ones((), requires_grad=True), {}, "GD-657"),
        (lambda x: x.sum(), {"gradient": lambda x: torch.ones(3)}, "GD-103"),
    ],
)
def test_an_objective_that_is_none_is_refused(objective, options, code):
    with pytest.raises((InputError, UsageError), match=code):
        GradientDescent(0.1)(objective, start=torch.zeros(2), **options)


@pytest.mark.parametrize("cls", [GradientDescent, HeavyBall, Nesterov, RmsProp, CentredRmsProp, Adam, AdamW])
def test_impossible_parameters_are_refused(cls):
    for step in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(UsageError, match="GD-101"):
            cls(step)
    if cls is not AdamW:
        with pytest.raises(UsageError, match="GD-101"):
            cls().step(cls().init(torch.zeros(1)), torch.ones(1))
    decays = [name for name in ("momentum", "decay", "square_decay", "dampening") if hasattr(cls(), name)]
    for name in decays:
        with pytest.raises(UsageError, match="GD-101"):
            cls(**{name: 1.0})


def test_other_parameters_are_checked_too():
    for make in (lambda: Adam(epsilon=0.0), lambda: AdamW(weight_decay=-1.0), lambda: Plateau(window=0)):
        with pytest.raises(UsageError, match="GD-101"):
            make()
