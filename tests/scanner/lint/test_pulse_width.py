"""The band of a pulse against closed forms."""

import math

import pytest
import torch

from gradatim.base.sequence import Pulse
from gradatim.scanner.lint.pulse_width import excited_width


def pulse(field: torch.Tensor, step: int = 10_000) -> Pulse:
    edges = torch.arange(len(field) + 1) * step
    return Pulse(0, edges, field.to(torch.complex128), centre=int(edges[-1]) // 2)


def test_a_hard_pulse_has_the_width_of_a_sinc():
    """|sinc(f·T)| = 1/2 at f·T = 0.603355."""
    assert excited_width(pulse(torch.ones(100))) == pytest.approx(2 * 0.603355 / 1e-3, rel=1e-4)


def test_a_gaussian_pulse_has_the_width_of_its_transform():
    sigma, time = 0.4e-3, (torch.arange(800) + 0.5 - 400) * 1e-5
    found = excited_width(pulse(torch.exp(-0.5 * (time.double() / sigma) ** 2)))
    assert found == pytest.approx(2 * math.sqrt(2 * math.log(2)) / (2 * math.pi * sigma), rel=1e-3)


def test_a_modulated_pulse_is_as_wide():
    time = (torch.arange(100, dtype=torch.float64) + 0.5) * 1e-5
    assert excited_width(pulse(torch.exp(2j * math.pi * 3000.0 * time))) == pytest.approx(1206.7, rel=1e-3)


def test_silence_has_a_width_that_does_no_harm():
    assert math.isfinite(excited_width(pulse(torch.zeros(10))))
