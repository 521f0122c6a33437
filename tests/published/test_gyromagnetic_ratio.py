"""γ of the proton, and what other programs' roundings of it do to gradients and to b."""

import math

import pytest

from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T, PROTON_GAMMA_RAD_PER_S_T
from gradatim.scanner.limits.slice_selection import SliceSelection

IN_WATER = 42.576385e6
"""Hz/T, CODATA's shielded proton: spherical sample of water at 25 °C."""


def test_codata_2022() -> None:
    assert PROTON_GAMMA_BAR_HZ_PER_T == 42.577478461e6
    assert f"{PROTON_GAMMA_RAD_PER_S_T:.10e}" == "2.6752218708e+08"


def test_the_free_proton_is_meant_and_not_the_one_in_water() -> None:
    """They differ by the shielding of water, 25.7 ppm: less than any scanner's gradients are calibrated to."""
    shielding = 1 - IN_WATER / PROTON_GAMMA_BAR_HZ_PER_T
    assert shielding == pytest.approx(25.7e-6, abs=0.05e-6)


def test_a_rounded_gamma_counts_twice_in_b() -> None:
    """2.675e8 lowers b by 1.66e-4, so that tools can agree to 2e-4 only with one γ."""
    change = (2.675e8 / PROTON_GAMMA_RAD_PER_S_T) ** 2 - 1
    assert change == pytest.approx(-1.66e-4, abs=0.005e-4)
    assert abs((267.513e6 / PROTON_GAMMA_RAD_PER_S_T) ** 2 - 1) < 2e-4


def test_pypulseq_gives_the_same_slice_with_its_own_gamma() -> None:
    """42.576 MHz/T there: 9.3950 mT/m for 5 mm at 2 kHz, where ours is 9.3946."""
    pypulseq = pytest.importorskip("pypulseq")
    system = pypulseq.Opts(max_grad=40, grad_unit="mT/m", max_slew=150, slew_unit="T/m/s")
    assert system.gamma == 42.576e6
    _, gradient, _ = pypulseq.make_sinc_pulse(
        math.pi / 2,
        duration=2e-3,
        slice_thickness=5e-3,
        time_bw_product=4,
        apodization=0.5,
        system=system,
        return_gz=True,
        use="excitation",
    )
    theirs = gradient.amplitude / system.gamma
    ours = SliceSelection(thickness=5e-3, time_bandwidth=4.0, pulse=2e-3).solved().gradient.item()
    assert f"{1e3 * theirs:.4f}" == "9.3950"
    assert f"{1e3 * ours:.4f}" == "9.3946"
    assert theirs / ours == pytest.approx(PROTON_GAMMA_BAR_HZ_PER_T / system.gamma, rel=1e-12)
