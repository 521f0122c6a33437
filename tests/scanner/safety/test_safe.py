"""The SAFE filter against its definition, its torch twin, pypulseq, and the bugs it once had elsewhere."""

import math

import numpy as np
import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.base.sequence import Block, Lobe, Sequence, trapezoid
from gradatim.base.waveform import Waveform
from gradatim.scanner.safety.hardware import EXAMPLE_HARDWARE, SafeAxis, SafeHardware
from gradatim.scanner.safety.safe import Safe, low_pass


def walk(count: int, seed: int = 0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    steps = torch.randn(count, 3, generator=draw, dtype=torch.float64)
    return 1e-3 * steps.cumsum(0)


def by_definition(gradients: np.ndarray, step: float, hardware: SafeHardware) -> np.ndarray:
    """The recursion as it is written down, sample after sample."""
    found = np.zeros_like(gradients)
    for n, axis in enumerate(hardware.axes):
        slew = np.diff(gradients[:, n], prepend=0.0) / step
        y = [0.0, 0.0, 0.0]
        for i, s in enumerate(slew):
            for k, x in enumerate((s, abs(s), s)):
                alpha = step / (axis.time_constants[k] + step)
                y[k] = alpha * x + (1 - alpha) * y[k]
            stim = axis.weights[0] * abs(y[0]) + axis.weights[1] * y[1] + axis.weights[2] * abs(y[2])
            found[i, n] = 100 * axis.scale * stim / axis.limit
    return found


def test_kernel_and_twin_follow_the_definition():
    gradients = walk(301)
    expected = torch.from_numpy(by_definition(gradients.numpy(), 1e-5, EXAMPLE_HARDWARE))
    torch.testing.assert_close(Safe().of_samples(gradients).axes, expected, rtol=1e-12, atol=1e-12)
    twin = Safe().of_samples(gradients.clone().requires_grad_())
    torch.testing.assert_close(twin.axes.detach(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("count", [1, 2, 3, 15, 16, 17, 100])
def test_a_low_pass_in_rows_is_the_recursion(count):
    values = walk(count)[:, 0]
    y, expected = 0.0, []
    for x in values.tolist():
        y += 0.3 * (x - y)
        expected.append(y)
    found = low_pass(values, torch.tensor(0.3, dtype=torch.float64))
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=1e-13, atol=1e-16)


def test_its_gradient_is_that_of_finite_differences():
    gradients = walk(40).requires_grad_()
    safe = Safe(step=1e-4)
    assert torch.autograd.gradcheck(lambda g: safe.of_samples(g).excess(1.0), gradients, eps=1e-9, rtol=1e-5)
    assert torch.autograd.gradcheck(lambda g: safe.of_samples(g).axes, gradients, eps=1e-7, rtol=1e-5)


def test_the_excess_is_zero_where_nothing_is_over_and_has_a_gradient_in_silence():
    still = torch.zeros(20, 3, dtype=torch.float64, requires_grad=True)
    penalty = Safe().of_samples(still).excess()
    penalty.backward()
    assert float(penalty.detach()) == 0.0
    assert torch.isfinite(still.grad).all()


def test_the_first_sample_has_its_alpha():
    """Until 2023 the reference code lacked alpha on the first sample: a step of the gradient then began too high."""
    axis = SafeAxis((1.0, 0.0, 0.0), (1e-3, 1e-3, 1e-3), limit=1.0, threshold=0.8, scale=1.0)
    safe = Safe(SafeHardware("a test", axis, axis, axis), step=1e-5)
    first = safe.of_samples(torch.full((1, 3), 1e-5, dtype=torch.float64)).axes[0, 0]
    assert float(first) == pytest.approx(100 * 1e-5 / (1e-3 + 1e-5), rel=1e-13)


def test_the_scale_is_the_hardwares_and_not_one_over_pi():
    """Until 2021 the reference code divided by pi; a constant slew for long must give 100·scale·s/limit."""
    ramp = torch.arange(1, 60_001, dtype=torch.float64)[:, None] * torch.full((3,), 1e-5, dtype=torch.float64)
    found = Safe().of_samples(ramp).axes[-1]
    for axis, value in zip(EXAMPLE_HARDWARE.axes, found.tolist(), strict=True):
        assert value == pytest.approx(100 * axis.scale / axis.limit, rel=1e-9)
        assert value != pytest.approx(100 / math.pi / axis.limit, rel=0.02)


def test_stimulation_grows_with_the_gradient_and_knows_no_sign():
    gradients = walk(200)
    one, two = (Safe().of_samples(factor * gradients).axes for factor in (1.0, -2.0))
    torch.testing.assert_close(two, 2 * one, rtol=1e-12, atol=1e-12)


def sequence_of(*lobes: Lobe) -> Sequence:
    return Sequence(tuple(Block(2_000_000, lobes=(lobe, None, lobe)) for lobe in lobes))


def test_the_peak_of_a_stream_is_that_of_the_samples():
    lobes = [trapezoid(100_000 * i, 200_000 + 3_000 * i, 105_000, 210_000, amplitude=0.01 * (i - 2)) for i in range(5)]
    sequence = sequence_of(*lobes)
    safe = Safe()
    kept, stream = safe(sequence).peak, safe.peak(sequence)
    assert stream.total == pytest.approx(kept.total, rel=1e-9)
    assert stream.axes == pytest.approx(kept.axes, rel=1e-9)
    assert stream.time == kept.time
    assert str(stream).endswith("an estimate, not a clearance")


def test_a_waveform_may_be_differentiated_through_its_sampling():
    edges = torch.tensor([0.0, 1e-4, 3e-4, 4e-4], dtype=torch.float64)
    corner = torch.tensor([[0.0, 0, 0], [0.02, 0.01, 0.03], [0.02, 0.01, 0.03], [0, 0, 0]], dtype=torch.float64)

    def excess(values):
        return Safe()(Waveform(edges, values[:-1], values[1:])).excess(10.0)

    corner[1:3] += torch.tensor([[0.0], [0.001]], dtype=torch.float64)
    assert torch.autograd.gradcheck(excess, corner.requires_grad_(), eps=1e-9, rtol=1e-4)


def test_pypulseq_gives_the_same_of_the_same_gradients():
    peer = pytest.importorskip("pypulseq.utils.safe_pns_prediction")
    gradients = walk(3000, seed=3)
    found, _ = peer.safe_gwf_to_pns(gradients.numpy(), np.ones(len(gradients)), 1e-5, peer.safe_example_hw())
    expected = found[300 - 1 : 300 - 1 + len(gradients)]  # 3 ms of zeros were put before
    ours = Safe().of_samples(gradients).axes.numpy()
    np.testing.assert_allclose(ours, expected, rtol=1e-9)


@pytest.mark.parametrize("step", [0.0, -1e-5, math.nan, math.inf])
def test_an_impossible_step_is_refused(step):
    with pytest.raises(UsageError, match="GD-175"):
        Safe(step=step)


def test_a_step_that_would_fill_the_memory_is_refused_but_for_the_peak():
    with pytest.raises(UsageError, match="GD-175"):
        Safe(step=1e-13)(sequence_of(trapezoid(0, 10_000, 0, 10_000, amplitude=0.01)))


@pytest.mark.parametrize("gradients", [torch.zeros(4), torch.zeros(4, 2), torch.full((4, 3), math.nan)])
def test_what_is_no_gradient_is_refused(gradients):
    with pytest.raises(UsageError, match="GD-176"):
        Safe().of_samples(gradients)


@pytest.mark.parametrize(
    "change",
    [
        {"weights": (0.4, 0.1, 0.4)},
        {"weights": (1.4, -0.4, 0.0)},
        {"time_constants": (0.0, 1e-3, 1e-3)},
        {"time_constants": (math.nan, 1e-3, 1e-3)},
        {"limit": 0.0},
        {"threshold": -1.0},
        {"scale": math.inf},
    ],
)
def test_impossible_hardware_is_refused(change):
    good = {"weights": (0.4, 0.1, 0.5), "time_constants": (1e-3,) * 3, "limit": 30.0, "threshold": 24.0, "scale": 0.3}
    with pytest.raises(UsageError, match="GD-175"):
        SafeAxis(**{**good, **change})
