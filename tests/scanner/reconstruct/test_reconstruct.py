"""Images of objects whose signal is known in closed form: where they lie, how bright they are, what phase they have."""

import math

import pytest
import torch
from torch import Tensor

from gradatim.base.coherence import trajectory
from gradatim.base.errors import GradatimError
from gradatim.base.raw import RawData
from gradatim.io.pulseq import read_pulseq
from gradatim.linop.finufft import FinufftFourier
from gradatim.scanner.reconstruct.box import Box, chosen
from gradatim.scanner.reconstruct.cartesian import Cartesian
from gradatim.scanner.reconstruct.coils import Adaptive, RootSumOfSquares
from gradatim.scanner.reconstruct.echoes import Echoes, passing
from gradatim.scanner.reconstruct.ghost import MinimumEntropy, NavigatorPhase
from gradatim.scanner.reconstruct.nonuniform import NonUniform
from gradatim.scanner.reconstruct.regrid import Regrid

WIDTH = 0.012
"""Standard deviation of the Gaussian object, m."""


def point(position: Tensor, at: tuple[float, float, float], strength: float = 1.0) -> Tensor:
    """∫ρ·exp(−2πi k·r) dr of a point, (1, n)."""
    return (strength * torch.exp(-2j * math.pi * (position @ torch.tensor(at, dtype=torch.float64))))[None]


def blob(position: Tensor, at: tuple[float, float, float], extent: float = 1.0) -> Tensor:
    """The same of a Gaussian of height 1 in the plane, ``extent`` deep along z."""
    size = torch.exp(-2 * (math.pi * WIDTH) ** 2 * position[:, :2].square().sum(1))
    return point(position, at) * size * (2 * math.pi * WIDTH**2 * extent)


def density(box: Box, at: tuple[float, float, float]) -> Tensor:
    """The Gaussian at the voxels' middles, (x, y)."""
    x, y = (box.places(axis) + box.centre[axis] - at[axis] for axis in range(2))
    return torch.exp(-(x[:, None].square() + y.square()) / (2 * WIDTH**2))


