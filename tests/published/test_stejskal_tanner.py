"""b of pulsed gradients: the values that direct integration gives to all printed digits, and ours by two routes."""

import math

import pytest
import torch

from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T
from gradatim.base.waveform import Waveform
from gradatim.diffusion.b_matrix import b_matrix, moments
from gradatim.diffusion.gradient_pairs import (
    BipolarPair,
    GradientPair,
    HalfSinePair,
    RectangularPair,
    SquaredSinePair,
    TrapezoidalPair,
)
from gradatim.diffusion.oscillating import CosineOscillation, SineOscillation

S_PER_MM2 = 1e6
TIMES = {"duration": 0.020, "separation": 0.040}
PAIRS = {
    "rectangle": (RectangularPair(), 0.020, 1526.786572),
    "trapezoid": (TrapezoidalPair(ramp=0.0005), 0.0205, 1526.691625),
    "half sine": (HalfSinePair(), 0.020, 649.722455),
    "sin²": (SquaredSinePair(), 0.020, 410.702110),
}
SHAPES = {
    "rectangle": lambda s: torch.ones_like(s),
    "trapezoid": lambda s: torch.minimum(s, 1 - s).mul(0.0205 / 0.0005).clamp(max=1.0),
    "half sine": lambda s: (math.pi * s).sin(),
    "sin²": lambda s: (math.pi * s).sin().square(),
}


def pair(lobe: torch.Tensor, duration: float, separation: float, amplitude: float) -> Waveform:
    """Two equal lobes given by their values at equal steps, the second with its sign turned."""
    at = torch.linspace(0.0, duration, len(lobe), dtype=torch.float64)
    values = torch.zeros(len(lobe) - 1, 3, dtype=torch.float64)
    left, right, pause = values.clone(), values.clone(), torch.zeros(1, 3, dtype=torch.float64)
    left[:, 0], right[:, 0] = -amplitude * lobe[:-1], -amplitude * lobe[1:]
    edges = torch.cat([at, separation + at])
    return Waveform(edges, torch.cat([left, pause, -left]), torch.cat([right, pause, -right]))


@pytest.mark.parametrize("name", PAIRS)
def test_closed_forms_have_the_published_digits(name: str) -> None:
    shape, duration, expected = PAIRS[name]
    found = shape.b(0.040, duration=duration, separation=0.040).item() / S_PER_MM2
    assert found == pytest.approx(expected, abs=6e-7)


@pytest.mark.parametrize("name", PAIRS)
def test_direct_integration_agrees(name: str) -> None:
    _, duration, expected = PAIRS[name]
    lobe = SHAPES[name](torch.linspace(0.0, 1.0, 20 * 410 + 1, dtype=torch.float64))
    found = b_matrix(pair(lobe, duration, 0.040, 0.040))[0, 0].item() / S_PER_MM2
    assert found == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(
    ("train", "wave", "expected"),
    [
        (CosineOscillation(100.0, 0.04), torch.cos, 11.602187),
        (SineOscillation(100.0, 0.04), torch.sin, 34.806560),
    ],
)
def test_oscillating_gradients(train: CosineOscillation | SineOscillation, wave, expected: float) -> None:
    assert train.b(0.04).item() / S_PER_MM2 == pytest.approx(expected, abs=6e-7)
    phase = torch.linspace(0.0, 2 * math.pi * 4, 20_001, dtype=torch.float64)
    assert b_matrix(pair(wave(phase), 0.04, 0.05, 0.04))[0, 0].item() / S_PER_MM2 == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "area", "constant", "digits"),
    [
        ("rectangle", 1.0, 1 / 3, "0.333333"),
        ("half sine", 2 / math.pi, 1 / 4, "0.250000"),
        ("sin²", 0.5, None, "0.206682"),
    ],
)
def test_constants_of_the_shapes(name: str, area: float, constant: float | None, digits: str) -> None:
    """b = γ²A²(Δ − kδ): k = 1/3, 1/4 and 1/3 − 5/(4π²), here from two separations by direct integration."""
    lobe = SHAPES[name](torch.linspace(0.0, 1.0, 8001, dtype=torch.float64))
    near, far = (b_matrix(pair(lobe, 0.020, separation, 0.040))[0, 0].item() for separation in (0.030, 0.070))
    slope = (far - near) / 0.040
    assert slope == pytest.approx((PROTON_GAMMA_RAD_PER_S_T * area * 0.040 * 0.020) ** 2, rel=1e-6)
    found = (0.030 - near / slope) / 0.020
    assert f"{found:.6f}" == digits
    assert found == pytest.approx(constant or 1 / 3 - 5 / (4 * math.pi**2), abs=1e-6)


def test_smoothed_squares_have_nine_tenths_of_a_rectangles_area() -> None:
    """SMSQ10.100, a square whose first and last tenth are halves of a cosine, and a trapezoid with the same ramps."""
    s = torch.linspace(0.0, 1.0, 8001, dtype=torch.float64)
    edge = torch.minimum(s, 1 - s).mul(10).clamp(max=1.0)
    for lobe in ((1 - (math.pi * edge).cos()) / 2, edge):
        area = moments(pair(lobe, 0.020, 0.040, 0.040), orders=(1,))[0, 0].item() / (0.040 * 0.040 * 0.020)
        assert area == pytest.approx(0.9, abs=1e-6)


def test_pulsed_field_gradient_nmr_in_water() -> None:
    b = RectangularPair().b(0.5, duration=0.002, separation=0.050)
    assert b.item() == pytest.approx(3.5307e9, rel=1.5e-5)
    assert math.exp(-b.item() * 2.2995e-9) == pytest.approx(2.98e-4, abs=0.5e-6)
    one_over_e = 0.5 / math.sqrt(b.item() * 2.2995e-9)
    assert one_over_e == pytest.approx(0.1755, abs=5e-5)


@pytest.mark.parametrize(("amplitude", "duration"), [(0.040, 0.020106), (0.080, 0.011627), (0.300, 0.003624)])
def test_lobes_that_give_a_thousand(amplitude: float, duration: float) -> None:
    """Smax 200 T/(m·s), 8 ms between the lobes: d from the start of the rise to that of the fall."""
    ramp = amplitude / 200.0
    found = TrapezoidalPair(ramp=ramp).b(amplitude, duration=duration + ramp, separation=duration + ramp + 0.008)
    assert found.item() / S_PER_MM2 == pytest.approx(1000.0, rel=2.5e-4)


def test_the_bipolar_form_is_that_of_its_waveform() -> None:
    edges = torch.tensor([0.0, 0.004, 0.006, 0.010, 0.050, 0.054, 0.056, 0.060], dtype=torch.float64)
    value = torch.zeros(7, 3, dtype=torch.float64)
    value[:, 1] = torch.tensor([-0.04, 0.0, -0.04, 0.0, 0.04, 0.0, 0.04], dtype=torch.float64)
    expected = b_matrix(Waveform(edges, value, value))
    found = BipolarPair(gap=0.002).b(0.04, duration=0.008, separation=0.050)
    assert found.item() == pytest.approx(expected[1, 1].item(), rel=1e-12)
    assert expected.trace().item() == pytest.approx(found.item(), rel=1e-12)


@pytest.mark.parametrize("shape", [RectangularPair(), HalfSinePair(), SquaredSinePair(), TrapezoidalPair(ramp=0.001)])
def test_closed_forms_carry_gradients(shape: GradientPair) -> None:
    given = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.04, 0.02, 0.04)]
    assert torch.autograd.gradcheck(
        lambda g, d, s: shape.b(g, duration=d, separation=s) * 1e-9, given, eps=1e-7, atol=1e-4
    )
