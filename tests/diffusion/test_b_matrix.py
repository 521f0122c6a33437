"""The b-matrix of waveforms and sequences: laws, cross terms, moments, concomitant fields."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradatim.base.coherence import effective_waveform
from gradatim.base.errors import InputError, UsageError
from gradatim.base.sequence import TICKS, Block, Lobe, Pulse, PulseUse, Readout, Sequence, trapezoid
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T
from gradatim.base.waveform import Waveform
from gradatim.diffusion.b_matrix import b_matrix, moments, weightings
from gradatim.diffusion.concomitant import concomitant_phase, maxwell_matrix
from gradatim.diffusion.gradient_pairs import RectangularPair, TrapezoidalPair
from gradatim.diffusion.oscillating import CosineOscillation

MS = 1_000_000


def pulse(use: PulseUse) -> Pulse:
    return Pulse(0, torch.tensor([0, 1000]), torch.ones(1, dtype=torch.complex128), centre=500, use=use)


def spin_echo(first: Lobe, second: Lobe, *, axis: int = 0) -> Sequence:
    """90° – lobe – 180° – lobe – one sample."""
    lobes = [[None, None, None], [None, None, None]]
    lobes[0][axis], lobes[1][axis] = first, second
    return Sequence(
        (
            Block(MS, pulse(PulseUse.EXCITATION)),
            Block(12 * MS, lobes=tuple(lobes[0])),
            Block(MS, pulse(PulseUse.REFOCUSING)),
            Block(12 * MS, lobes=tuple(lobes[1])),
            Block(MS, readout=Readout(0, 1000, 1)),
        )
    )


def random_waveform(seed: int) -> Waveform:
    draw = torch.Generator().manual_seed(seed)
    steps = 1e-3 * (0.1 + torch.rand(7, generator=draw, dtype=torch.float64))
    left, right = (0.04 * torch.randn(7, 3, generator=draw, dtype=torch.float64) for _ in range(2))
    return Waveform(torch.cat([torch.zeros(1, dtype=torch.float64), steps.cumsum(0)]), left, right)


def test_the_exact_rule_equals_a_fine_sum() -> None:
    waveform = random_waveform(1)
    times = torch.linspace(0, waveform.edges[-1].item(), 200_001, dtype=torch.float64)
    q = PROTON_GAMMA_RAD_PER_S_T * waveform.moment(times)
    fine = torch.trapezoid(q[:, :, None] * q[:, None, :], times, dim=0)
    torch.testing.assert_close(b_matrix(waveform), fine, rtol=1e-8, atol=1e-8 * fine.abs().max().item())


@given(st.integers(0, 50))
def test_rotating_the_gradients_rotates_the_matrix(seed: int) -> None:
    waveform = random_waveform(seed)
    turn, _ = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64))
    rotated = Waveform(waveform.edges, waveform.left @ turn.T, waveform.right @ turn.T)
    expected = turn @ b_matrix(waveform) @ turn.T
    torch.testing.assert_close(b_matrix(rotated), expected, rtol=1e-10, atol=1e-10 * expected.abs().max().item())
    assert float(torch.linalg.eigvalsh(b_matrix(waveform)).min()) > -1e-9 * float(expected.abs().max())


def test_b_carries_gradients_to_values_and_times() -> None:
    waveform = random_waveform(2)
    given_ = [v.clone().requires_grad_() for v in (waveform.edges, waveform.left, waveform.right)]
    assert torch.autograd.gradcheck(
        lambda e, a, b: b_matrix(Waveform(e * 1e-3, a * 1e-2, b * 1e-2)),
        [given_[0].detach().mul(1e3).requires_grad_(), *(v.detach().mul(1e2).requires_grad_() for v in given_[1:])],
        rtol=1e-4,
    )


def test_a_spin_echo_has_the_closed_form_of_its_lobes() -> None:
    lobe = trapezoid(0, MS // 2, 10 * MS, MS // 2, amplitude=0.04)
    found = weightings(spin_echo(lobe, lobe, axis=2))
    assert len(found) == 1
    expected = TrapezoidalPair(ramp=0.0005).b(0.04, duration=0.011, separation=0.013)
    assert found[0].b[2, 2].item() == pytest.approx(expected.item(), rel=1e-12)
    assert found[0].b.abs().sum().item() == pytest.approx(expected.item(), rel=1e-9)
    assert found[0].echo_time == pytest.approx(26e-3 + 0.5e-6 - 0.5e-6)


def test_imaging_gradients_make_cross_terms() -> None:
    lobe = trapezoid(0, MS // 2, 10 * MS, MS // 2, amplitude=0.04)
    imaging = trapezoid(0, MS // 2, 3 * MS, MS // 2, amplitude=0.01)
    plain = spin_echo(lobe, lobe)
    blocks = list(plain.blocks)
    blocks[1] = Block(12 * MS, lobes=(lobe, None, imaging))
    blocks[3] = Block(12 * MS, lobes=(lobe, None, imaging))
    found = weightings(Sequence(tuple(blocks)))[0].b
    assert found[0, 2].item() > 0.02 * found[0, 0].item()
    assert torch.equal(found, found.T) or torch.allclose(found, found.T, rtol=1e-12)


def test_a_pulse_that_is_not_one_gives_no_weighting() -> None:
    with pytest.raises(InputError, match="GD-804"):
        weightings(Sequence((Block(1000),)))
    assert weightings(Sequence((Block(MS, readout=Readout(0, 1000, 2)),))) == ()


def test_velocity_is_compensated_by_one_two_one() -> None:
    edges = torch.tensor([0.0, 1.0, 3.0, 4.0], dtype=torch.float64)
    value = torch.zeros(3, 3, dtype=torch.float64)
    value[:, 0] = torch.tensor([1.0, -1.0, 1.0], dtype=torch.float64)
    found = moments(Waveform(edges, value, value))
    assert found[:, 0].tolist() == pytest.approx([0.0, 0.0, 4.0])


def test_a_symmetric_spin_echo_leaves_no_concomitant_phase() -> None:
    lobe = trapezoid(0, MS // 2, 10 * MS, MS // 2, amplitude=0.04)
    weak = trapezoid(0, MS // 2, 10 * MS, MS // 2, amplitude=0.01)
    until = 26.001e-3
    assert maxwell_matrix(spin_echo(lobe, lobe), until).abs().max().item() == pytest.approx(0.0, abs=1e-18)
    square = (0.04**2 - 0.01**2) * (0.010 + 2 * 0.0005 / 3)
    left = maxwell_matrix(spin_echo(lobe, weak), until)
    assert left[0, 0].item() == pytest.approx(-square, rel=1e-12)
    at = torch.tensor([0.0, 0.0, 0.1], dtype=torch.float64)
    expected = -PROTON_GAMMA_RAD_PER_S_T * square * 0.01 / 6.0
    assert concomitant_phase(left, at, field_strength=3.0).item() == pytest.approx(expected, rel=1e-12)


def test_the_field_that_a_gradient_brings_along_is_divergence_and_curl_free() -> None:
    """B_c is half the squared transverse field over B0: the transverse field of a gradient obeys Maxwell's laws."""
    gradient = torch.tensor([0.02, -0.03, 0.04], dtype=torch.float64)
    at = torch.tensor([0.05, 0.08, -0.11], dtype=torch.float64)
    gx, gy, gz = gradient
    x, y, z = at
    transverse = torch.stack([gx * z - gz * x / 2, gy * z - gz * y / 2])
    expected = PROTON_GAMMA_RAD_PER_S_T * transverse.square().sum() / (2 * 1.5)
    found = concomitant_phase(torch.outer(gradient, gradient), at, field_strength=1.5)
    assert found.item() == pytest.approx(expected.item(), rel=1e-12)


