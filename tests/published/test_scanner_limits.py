"""Worked numbers of slice, readout, EPI, RARE and diffusion lobes, to the last digit that is printed.

They were worked out from the formulas of Bernstein, King and Zhou, Handbook of MRI Pulse Sequences (2004), ch. 7, 8 and
16, and of Stejskal and Tanner, J Chem Phys 42:288 (1965), with γ̄ = 42.577478461 MHz/T (CODATA 2022), apart from the
code that is tested. The one of RARE is a composition of known parts, not a published formula.
"""

import pytest
import torch

from gradatim.base.coherence import trajectory
from gradatim.base.errors import UsageError
from gradatim.base.sequence import Block, Pulse, Readout, Sequence, trapezoid
from gradatim.scanner.limits.diffusion_lobes import FastestDiffusionLobes, pair_b
from gradatim.scanner.limits.echo_spacing import EpiEchoSpacing, phase_encode_bandwidth, pixels_per_hertz
from gradatim.scanner.limits.epi_sampling import BlipsLeftOut, EpiSampling, FlatTopSampled, RampSampled
from gradatim.scanner.limits.limit import Constraint
from gradatim.scanner.limits.prephaser import centred_prephaser, sample_positions, symmetric_prephaser
from gradatim.scanner.limits.readout import FrequencyEncoding
from gradatim.scanner.limits.refocusing_train import RefocusingTrainSpacing
from gradatim.scanner.limits.slice_selection import SliceSelection
from gradatim.scanner.system import System


def digits(value: float, printed: str) -> bool:
    """Whether a value, rounded as the number is printed, is that number."""
    places = len(printed.partition(".")[2])
    return f"{value:.{places}f}" == printed


@pytest.mark.parametrize(("pulse_ms", "milliteslas"), [(2, "9.3946"), (3, "6.2631")])
def test_gradient_of_a_slice(pulse_ms: int, milliteslas: str) -> None:
    selected = SliceSelection(thickness=5e-3, time_bandwidth=4.0, pulse=pulse_ms * 1e-3).solved()
    assert digits(1e3 * selected.gradient.item(), milliteslas)
    assert selected.bandwidth.item() == pytest.approx(4000 / pulse_ms)


def test_a_slice_of_1_mm_in_1_ms_is_impossible_at_80_millitesla() -> None:
    design = SliceSelection(thickness=1e-3, time_bandwidth=4.0, pulse=1e-3)
    assert digits(1e3 * design.solved().gradient.item(), "93.946")
    with pytest.raises(UsageError, match=r"GD-166: .*93\.946 mT/m.*pulse of 1\.174 ms or longer.*1\.174 mm") as refused:
        design(System(0.080, 200.0))
    assert refused.value.code == "GD-166"


@pytest.mark.parametrize(("gradient", "millimetres"), [(0.040, "0.5872"), (0.080, "0.2936"), (0.200, "0.1174")])
def test_thinnest_slice_at_1_kilohertz(gradient: float, millimetres: str) -> None:
    limit = SliceSelection(bandwidth=1000.0)(System(gradient, 200.0))
    assert digits(1e3 * limit.value.item(), millimetres)
    assert limit.binding is Constraint.AMPLITUDE


@pytest.mark.parametrize(
    ("fov", "matrix", "dwell", "milliteslas", "hertz", "millimetres"),
    [
        (0.220, 64, 20e-6, "5.3379", "781.25", "3.4375"),
        (0.220, 128, 10e-6, "10.6757", "781.25", "1.71875"),
        (0.256, 256, 5e-6, "18.3489", "781.25", "1.0"),
    ],
)
def test_readout(fov: float, matrix: int, dwell: float, milliteslas: str, hertz: str, millimetres: str) -> None:
    line = FrequencyEncoding(fov=fov, matrix=matrix, dwell=dwell).solved()
    assert digits(1e3 * line["gradient"].item(), milliteslas)
    assert digits(line["pixel_bandwidth"].item(), hertz)
    assert digits(1e3 * line["pixel"].item(), millimetres)


def test_edge_of_k_space() -> None:
    assert digits(FrequencyEncoding(fov=0.22, matrix=128, dwell=10e-6).solved()["k_max"].item(), "290.91")


def test_a_symmetric_prephaser_leaves_no_sample_at_the_centre() -> None:
    plain = sample_positions(64, 0.22, prephaser=symmetric_prephaser(64, 0.22))
    assert digits(plain[0].item(), "-143.18")
    assert digits(plain[-1].item(), "143.18")
    centred = sample_positions(64, 0.22, prephaser=centred_prephaser(64, 0.22))
    assert digits(centred[0].item(), "-145.45")
    assert centred[32].item() == pytest.approx(0.0, abs=1e-11)


@pytest.mark.parametrize(("area", "first"), [(symmetric_prephaser, "-143.18"), (centred_prephaser, "-145.45")])
def test_a_sequence_samples_where_the_closed_form_says(area, first: str) -> None:
    gradient, ramp = FrequencyEncoding(fov=0.22, matrix=64, dwell=20e-6).solved()["gradient"].item(), 100_000
    whole = area(64, 0.22).item() + gradient * ramp / 2e9
    before = trapezoid(0, ramp, 900_000, ramp, amplitude=-whole / 1e-3)
    lobe = trapezoid(0, ramp, 1_280_000, ramp, amplitude=gradient)
    sequence = Sequence(
        (
            Block(1000, Pulse(0, torch.tensor([0, 1000]), torch.ones(1, dtype=torch.complex128), centre=500)),
            Block(1_100_000, lobes=(before, None, None)),
            Block(1_480_000, lobes=(lobe, None, None), readout=Readout(ramp, 20_000, 64)),
        )
    )
    played = trajectory(sequence, sequence.sample_times)[:, 0]
    assert digits(played[0].item(), first)
    assert played.tolist() == pytest.approx(sample_positions(64, 0.22, prephaser=area(64, 0.22)).tolist(), abs=1e-9)


