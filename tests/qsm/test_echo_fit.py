"""The field of a scan and its standard error: exact on lines, calibrated under noise."""

import math
from dataclasses import replace

import pytest
import torch
from scipy import integrate, stats
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import MultiEcho
from gradatim.qsm.echo_fit import EchoFit, EchoFitResult
from gradatim.qsm.unwrap import UnwrappedPhase
from gradatim.qsm.wrapping import wrap

TWO_PI = 2.0 * math.pi
SHAPE = (26, 24, 22)
TIMES = (0.004, 0.012, 0.020, 0.028)
FINE, COARSE = (1.0, 1.0, 1.0), (1.0, 2.0, 4.0)


def coordinates() -> tuple[Tensor, ...]:
    """From −1 to 1 along each axis."""
    x, y, z = torch.meshgrid(*[torch.linspace(-1, 1, n, dtype=torch.float64) for n in SHAPE], indexing="ij")
    return x, y, z


def true_field() -> Tensor:
    x, y, z = coordinates()
    return 30.0 * torch.sin(3.0 * x * y) - 20.0 * z + 10.0 * torch.cos(9.0 * x)


def true_offset() -> Tensor:
    """Curved, 2 rad in 100 mm, and across the border of a turn."""
    x, y, z = coordinates()
    return 3.0 + 0.25 * x - 0.15 * y + 0.12 * x * y + 0.1 * z * z


def ball() -> Tensor:
    x, y, z = coordinates()
    return x * x + y * y + z * z < 0.95


