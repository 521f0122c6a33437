"""Root mean square gradients against sums of dense samples."""

import math

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.base.sequence import Block, Sequence, trapezoid
from gradatim.scanner.safety.gradient_load import GradientLoad


def train() -> Sequence:
    shapes = [(0.02, 300_000), (0.03, 100_000), (-0.01, 700_000), (0.025, 200_000)]
    blocks = [
        Block(1_500_000, lobes=(trapezoid(0, 100_000, flat, 150_000, amplitude=g), None, None)) for g, flat in shapes
    ]
    return Sequence(tuple(blocks))


@pytest.mark.parametrize("window", [0.4e-3, 1.5e-3, 4e-3, 6e-3, 20e-3])
def test_it_is_the_largest_of_dense_windows(window):
    sequence = train()
    step = 1e-6
    times = (torch.arange(round(sequence.duration / 1000), dtype=torch.float64) + 0.5) * step
    square = torch.cat([torch.zeros(1).double(), sequence.waveform.at(times)[:, 0].square().cumsum(0) * step])
    width = round(window / step)
    padded = torch.nn.functional.pad(square[None, None], (width, width), mode="replicate")[0, 0]
    dense = float((padded[width:] - padded[:-width]).max() / window) ** 0.5
    found = GradientLoad(window)(sequence)
    assert float(found[0]) == pytest.approx(dense, rel=1e-5)
    assert found[1:].tolist() == [0.0, 0.0]


def test_a_steady_train_has_the_mean_square_of_one_lobe():
    lobe = trapezoid(0, 100_000, 300_000, 100_000, amplitude=0.03)
    sequence = Sequence((Block(1_000_000, lobes=(None, lobe, None)),) * 20)
    expected = 0.03 * math.sqrt((0.3 + 2 * 0.1 / 3) / 1.0)
    assert float(GradientLoad(5e-3)(sequence)[1]) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("window", [0.0, -1.0, math.nan, math.inf])
def test_an_impossible_window_is_refused(window):
    with pytest.raises(UsageError, match="GD-175"):
        GradientLoad(window)