TABLE = [
    (40, 150, 64, "426.8", "32.0", "603.7", "430.2", "53.4", "3.335"),
    (40, 150, 128, "608.3", "40", "853.7", "611.0", "53.4", "2.669"),
    (45, 200, 128, "528.7", "45", "739.3", "531.0", "46.2", "2.372"),
    (80, 200, 64, "369.7", "37.0", "522.8", "372.5", "46.2", "2.888"),
    (80, 200, 128, "522.8", "52.3", "739.3", "524.8", "46.2", "2.042"),
    (300, 200, 128, "522.8", "52.3", "739.3", "524.8", "46.2", "2.042"),
    (500, 600, 128, "301.8", "90.5", "426.8", "303.0", "26.7", "1.179"),
]


@pytest.mark.parametrize(
    ("milliteslas", "slew", "matrix", "ramp", "peak", "flat", "blanked", "blip", "dwell"),
    TABLE,
    ids=[f"{row[0]}-{row[1]}-{row[2]}" for row in TABLE],
)
def test_echo_spacing(
    milliteslas: int,
    slew: int,
    matrix: int,
    *,
    ramp: str,
    peak: str,
    flat: str,
    blanked: str,
    blip: str,
    dwell: str,
) -> None:
    system = System(milliteslas * 1e-3, float(slew))
    ways: dict[str, EpiSampling] = {ramp: RampSampled(), flat: FlatTopSampled(), blanked: BlipsLeftOut()}
    for printed, sampling in ways.items():
        limit = EpiEchoSpacing(fov=0.22, matrix=matrix, sampling=sampling)(system)
        assert digits(1e6 * limit.value.item(), printed)
    details = EpiEchoSpacing(fov=0.22, matrix=matrix)(system).details
    for name, printed, scale in (
        ("ramp_sampled", ramp, 1e6),
        ("flat_top", flat, 1e6),
        ("blips_left_out", blanked, 1e6),
        ("blip", blip, 1e6),
        ("peak_gradient", peak, 1e3),
        ("longest_dwell", dwell, 1e6),
    ):
        assert digits(scale * details[name].value.item(), printed), name


def test_beyond_52_millitesla_only_slew_helps() -> None:
    design = EpiEchoSpacing(fov=0.22, matrix=128)
    weak, strong = design(System(0.080, 200.0)), design(System(0.300, 200.0))
    assert weak.value == strong.value
    assert weak.binding is strong.binding is Constraint.SLEW
    assert weak.sensitivity["max_gradient"] == strong.sensitivity["max_gradient"] == 0.0
    assert "52.3 of 80 mT/m, so that more gradient gives nothing" in weak.reason


def test_427_microseconds_become_430_on_the_raster() -> None:
    assert EpiEchoSpacing(fov=0.22, matrix=64)(System(0.040, 150.0)).rastered == 430e-6


def test_distortion_along_phase_encoding() -> None:
    assert digits(phase_encode_bandwidth(64, 510e-6).item(), "30.64")
    assert digits(100 * pixels_per_hertz(64, 510e-6).item(), "3.264")


SHORT = RefocusingTrainSpacing(fov=0.22, matrix=64, thickness=5e-3, cycles=3.0, pulse=2e-3, dwell=20e-6)
FINE = RefocusingTrainSpacing(fov=0.22, matrix=256, thickness=3e-3, cycles=4.0, pulse=1.5e-3, dwell=5e-6)


@pytest.mark.parametrize(
    ("train", "system", "spacing", "crusher", "encoding"),
    [
        (SHORT, System(0.040, 150.0), "4.5179", "619.0", "301.8"),
        (FINE, System(0.040, 150.0), "4.8791", "1049.6", "608.3"),
        (FINE, System(0.080, 200.0), "4.3628", "791.4", "522.8"),
    ],
)
def test_refocusing_train(
    train: RefocusingTrainSpacing, system: System, spacing: str, crusher: str, encoding: str
) -> None:
    limit = train(system)
    assert digits(1e3 * limit.value.item(), spacing)
    assert digits(1e6 * limit.details["crusher"].value.item(), crusher)
    assert digits(1e6 * limit.details["phase_encoding"].value.item(), encoding)


@pytest.mark.parametrize(("milliteslas", "delta"), [(40, "20.106"), (80, "11.627"), (300, "3.624")])
def test_diffusion_lobes_of_b_1000(milliteslas: int, delta: str) -> None:
    limit = FastestDiffusionLobes(b=1e9, gap=8e-3)(System(milliteslas * 1e-3, 200.0))
    assert digits(1e3 * limit.details["delta"].value.item(), delta)
    assert limit.binding is Constraint.AMPLITUDE


def test_b_of_a_pair_of_trapezoids() -> None:
    assert digits(1e-6 * pair_b(0.5e-3, 20.5e-3, 0.040, 19.5e-3).item(), "1526.691625")
