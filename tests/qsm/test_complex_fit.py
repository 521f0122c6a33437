"""The refined field is the line's where noise is small, and no worse where it is large."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import FieldMap, MultiEcho
from gradatim.qsm.complex_fit import ComplexFit
from gradatim.qsm.echo_fit import EchoFit, EchoFitResult
from gradatim.qsm.unwrap import UnwrappedPhase
from gradatim.qsm.wrapping import wrap

TWO_PI = 2.0 * math.pi
SHAPE = (20, 20, 20)
TIMES = (0.004, 0.012, 0.020, 0.028)
GRID = Grid(SHAPE, (1.0, 1.0, 1.0))
WHOLE = torch.ones(SHAPE, dtype=torch.bool)


def truth() -> Tensor:
    return torch.linspace(-60.0, 60.0, 20, dtype=torch.float64).view(20, 1, 1).expand(SHAPE).contiguous()


def scan_with(noise: float, seed: int = 0) -> tuple[MultiEcho, EchoFitResult]:
    """A scan with an offset of 0.7 rad, and the line through its phase with the right turns."""
    t = torch.tensor(TIMES, dtype=torch.float64).view(-1, 1, 1, 1)
    phase = 0.7 + TWO_PI * truth() * t
    random = torch.randn((2, *phase.shape), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    signal = torch.polar(torch.exp(-25.0 * t).expand_as(phase), phase) + noise * torch.complex(random[0], random[1])
    unwrapped = UnwrappedPhase(phase + wrap(signal.angle() - phase), WHOLE, WHOLE.double(), 1)
    scan = MultiEcho(signal.abs(), signal.angle(), TIMES, 3.0, GRID)
    return scan, EchoFit()(scan, unwrapped=unwrapped)


def moved(start: EchoFitResult, hertz: Tensor | float) -> EchoFitResult:
    old = start.field
    return replace(start, field=FieldMap(old.field + hertz, old.error, old.mask, old.field_strength, old.grid))


def test_it_agrees_with_the_line_at_high_signal() -> None:
    """r − sin r = r³/6: at a noise of 0.01 both differ by less than 2 % of the standard error."""
    scan, start = scan_with(0.01)
    fitted = ComplexFit()(scan, start=start)
    assert float(((fitted.field.field - start.field.field) / start.field.error).abs().max()) < 0.02
    assert fitted.field.error is start.field.error
    assert fitted.offset is start.offset


def test_turns_of_the_measured_phase_change_nothing() -> None:
    scan, start = scan_with(0.05)
    turns = torch.randint(-3, 4, (4, *SHAPE), generator=torch.Generator().manual_seed(1))
    turned = replace(scan, phase=scan.phase + TWO_PI * turns.double())
    one, other = ComplexFit()(scan, start=start), ComplexFit()(turned, start=start)
    torch.testing.assert_close(one.field.field, other.field.field, rtol=0, atol=1e-9)


def test_a_start_a_little_off_converges_to_the_same_minimum() -> None:
    scan, start = scan_with(0.02)
    wanted = ComplexFit(iterations=20)(scan, start=start).field.field
    for hertz in (-6.0, 6.0):
        torch.testing.assert_close(ComplexFit()(scan, start=moved(start, hertz)).field.field, wanted, rtol=0, atol=1e-6)


def test_a_start_a_whole_turn_off_stays_there() -> None:
    """Nothing in the echoes 8 ms apart forbids 125 Hz more: repairing turns is not its business."""
    scan, start = scan_with(0.0)
    found = ComplexFit(iterations=20)(scan, start=moved(start, 1.0 / 0.008)).field.field
    assert float((found - truth()).abs().min()) > 60.0


@pytest.mark.parametrize("noise", [0.2, 0.4])
def test_at_low_signal_it_is_no_worse_than_the_line(noise: float) -> None:
    """Though the line is given the right turn of each echo, which no unwrapping knows at this noise."""
    scan, start = scan_with(noise)
    line, fitted = (f.field.field - truth() for f in (start, ComplexFit()(scan, start=start)))
    assert float(fitted.abs().median()) <= 1.02 * float(line.abs().median())
    assert abs(float(fitted.mean())) <= abs(float(line.mean())) + 3.0 * float(fitted.std()) / math.sqrt(fitted.numel())


def test_the_sum_of_squares_is_at_its_minimum() -> None:
    """Against a search over a fine comb around the answer."""
    scan, start = scan_with(0.1)
    found = ComplexFit()(scan, start=start).field.field
    t = torch.tensor(TIMES, dtype=torch.float64).view(-1, 1, 1, 1)

    def cost(field: Tensor) -> Tensor:
        model = torch.polar(scan.magnitude, start.offset + TWO_PI * field * t)
        return (scan.complex - model).abs().square().sum(0)

    least = cost(found)
    for hertz in (-1.0, -0.1, -0.01, 0.01, 0.1, 1.0):
        assert bool((least <= cost(found + hertz) + 1e-12).all())


def test_a_voxel_without_signal_keeps_its_start() -> None:
    scan, start = scan_with(0.02)
    dark = scan.magnitude.clone()
    dark[:, 5, 5, 5] = 0.0
    fitted = ComplexFit()(replace(scan, magnitude=dark), start=start)
    assert bool(torch.isfinite(fitted.field.field).all())
    assert float(fitted.field.field[5, 5, 5]) == pytest.approx(float(start.field.field[5, 5, 5]), abs=1e-6)


def test_gradients_reach_the_phase() -> None:
    """Of the sum of a field: one step of all phases by ε moves it by what the closed form of the line says."""
    scan, start = scan_with(0.0)
    phase = scan.phase.clone().requires_grad_()
    ComplexFit()(replace(scan, phase=phase), start=start).field.field.sum().backward()
    weights, t = scan.magnitude.square(), torch.tensor(TIMES, dtype=torch.float64).view(-1, 1, 1, 1)
    wanted = weights * t / (TWO_PI * (weights * t.square()).sum(0))
    torch.testing.assert_close(phase.grad, wanted, rtol=1e-6, atol=1e-9)


def test_no_iterations_are_refused() -> None:
    with pytest.raises(UsageError, match="GD-101"):
        ComplexFit(iterations=0)
