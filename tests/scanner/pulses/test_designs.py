"""Pulse designs: what they promise, against closed forms, peers' definitions and the transmitter's limit."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.base.sequence import PulseUse
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T, PROTON_GAMMA_RAD_PER_S_T
from gradatim.scanner.pulses.hard import HardPulse
from gradatim.scanner.pulses.linear_phase import Equiripple, LeastSquares
from gradatim.scanner.pulses.profile import profile
from gradatim.scanner.pulses.sinc import SincPulse
from gradatim.scanner.pulses.slice_selection import NonSelective, SliceSelective
from gradatim.scanner.pulses.slr import SlrPulse, slr_field
from gradatim.scanner.pulses.spinor import pulse_spinor, spinor
from gradatim.scanner.system import System

STRONG = System(max_b1=100e-6)
USES = [(math.pi / 2, PulseUse.EXCITATION), (math.pi, PulseUse.REFOCUSING), (math.pi, PulseUse.INVERSION)]


@pytest.mark.parametrize("flip", [0.1, 1.5, 3.1])
def test_the_flip_angle_is_the_integral(flip: float) -> None:
    for design in (HardPulse(flip, 777e-6), SincPulse(flip, 2.001e-3, 6.0, 0.46)):
        assert design(STRONG).flip == pytest.approx(flip, rel=1e-12)


def test_the_sinc_is_pypulseqs() -> None:
    pypulseq = pytest.importorskip("pypulseq")
    system = pypulseq.Opts(rf_raster_time=4e-6)
    theirs = pypulseq.make_sinc_pulse(
        0.7, duration=2e-3, apodization=0.5, time_bw_product=4, system=system, delay=1e-4, use="excitation"
    )
    ours = SincPulse(0.7, 2e-3)(STRONG).field.real.numpy() * PROTON_GAMMA_BAR_HZ_PER_T
    assert ours == pytest.approx(np.asarray(theirs.signal), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("flip", "use"), USES)
@pytest.mark.parametrize("method", [LeastSquares(), Equiripple()])
@pytest.mark.parametrize("count", [64, 65])
def test_the_inverse_transform_gives_back_beta(
    flip: float, use: PulseUse, method: Callable[..., torch.Tensor], count: int
) -> None:
    """Hard pulses with precession between them have the very polynomial β that was asked for."""
    taps = method(count, time_bandwidth=4.0, inside=0.01, outside=0.02)
    height = math.sin(flip / 2)
    points = torch.arange(64, dtype=torch.float64) / 64
    wanted = (
        taps.to(torch.complex128)
        @ torch.exp(2j * math.pi * torch.outer(torch.arange(count, dtype=torch.float64), points))
    ).abs()
    peak = float(torch.fft.fft(taps, 8192).abs().max()) * height
    field = slr_field(taps, flip=torch.tensor(flip, dtype=torch.float64), seconds=1e-5)
    # Each hard pulse without time of its own: precession alone, then the pulse alone.
    angles = (field * 1e-5).repeat_interleave(2) * torch.tensor([0.0, 1.0]).repeat(count) / 1e-5
    turning = (points[:, None] / 1e-5) * torch.tensor([1.0, 0.0]).repeat(count)
    found = spinor(angles, torch.full((2 * count,), 1e-5), turning)
    scale = height if peak <= 1 - 1e-6 else height * (1 - 1e-6) / peak
    assert found.beta.abs().tolist() == pytest.approx((wanted * scale).tolist(), abs=2e-4)


@pytest.mark.parametrize(("flip", "use"), USES)
def test_an_equiripple_profile_keeps_its_ripples(flip: float, use: PulseUse) -> None:
    design = SlrPulse(flip, 4e-3, 8.0, 0.02, 0.02, Equiripple(), use)
    found = profile(design(STRONG), span=8 * design.bandwidth)
    place = found.offset.abs() / design.bandwidth
    outside = found.value[(place > 0.5 * 1.45) & (place < 3)]
    inside = found.value[place < 0.5 * 0.6]
    # Herrmann's formula for the width of the transition is empirical, so that ripples of β come up to a quarter larger.
    assert float(outside.max()) < 0.02 * 1.25
    assert float(inside.min()) > 1 - 0.02 * 1.25**2


def test_a_selective_pulse_designed_for_180_refocuses_wider_than_a_sinc() -> None:
    slr, sinc = (
        SlrPulse(math.pi, 2e-3, use=PulseUse.REFOCUSING),
        SincPulse(math.pi, 2e-3, use=PulseUse.REFOCUSING),
    )
    assert profile(slr(STRONG), span=16e3).width > 1.3 * profile(sinc(STRONG), span=16e3).width


def test_slr_has_derivatives() -> None:
    taps = LeastSquares()(16, time_bandwidth=4.0, inside=0.01, outside=0.01)
    inputs = (taps.requires_grad_(), torch.tensor(1.2, dtype=torch.float64, requires_grad=True))
    scale = PROTON_GAMMA_RAD_PER_S_T * 1e-4
    assert torch.autograd.gradcheck(lambda b, f: slr_field(b, flip=f, seconds=1e-4) * scale, inputs, atol=1e-6)


def test_an_slr_profile_has_derivatives_by_angle_and_time_bandwidth() -> None:
    offset = torch.tensor([0.0, 700.0, 1500.0, 2600.0], dtype=torch.float64)

    def values(flip: torch.Tensor, product: torch.Tensor) -> torch.Tensor:
        taps = LeastSquares()(24, time_bandwidth=product, inside=0.05, outside=0.05)
        field = slr_field(taps, flip=flip, seconds=1e-4)
        return spinor(field, torch.full((24,), 1e-4), offset[:, None]).refocused

    start = (torch.tensor(1.4, dtype=torch.float64), torch.tensor(4.0, dtype=torch.float64))
    assert torch.autograd.gradcheck(values, tuple(value.requires_grad_() for value in start), atol=1e-6)


@pytest.mark.parametrize(
    "design", [HardPulse(math.pi, 2e-4), SincPulse(math.pi, 1e-3), SlrPulse(math.pi, 1e-3, use=PulseUse.REFOCUSING)]
)
def test_too_strong_a_pulse_names_the_shortest_that_is_not(design: HardPulse | SincPulse | SlrPulse) -> None:
    from dataclasses import replace

    with pytest.raises(UsageError, match="GD-167") as refused:
        design(System())
    shortest = float(refused.value.allowed.split("from ")[1].split(" ms")[0]) * 1e-3
    assert float(replace(design, duration=shortest * 1.01)(System()).field.abs().max()) <= 20e-6
    with pytest.raises(UsageError, match="GD-167"):
        replace(design, duration=shortest * 0.97)(System())


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_impossible_numbers_are_refused(bad: float) -> None:
    designs: list[Callable[[], object]] = [
        lambda: HardPulse(bad, 1e-3),
        lambda: HardPulse(1.0, bad),
        lambda: SincPulse(1.0, bad),
        lambda: SincPulse(1.0, 1e-3, bad),
        lambda: SlrPulse(bad, 1e-3),
        lambda: SlrPulse(1.0, 1e-3, 4.0, bad),
        lambda: SliceSelective(SincPulse(1.0, 1e-3), bad),
    ]
    for make in designs:
        with pytest.raises(UsageError, match="GD-169"):
            make()


def test_impossible_designs_are_refused() -> None:
    designs: list[Callable[[], object]] = [
        lambda: SincPulse(1.0, 1e-3, 4.0, 1.5),
        lambda: SlrPulse(4.0, 1e-3),
        lambda: SlrPulse(1.0, 1e-3, 1.0),
        lambda: SlrPulse(1.0, 1e-3, 4.0, 0.6),
        lambda: SliceSelective(SincPulse(1.0, 1e-3), 0.005, math.nan),
    ]
    for make in designs:
        with pytest.raises(UsageError, match="GD-169"):
            make()


def test_a_slice_lies_where_it_is_asked_for_and_in_phase() -> None:
    """Excitation at z₀ in the gradient equals excitation at 0, phase at the pulse's centre included."""
    for position in (0.0, 0.013, -0.02):
        selection = SliceSelective(SincPulse(0.6, 2e-3), 0.004, position)
        found = selection(System())
        assert found.lobe is not None
        offset = PROTON_GAMMA_BAR_HZ_PER_T * selection.gradient * (position + torch.linspace(-2e-3, 2e-3, 9).double())
        late = (found.pulse.duration - found.pulse.centre) / 1e9
        excited = pulse_spinor(found.pulse, offset=offset).turned(-offset * late).transverse
        if position == 0.0:
            known = excited
        assert torch.allclose(excited, known, atol=1e-11)


def test_pulse_and_lobe_lie_together_and_their_areas_add_up() -> None:
    for dead, duration in ((100_000, 2e-3), (300_000, 2.003e-3), (0, 1.5e-3)):
        found = SliceSelective(SincPulse(0.3, duration), 0.006)(System(pulse_dead=dead))
        assert found.lobe is not None
        begin, top, end, _ = found.lobe.times.tolist()
        assert top <= found.pulse.delay
        assert found.pulse.delay + found.pulse.duration <= end
        assert found.pulse.delay >= dead
        assert begin % 10_000 == 0
        assert found.before + found.after == pytest.approx(found.lobe.area, rel=1e-14)
    hard = NonSelective(HardPulse(0.3, 1e-4))(System())
    assert (hard.lobe, hard.after, hard.pulse.delay) == (None, 0.0, 100_000)


def test_a_slice_too_thin_for_the_gradient_is_refused() -> None:
    with pytest.raises(UsageError, match="GD-166"):
        SliceSelective(SincPulse(0.5, 1e-3), 0.001)(System(0.080, 200.0))
