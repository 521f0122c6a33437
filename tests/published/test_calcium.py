"""The microdomain of one open channel: re-derived numbers, and the sources' approximations beside the full solution."""

import pytest
import torch

from gradatim.transport.calcium.approximations import (
    ExcessBuffer,
    Linearised,
    RapidBuffer,
    excess_length,
    linear_length,
)
from gradatim.transport.calcium.full import FullSolution
from gradatim.transport.calcium.microdomain import Buffer, Microdomain
from gradatim.transport.calcium.transient import Transient

PER_MOLAR_SECOND, MICROMOLAR, NM = 1e-3, 1e-3, 1e-9
"""1/(M·s) in m³/(mol·s); µM in mol/m³; nm in m."""
BUFFERS = {
    "BAPTA": Buffer(1.0, 4e8 * PER_MOLAR_SECOND, 0.176 * MICROMOLAR, 95e-12),
    "EGTA": Buffer(10.0, 1e7 * PER_MOLAR_SECOND, 0.15 * MICROMOLAR, 220e-12),
    "weak": Buffer(0.1, 1e8 * PER_MOLAR_SECOND, 10 * MICROMOLAR, 50e-12),
}
TABLE = [
    ("BAPTA", 10, 26.934, 26.770, 0.143, 26.777),
    ("BAPTA", 50, 1.5027, 1.4663, 0.1077, 1.4713),
    ("EGTA", 10, 31.8845, 31.8823, 0.1016, 31.8824),
    ("EGTA", 100, 0.8194, 0.8189, 0.1002, 0.8190),
    ("weak", 10, 35.668, 35.157, 22.155, 35.582),
    ("weak", 100, 2.4589, 2.0167, 1.3575, 2.4154),
    ("weak", 200, 0.9598, 0.5900, 0.7042, 0.9380),
]


def domain(name: str) -> Microdomain:
    return Microdomain(0.1e-12, BUFFERS[name], diffusivity=220e-12, resting=0.1 * MICROMOLAR)


def last_digit(value: float) -> float:
    """Half a unit in the last printed place, and a little: three places above 2 µM, four below or as EGTA's."""
    return 0.51 * 10.0 ** -(3 if value > 2.5 else 4)


@pytest.mark.parametrize(("name", "radius", "full", "excess", "rapid", "linear"), TABLE)
def test_the_table_of_three_buffers(
    name: str, radius: int, full: float, excess: float, rapid: float, linear: float
) -> None:
    at = torch.tensor([radius * NM], dtype=torch.float64)
    given = domain(name)
    found = FullSolution()(given, radius=at).item() / MICROMOLAR
    assert found == pytest.approx(full, abs=last_digit(full))
    for method, expected in ((ExcessBuffer(), excess), (Linearised(), linear), (RapidBuffer(), rapid)):
        value = method(given, radius=at).calcium.item() / MICROMOLAR
        assert value == pytest.approx(expected, abs=max(last_digit(expected), 5.1e-4 if expected == 0.143 else 0.0))


@pytest.mark.parametrize("name", ["BAPTA", "EGTA"])
def test_rapid_buffering_is_off_by_more_than_a_hundredfold_at_the_mouth_and_says_so(name: str) -> None:
    at = torch.tensor([10 * NM], dtype=torch.float64)
    rapid = RapidBuffer()(domain(name), radius=at)
    assert FullSolution()(domain(name), radius=at).item() > 100 * rapid.calcium.item()
    assert not bool(rapid.holds)
    assert bool(ExcessBuffer()(domain(name), radius=at).holds)


@pytest.mark.parametrize("name", BUFFERS)
def test_the_identity_of_any_mobile_buffer(name: str) -> None:
    """D·c − D_B·B = D·c₀ − D_B·B₀ + σ/(2πr): its B lies between none and all, and is least at the mouth."""
    given, at = domain(name), torch.tensor([5.0, 10.0, 50.0, 200.0], dtype=torch.float64) * NM
    calcium = FullSolution()(given, radius=at)
    free = given.free_buffer(calcium, at)
    left = given.diffusivity * calcium - given.buffer.diffusivity * free
    rest = given.diffusivity * given.resting - given.buffer.diffusivity * given.buffer.free(given.resting)
    torch.testing.assert_close(left, rest + given.source / (2 * torch.pi * at), rtol=1e-12, atol=0.0)
    assert bool((free.diff() > 0).all())
    assert 0 < free[0].item() < free[-1].item() < given.buffer.free(given.resting)


def test_lengths() -> None:
    assert excess_length(domain("BAPTA")) / NM == pytest.approx(29.37, abs=5e-3)
    assert excess_length(domain("EGTA")) / NM == pytest.approx(60.55, abs=5e-3)
    assert excess_length(domain("weak")) / NM == pytest.approx(149.1, abs=0.05)
    assert linear_length(domain("weak")) / NM == pytest.approx(123.8, abs=0.05)


def test_free_calcium() -> None:
    assert domain("weak").source == pytest.approx(5.1821e-19, abs=5e-24)
    at = torch.tensor([5, 10, 20, 50, 100, 200], dtype=torch.float64) * NM
    excess = (domain("weak").free_diffusion(at) - 0.1 * MICROMOLAR) / MICROMOLAR
    assert excess.tolist() == pytest.approx([74.978, 37.489, 18.745, 7.498, 3.749, 1.874], abs=5.1e-4)


def test_a_fixed_buffer_changes_nothing_in_the_end() -> None:
    """500 µM with K 10 µM, κ about 50, in a ball of 2 µm: calcium and buffer solved together."""
    fixed = Buffer(0.5, 1e8 * PER_MOLAR_SECOND, 10 * MICROMOLAR)
    given = Microdomain(0.1e-12, fixed)
    assert fixed.capacity(1e-4) == pytest.approx(50, abs=1)
    ball = Transient()
    free = ball.free_in_ball(given)
    assert ((ball.steady(given).calcium[0] - free) / free).abs().max().item() < 1e-12


def test_a_fixed_buffer_delays_it() -> None:
    """The source's 3, 36 and 76 % at 0.1, 1 and 10 ms, and 62, 89 and 99.9 % without.

    Those look stepped in time to first order: without buffer the exact series gives 66.7, 92.6 and 99.95 %, which
    ours meets to 0.1 % (tests/transport/calcium). All are met to that coarseness, 4.5 per cent of the end. How fast
    the buffer binds the source does not say; 1e9 /(M·s), as good as at once, is what gives its 3 %.
    """
    times = torch.tensor([1e-4, 1e-3, 1e-2], dtype=torch.float64)
    ball = Transient()
    shell = int((ball.radius - 100 * NM).abs().argmin())
    for total, expected in ((0.5, [0.03, 0.36, 0.76]), (0.0, [0.62, 0.89, 0.999])):
        given = Microdomain(0.1e-12, Buffer(total, 1e9 * PER_MOLAR_SECOND, 10 * MICROMOLAR))
        excess = ball(given, times=times).calcium[:, shell] - given.resting
        share = excess / (ball.free_in_ball(given)[shell] - given.resting)
        assert share.tolist() == pytest.approx(expected, abs=0.045)
