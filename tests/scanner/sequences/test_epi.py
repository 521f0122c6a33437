"""Echo-planar imaging: echo spacing of the closed form, k = 0 at TE, fine sampling, images where objects are."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from gradatim.base.coherence import echo_time, trajectory
from gradatim.base.errors import UsageError
from gradatim.base.raw import RawData
from gradatim.base.sequence import TICKS, Rasters, Sequence, ticks
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.io.pulseq import read_pulseq
from gradatim.io.pulseq_write import PulseqWriter
from gradatim.scanner.limits.echo_spacing import EpiEchoSpacing, pixels_per_hertz
from gradatim.scanner.limits.epi_sampling import BlipsLeftOut
from gradatim.scanner.reconstruct.regrid import Regrid
from gradatim.scanner.sequences.echo_planar_line import shortest_line
from gradatim.scanner.sequences.echo_planar_train import EchoPlanarTrain
from gradatim.scanner.sequences.epi import EchoPlanar
from gradatim.scanner.simulate.isochromats import Isochromats
from gradatim.scanner.simulate.spins import spins_at
from gradatim.scanner.system import System

SMALL = EchoPlanarTrain((0.22, 0.22), (32, 32))
SYSTEM = System(0.040, 150.0)
TABLE = [(0.040, 150, 64), (0.040, 150, 128), (0.045, 200, 128), (0.080, 200, 64), (0.080, 200, 128), (0.3, 200, 128),
         (0.5, 600, 128)]  # fmt: skip
PROTOCOLS = {
    "shortest": EchoPlanar(SMALL),
    "partial Fourier": EchoPlanar(replace(SMALL, partial_fourier=0.7, navigators=0), echo_time=0.02),
    "two navigators": EchoPlanar(replace(SMALL, navigators=2), echo_time=0.0301, repetition_time=0.5),
    "odd matrix, slices": EchoPlanar(
        EchoPlanarTrain((0.2, 0.24), (33, 25)), slice_positions=(-0.01, 0.0, 0.01), volumes=2, dummies=1
    ),
}


def k_of_lines(sequence: Sequence) -> tuple[Tensor, list[dict[str, int]]]:
    """k of each readout's samples, (readouts, samples, 3), and its labels."""
    k = trajectory(sequence, sequence.sample_times)
    return k.unflatten(0, (len(sequence.readouts), -1)), [dict(r.labels) for _, r in sequence.readouts]


@pytest.mark.parametrize(("gradient", "slew", "points"), TABLE)
def test_the_echo_spacing_is_the_closed_form_rounded_up_to_the_raster(gradient, slew, points) -> None:
    """The table of echo spacings for 220 mm, with the receiver off during blips."""
    system = System(gradient, slew)
    line = shortest_line(0.22, points, system, step=1 / 0.22)
    bound = EpiEchoSpacing(fov=0.22, matrix=points, sampling=BlipsLeftOut())(system).value.item()
    assert line.period == ticks(bound, 10_000)


