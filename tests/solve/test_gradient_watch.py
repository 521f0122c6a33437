"""Vanishing and exploding gradients: how they come with depth, how they are seen, what clipping does."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from gradatim.base.errors import UsageError
from gradatim.solve.descent import GradientDescent
from gradatim.solve.gradient_watch import GradientWatch, LostGradient
from gradatim.solve.momentum import HeavyBall
from gradatim.solve.parameter_vector import ParameterVector
from gradatim.solve.solution import Progress, Stop
from gradatim.solve.stopping import IterationBound

F64 = torch.float64
WIDTH = 64


class Residual(nn.Module):
    """x + scale·branch(x)."""

    def __init__(self, branch: nn.Module, scale: float) -> None:
        super().__init__()
        self.branch, self.scale = branch, scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.scale * self.branch(x)


def layers(depth: int, gain: float, seed: int = 0) -> list[nn.Module]:
    random, made = torch.Generator().manual_seed(seed), []
    for _ in range(depth):
        line = nn.Linear(WIDTH, WIDTH, dtype=F64)
        with torch.no_grad():
            line.weight.copy_(gain / math.sqrt(WIDTH) * torch.randn(WIDTH, WIDTH, generator=random, dtype=F64))
            line.bias.copy_(0.1 * torch.randn(WIDTH, generator=random, dtype=F64))
        made.append(nn.Sequential(line, nn.Tanh()))
    return made


def plain(depth: int, gain: float) -> nn.Module:
    return nn.Sequential(*layers(depth, gain))


def residual(depth: int, gain: float) -> nn.Module:
    return nn.Sequential(*(Residual(layer, 1 / math.sqrt(depth)) for layer in layers(depth, gain)))


def loss(network: nn.Module):
    """The misfit of a network as a function of its parameters, the parameters."""
    random = torch.Generator().manual_seed(9)
    seen, wanted = (torch.randn(32, WIDTH, generator=random, dtype=F64) for _ in range(2))
    theta = ParameterVector(network)
    return theta, lambda vector: 0.5 * (theta.apply(vector, 0.1 * seen) - wanted).square().mean()


def first_layer(network: nn.Module) -> float:
    """Norm of the gradient at the first layer before any step."""
    theta, objective = loss(network)
    return theta.watch().norms(torch.func.grad(objective)(theta.start))[0]


DEPTHS = [2, 4, 8, 16, 32]


def test_a_plain_network_loses_its_gradient_geometrically_with_depth():
    norms = [first_layer(plain(depth, 0.7)) for depth in DEPTHS]
    rate, _ = np.polyfit(DEPTHS, np.log(norms), 1)
    # each layer multiplies a vector that comes back by W^T diag(tanh'), on average by its gain, less where it bends
    assert math.exp(rate) == pytest.approx(0.7, abs=0.03)
    assert np.corrcoef(DEPTHS, np.log(norms))[0, 1] < -0.999
    assert norms[-1] < 1e-4 * norms[0]


def test_a_residual_network_keeps_it():
    norms = [first_layer(residual(depth, 0.7)) * math.sqrt(depth) for depth in DEPTHS]  # the branch's own scale
    assert max(norms) < 2 * min(norms)


def test_the_watch_names_the_layers_that_vanished():
    theta, objective = loss(plain(32, 0.7))
    watch = theta.watch()
    found = GradientDescent(0.1, rule=IterationBound(3))(objective, start=theta.start, watch=watch)
    report = watch.report(found)
    assert "0.0.weight" in report.vanished
    assert "31.0.weight" not in report.vanished
    assert report.exploded == ()
    assert report.message.startswith("the gradient of 0.0.weight, 0.0.bias, 1.0.weight")
    assert len(report.norms) == found.iterations == 3
    theta, objective = loss(residual(32, 0.7))
    watch = theta.watch()
    assert (
        watch.report(GradientDescent(0.1, rule=IterationBound(3))(objective, start=theta.start, watch=watch)).message
        == ""
    )


def test_a_rule_ends_a_run_whose_gradient_is_lost():
    theta, objective = loss(plain(32, 0.7))
    rule = LostGradient() | IterationBound(5)
    found = GradientDescent(0.1, rule=rule)(objective, start=theta.start, watch=theta.watch())
    assert (found.reason, found.iterations, found.converged) == (Stop.VANISHED, 1, False)
    found = GradientDescent(3.0, rule=rule)(lambda x: x.pow(4).sum(), start=torch.ones(2))
    assert (found.reason, found.converged) == (Stop.EXPLODED, False)
    calm = GradientDescent(0.01, rule=rule)(lambda x: x.pow(4).sum(), start=torch.ones(2))
    assert calm.reason is Stop.BOUND


def test_a_cliff_throws_an_unclipped_step_away_and_not_a_clipped_one():
    # w^20 = 1/2: flat below 1, a wall above it, as in a chain of twenty equal layers
    def objective(w: torch.Tensor) -> torch.Tensor:
        return 0.5 * (w.pow(20) - 0.5).square().sum()

    start, rule = torch.tensor([1.15], dtype=F64), IterationBound(200)
    thrown = GradientDescent(0.01, rule=rule)(objective, start=start)
    watch = GradientWatch(largest=1.0)
    kept = GradientDescent(0.01, rule=rule)(objective, start=start, watch=watch)
    assert float(objective(thrown.value)) > 0.1
    assert kept.value.item() == pytest.approx(0.5 ** (1 / 20), abs=1e-3)
    assert max(p.gradient for p in kept.history) > 100  # the history keeps what was there before the clipping


def test_clipping_is_torchs():
    random = torch.Generator().manual_seed(1)
    for largest in (0.1, 1.0, 100.0):
        g = torch.randn(5, 3, generator=random, dtype=F64)
        leaf = torch.zeros_like(g, requires_grad=True)
        leaf.grad = g.clone()
        nn.utils.clip_grad_norm_([leaf], largest)
        torch.testing.assert_close(GradientWatch(largest=largest).clip(g), leaf.grad, rtol=2e-5, atol=0)
    assert GradientWatch(largest=1.0).clip(torch.zeros(3)).tolist() == [0.0, 0.0, 0.0]


def test_training_a_module_is_torchs_training():
    network = nn.Sequential(nn.Linear(3, 4, dtype=F64), nn.Tanh(), nn.Linear(4, 1, dtype=F64))
    seen = torch.randn(8, 3, generator=torch.Generator().manual_seed(0), dtype=F64)
    theta = ParameterVector(network)
    before = theta.start
    found = HeavyBall(0.1, rule=IterationBound(20))(lambda v: theta.apply(v, seen).square().mean(), start=before)
    assert torch.equal(theta.start, before)  # the module itself is as it was
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    for _ in range(20):
        optimizer.zero_grad()
        network(seen).square().mean().backward()
        optimizer.step()
    torch.testing.assert_close(found.value, theta.start, rtol=1e-12, atol=1e-14)
    network.load_state_dict(theta.named(before))
    assert torch.equal(theta.start, before)


def test_frozen_parameters_stay_out():
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    network[0].requires_grad_(False)
    assert ParameterVector(network).names == ("1.weight", "1.bias")
    network[1].requires_grad_(False)
    with pytest.raises(UsageError, match="GD-103"):
        ParameterVector(network)


def test_what_does_not_fit_is_refused():
    with pytest.raises(UsageError, match="GD-103"):
        GradientWatch(("a",), (1, 2))
    for bad in (lambda: GradientWatch(largest=0.0), lambda: GradientWatch(("a",), (0,)), lambda: LostGradient(faded=0)):
        with pytest.raises(UsageError, match="GD-101"):
            bad()
    watch = GradientWatch(("a",), (3,))
    with pytest.raises(UsageError, match="GD-103"):
        watch.norms(torch.zeros(4))
    unwatched = GradientDescent(0.1, rule=IterationBound(1))(lambda x: x.square().sum(), start=torch.ones(3))
    with pytest.raises(UsageError, match="GD-103"):
        watch.report(unwatched)
    with pytest.raises(UsageError, match="GD-103"):
        ParameterVector(nn.Linear(2, 1)).named(torch.zeros(2))


def test_a_part_that_is_not_finite_has_exploded():
    assert LostGradient().check([Progress(change=1.0, gradient=1.0), Progress(change=1.0, gradient=math.inf)])
    assert LostGradient().check([Progress(change=1.0, gradient=1.0, parts=(0.0, 0.0))]) is None
