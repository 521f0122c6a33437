"""Pictures of sequences: what is played is drawn, in the window that was asked, and nothing says nothing."""

import math

import pytest
import torch

from gradatim.base.errors import InputError
from gradatim.base.sequence import Block, Pulse, PulseUse, Readout, Sequence, trapezoid
from gradatim.report.picture import png
from gradatim.report.sequence_plot import SequencePlot


def played(repetitions: int = 3) -> Sequence:
    """Excitation, growing lobe, readout; then idle."""
    edges = torch.tensor([0, 100_000, 200_000])
    pulse = Pulse(100_000, edges, torch.tensor([1e-6, -2e-6], dtype=torch.complex128), 100_000)
    blocks = []
    for index in range(repetitions):
        lobe = trapezoid(0, 100_000, 800_000, 100_000, amplitude=0.01 * (index + 1))
        blocks += [
            Block(400_000, pulse),
            Block(1_000_000, lobes=(lobe, None, None), readout=Readout(100_000, 10_000, 80)),
            Block(5_000_000),
        ]
    return Sequence(tuple(blocks), definitions={"Name": "growing"})


def test_the_picture_is_the_same_for_the_same_sequence_and_names_it() -> None:
    one, other = (SequencePlot()(played()) for _ in range(2))
    assert one.data == other.data
    assert "growing" in one.caption
    for word in (b"Gx (mT/m)", b"phase (rad)", b"ADC", b"kx (1/m)"):
        assert word in one.data


def test_the_repetition_with_the_most_gradient_is_shown_to_its_last_event() -> None:
    assert "from 12.8 to 14.2 ms" in SequencePlot()(played()).caption


def test_a_window_is_kept() -> None:
    assert "from 1 to 3 ms" in SequencePlot(window=(1e-3, 3e-3))(played()).caption


def test_pictures_of_points_are_png_where_asked() -> None:
    assert SequencePlot(encode=png)(played()).mime == "image/png"


def test_sequences_without_excitation_or_readout_are_drawn_whole() -> None:
    lobe = trapezoid(0, 100_000, 800_000, 100_000, amplitude=0.01)
    silent = Sequence((Block(2_000_000, lobes=(None, lobe, None)),))
    assert "from 0 to 1 ms" in SequencePlot()(silent).caption
    pulse = Pulse(0, torch.tensor([0, 1000]), torch.ones(1, dtype=torch.complex128), 500, use=PulseUse.INVERSION)
    assert "from 0 to 0.001 ms" in SequencePlot()(Sequence((Block(5000, pulse),))).caption


@pytest.mark.parametrize("window", [(1.0, 1.0), (2.0, 1.0), (math.nan, 1.0)])
def test_an_empty_window_is_refused(window) -> None:
    with pytest.raises(InputError) as refused:
        SequencePlot(window=window)(played())
    assert refused.value.code == "GD-825"


def test_a_sequence_that_plays_nothing_is_refused() -> None:
    with pytest.raises(InputError) as refused:
        SequencePlot()(Sequence((Block(1000),)))
    assert refused.value.code == "GD-825"