def grid_data(matrix: tuple[int, int, int], extent: tuple[float, float, float], beside: float = 0.0) -> RawData:
    """Lines along x over a full grid of k, every other one backwards, without a signal."""
    x, y, z = ((torch.arange(n) - n // 2).double() / length for n, length in zip(matrix, extent, strict=True))
    lines = [(a, b) for b in z.tolist() for a in y.tolist()]
    places = []
    for number, (a, b) in enumerate(lines):
        along = x + beside / extent[0]
        along = along.flip(0) if number % 2 else along
        places.append(torch.stack([along, torch.full_like(along, a), torch.full_like(along, b)], 1))
    n, each = matrix[0] * len(lines), matrix[0]
    empty = torch.zeros(1, n, dtype=torch.complex128)
    number = torch.arange(len(lines)).repeat_interleave(each)
    return RawData(empty, torch.cat(places), torch.zeros(n), number, {}, matrix, extent)


def filled(raw: RawData, samples: Tensor, **changes: object) -> RawData:
    parts = {name: getattr(raw, name) for name in raw.__dataclass_fields__}
    return RawData(**{**parts, "samples": samples, **changes})


def from_file(shared, name: str, matrix=(64, 64, 1), extent=(0.22, 0.22, 0.005)) -> RawData:
    """Where and when a file's sequence takes its samples."""
    sequence = read_pulseq(shared / "data/scanner" / name)
    times = sequence.sample_times
    lengths = torch.tensor([readout.samples for _, readout in sequence.readouts])
    names = {label for _, readout in sequence.readouts for label in readout.labels}
    counters = {label: torch.tensor([r.labels[label] for _, r in sequence.readouts]) for label in names}
    starts = torch.tensor([(start + p.centre) / 1e9 for start, p in sequence.pulses if p.use.value == "excitation"])
    since = times - starts.double()[torch.searchsorted(starts.double(), times) - 1]
    position = -trajectory(sequence, times)
    number = torch.arange(len(lengths)).repeat_interleave(lengths)
    return RawData(torch.zeros(1, len(times)) + 0j, position, since, number, counters, matrix, extent)


def code_of(call) -> str:
    with pytest.raises(GradatimError) as caught:
        call()
    return caught.value.code


@pytest.mark.parametrize("matrix", [(8, 6, 4), (7, 5, 1), (16, 9, 3)])
@pytest.mark.parametrize("beside", [0.0, 0.5, -0.3])
def test_a_point_lies_where_its_grid_says(matrix, beside) -> None:
    """A point in a voxel's middle fills that voxel alone, with its strength over the voxel's volume."""
    extent = (0.2, 0.18, 0.03)
    raw = grid_data(matrix, extent, beside if matrix[0] % 2 == 0 else 0.0)
    index = (1, 3, matrix[2] - 1)
    world = Cartesian()(filled(raw, point(raw.position, (0.0, 0.0, 0.0)))).grid.matrix @ [*index, 1.0] / 1e3
    found = Cartesian()(filled(raw, point(raw.position, tuple(world[:3].tolist()), 3.0)))
    wanted = torch.zeros(matrix, dtype=torch.complex128)
    wanted[index] = 3.0 * math.prod(matrix) / math.prod(extent)
    torch.testing.assert_close(found.image[0], wanted, rtol=0, atol=1e-9 * float(wanted.abs().max()))
    assert found.grid.spacing == pytest.approx([1e3 * e / n for e, n in zip(extent, matrix, strict=True)])


def test_the_image_holds_the_sample_of_the_middle() -> None:
    raw = grid_data((12, 10, 1), (0.24, 0.2, 0.004))
    samples = torch.randn(2, len(raw.times), dtype=torch.complex128, generator=torch.Generator().manual_seed(1))
    found = Cartesian()(filled(raw, samples))
    middle = (raw.position == 0).all(1)
    total = found.image.flatten(1).sum(1) * found.grid.voxel_volume_mm3 * 1e-9
    torch.testing.assert_close(total, samples[:, middle][:, 0])


@pytest.mark.parametrize("centre", [(0.0, 0.0, 0.0), (0.03, -0.02, 0.0), (0.0117, 0.0, 0.0)])
def test_a_box_off_the_middle_shows_what_lies_there(centre) -> None:
    at = (0.02, -0.03, 0.0)
    raw = grid_data((48, 40, 1), (0.2, 0.18, 0.005), 0.5)
    found = Cartesian(centre=centre)(filled(raw, blob(raw.position, at, 0.005)))
    wanted = density(Box((48, 40, 1), (0.2, 0.18, 0.005), centre), at)
    torch.testing.assert_close(found.image[0, :, :, 0].real, wanted, rtol=0, atol=1e-5)
    assert float(found.image.imag.abs().max()) < 1e-5
    brightest = found.image[0].abs().argmax()
    index = [int(i) for i in torch.unravel_index(brightest, found.grid.shape)]
    world = found.grid.matrix @ [*index, 1.0]
    assert abs(world[:2] - [20.0, -30.0]).max() <= max(found.grid.spacing[:2]) / 2


def test_lines_come_in_any_order_and_averages_are_taken() -> None:
    raw = grid_data((6, 5, 1), (0.2, 0.2, 0.01))
    samples = point(raw.position, (0.01, 0.02, 0.0))
    order = torch.randperm(len(raw.times), generator=torch.Generator().manual_seed(3))
    number = torch.zeros(len(raw.times), dtype=torch.int64)
    twice = RawData(
        torch.cat([samples[:, order] + 0.5, samples - 0.5], 1),
        torch.cat([raw.position[order], raw.position]),
        torch.zeros(2 * len(number)),
        torch.cat([number, number + 1]),
        {},
        raw.matrix,
        raw.extent,
    )
    torch.testing.assert_close(Cartesian()(twice).image, Cartesian()(filled(raw, samples)).image)


def test_oversampled_readouts_are_cut_to_the_middle() -> None:
    fine = grid_data((32, 12, 1), (0.4, 0.2, 0.01))
    raw = filled(fine, blob(fine.position, (0.02, 0.01, 0.0), 0.01), matrix=(16, 12, 1), extent=(0.2, 0.2, 0.01))
    found = Cartesian(oversampling=(2, 1, 1))(raw)
    plain = Cartesian((32, 12, 1), (0.4, 0.2, 0.01))(raw)
    assert found.grid.shape == (16, 12, 1)
    torch.testing.assert_close(found.image, plain.image[:, 8:24])


def test_derivatives_by_the_samples_flow() -> None:
    raw = grid_data((4, 3, 1), (0.2, 0.2, 0.01))
    samples = torch.randn(1, 12, dtype=torch.complex128, generator=torch.Generator().manual_seed(0)).requires_grad_()
    for method in (Cartesian(), Regrid()):
        assert torch.autograd.gradcheck(lambda s, m=method: m(filled(raw, s)).image, samples, fast_mode=True)


def test_gradient_echo_of_a_file(shared) -> None:
    """Samples half a dwell beside k = 0, as pypulseq's own example prephasers leave them."""
    raw = from_file(shared, "generated/gre.seq")
    at = (0.025, -0.04, 0.0)
    found = Cartesian()(filled(raw, blob(raw.position, at, 0.005)))
    torch.testing.assert_close(
        found.image[0, :, :, 0].real, density(Box(raw.matrix, raw.extent), at), rtol=0, atol=1e-4
    )


@pytest.mark.parametrize("name", ["generated/epi.seq", "generated/dwi.seq"])
def test_ramp_sampled_epi_of_a_file(shared, name) -> None:
    raw = from_file(shared, name)
    at = (0.025, -0.04, 0.0)
    samples = blob(raw.position, at, 0.005)
    assert code_of(lambda: Cartesian()(filled(raw, samples))) == "GD-810"
    found = Regrid()(filled(raw, samples))
    torch.testing.assert_close(
        found.image[0, :, :, 0].real, density(Box(raw.matrix, raw.extent), at), rtol=0, atol=2e-3
    )


def epi_with_delay(shared) -> tuple[RawData, Tensor, Tensor]:
    """EPI whose backward lines were sampled 0.37 steps of k elsewhere, with a phase of their own; three navigators."""
    raw = from_file(shared, "generated/epi.seq")
    at = (0.015, -0.02, 0.0)
    line = raw.lines(raw.position.T)[0]
    backward = (line[:, -1] < line[:, 0])[raw.readout]
    shifted = raw.position.clone()
    shifted[:, 0] += torch.where(backward, 0.37 / 0.22, 0.0)
    samples = blob(shifted, at, 0.005) * torch.exp(1j * torch.where(backward, 0.8, 0.0))
    first = raw.readout < 3
    flat = shifted[first] * torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    reference = blob(flat, at, 0.005) * torch.exp(1j * torch.where(backward[first], 0.8, 0.0))
    whole = RawData(
        torch.cat([reference, samples], 1),
        torch.cat([raw.position[first] * torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64), raw.position]),
        torch.cat([raw.times[first], raw.times]),
        torch.cat([raw.readout[first], raw.readout + 3]),
        {"NAV": torch.tensor([1] * 3 + [0] * 64)},
        raw.matrix,
        raw.extent,
    )
    return whole, samples, density(Box(raw.matrix, raw.extent), at)


@pytest.mark.parametrize(
    ("correction", "left"), [(None, 1.0), (NavigatorPhase(), 0.01), (MinimumEntropy(), 0.02)], ids=["no", "nav", "ent"]
)
def test_ghosts_are_corrected(shared, correction, left) -> None:
    """Half an image away from the object nothing is left but for the share that is stated."""
    raw, _, wanted = epi_with_delay(shared)
    image = Regrid(correction=correction)(raw).image[0, :, :, 0].abs()
    ghost = float((image - wanted).abs().max())
    if correction is None:
        assert ghost > 0.3
    assert ghost < left


def test_navigators_are_needed_where_they_are_asked_for(shared) -> None:
    raw, _, _ = epi_with_delay(shared)
    alone = chosen(raw, {"NAV": 0})
    assert code_of(lambda: Regrid(correction=NavigatorPhase())(alone)) == "GD-814"


def test_spokes_of_a_file(shared) -> None:
    raw = from_file(shared, "pypulseq/write_radial_gre.seq", (64, 64, 1), (0.26, 0.26, 0.003))
    at = (0.02, -0.015, 0.0)
    samples = blob(raw.position, at, 0.003)
    found = NonUniform()(filled(raw, samples)).image[0, :, :, 0]
    wanted = density(Box(raw.matrix, raw.extent), at)
    inside = wanted > 0.01
    assert float((found.real - wanted)[inside].abs().max()) < 0.02
    gridded = NonUniform(compensation=None)(filled(raw, samples)).image[0, :, :, 0]
    assert float((gridded.real - wanted)[inside].abs().max()) < 0.05


def test_on_a_grid_all_methods_agree() -> None:
    raw = grid_data((12, 10, 1), (0.24, 0.2, 0.004), 0.5)
    raw = filled(raw, blob(raw.position, (0.02, 0.01, 0.0), 0.004))
    plain = Cartesian()(raw).image
    torch.testing.assert_close(Regrid()(raw).image, plain, rtol=0, atol=1e-9)
    assert float((NonUniform()(raw).image - plain).abs().max()) < 1e-3


def test_coils_combine_to_the_object() -> None:
    x = torch.linspace(-1, 1, 24, dtype=torch.float64)
    maps = torch.stack(
        [torch.exp(1j * i * x[:, None]) * torch.exp(-((x[:, None] - i) ** 2)) * (1 + 0 * x) for i in (-1, 1)]
    )
    maps = (maps / maps.abs().square().sum(0).sqrt())[..., None]
    disc = ((x[:, None].square() + x.square()) < 0.7).double()[..., None]
    images = maps * disc
    torch.testing.assert_close(RootSumOfSquares()(images), disc)
    combined = Adaptive(3)(images)
    assert float((combined.abs() - disc).abs()[disc > 0].max()) < 0.01
    turned = Adaptive(3)(images * torch.exp(torch.tensor(0.7j)))
    torch.testing.assert_close(turned, combined * torch.exp(torch.tensor(0.7j, dtype=torch.complex128)))
    assert code_of(lambda: Adaptive(2)) == "GD-101"


def test_echoes_of_a_bipolar_file_carry_the_phase_of_an_offset(shared) -> None:
    """Off resonance by Δf the phase is 2πΔf·TE, and the object moves by Δf over the bandwidth of a pixel."""
    raw = from_file(shared, "generated/megre.seq")
    at, offset = (0.22 / 64 * 5, -0.22 / 64 * 7, 0.0), 6.0
    samples = blob(raw.position, at, 0.005) * torch.exp(2j * math.pi * offset * raw.times)
    coils = torch.cat([samples, 0.5j * samples])
    found = Echoes(Cartesian(), 3.0)(filled(raw, coils))
    assert len(found.echo_times) == 6
    assert all(b > a for a, b in zip(found.echo_times[:-1], found.echo_times[1:], strict=True))
    alone = Echoes(Cartesian(), 3.0)(filled(raw, samples))
    place = (32 + 5, 32 - 7, 0)
    for echo, time in enumerate(alone.echo_times):
        assert float(alone.magnitude[echo][place]) == pytest.approx(1.0, abs=1e-3)
        error = float(alone.phase[echo][place]) - 2 * math.pi * offset * time
        assert abs(math.remainder(error, 2 * math.pi)) < 2e-3
    torch.testing.assert_close(found.magnitude[:, 37, 25, 0], alone.magnitude[:, 37, 25, 0] * math.sqrt(1.25))
    assert alone.grid.spacing == pytest.approx((3.4375, 3.4375, 5.0))


def test_the_time_of_an_echo_is_that_of_k_zero(shared) -> None:
    """Readouts are symmetric about k = 0 but for half a sample: their middle is the echo."""
    raw = chosen(from_file(shared, "generated/megre.seq"), {"ECO": 0})
    line = raw.lines(raw.times)[0]
    assert passing(raw) == pytest.approx(float(line.mean()), abs=1.1e-5)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"matrix": None}, "GD-811"),
        ({"extent": None}, "GD-811"),
        ({"matrix": (8, 5, 1)}, "GD-812"),
        ({"extent": (0.21, 0.2, 0.01)}, "GD-810"),
        ({"counters": {"ECO": torch.tensor([0, 1, 0, 1, 0])}}, "GD-813"),
        ({"counters": {"NAV": torch.ones(5, dtype=torch.int64)}}, "GD-813"),
    ],
)
def test_what_makes_no_image_is_refused(change, code) -> None:
    raw = grid_data((6, 5, 1), (0.2, 0.2, 0.01))
    assert code_of(lambda: Cartesian()(filled(raw, point(raw.position, (0.0, 0.0, 0.0)), **change))) == code