def scan_of(
    field: Tensor,
    offset: Tensor,
    times: tuple[float, ...] = TIMES,
    *,
    noise: float = 0.0,
    spacing: tuple[float, float, float] = FINE,
) -> tuple[MultiEcho, UnwrappedPhase]:
    """Decaying echoes of uneven brightness with complex noise, and the phase with the right turns."""
    x, _, _ = coordinates()
    t = torch.tensor(times, dtype=torch.float64).view(-1, 1, 1, 1)
    phase = offset + TWO_PI * field * t
    clean = torch.polar((1.0 + 0.5 * x) * torch.exp(-25.0 * t), phase)
    random = torch.randn((2, *phase.shape), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    signal = clean + noise * torch.complex(random[0], random[1])
    measured = phase + wrap(signal.angle() - phase)
    scan = MultiEcho(signal.abs(), measured, times, 3.0, Grid(SHAPE, spacing))
    return scan, unwrapped_of(measured)


def unwrapped_of(phase: Tensor) -> UnwrappedPhase:
    mask = ball()
    return UnwrappedPhase(torch.where(mask, phase, 0.0), mask, mask.double(), 1)


def standardised(result: EchoFitResult, truth: Tensor) -> Tensor:
    """Error over standard error, without the part of the standard error that follows the voxel's own misfit."""
    mask = result.field.mask
    plain = result.field.error / result.misfit.clamp_min(1.0).sqrt()
    return ((result.field.field - truth) / plain)[mask]


@pytest.mark.parametrize("width", [0.0, 1.5])
@pytest.mark.parametrize("times", [TIMES, TIMES[:3]])
def test_a_free_line_is_exact(times: tuple[float, ...], width: float) -> None:
    """With a smoothed offset: what curvature the smoothing leaves, of fourth order, is below 0.05 Hz in 60."""
    scan, unwrapped = scan_of(true_field(), true_offset(), times)
    result = EchoFit(offset_sigma_mm=width)(scan, unwrapped=unwrapped)
    away = (result.field.field - true_field())[ball()].abs()
    assert float(away.max()) < (1e-9 if width == 0 else 0.3)
    assert float(away.median()) < (1e-9 if width == 0 else 0.02)
    assert not bool(result.field.field[~ball()].any())
    assert not bool(result.field.error[~ball()].any())
    assert not bool(result.misfit[~ball()].any())


def test_a_flat_offset_is_found_exactly() -> None:
    offset = torch.full(SHAPE, 2.9, dtype=torch.float64)
    scan, unwrapped = scan_of(true_field(), offset)
    result = EchoFit()(scan, unwrapped=unwrapped)
    torch.testing.assert_close(result.field.field[ball()], true_field()[ball()], rtol=0, atol=1e-9)
    torch.testing.assert_close(result.offset[ball()], offset[ball()], rtol=0, atol=1e-9)


def test_turns_of_a_voxel_change_nothing() -> None:
    """Unwrapping knows a voxel's phase up to whole turns that all its echoes share."""
    scan, unwrapped = scan_of(true_field(), true_offset(), noise=0.1)
    turns = torch.randint(-3, 4, SHAPE, generator=torch.Generator().manual_seed(2))
    turned = replace(unwrapped, phase=torch.where(ball(), unwrapped.phase + TWO_PI * turns.double(), 0.0))
    one, other = (EchoFit()(scan, unwrapped=u) for u in (unwrapped, turned))
    for name in ("field", "error"):
        torch.testing.assert_close(getattr(one.field, name), getattr(other.field, name), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(one.misfit, other.misfit, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("scale", [1e-9, 1e6])
def test_the_unit_of_the_magnitude_does_not_matter(scale: float) -> None:
    scan, unwrapped = scan_of(true_field(), true_offset(), noise=0.05)
    one = EchoFit()(scan, unwrapped=unwrapped)
    other = EchoFit()(replace(scan, magnitude=scale * scan.magnitude), unwrapped=unwrapped)
    torch.testing.assert_close(other.field.field, one.field.field, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(other.field.error, one.field.error, rtol=1e-6, atol=0)
    assert other.phase_noise == pytest.approx(scale * one.phase_noise, rel=1e-6)


@pytest.mark.parametrize("spacing", [FINE, COARSE])
@pytest.mark.parametrize("width", [0.0, 1.5])
@pytest.mark.parametrize("echoes", [3, 4])
def test_standard_errors_cover_what_they_claim(echoes: int, width: float, spacing: tuple[float, float, float]) -> None:
    """68.3 % within one, 95.4 % within two, within four binomial standard deviations of 7000 voxels."""
    offset = torch.full(SHAPE, 0.4, dtype=torch.float64)
    scan, unwrapped = scan_of(true_field(), offset, TIMES[:echoes], noise=0.03, spacing=spacing)
    result = EchoFit(offset_sigma_mm=width)(scan, unwrapped=unwrapped)
    away = standardised(result, true_field()).abs()
    for deviations in (1.0, 2.0):
        claimed = math.erf(deviations / math.sqrt(2.0))
        spread = math.sqrt(claimed * (1.0 - claimed) / len(away))
        assert float((away < deviations).double().mean()) == pytest.approx(claimed, abs=4.0 * spread)
    assert result.phase_noise == pytest.approx(0.03, rel=0.03)
    assert float(result.misfit[ball()].mean()) == pytest.approx(1.0, abs=0.05)


def test_with_the_voxels_own_misfit_the_error_is_on_the_safe_side() -> None:
    """max(1, χ²/ν) widens the error of unlucky voxels too: the coverage is the integral over χ² of three echoes."""

    def covered(chi2: float) -> float:
        return math.erf(math.sqrt(max(1.0, chi2 / 3.0) / 2.0)) * stats.chi2.pdf(chi2, 3)

    claimed = integrate.quad(covered, 0.0, 3.0)[0] + integrate.quad(covered, 3.0, 60.0)[0]
    assert claimed == pytest.approx(0.73, abs=0.005)
    scan, unwrapped = scan_of(true_field(), torch.zeros(SHAPE, dtype=torch.float64), noise=0.03)
    field = EchoFit()(scan, unwrapped=unwrapped).field
    within = ((field.field - true_field()).abs() < field.error)[ball()].double().mean()
    assert float(within) == pytest.approx(claimed, abs=0.02)


@pytest.mark.parametrize("echoes", [3, 4])
def test_a_free_intercept_has_the_closed_form(echoes: int) -> None:
    """σ_f = σ / (2π √Σ w (t − t̄)²)."""
    scan, unwrapped = scan_of(true_field(), true_offset(), TIMES[:echoes], noise=0.03)
    result = EchoFit(offset_sigma_mm=0.0)(scan, unwrapped=unwrapped)
    weights = scan.magnitude.square()
    times = torch.tensor(TIMES[:echoes], dtype=torch.float64).view(-1, 1, 1, 1)
    mean = (weights * times).sum(0) / weights.sum(0)
    wanted = result.phase_noise / (TWO_PI * (weights * (times - mean).square()).sum(0).sqrt())
    plain = result.field.error / result.misfit.clamp_min(1.0).sqrt()
    torch.testing.assert_close(plain[ball()], wanted[ball()], rtol=1e-9, atol=0)


def test_a_smooth_offset_about_halves_the_error() -> None:
    """Equal weights at 4, 12, 20, 28 ms: √(Σt²/Σ(t − t̄)²) = √(1344/320) = 2.05, of which the offset takes 2 %."""
    scan, _ = scan_of(true_field(), torch.zeros(SHAPE, dtype=torch.float64))
    noise = torch.randn(scan.phase.shape, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    scan = replace(scan, magnitude=torch.ones_like(scan.magnitude), phase=scan.phase + 0.03 * noise)
    unwrapped = unwrapped_of(scan.phase)
    free, smooth = (EchoFit(offset_sigma_mm=w)(scan, unwrapped=unwrapped).field for w in (0.0, 1.5))
    errors = [float((f.field - true_field())[ball()].std()) for f in (free, smooth)]
    assert errors[0] / errors[1] == pytest.approx(2.0, abs=0.06)


def test_voxels_off_the_line_get_larger_errors() -> None:
    scan, unwrapped = scan_of(true_field(), true_offset(), noise=0.03)
    bent = unwrapped.phase.clone()
    bent[2, 13, 12, 11] += 1.0
    one = EchoFit()(scan, unwrapped=unwrapped)
    other = EchoFit()(scan, unwrapped=replace(unwrapped, phase=bent))
    assert float(other.misfit[13, 12, 11]) > 50.0
    ratio = float(other.field.error[13, 12, 11] / one.field.error[13, 12, 11])
    grown = float((other.misfit[13, 12, 11] / one.misfit[13, 12, 11].clamp_min(1.0)).sqrt())
    assert ratio == pytest.approx(grown, rel=0.01)


def test_two_echoes_suffice() -> None:
    scan, unwrapped = scan_of(true_field(), torch.zeros(SHAPE, dtype=torch.float64), TIMES[:2], noise=0.03)
    result = EchoFit()(scan, unwrapped=unwrapped)
    assert result.phase_noise == pytest.approx(0.03, rel=0.06)
    assert float(standardised(result, true_field()).std()) == pytest.approx(1.0, abs=0.06)


def test_two_echoes_with_a_free_intercept_say_nothing_of_their_noise() -> None:
    """Any two points lie on a line; an error of zero would be a lie."""
    scan, unwrapped = scan_of(true_field(), true_offset(), TIMES[:2], noise=0.03)
    with pytest.raises(InputError, match="GD-604"):
        EchoFit(offset_sigma_mm=0.0)(scan, unwrapped=unwrapped)


def test_a_single_echo_is_refused() -> None:
    scan, unwrapped = scan_of(true_field(), true_offset(), TIMES[:1])
    with pytest.raises(InputError, match="GD-604"):
        EchoFit()(scan, unwrapped=unwrapped)


def test_a_voxel_without_signal_stays_finite_and_counts_for_nothing() -> None:
    scan, unwrapped = scan_of(true_field(), true_offset(), noise=0.03)
    dark = scan.magnitude.clone()
    dark[:, 13, 12, 11] = 0.0
    field = EchoFit()(replace(scan, magnitude=dark), unwrapped=unwrapped).field
    assert bool(torch.isfinite(field.field).all())
    assert bool(torch.isfinite(field.error).all())
    assert float(field.error[13, 12, 11]) > 1e3 * float(field.error[ball()].median())


def test_gradients_reach_the_phase() -> None:
    scan, unwrapped = scan_of(true_field(), true_offset(), noise=0.03)
    phase = unwrapped.phase.clone().requires_grad_()
    EchoFit()(scan, unwrapped=replace(unwrapped, phase=phase)).field.field.sum().backward()
    assert phase.grad is not None
    step = torch.randn(phase.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64) * 1e-4
    step = torch.where(ball(), step, 0.0)
    ends = [
        EchoFit()(scan, unwrapped=replace(unwrapped, phase=unwrapped.phase + sign * step)).field.field.sum()
        for sign in (1.0, -1.0)
    ]
    assert float((ends[0] - ends[1]) / 2.0) == pytest.approx(float((phase.grad * step).sum()), rel=1e-5)


@pytest.mark.parametrize("width", [-1.0, math.nan, math.inf])
def test_impossible_widths_are_refused(width: float) -> None:
    with pytest.raises(UsageError, match="GD-101"):
        EchoFit(offset_sigma_mm=width)