@pytest.mark.parametrize("slew", [40.0, 77.0, 150.0, 213.0])
@pytest.mark.parametrize("points", [16, 65, 200])
def test_it_never_undercuts_the_closed_form_and_misses_it_by_two_rasters_at_most(slew, points) -> None:
    system = System(0.033, slew)
    line = shortest_line(0.19, points, system, step=1 / 0.19)
    bound = EpiEchoSpacing(fov=0.19, matrix=points, sampling=BlipsLeftOut())(system).value.item()
    assert bound * TICKS - 1 <= line.period <= ticks(bound, 10_000) + 20_000


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_limit_holds_and_a_file_reads_back(name, tmp_path: Path) -> None:
    sequence = PROTOCOLS[name](SYSTEM)
    waveform = sequence.waveform
    assert float(torch.stack([waveform.left, waveform.right]).abs().max()) <= 0.040 * (1 + 1e-9)
    assert float(waveform.slew.abs().max()) <= 150.0 * (1 + 1e-6)
    assert bool((waveform.right[:-1] - waveform.left[1:]).abs().max() < 1e-12), "a gradient jumps"
    PulseqWriter(0.040, 150.0)(sequence, tmp_path / "epi.seq")
    found = read_pulseq(tmp_path / "epi.seq")
    torch.testing.assert_close(k_of_lines(found)[0], k_of_lines(sequence)[0], atol=2e-3, rtol=0)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_lines_lie_where_their_labels_say(name) -> None:
    protocol = PROTOCOLS[name]
    sequence, train = protocol(SYSTEM), protocol.train
    k, labels = k_of_lines(sequence)
    lines = torch.tensor([label["LIN"] for label in labels], dtype=torch.float64)
    expected = (lines - train.matrix[1] // 2) / train.fov[1]
    torch.testing.assert_close(k[:, :, 1], expected[:, None].expand_as(k[:, :, 1]), atol=1e-8, rtol=0)
    assert float(k[:, :, 2].abs().max()) < 1e-8
    forward = torch.tensor([label["REV"] == 0 for label in labels])
    assert torch.equal(k[:, -1, 0] > k[:, 0, 0], forward)
    imaging = [label for label in labels if not label["NAV"]]
    images = len(protocol.slice_positions) * protocol.volumes
    assert len(imaging) == images * train.lines
    assert len(labels) - len(imaging) == images * train.navigators


@pytest.mark.parametrize("name", PROTOCOLS)
def test_k_0_is_a_sample_exactly_at_the_echo_time(name) -> None:
    protocol = PROTOCOLS[name]
    sequence = protocol(SYSTEM)
    k, labels = k_of_lines(sequence)
    (index, *_) = [i for i, x in enumerate(labels) if not x["NAV"] and x["LIN"] == protocol.train.matrix[1] // 2]
    nearest = int(k[index].norm(dim=1).argmin())
    assert float(k[index, nearest].norm()) < 1e-8
    time = float(sequence.sample_times.unflatten(0, (len(labels), -1))[index, nearest])
    (said,) = sequence.definitions["TE"]
    assert echo_time(sequence, time) == pytest.approx(said, abs=1e-12)
    if protocol.echo_time is not None:
        assert said == pytest.approx(protocol.echo_time, abs=1e-12)


@pytest.mark.parametrize(("gradient", "slew", "points"), TABLE)
def test_samples_lie_within_one_over_fov_and_reach_the_edges(gradient, slew, points) -> None:
    sequence = EchoPlanar(EchoPlanarTrain((0.22, 0.22), (points, 8)))(System(gradient, slew))
    k, _ = k_of_lines(sequence)
    assert float(k[:, :, 0].diff(dim=1).abs().max()) <= 1 / 0.22 * (1 + 1e-9)
    step = k[:, :, 0].diff(dim=1).abs().amax()
    assert float(k[:, :, 0].amax(1).min()) >= points / 0.44 - step
    assert float(k[:, :, 0].amin(1).max()) <= -points / 0.44 + step


def seen(raw: RawData, place: Tensor) -> Tensor:
    """The image at places (n, 3), weighted by the ground that each sample covers in k."""
    chosen = raw.counters["NAV"][raw.readout] == 0
    k, samples = raw.position[chosen], raw.samples[0, chosen]
    x = k[:, 0].unflatten(0, (-1, len(k) // int((raw.counters["NAV"] == 0).sum())))
    weights = torch.stack([torch.gradient(line)[0].abs() for line in x]).flatten()
    return (torch.exp(2j * math.pi * (place @ k.T)) * weights) @ samples


def centre_of(image: Tensor, along: Tensor) -> float:
    """Where a peak lies, by its centre of mass."""
    power = image.abs() ** 2
    return float((power * along).sum() / power.sum())


@pytest.mark.parametrize("offset", [0.0, 100.0, -60.0])
def test_a_point_appears_at_its_place_shifted_by_its_offset(offset) -> None:
    train = EchoPlanarTrain((0.22, 0.22), (32, 32))
    sequence = EchoPlanar(train)(SYSTEM)
    x, y, pixel = 0.031, -0.022, 0.22 / 32
    raw = Isochromats()(sequence, spins_at(torch.tensor([[x, y, 0.0]]).double(), offset=offset))
    shift = offset * float(pixels_per_hertz(32, sequence.definitions["EchoSpacing"][0])) * pixel
    near = torch.linspace(-2, 2, 161, dtype=torch.float64) * pixel
    across, zero = x + near, torch.zeros_like(near)
    found_x = centre_of(seen(raw, torch.stack([across, zero + y + shift, zero], 1)), across)
    along = y + shift + near
    found_y = centre_of(seen(raw, torch.stack([zero + x, along, zero], 1)), along)
    assert found_x == pytest.approx(x, abs=0.05 * pixel)
    assert found_y == pytest.approx(y + shift, abs=0.05 * pixel)


def test_100_hz_at_510_us_and_64_lines_are_3_264_pixels() -> None:
    """The published shift, delivered by a sequence whose lines last 510 µs."""
    system = System(0.040, 109.0)
    sequence = EchoPlanar(EchoPlanarTrain((0.22, 0.22), (64, 64), navigators=0))(system)
    assert sequence.definitions["EchoSpacing"] == (510e-6,)
    assert sequence.definitions["BandwidthPerPixelPhaseEncode"][0] == pytest.approx(30.64, abs=0.005)
    y, pixel = 0.0, 0.22 / 64
    raw = Isochromats()(sequence, spins_at(torch.zeros(1, 3).double(), offset=100.0))
    along = y + 3.264 * pixel + torch.linspace(-2, 2, 161, dtype=torch.float64) * pixel
    zero = torch.zeros_like(along)
    found = centre_of(seen(raw, torch.stack([zero, along, zero], 1)), along)
    assert found / pixel == pytest.approx(3.264, abs=0.02)


def test_slices_are_selected_by_frequency() -> None:
    sequence = PROTOCOLS["odd matrix, slices"](SYSTEM)
    pulses = [pulse for _, pulse in sequence.pulses]
    level = SYSTEM.max_gradient
    bandwidth = 4.0 / 2e-3
    level = bandwidth / (PROTON_GAMMA_BAR_HZ_PER_T * 5e-3)
    assert [p.frequency for p in pulses[:3]] == pytest.approx([-0.01 * PROTON_GAMMA_BAR_HZ_PER_T * level, 0.0, 4000.0])
    for pulse in pulses:
        middle = pulse.phase + 2 * math.pi * pulse.frequency * pulse.centre / TICKS
        assert math.remainder(middle, 2 * math.pi) == pytest.approx(0.0, abs=1e-9)


def test_a_finer_raster_is_used() -> None:
    fine = System(0.040, 150.0, rasters=Rasters(gradient=5_000, block=5_000), readout_dead=0)
    assert shortest_line(0.22, 64, fine, step=1 / 0.22).period <= shortest_line(0.22, 64, SYSTEM, step=1 / 0.22).period


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: EchoPlanarTrain((0.22, 0.22), (64, 2)), "GD-170"),
        (lambda: EchoPlanarTrain((0.22, math.nan), (64, 64)), "GD-170"),
        (lambda: EchoPlanarTrain(partial_fourier=0.5), "GD-170"),
        (lambda: EchoPlanarTrain(navigators=-1), "GD-170"),
        (lambda: EchoPlanarTrain((50.0, 50.0), (4096, 64)).line(System(5.0, 1e5)), "GD-170"),
        (lambda: EchoPlanar(SMALL, echo_time=5e-3)(SYSTEM), "GD-171"),
        (lambda: EchoPlanar(SMALL, echo_time=math.inf)(SYSTEM), "GD-171"),
        (lambda: EchoPlanar(SMALL, repetition_time=math.nan)(SYSTEM), "GD-171"),
        (lambda: EchoPlanar(SMALL, slice_positions=())(SYSTEM), "GD-171"),
        (lambda: EchoPlanar(SMALL, dummies=-1)(SYSTEM), "GD-171"),
        (lambda: EchoPlanar(SMALL, thickness=-1.0)(SYSTEM), "GD-171"),
        (lambda: EchoPlanar(SMALL, thickness=1e-4)(SYSTEM), "GD-166"),
    ],
)
def test_what_cannot_be_is_refused(make, code) -> None:
    with pytest.raises(UsageError) as refused:
        make()
    assert refused.value.code == code


def test_the_refusal_of_an_echo_time_names_the_shortest() -> None:
    with pytest.raises(UsageError) as refused:
        EchoPlanar(SMALL, echo_time=5e-3)(SYSTEM)
    shortest = 1e-3 * float(refused.value.allowed.split()[0])
    sequence = EchoPlanar(SMALL, echo_time=shortest)(SYSTEM)
    assert sequence.definitions["TE"] == EchoPlanar(SMALL)(SYSTEM).definitions["TE"]


def test_ramp_samples_regridded_show_points_in_their_voxels_without_a_ghost() -> None:
    sequence = EchoPlanar(SMALL)(SYSTEM)
    pixel = 0.22 / 32
    voxels = [(20, 9), (10, 16), (14, 25)]
    place = torch.tensor([[(x - 16) * pixel, (y - 16) * pixel, 0.0] for x, y in voxels], dtype=torch.float64)
    image = Regrid((32, 32, 1))(Isochromats()(sequence, spins_at(place))).image[0, :, :, 0].abs()
    brightest = image.flatten().topk(3)
    assert {(int(i) // 32, int(i) % 32) for i in brightest.indices} == set(voxels)
    rest = image.clone()
    for x, y in voxels:
        rest[x - 1 : x + 2, y - 1 : y + 2] = 0
    assert float(rest.max()) < 0.02 * float(brightest.values.min())
