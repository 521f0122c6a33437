"""EPI's echo spacing below a share of a stimulation limit: its laws, and that no other lobe is shorter."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradatim.base.errors import UsageError
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.limits.echo_spacing import EpiEchoSpacing
from gradatim.scanner.limits.epi_sampling import BlipsLeftOut, EpiSampling, FlatTopSampled, RampSampled
from gradatim.scanner.limits.limit import Constraint
from gradatim.scanner.limits.on_raster import shortest_on_raster
from gradatim.scanner.limits.swing import SwingLimit
from gradatim.scanner.safety.strength_duration import BOURLAND_Y, FIRST_LEVEL, NORMAL_MODE
from gradatim.scanner.system import System

WAYS = (RampSampled(), FlatTopSampled(), BlipsLeftOut())
every = pytest.mark.parametrize("way", WAYS, ids=lambda way: type(way).__name__)
GRADIENTS, SLEWS, SHARES = st.floats(0.01, 0.5), st.floats(40.0, 1500.0), st.floats(0.05, 1.5)
MATRICES = st.integers(8, 512)


def spacing(way: EpiSampling, matrix: int, share: float | None) -> EpiEchoSpacing:
    return EpiEchoSpacing(fov=0.22, matrix=matrix, sampling=way, allowed_share=share)


@every
@settings(max_examples=30)
@given(gradient=GRADIENTS, slew=SLEWS, share=SHARES, matrix=MATRICES, more=st.floats(1.0, 3.0))
def test_never_shorter_than_the_hardware_and_falling_with_the_share(
    way: EpiSampling, gradient: float, slew: float, share: float, matrix: int, more: float
) -> None:
    limits = gradient, slew
    hardware = spacing(way, matrix, None).continuous(*limits).item()
    found, looser = (spacing(way, matrix, each).continuous(*limits).item() for each in (share, share * more))
    assert hardware * (1 - 1e-12) <= looser <= found * (1 + 1e-12)


@every
@settings(max_examples=30)
@given(gradient=GRADIENTS, slew=SLEWS, share=SHARES, matrix=MATRICES)
def test_the_share_is_kept_and_reached_where_it_binds(
    way: EpiSampling, gradient: float, slew: float, share: float, matrix: int
) -> None:
    design, system = spacing(way, matrix, share), System(gradient, slew)
    reached = design.stimulation(system, FIRST_LEVEL.of_swing)
    assert reached <= share * (1 + 1e-9)
    without = replace(design, allowed_share=None)
    if bool(design.stimulation_bound(gradient, slew)):
        assert reached == pytest.approx(share, rel=1e-9)
        assert without.stimulation(system, FIRST_LEVEL.of_swing) > share
        assert not bool(design.slew_bound(gradient, slew))
    else:
        assert design.continuous(gradient, slew).item() == without.continuous(gradient, slew).item()


@every
@pytest.mark.parametrize("share", [0.3, 0.8])
@pytest.mark.parametrize(("gradient", "slew"), [(0.025, 200.0), (0.04, 150.0), (0.08, 200.0), (0.3, 750.0)])
def test_no_other_peak_and_ramp_are_shorter(way: EpiSampling, share: float, gradient: float, slew: float) -> None:
    design = spacing(way, 128, share)
    half, area = design.blip(gradient, slew) / 2, 128 / PROTON_GAMMA_BAR_HZ_PER_T / 0.22
    peaks = torch.linspace(gradient / 20_000, gradient, 20_000, dtype=torch.float64)
    ramps = by_bisection(peaks, slew, share)
    if isinstance(way, FlatTopSampled):
        totals = area / peaks + 2 * ramps
    elif isinstance(way, RampSampled):
        totals = area / peaks + ramps
    else:
        longer = ramps.clamp(min=half.item())
        totals = area / peaks + longer + half**2 / longer
    best = totals[totals >= 2 * ramps].min().item()
    assert best * (1 - 3e-4) <= design.continuous(gradient, slew).item() <= best * (1 + 1e-9)


def by_bisection(peaks: torch.Tensor, slew: float, share: float) -> torch.Tensor:
    """The shortest ramps whose swings keep the share, from the limit itself."""
    low, high = torch.ones_like(peaks), torch.full_like(peaks, slew)
    for _ in range(60):
        middle = (low + high) / 2
        kept = 0.2 * middle / FIRST_LEVEL(2 * peaks / middle) <= share
        low, high = torch.where(kept, middle, low), torch.where(kept, high, middle)
    return peaks / low


def test_the_closed_form_where_only_nerves_count() -> None:
    # Sₚ = 0.8·20/0.2 = 80 T/(m·s); 2√(A/Sₚ) − c/2
    area = 128 / (PROTON_GAMMA_BAR_HZ_PER_T * 0.22)
    expected = 2 * math.sqrt(area / 80) - 0.18e-3
    for system in (System(0.08, 200.0), System(0.3, 750.0), System(5.0, 1e5)):
        limit = spacing(RampSampled(), 128, 0.8)(system)
        assert limit.value.item() == pytest.approx(expected, rel=1e-12)
        assert limit.binding is Constraint.STIMULATION
        assert limit.elasticity["max_gradient"] == limit.elasticity["max_slew"] == 0.0
        assert limit.elasticity["allowed_share"] == pytest.approx(-math.sqrt(area / 80) / expected)


def test_the_sentence_says_what_binds_and_that_it_is_no_clearance() -> None:
    reason = spacing(RampSampled(), 128, 0.8)(System(0.08, 200.0)).reason
    assert reason.startswith("stimulation-bound: 80 % of the limit allow 142 of 200 T/(m·s) at a peak of 33.1 mT/m")
    assert "23.7 % longer; 1 % more of the share saves 0.64 %; an estimate, no clearance" in reason
    assert "gradient saves" not in reason
    weak = spacing(RampSampled(), 256, 0.8)(System(0.04, 150.0))
    assert weak.binding is Constraint.STIMULATION
    # A/G − G/Sₚ = 683 − 500 µs of 1003 µs
    assert "1 % more gradient saves 0.18 %" in weak.reason


def test_a_share_that_does_not_bind_leaves_everything_as_it_was() -> None:
    without, with_ = (spacing(FlatTopSampled(), 64, share)(System(0.04, 150.0)) for share in (None, 0.8))
    assert with_.binding is without.binding is Constraint.SLEW
    assert with_.value.item() == without.value.item()
    assert with_.rastered == without.rastered
    assert with_.reason == without.reason
    assert with_.elasticity["allowed_share"] == 0.0


def test_first_level_at_eighty_per_cent_is_the_normal_mode() -> None:
    first = spacing(RampSampled(), 128, 0.8)
    normal = replace(first, allowed_share=1.0, nerves=NORMAL_MODE)
    assert normal.continuous(0.08, 200.0).item() == pytest.approx(first.continuous(0.08, 200.0).item(), rel=1e-12)
    nearer = replace(first, lever=0.1)
    assert nearer.continuous(0.08, 200.0).item() < first.continuous(0.08, 200.0).item()


@every
@settings(max_examples=15)
@given(share=st.floats(0.2, 1.0), matrix=st.integers(24, 256), gradient=st.floats(0.02, 0.3))
def test_the_lobe_on_the_clock_keeps_the_share(way: EpiSampling, share: float, matrix: int, gradient: float) -> None:
    design, system, swing = spacing(way, matrix, share), System(gradient, 300.0), SwingLimit(share)
    limit = design(system)
    assert limit.value.item() * (1 - 1e-9) <= limit.rastered <= limit.value.item() + 41e-6
    area = matrix / (PROTON_GAMMA_BAR_HZ_PER_T * 0.22)
    played = shortest_on_raster(
        lambda ramp, total, peak: way.sampled(ramp, total, peak, 50e-6),
        wanted=area,
        start=limit.value.item(),
        system=system,
        strongest=swing.strongest,
    )
    ramp = played.ramp / 1e9
    assert FIRST_LEVEL.of_swing(2 * played.amplitude, played.amplitude / ramp) <= share * (1 + 1e-9)
    assert played.amplitude <= min(gradient, 300.0 * ramp) * (1 + 1e-12)


@given(share=SHARES, peak=st.floats(1e-3, 0.5), slew=SLEWS)
@settings(max_examples=30)
def test_the_ramp_is_that_of_the_hyperbola(share: float, peak: float, slew: float) -> None:
    limit = SwingLimit(share, BOURLAND_Y, 0.15)
    ramp = limit.ramp(peak, slew).item()
    reached = BOURLAND_Y.of_swing(2 * peak, peak / ramp, lever=0.15)
    if bool(limit.exceeded(peak, slew)):
        assert reached == pytest.approx(share, rel=1e-9)
        assert limit.strongest(ramp).item() == pytest.approx(peak, rel=1e-9)
    else:
        assert ramp == pytest.approx(peak / slew)
        assert reached <= share * (1 + 1e-9)


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0, -0.8])
def test_an_impossible_share_or_lever_is_refused(bad: float) -> None:
    for given_ in ({"allowed_share": bad}, {"lever": bad}):
        with pytest.raises(UsageError, match="GD-101"):
            EpiEchoSpacing(fov=0.22, matrix=64, **given_)


def test_a_share_of_nearly_nothing_ends_with_a_code() -> None:
    with pytest.raises(UsageError, match="GD-101: a lobe of"):
        spacing(RampSampled(), 128, 1e-12)(System())
