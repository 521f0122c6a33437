"""Laws of limits: more never hurts, slopes are the slopes, continuous and rastered agree, brute force finds nothing."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.limits.diffusion_lobes import DiffusionEchoTime, FastestDiffusionLobes, pair_b
from gradatim.scanner.limits.echo_spacing import EpiEchoSpacing
from gradatim.scanner.limits.epi_sampling import BlipsLeftOut, FlatTopSampled, RampSampled
from gradatim.scanner.limits.limit import Constraint, Design
from gradatim.scanner.limits.lobe import ShortestLobe, lobe_duration
from gradatim.scanner.limits.readout import FrequencyEncoding
from gradatim.scanner.limits.refocusing_train import RefocusingTrainSpacing
from gradatim.scanner.limits.slice_selection import SliceSelection
from gradatim.scanner.sequences.echo_planar_line import shortest_line
from gradatim.scanner.sequences.lobes import shortest_lobe
from gradatim.scanner.system import System

DESIGNS: dict[str, Design] = {
    "slice": SliceSelection(time_bandwidth=4.0, pulse=2e-3),
    "readout": FrequencyEncoding(fov=0.22, matrix=64),
    "receiver": FrequencyEncoding(fov=0.22, matrix=64, shortest_dwell=5e-6),
    "lobe": ShortestLobe(8e-6),
    "ramps": EpiEchoSpacing(fov=0.22, matrix=96),
    "flat": EpiEchoSpacing(fov=0.22, matrix=96, sampling=FlatTopSampled()),
    "blips": EpiEchoSpacing(fov=0.22, matrix=96, sampling=BlipsLeftOut()),
    "wide blips": EpiEchoSpacing(fov=0.05, matrix=8, sampling=BlipsLeftOut(), blip_steps=4),
    "slow receiver": EpiEchoSpacing(fov=0.22, matrix=96, shortest_dwell=4e-6),
    "careful": EpiEchoSpacing(fov=0.22, matrix=96, allowed_share=0.8),
    "careful flat": EpiEchoSpacing(fov=0.22, matrix=200, sampling=FlatTopSampled(), allowed_share=0.8),
    "careful blips": EpiEchoSpacing(fov=0.22, matrix=96, sampling=BlipsLeftOut(), allowed_share=0.7),
    "careful wide blips": EpiEchoSpacing(fov=0.05, matrix=8, sampling=BlipsLeftOut(), blip_steps=4, allowed_share=0.5),
    "careful slow receiver": EpiEchoSpacing(fov=0.22, matrix=128, shortest_dwell=4e-6, allowed_share=0.6),
    "train": RefocusingTrainSpacing(fov=0.22, matrix=128, thickness=4e-3),
    "thick train": RefocusingTrainSpacing(fov=0.05, matrix=256, thickness=0.1, dwell=20e-6),
    "quick readout": RefocusingTrainSpacing(fov=0.22, matrix=4, thickness=0.1, cycles=0.1, dwell=3e-6),
    "dead train": RefocusingTrainSpacing(fov=0.22, matrix=128, thickness=4e-3, dead_time=5e-3),
    "lobes": FastestDiffusionLobes(b=1e9, gap=8e-3),
    "echo time": DiffusionEchoTime(b=1e9, readout=15e-3),
    "gradient echo": DiffusionEchoTime(b=1e8, readout=0.0, excitation=3e-3),
}
NUMBERS = ("bandwidth", "pulse", "time_bandwidth", "fov", "matrix", "area", "thickness", "cycles", "dwell", "dead_time")
NUMBERS += ("b", "gap", "readout", "refocusing", "excitation", "blip_steps", "shortest_dwell", "allowed_share")
GRADIENTS, SLEWS = st.floats(0.005, 1.0), st.floats(20.0, 2000.0)

every = pytest.mark.parametrize("name", DESIGNS)


@every
@settings(max_examples=25)
@given(gradient=GRADIENTS, slew=SLEWS, more=st.floats(1.0, 4.0))
def test_more_of_any_limit_never_makes_it_longer(name: str, gradient: float, slew: float, more: float) -> None:
    design = DESIGNS[name]
    value = design.continuous(gradient, slew).item()
    assert value > 0
    assert design.continuous(gradient * more, slew).item() <= value * (1 + 1e-12)
    assert design.continuous(gradient, slew * more).item() <= value * (1 + 1e-12)


@every
@settings(max_examples=25)
@given(gradient=GRADIENTS, slew=SLEWS, more=st.floats(1.0, 4.0))
def test_where_slew_binds_more_gradient_gives_nothing(name: str, gradient: float, slew: float, more: float) -> None:
    design = DESIGNS[name]
    if bool(design.slew_bound(gradient, slew)):
        value = design.continuous(gradient, slew).item()
        assert design.continuous(gradient * more, slew).item() == pytest.approx(value, rel=1e-12)


@every
@pytest.mark.parametrize("system", [System(0.040, 150.0), System(0.080, 200.0), System(0.3, 60.0)])
def test_sensitivities_are_finite_differences(name: str, system: System) -> None:
    design = DESIGNS[name]
    limit = design(system)
    value = limit.value.item()
    for parameter, slope in limit.sensitivity.items():
        if parameter in ("max_gradient", "max_slew"):
            at = getattr(system, parameter)
            ends = [replace(system, **{parameter: at * (1 + h)}) for h in (1e-5, -1e-5)]
            high, low = (design.continuous(each.max_gradient, each.max_slew).item() for each in ends)
        else:
            at = float(getattr(design, parameter))
            both = [replace(design, **{parameter: at * (1 + h)}) for h in (1e-5, -1e-5)]
            high, low = (each.continuous(system.max_gradient, system.max_slew).item() for each in both)
        assert limit.elasticity[parameter] == pytest.approx((high - low) / 2e-5 / value, abs=2e-8), parameter
        assert slope == pytest.approx(limit.elasticity[parameter] * value / at if at else slope, rel=1e-12)


@every
def test_values_on_a_grid_are_those_of_its_points(name: str) -> None:
    design = DESIGNS[name]
    gradients, slews = torch.tensor([0.02, 0.3]).double(), torch.tensor([[50.0], [400.0]]).double()
    values = design.continuous(gradients, slews).expand(2, 2)
    bound = design.slew_bound(gradients, slews).expand(2, 2)
    for row, slew in enumerate(slews.flatten().tolist()):
        for column, gradient in enumerate(gradients.tolist()):
            assert values[row, column].item() == pytest.approx(design.continuous(gradient, slew).item(), rel=1e-12)
            assert bound[row, column] == design.slew_bound(gradient, slew)


@every
def test_what_is_rastered_is_never_shorter_and_little_longer(name: str) -> None:
    for system in (System(0.040, 150.0), System(0.5, 600.0)):
        limit = DESIGNS[name](system)
        dead = name in ("train", "thick train", "quick readout", "dead train")  # their rastered times hold dead times
        if limit.rastered is not None and not dead:
            assert limit.value.item() * (1 - 1e-9) <= limit.rastered <= limit.value.item() + 41e-6


def test_gradients_reach_the_protocol_through_the_answer() -> None:
    matrix = torch.tensor(128.0, dtype=torch.float64, requires_grad=True)
    limit = EpiEchoSpacing(fov=0.22, matrix=matrix)(System(0.040, 150.0))
    (slope,) = torch.autograd.grad(limit.value, matrix)
    assert slope.item() == pytest.approx(limit.sensitivity["matrix"], rel=1e-12)


@pytest.mark.parametrize("name", ["lobes", "echo time", "ramps", "blips", "careful", "careful blips", "train"])
def test_gradcheck_in_both_limits(name: str) -> None:
    # scaled, since a slew rate and a gradient differ by four orders
    limits = torch.tensor([0.8, 1.3], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: 1e3 * DESIGNS[name].continuous(0.05 * x[0], 150 * x[1]), limits)


@given(area=st.floats(1e-8, 1e-3), gradient=GRADIENTS, slew=SLEWS)
@settings(max_examples=60)
def test_a_lobe_keeps_both_limits_and_its_area(area: float, gradient: float, slew: float) -> None:
    limit = ShortestLobe(area)(System(gradient, slew))
    peak, ramp, flat = (limit.details[name].value.item() for name in ("peak_gradient", "ramp", "flat_top"))
    assert peak <= gradient
    assert peak / ramp == pytest.approx(slew)
    assert peak * (ramp + flat) == pytest.approx(area, rel=1e-9)
    assert 2 * ramp + flat == pytest.approx(limit.value.item(), rel=1e-9)


@given(slew=SLEWS, matrix=st.integers(16, 512))
@settings(max_examples=40)
def test_flat_tops_alone_take_root_two_where_slew_binds(slew: float, matrix: int) -> None:
    ramps, flat = (EpiEchoSpacing(fov=0.22, matrix=matrix, sampling=way) for way in (RampSampled(), FlatTopSampled()))
    assert flat.continuous(9.0, slew).item() == pytest.approx(math.sqrt(2) * ramps.continuous(9.0, slew).item())


def test_slew_bound_spacing_falls_with_the_root_of_the_slew_rate() -> None:
    design = EpiEchoSpacing(fov=0.22, matrix=64)
    limit = design(System(0.080, 200.0))
    assert limit.elasticity["max_slew"] == pytest.approx(-0.5)
    assert limit.elasticity["max_gradient"] == 0.0
    ratio = design.continuous(0.5, 100.0) / design.continuous(0.5, 400.0)
    assert ratio.item() == pytest.approx(2.0)


def test_value_and_slope_meet_where_the_binding_limit_changes() -> None:
    slew, gradient = 200.0, 0.04
    area = gradient**2 / slew
    for side in (1 - 1e-9, 1 + 1e-9):
        limits = torch.tensor([gradient * side, slew], dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(lobe_duration(area, limits[0], limits[1]), limits)
        assert slope[0].item() == pytest.approx(0.0, abs=1e-6)
        assert slope[1].item() == pytest.approx(-gradient / slew**2, rel=1e-6)


def brute_blips_left_out(area: float, blip: float, gradient: float, slew: float) -> float:
    """The shortest trapezoid whose integral beside the blips reaches the area, by search."""
    best = math.inf
    for peak in np.linspace(gradient / 400, gradient, 400):
        ramp, half = peak / slew, blip / 2

        def beside(total: float, ramp: float = ramp, half: float = half, peak: float = peak) -> float:
            times = np.linspace(half, total - half, 4001)
            shape = np.minimum(np.minimum(times, total - times) / ramp, 1.0) * peak
            return float(np.trapezoid(shape, times))

        low, high = max(2 * ramp, blip), 1.0
        if beside(low) >= area:
            best = min(best, low)
            continue
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if beside(middle) < area else (low, middle)
        best = min(best, high)
    return best


@pytest.mark.parametrize(("gradient", "slew", "steps"), [(0.02, 150.0, 1), (0.04, 150.0, 1), (0.01, 200.0, 30)])
def test_lost_area_of_blips_against_brute_force(gradient: float, slew: float, steps: int) -> None:
    design = EpiEchoSpacing(fov=0.22, matrix=64, sampling=BlipsLeftOut(), blip_steps=steps)
    area = 64 / PROTON_GAMMA_BAR_HZ_PER_T / 0.22
    found = brute_blips_left_out(area, design.blip(gradient, slew).item(), gradient, slew)
    assert design.continuous(gradient, slew).item() == pytest.approx(found, rel=2e-4)


@pytest.mark.parametrize(("gradient", "slew", "b", "gap"), [(0.04, 200.0, 1e9, 8e-3), (0.5, 60.0, 5e8, 2e-3)])
def test_no_other_trapezoids_are_faster_for_a_b(gradient: float, slew: float, b: float, gap: float) -> None:
    value = FastestDiffusionLobes(b, gap).continuous(gradient, slew).item()
    peaks = torch.linspace(gradient / 500, gradient, 500, dtype=torch.float64)
    for total, reached in ((value * (1 - 1e-6), False), (value * (1 + 1e-6), True)):
        ramps = peaks / slew
        possible = 2 * ramps <= total
        best = pair_b(ramps, total, peaks, gap)[possible].max()
        triangle = pair_b(total / 2, total, min(gradient, slew * total / 2), gap) if 2 * gradient > slew * total else 0
        assert bool(torch.maximum(best, torch.as_tensor(triangle)) >= b) is reached


@given(total=st.floats(1e-4, 0.05), gap=st.floats(0.0, 0.05), slew=SLEWS)
@settings(max_examples=60)
def test_in_the_same_time_more_amplitude_gives_more_b(total: float, gap: float, slew: float) -> None:
    peaks = torch.linspace(0.001, 1.0, 2000, dtype=torch.float64) * slew * total / 2
    assert bool((pair_b(peaks / slew, total, peaks, gap).diff() > 0).all())


def test_b_is_that_of_the_integral() -> None:
    from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T as GAMMA

    ramp, total, amplitude, gap = 0.3e-3, 4.1e-3, 0.06, 6e-3
    times = np.linspace(0, 2 * total + gap, 400_001)

    def lobe(t: np.ndarray) -> np.ndarray:
        return amplitude * np.clip(np.minimum(t, total - t) / ramp, 0, 1)

    q = GAMMA * np.cumsum((lobe(times) - lobe(times - total - gap)) * times[1])
    assert float(np.trapezoid(q**2, times)) == pytest.approx(pair_b(ramp, total, amplitude, gap).item(), rel=1e-6)


@given(area=st.floats(1e-8, 1e-4), gradient=GRADIENTS, slew=SLEWS)
@settings(max_examples=40)
def test_the_rastered_lobe_is_that_of_the_sequences(area: float, gradient: float, slew: float) -> None:
    system = System(gradient, slew)
    assert ShortestLobe(area)(system).rastered == pytest.approx(shortest_lobe(area, system) / 1e9, abs=1e-12)


@given(matrix=st.integers(24, 160), gradient=st.floats(0.02, 0.3), slew=st.floats(80.0, 700.0))
@settings(max_examples=30)
def test_a_played_echo_planar_line_is_never_faster_than_the_limit(matrix: int, gradient: float, slew: float) -> None:
    system = System(gradient, slew, readout_dead=0)
    limit = EpiEchoSpacing(fov=0.22, matrix=matrix, sampling=BlipsLeftOut())(system)
    period = shortest_line(0.22, matrix, system, step=1 / 0.22).period / 1e9
    assert limit.value.item() <= limit.rastered <= period * (1 + 1e-12) <= limit.value.item() + 45e-6


@given(b=st.floats(1e7, 1e10), gradient=st.floats(0.02, 0.5), slew=st.floats(50.0, 600.0))
@settings(max_examples=25)
def test_rastered_diffusion_lobes_keep_the_limits_and_give_the_b(b: float, gradient: float, slew: float) -> None:
    played = FastestDiffusionLobes(b, 8e-3).played(System(gradient, slew))
    ramp, total = played.ramp / 1e9, played.duration
    assert played.amplitude <= gradient
    assert played.amplitude / ramp <= slew * (1 + 1e-12)
    assert pair_b(ramp, total, played.amplitude, 8e-3).item() == pytest.approx(b, rel=1e-9)


def test_a_slow_receiver_binds() -> None:
    limit = EpiEchoSpacing(fov=0.22, matrix=128, shortest_dwell=5e-6)(System(0.080, 200.0))
    assert limit.binding is Constraint.RECEIVER
    assert limit.sensitivity["max_gradient"] == 0.0
    assert limit.elasticity["shortest_dwell"] > 0
    assert limit.details["longest_dwell"].value.item() == pytest.approx(5e-6)


def test_dead_times_bind_where_they_are_longest() -> None:
    limit = DESIGNS["dead train"](System(0.040, 150.0))
    assert limit.binding is Constraint.DEAD_TIME
    assert limit.sensitivity["max_gradient"] == limit.sensitivity["max_slew"] == 0.0
    slow = System(0.5, 2000.0, pulse_dead=400_000, readout_dead=100_000)
    short = RefocusingTrainSpacing(fov=0.22, matrix=128, thickness=4e-3)
    bound = short(slow)
    assert bound.binding is not Constraint.DEAD_TIME
    assert bound.rastered == pytest.approx(2e-3 + 128 * 10e-6 + 2 * 500e-6)