def test_the_moment_of_a_whole_sequence_is_its_dephasing() -> None:
    lobe = trapezoid(0, MS // 2, 10 * MS, MS // 2, amplitude=0.04)
    weak = trapezoid(0, MS // 2, 10 * MS, MS // 2, amplitude=0.01)
    effective = effective_waveform(spin_echo(lobe, weak), 26 * MS / TICKS)
    assert moments(effective, orders=(0,))[0, 0].item() == pytest.approx(-0.03 * 0.0105)


def test_what_would_not_be_exact_or_finite_is_refused() -> None:
    with pytest.raises(UsageError, match="GD-101"):
        moments(random_waveform(0), orders=(0, 5))
    edges, silent = torch.tensor([0.0, float("nan")], dtype=torch.float64), torch.zeros(1, 3, dtype=torch.float64)
    with pytest.raises(UsageError, match="GD-101"):
        Waveform(edges, silent, silent)


def test_impossible_times_are_refused() -> None:
    for duration, separation in ((0.02, 0.01), (0.0, 0.01), (float("nan"), 0.01)):
        with pytest.raises(InputError, match="GD-805"):
            RectangularPair().b(0.04, duration=duration, separation=separation)
    with pytest.raises(UsageError, match="GD-101"):
        CosineOscillation(100.0, 0.0375)
