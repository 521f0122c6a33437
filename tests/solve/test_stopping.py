import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.solve.solution import Progress, Solution, Stop
from gradatim.solve.stopping import Discrepancy, IterationBound, RelativeChange, SmallResidual, TimeBound


def test_each_rule_sees_its_number():
    history = [Progress(change=0.5, residual=0.2, misfit=1.5), Progress(change=0.1, residual=0.01, misfit=0.9)]
    assert RelativeChange(0.1).check(history) is Stop.CHANGE
    assert RelativeChange(0.09).check(history) is None
    assert SmallResidual(0.01).check(history) is Stop.RESIDUAL
    assert SmallResidual(0.001).check(history) is None
    assert Discrepancy().check(history) is Stop.DISCREPANCY
    assert Discrepancy().check(history[:1]) is None
    assert IterationBound(2).check(history) is Stop.BOUND
    assert IterationBound(3).check(history) is None


def test_combined_rules_prefer_quality_to_the_bound():
    history = [Progress(change=0.1)]
    for rule in (IterationBound(1) | RelativeChange(0.2), RelativeChange(0.2) | IterationBound(1)):
        assert rule.check(history) is Stop.CHANGE
    assert (IterationBound(1) | RelativeChange(0.01)).check(history) is Stop.BOUND
    assert (IterationBound(2) | RelativeChange(0.01)).check(history) is None


def test_a_rule_that_cannot_see_its_number_says_so():
    with pytest.raises(UsageError, match=r"GD-104: a stopping rule that needs the misfit"):
        Discrepancy().check([Progress(change=0.1)])


@pytest.mark.parametrize("make", [RelativeChange, SmallResidual, Discrepancy, IterationBound, TimeBound])
def test_impossible_settings_are_refused(make):
    with pytest.raises(UsageError, match="GD-101"):
        make(0)


def test_reasons_are_sentences_and_a_bound_is_no_success():
    for reason in Stop:
        assert len(reason.value.split()) > 4
        solution = Solution(torch.zeros(1), reason, 0, ())
        failed = (Stop.BOUND, Stop.TIME, Stop.VANISHED, Stop.EXPLODED, Stop.NON_FINITE)
        assert solution.converged == (reason not in failed)


def test_the_time_bound_starts_anew_with_each_run(monkeypatch):
    clock = iter([0.0, 0.0, 4.0, 6.0, 100.0, 100.0, 104.0])
    monkeypatch.setattr("gradatim.solve.stopping.time.monotonic", lambda: next(clock))
    rule, run = TimeBound(5.0), [Progress(change=1.0)] * 3
    assert [rule.check(run[:n]) for n in (1, 2, 3)] == [None, None, Stop.TIME]
    assert [rule.check(run[:n]) for n in (1, 2)] == [None, None]
    assert rule == TimeBound(5.0)
    assert repr(rule) == "TimeBound(seconds=5.0)"


def test_a_rule_on_quality_goes_before_the_clock():
    assert (TimeBound(1e-9) | RelativeChange(0.2)).check([Progress(change=0.1)]) is Stop.CHANGE
