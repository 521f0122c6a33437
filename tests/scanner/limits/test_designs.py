"""Any one from the others, what is refused, and what a limit says."""

import itertools
import math

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.base.sequence import Rasters
from gradatim.scanner.limits.diffusion_lobes import DiffusionEchoTime, FastestDiffusionLobes
from gradatim.scanner.limits.echo_spacing import EpiEchoSpacing
from gradatim.scanner.limits.limit import Constraint, Design
from gradatim.scanner.limits.lobe import ShortestLobe
from gradatim.scanner.limits.prephaser import sample_positions
from gradatim.scanner.limits.readout import FrequencyEncoding
from gradatim.scanner.limits.refocusing_train import RefocusingTrainSpacing
from gradatim.scanner.limits.slice_selection import SliceSelection
from gradatim.scanner.safety.strength_duration import FIRST_LEVEL
from gradatim.scanner.system import System

SLICE = {"thickness": 4e-3, "time_bandwidth": 5.0, "pulse": 2.5e-3}
LINE = {"fov": 0.24, "matrix": 192.0, "dwell": 8e-6}


def test_a_slice_from_any_of_its_numbers() -> None:
    whole = SliceSelection(**SLICE).solved()
    names = ("thickness", "gradient", "bandwidth", "pulse", "time_bandwidth")
    values = {name: getattr(whole, name).item() for name in names}
    solved = 0
    for three in itertools.combinations(names, 3):
        if set(three) in ({"thickness", "gradient", "bandwidth"}, {"bandwidth", "pulse", "time_bandwidth"}):
            continue
        found = SliceSelection(**{name: values[name] for name in three}).solved()
        assert [getattr(found, name).item() for name in names] == pytest.approx(list(values.values()), rel=1e-12)
        solved += 1
    assert solved == 8


def test_a_line_from_any_of_its_numbers() -> None:
    values = {name: number.item() for name, number in FrequencyEncoding(**LINE).solved().items()}
    names = ("fov", "matrix", "pixel", "dwell", "gradient", "pixel_bandwidth")
    solved, open_ = 0, 0
    for three in itertools.combinations(names, 3):
        try:
            found = FrequencyEncoding(**{name: values[name] for name in three}).solved()
        except UsageError as refused:
            open_ += refused.code == "GD-157"
            continue
        assert {name: each.item() for name, each in found.items()} == pytest.approx(values, rel=1e-12)
        solved += 1
    # fov, matrix, pixel; fov, dwell, gradient; matrix, dwell, bandwidth; pixel, gradient, bandwidth say a thing twice
    assert (solved, open_) == (16, 4)


def test_a_limit_is_of_one_protocol_and_a_grid_is_continuous() -> None:
    matrices = torch.tensor([64.0, 128.0], dtype=torch.float64)
    spacings = EpiEchoSpacing(fov=0.22, matrix=matrices).continuous(0.040, 150.0)
    assert [round(1e6 * each, 1) for each in spacings.tolist()] == [426.8, 608.3]
    for design in (
        EpiEchoSpacing(fov=0.22, matrix=matrices),
        RefocusingTrainSpacing(fov=0.22, matrix=matrices, thickness=5e-3),
        FrequencyEncoding(fov=0.22, matrix=matrices, pixel=0.22 / matrices, shortest_dwell=matrices),
        SliceSelection(bandwidth=1000 * matrices),
        FastestDiffusionLobes(1e7 * matrices, 8e-3),
        DiffusionEchoTime(1e7 * matrices),
        ShortestLobe(1e-7 * matrices),
    ):
        with pytest.raises(UsageError, match="GD-103"):
            design(System())
    with pytest.raises(UsageError, match="GD-157"):
        SliceSelection(bandwidth=1000 * matrices, pulse=2e-3, time_bandwidth=4.0)


def test_what_is_found_is_differentiable() -> None:
    fov = torch.tensor(0.22, dtype=torch.float64, requires_grad=True)
    line = FrequencyEncoding(fov=fov, matrix=64, dwell=20e-6).solved()
    (slope,) = torch.autograd.grad(line["gradient"], fov)
    assert slope.item() == pytest.approx(-line["gradient"].item() / 0.22)


@pytest.mark.parametrize(
    "given",
    [
        {"bandwidth": 1000.0, "pulse": 2e-3, "time_bandwidth": 4.0},
        {"thickness": 5e-3, "gradient": 0.01, "bandwidth": 1000.0},
        {"thickness": 5e-3, "gradient": 0.01, "pulse": 2e-3, "time_bandwidth": 4.0},
    ],
)
def test_numbers_that_contradict_each_other_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=r"GD-157: .*contradict each other; .*leave out one"):
        SliceSelection(**given)


def test_numbers_that_agree_may_be_given_twice() -> None:
    assert SliceSelection(bandwidth=2000.0, pulse=2e-3, time_bandwidth=4.0, thickness=5e-3).solved().gradient > 0


