"""Bandwidth, gradient and thickness; what usual pulses deliver of the nominal thickness.

Sources: BW = γ̄·G·Δz and BW = TBW/T with CODATA 2022's γ̄; the delivered widths were measured by a hard-pulse
simulation of pypulseq's and SigPy's pulses to ±0.01.
"""

import math

import pytest

from gradatim.base.errors import UsageError
from gradatim.base.sequence import PulseUse
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.pulses.profile import delivered_width
from gradatim.scanner.pulses.sinc import SincPulse
from gradatim.scanner.pulses.slice_selection import SliceSelective
from gradatim.scanner.pulses.slr import SlrPulse
from gradatim.scanner.system import System

STRONG = System(max_b1=100e-6)


@pytest.mark.parametrize(("milliseconds", "bandwidth", "gradient"), [(2.0, 2000.0, 9.3946), (3.0, 4000 / 3, 6.2631)])
def test_the_gradient_of_a_slice_of_5_mm(milliseconds: float, bandwidth: float, gradient: float) -> None:
    selection = SliceSelective(SincPulse(1.0, milliseconds * 1e-3, 4.0), 5e-3)
    assert selection.design.bandwidth == pytest.approx(bandwidth)
    assert round(1e3 * selection.gradient, 4) == gradient


def test_a_slice_of_1_mm_in_1_ms_needs_more_than_80_mt_per_m() -> None:
    selection = SliceSelective(SincPulse(0.2, 1e-3, 4.0), 1e-3)
    assert round(1e3 * selection.gradient, 3) == 93.946
    with pytest.raises(UsageError, match=r"GD-166.*93\.95 mT/m"):
        selection(System(0.080, 200.0))


@pytest.mark.parametrize(("gradient", "thickness"), [(0.040, 0.5872), (0.080, 0.2936), (0.200, 0.1174)])
def test_the_thinnest_slice_at_1_khz(gradient: float, thickness: float) -> None:
    selection = SliceSelective(SincPulse(0.2, 4e-3, 4.0), 1e3 / (PROTON_GAMMA_BAR_HZ_PER_T * gradient))
    assert round(1e3 * selection.thickness, 4) == thickness
    assert selection(System(gradient, 200.0)).lobe is not None


@pytest.mark.parametrize(
    ("degrees", "use", "share"),
    [(15, PulseUse.EXCITATION, 0.996), (90, PulseUse.EXCITATION, 1.100), (180, PulseUse.REFOCUSING, 0.664)],
)
def test_what_a_hann_windowed_sinc_delivers(degrees: float, use: PulseUse, share: float) -> None:
    design = SincPulse(math.radians(degrees), 2e-3, 4.0, 0.5, use)
    assert delivered_width(design(STRONG), nominal=design.bandwidth) == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize(
    ("degrees", "use", "share"), [(90, PulseUse.EXCITATION, 1.038), (180, PulseUse.REFOCUSING, 0.952)]
)
def test_what_a_least_squares_slr_pulse_delivers(degrees: float, use: PulseUse, share: float) -> None:
    design = SlrPulse(math.radians(degrees), 2e-3, 4.0, use=use)
    assert delivered_width(design(STRONG), nominal=design.bandwidth) == pytest.approx(share, abs=0.01)