def test_samples_that_are_not_finite_and_impossible_boxes() -> None:
    raw = grid_data((6, 5, 1), (0.2, 0.2, 0.01))
    bad = raw.samples.clone()
    bad[0, 3] = math.nan
    assert code_of(lambda: Cartesian()(filled(raw, bad))) == "GD-815"
    assert code_of(lambda: Cartesian(extent=(0.0, 0.2, 0.01))(raw)) == "GD-101"
    assert code_of(lambda: Cartesian(extent=(math.nan, 0.2, 0.01))(raw)) == "GD-101"
    assert code_of(lambda: Regrid(matrix=(16, 5, 1))(raw)) == "GD-814"
    assert code_of(lambda: NonUniform(matrix=(6, 1, 1))(raw)) == "GD-810"
    far = filled(raw, raw.samples, position=raw.position + 1e4)
    assert code_of(lambda: NonUniform()(far)) == "GD-814"
    assert code_of(lambda: passing(far)) == "GD-816"
    tilted = filled(raw, raw.samples, position=raw.position + raw.position.flip(1)[:, [1, 2, 0]])
    assert code_of(lambda: Regrid()(tilted)) == "GD-810"


def test_the_operator_is_a_choice() -> None:
    """finufft in place of our own gridding gives the same image."""
    pytest.importorskip("finufft")
    raw = grid_data((12, 10, 1), (0.24, 0.2, 0.004), 0.5)
    raw = filled(raw, blob(raw.position, (0.02, 0.01, 0.0), 0.004))
    found = NonUniform(operator=FinufftFourier)(raw).image
    assert float((found - Cartesian()(raw).image).abs().max()) < 1e-6
