"""What sees that noise is being learnt: data held out, and iterates that wander."""

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.solve.early_stop import HeldOut, Patience, Wandering
from gradatim.solve.iterate_variance import IterateVariance
from gradatim.solve.solution import Progress, Stop


def test_moments_are_those_of_weights_that_fade() -> None:
    """Against sums with the weights a(1 − a)ʲ written out, the time before the start counting as zeros."""
    x = torch.randn(12, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    running, memory = IterateVariance(0.2), 0.2
    moments = running.init(x[0])
    for each in x:
        moments = running.step(moments, each)
    weights = memory * (1 - memory) ** torch.arange(11, -1, -1, dtype=torch.float64)
    mean = torch.tensordot(weights, x, dims=1)
    spread = torch.tensordot(weights, (x - mean).square(), dims=1) + (1 - weights.sum()) * mean.square()
    torch.testing.assert_close(moments.mean, mean / weights.sum())
    torch.testing.assert_close(moments.variance, spread.sum())


def test_iterates_of_white_noise_have_its_variance() -> None:
    """n σ² (1 − a/(2 − a)), as the mean takes a part of each; the mean itself has a/(2 − a) of σ²."""
    random, running = torch.Generator().manual_seed(0), IterateVariance(0.1)
    moments = running.init(torch.zeros(100_000))
    for _ in range(100):
        moments = running.step(moments, 2.0 * torch.randn(100_000, generator=random))
    part = 0.1 / 1.9
    assert float(moments.variance) == pytest.approx(4e5 * (1 - part), rel=0.02)
    assert float(moments.mean.square().sum()) == pytest.approx(4e5 * part, rel=0.02)


def test_wandering_falls_while_iterates_settle_and_rises_when_they_drift() -> None:
    running, judge = IterateVariance(0.3), Wandering()
    moments, numbers = running.init(torch.zeros(5)), []
    for k in range(60):
        moments = running.step(moments, torch.full((5,), 2.0 - 0.8**k + 0.5 * max(0, k - 40)))
        numbers.append(judge.judge(moments, unseen=0.0))
    assert numbers.index(min(numbers)) == 40
    history = [Progress(change=1.0, objective=number) for number in numbers]
    assert Patience(15).check(history[:55]) is None
    assert Patience(15).check(history[:56]) is Stop.PLATEAU


def test_the_share_is_held_out_and_the_seed_says_where() -> None:
    first, again, other = (HeldOut(0.3).held((10, 7), seed=seed) for seed in (0, 0, 1))
    assert int(first.sum()) == 21
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert int(HeldOut(0.01).held((3,), seed=0).sum()) == 1


def test_parameters_are_checked() -> None:
    for build in (lambda: HeldOut(0.0), lambda: HeldOut(1.0), lambda: IterateVariance(1.0), lambda: Patience(0)):
        with pytest.raises(UsageError, match="GD-101"):
            build()
    with pytest.raises(UsageError, match="GD-104"):
        Patience(1).check([Progress(change=1.0)])
