"""Womersley flow: numbers re-derived from the exact solution, to their printed digits."""

import cmath
import math

import pytest
import torch

from gradatim.transport.vessel import Vessel
from gradatim.transport.womersley import Womersley, womersley_function
from gradatim.transport.womersley_limits import BoundaryLayer, InertiaAlone, QuasiSteady

AORTA = Vessel(radius=0.0125, density=1060.0, viscosity=3.5e-3)
FLOW = Womersley(AORTA, frequency=1.2)
THOUSAND = torch.tensor([0.0, 1000.0], dtype=torch.complex128)


@pytest.mark.parametrize(
    ("vessel", "frequency", "alpha", "size", "digits"),
    [
        (AORTA, 1.2, 18.8890, 0.92790, 5),
        (AORTA, 1.0, 17.2432, 0.92131, 5),
        (Vessel(0.0027), 1.2, 4.0800, 0.71102, 5),
    ],
)
def test_alpha_and_the_size_of_the_flow(
    vessel: Vessel, frequency: float, alpha: float, size: float, digits: int
) -> None:
    assert vessel.womersley(frequency) == pytest.approx(alpha, abs=5.1e-5)
    assert abs(womersley_function(vessel.womersley(frequency))) == pytest.approx(size, abs=0.51 * 10**-digits)


def degrees(alpha: float) -> float:
    return math.degrees(cmath.phase(womersley_function(alpha)))


def test_how_far_flow_lags_behind_the_gradient() -> None:
    assert degrees(AORTA.womersley(1.2)) == pytest.approx(4.453, abs=5e-4)
    assert 90 - degrees(AORTA.womersley(1.2)) == pytest.approx(85.547, abs=5e-4)
    assert 90 - degrees(Vessel(0.0027).womersley(1.2)) == pytest.approx(66.17, abs=5e-3)
    arteriole = Vessel(25e-6).womersley(1.2)
    assert arteriole == pytest.approx(0.0378, abs=5e-5)
    assert 90 - degrees(arteriole) == pytest.approx(0.014, abs=5e-4)
    assert abs(womersley_function(1.0)) == pytest.approx(0.12320, abs=5e-6)
    assert degrees(1.0) == pytest.approx(80.547, abs=5e-4)


def test_a_thousand_pascals_a_metre_in_the_aorta() -> None:
    assert FLOW.mean_velocity(THOUSAND)[1].abs().item() == pytest.approx(0.1161, abs=5e-5)
    inviscid = 1000 / (1060 * 2 * math.pi * 1.2)
    assert inviscid == pytest.approx(0.1251, abs=5e-5)
    steady = FLOW.mean_velocity(torch.tensor([1000.0 + 0j], dtype=torch.complex128))[0].abs().item()
    assert steady == pytest.approx(5.58, abs=5e-3)


def test_the_profile_across_the_aorta() -> None:
    share = torch.tensor([0.0, 0.5, 0.9, 0.95, 0.99], dtype=torch.float64)
    found = FLOW.velocity(THOUSAND, radius=share * AORTA.radius)[:, 1] * 1060 * 2 * math.pi * 1.2 / 1000
    assert found.abs().tolist() == pytest.approx([0.99998, 0.99835, 0.97365, 0.67135, 0.17383], abs=5.1e-6)
    assert (found.angle() * 180 / math.pi).tolist() == pytest.approx([-90.0, -90.0, -73.9, -60.9, -47.6], abs=0.051)


def test_what_inertia_alone_would_need() -> None:
    inertial = 1060 * 2 * math.pi * 1.2 * 0.5
    assert inertial == pytest.approx(3996, abs=0.5)
    assert inertial / 133.322 / 100 == pytest.approx(0.300, abs=5e-4)
    steady = 8 * 3.5e-3 * 0.5 / 0.0125**2
    assert steady == pytest.approx(89.6, abs=0.05)
    assert inertial / steady == pytest.approx(44.60, abs=5e-3)
    assert AORTA.womersley(1.2) ** 2 / 8 == pytest.approx(44.60, abs=5e-3)
    needed = FLOW.gradient_of_flow(torch.tensor([0.0, 0.5 * math.pi * 0.0125**2], dtype=torch.complex128))[1].abs()
    assert needed.item() == pytest.approx(4306.6, abs=0.05)
    assert 1 - inertial / needed.item() == pytest.approx(0.072, abs=5e-4)


def test_shear_at_the_wall_and_the_layer_beside_it() -> None:
    shear = FLOW.wall_shear(THOUSAND)[1].abs().item()
    assert shear == pytest.approx(0.6495, abs=5e-5)
    assert 2 * shear / AORTA.radius / 1000 == pytest.approx(0.104, abs=5e-4)
    assert AORTA.stokes_layer(1.2) == pytest.approx(0.936e-3, abs=5e-7)


def test_the_limits_of_small_and_large_alpha() -> None:
    assert QuasiSteady()(0.1).exact_error == pytest.approx(QuasiSteady()(0.1).error, rel=0.02)
    two_terms = 1 - 2 / (20 * cmath.sqrt(1j))
    assert abs(two_terms - womersley_function(20.0)) == pytest.approx(2.5e-3, abs=5e-5)
    assert BoundaryLayer()(20.0).exact_error == pytest.approx(BoundaryLayer()(20.0).error, rel=0.15)
    assert 0.05 < InertiaAlone()(18.889).exact_error < 0.12
