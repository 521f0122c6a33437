"""Whole sequences against pypulseq's own estimate, both with one γ."""

import numpy as np
import pytest

from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.base.waveform import Waveform
from gradatim.io.pulseq import read_pulseq
from gradatim.scanner.safety.safe import Safe

pypulseq = pytest.importorskip("pypulseq")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "file", ["generated/epi.seq", "generated/dwi.seq", "generated/dwi_b0.seq", "koma/epi_ramp.seq"]
)
def test_the_same_figures_over_time(shared, file):
    from pypulseq.utils.safe_pns_prediction import safe_example_hw

    path = shared / "data/scanner" / file
    peer = pypulseq.Sequence()
    peer.read(str(path))
    peer.system.gamma = PROTON_GAMMA_BAR_HZ_PER_T
    _, total, axes, _ = peer.calculate_pns(safe_example_hw(), do_plots=False)
    found = Safe()(read_pulseq(path))
    ours = found.axes.numpy()[: len(axes)]
    scale = 100 * total.max()
    np.testing.assert_allclose(ours, 100 * axes, atol=1e-9 * scale)
    assert found.peak.total == pytest.approx(scale, rel=1e-9)


def test_the_gradient_echo_that_pypulseq_put_at_66_657_percent(shared):
    """pypulseq's γ̄ is 42.576 MHz/T: T/m of a file are that much larger by it."""
    sequence = read_pulseq(shared / "data/scanner/generated/gre.seq")
    given, factor = sequence.waveform, PROTON_GAMMA_BAR_HZ_PER_T / 42.576e6
    scaled = Waveform(given.edges, factor * given.left, factor * given.right)
    assert f"{Safe().peak(scaled).total:.3f}" == "66.657"