@pytest.mark.parametrize("design", [SliceSelection(thickness=5e-3), FrequencyEncoding(matrix=64, dwell=1e-5)])
def test_too_few_numbers_are_refused(design: Design) -> None:
    with pytest.raises(UsageError, match=r"GD-157: .*cannot be found"):
        design(System())


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0, 0.0, torch.tensor([1.0, -1.0]).double()])
@pytest.mark.parametrize(
    "make",
    [
        lambda x: ShortestLobe(x),
        lambda x: SliceSelection(bandwidth=x),
        lambda x: FrequencyEncoding(fov=x),
        lambda x: FrequencyEncoding(fov=0.2, shortest_dwell=x),
        lambda x: EpiEchoSpacing(fov=x, matrix=64),
        lambda x: EpiEchoSpacing(fov=0.2, matrix=x),
        lambda x: EpiEchoSpacing(fov=0.2, matrix=64, shortest_dwell=x),
        lambda x: RefocusingTrainSpacing(fov=0.2, matrix=64, thickness=x),
        lambda x: FastestDiffusionLobes(x, 8e-3),
        lambda x: DiffusionEchoTime(x),
        lambda x: sample_positions(4, x, prephaser=1e-6),
    ],
)
def test_impossible_numbers_are_refused(make, bad) -> None:
    with pytest.raises(UsageError, match="GD-101"):
        make(bad)


@pytest.mark.parametrize(
    "design",
    [
        ShortestLobe(1e300),
        ShortestLobe(1e2),
        EpiEchoSpacing(fov=1e-300, matrix=1e300),
        EpiEchoSpacing(fov=0.2, matrix=1e12),
        FastestDiffusionLobes(1e40, 1e-3),
    ],
)
def test_absurd_numbers_end_with_a_code(design: Design) -> None:
    with pytest.raises(UsageError, match="GD-1"):
        design(System())


def test_a_tiny_lobe_takes_two_rasters_and_a_fine_raster_is_no_burden() -> None:
    assert ShortestLobe(1e-12)(System()).rastered == 2e-5
    fine = System(1.0, 20.0, rasters=Rasters(gradient=1))
    assert ShortestLobe(1e-3)(fine).rastered == pytest.approx(ShortestLobe(1e-3)(fine).value.item(), abs=1e-8)


def test_a_readout_beyond_the_gradient_is_told_the_dwell_time_it_needs() -> None:
    with pytest.raises(UsageError, match=r"GD-166: a readout of 106\.757 mT/m.*2\.669 µs or longer"):
        FrequencyEncoding(fov=0.22, matrix=128, dwell=1e-6)(System(0.040, 150.0))
    with pytest.raises(UsageError, match=r"GD-166: a dwell time of 3 µs.*receiver's 4 µs"):
        FrequencyEncoding(fov=0.22, matrix=128, dwell=3e-6, shortest_dwell=4e-6)(System(0.040, 150.0))
    with pytest.raises(UsageError, match=r"GD-166: a readout of 106\.757 mT/m.*2\.669 µs or longer"):
        RefocusingTrainSpacing(fov=0.22, matrix=64, thickness=5e-3, dwell=1e-6)(System(0.040, 150.0))


def test_the_sentence_names_what_binds_and_what_helps() -> None:
    slow = EpiEchoSpacing(fov=0.22, matrix=128)(System(0.080, 200.0))
    assert slow.binding is Constraint.SLEW
    assert slow.reason.startswith("slew-bound: the readout lobe peaks at 52.3 of 80 mT/m")
    assert slow.reason.endswith("more gradient gives nothing; 1 % more slew rate saves 0.50 %")
    weak = EpiEchoSpacing(fov=0.22, matrix=128)(System(0.040, 150.0))
    assert weak.binding is Constraint.AMPLITUDE
    assert "up to 45.3 mT/m" in weak.reason


def test_the_gradient_that_a_sentence_calls_enough_is_enough() -> None:
    said = DiffusionEchoTime(b=1e9, readout=15e-3)(System(0.200, 200.0)).reason
    enough = float(said.split("up to ")[1].split(" mT/m")[0]) * 1e-3
    design = DiffusionEchoTime(b=1e9, readout=15e-3)
    assert bool(design.slew_bound(enough * 1.001, 200.0))
    assert not bool(design.slew_bound(enough * 0.999, 200.0))


def test_half_of_the_phase_encoding_steps_halve_the_distortion() -> None:
    system = System(0.080, 200.0)
    full, half = (EpiEchoSpacing(fov=0.22, matrix=128, blip_steps=steps)(system) for steps in (1, 2))
    moved = [each.details["pixels_per_hertz"].value.item() for each in (full, half)]
    assert moved[1] == pytest.approx(moved[0] / 2)
    assert full.details["pixels_per_hertz"].value.item() == pytest.approx(128 * full.rastered)


@pytest.mark.parametrize(
    ("system", "matrix", "share"),
    [(System(0.040, 150.0), 128, 0.90), (System(0.040, 150.0), 64, 0.81)],
)
def test_a_model_of_stimulation_judges_the_swing(system: System, matrix: int, share: float) -> None:
    judged = EpiEchoSpacing(fov=0.22, matrix=matrix).stimulation(system, FIRST_LEVEL.of_swing)
    assert judged == pytest.approx(share, abs=0.005)
