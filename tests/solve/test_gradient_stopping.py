import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.solve.descent import GradientDescent
from gradatim.solve.gradient_stopping import Lasting, Plateau, RelativeGradient, SmallEnergy, SmallGradient
from gradatim.solve.solution import Progress, Stop
from gradatim.solve.stopping import IterationBound


def falling(*objectives: float) -> list[Progress]:
    return [Progress(change=1.0, objective=f, gradient=f, energy=f) for f in objectives]


def test_each_rule_sees_its_number():
    history = falling(8.0, 4.0, 1.0)
    assert SmallGradient(1.0).check(history) is Stop.GRADIENT
    assert SmallGradient(0.9).check(history) is None
    assert RelativeGradient(0.125).check(history) is Stop.GRADIENT
    assert RelativeGradient(0.12).check(history) is None
    assert SmallEnergy(0.125, floor=0.0).check(history) is Stop.ENERGY
    assert SmallEnergy(0.12, floor=0.0).check(history) is None
    assert SmallEnergy(0.5, floor=-6.0).check(history) is Stop.ENERGY


def test_a_plateau_is_judged_by_what_was_gained_so_far():
    history = falling(101.0, 11.0, 1.0, 1.0 - 1e-5, 1.0 - 2e-5)
    assert Plateau(window=2, tolerance=1e-6).check(history) is Stop.PLATEAU
    assert Plateau(window=2, tolerance=1e-7).check(history) is None
    assert Plateau(window=5, tolerance=1.0).check(history) is None  # nothing before the window to compare with
    assert Plateau(window=1, tolerance=0.0).check(falling(3.0, 2.0, 2.0)) is Stop.PLATEAU
    assert Plateau(window=1, tolerance=0.1).check(falling(3.0, 2.0, 2.5)) is None  # not at the lowest


@pytest.mark.parametrize(
    ("rule", "what"),
    [(SmallGradient(1.0), "gradient"), (RelativeGradient(1.0), "gradient"), (SmallEnergy(1.0), "energy"),
     (Plateau(), "objective"), (Lasting(SmallEnergy(1.0), 1), "energy")],
)  # fmt: skip
def test_a_rule_that_cannot_see_its_number_says_so(rule, what):
    with pytest.raises(UsageError, match=f"GD-104: a stopping rule that needs the {what}"):
        rule.check([Progress(change=0.1)])


def test_the_energy_rule_is_refused_where_nothing_moves():
    # without momentum the energy is the objective, and its excess over the least seen would be 0 at once
    with pytest.raises(UsageError, match="GD-104"):
        GradientDescent(0.1, rule=SmallEnergy(0.1))(lambda x: x.square().sum(), start=torch.ones(1))


def test_lasting_wants_an_unbroken_row():
    rule = Lasting(SmallGradient(1.0), 3)
    assert rule.check(falling(0.5, 0.5)) is None
    assert rule.check(falling(0.5, 2.0, 0.5, 0.5)) is None
    assert rule.check(falling(2.0, 0.5, 0.5, 0.5)) is Stop.GRADIENT
    assert (rule | IterationBound(2)).check(falling(0.5, 0.5)) is Stop.BOUND


@pytest.mark.parametrize("make", [SmallGradient, RelativeGradient, SmallEnergy, lambda t: Lasting(Plateau(), int(t))])
def test_impossible_settings_are_refused(make):
    with pytest.raises(UsageError, match="GD-101"):
        make(0.0)
