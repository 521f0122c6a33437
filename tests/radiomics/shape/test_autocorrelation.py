"""Moran's I and Geary's C by spectra against the double sum over all pairs."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gradatim.radiomics.shape import autocorrelation as module
from gradatim.radiomics.shape.autocorrelation import Spacing, autocorrelation

SPACINGS: list[Spacing] = [(1.0, 1.0, 1.0), (0.5, 0.5, 2.0), (0.9, 1.3, 0.4)]


def by_pairs(values: Tensor, mask: Tensor, spacing: Spacing) -> tuple[float, float]:
    places = mask.nonzero().double() * torch.tensor(spacing, dtype=torch.float64)
    x = values[mask]
    n, d = len(x), x - x.mean()
    distance = (places[:, None] - places).norm(dim=2)
    weights = torch.where(distance > 0, 1 / distance, 0.0)
    moran = n / weights.sum() * (weights * d[:, None] * d).sum() / (d * d).sum()
    geary = (n - 1) / (2 * weights.sum()) * (weights * (x[:, None] - x) ** 2).sum() / (d * d).sum()
    return float(moran), float(geary)


@settings(max_examples=60)
@given(
    st.tuples(*[st.integers(1, 7)] * 3).filter(lambda n: n != (1, 1, 1)),
    st.sampled_from(SPACINGS),
    st.integers(0, 1000),
    st.sampled_from([0.0, 1e4]),
)
def test_it_is_the_sum_over_all_pairs(size: tuple[int, int, int], spacing: Spacing, seed: int, offset: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(size, generator=generator, dtype=torch.float64) + offset
    mask = torch.rand(size, generator=generator) < 0.7
    mask.view(-1)[:2] = True
    found = autocorrelation(values, mask, spacing=spacing)
    moran, geary = by_pairs(values, mask, spacing)
    assert float(found.moran) == pytest.approx(moran, abs=1e-10)
    assert float(found.geary) == pytest.approx(geary, abs=1e-10)


def test_blocks_of_planes_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    values = torch.randn(9, 8, 11, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    mask = values > -0.5
    whole = autocorrelation(values, mask, spacing=(1.0, 1.0, 2.0))
    monkeypatch.setattr(module, "BLOCK", 1)
    parts = autocorrelation(values, mask, spacing=(1.0, 1.0, 2.0))
    assert float(parts.moran) == pytest.approx(float(whole.moran), rel=1e-12)
    assert float(parts.geary) == pytest.approx(float(whole.geary), rel=1e-12)


def test_gain_offset_and_size_of_the_grid_do_not_matter() -> None:
    values = torch.randn(6, 7, 8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    mask = torch.ones_like(values, dtype=torch.bool)
    here = autocorrelation(values, mask, spacing=(1.0, 1.0, 2.0))
    there = autocorrelation(-3 * values + 40, mask, spacing=(0.5, 0.5, 1.0))
    assert float(there.moran) == pytest.approx(float(here.moran), rel=1e-10)
    assert float(there.geary) == pytest.approx(float(here.geary), rel=1e-10)


def test_a_ramp_is_alike_and_a_chessboard_unlike_its_neighbours() -> None:
    x, y, z = torch.meshgrid(*[torch.arange(8.0, dtype=torch.float64)] * 3, indexing="ij")
    whole = torch.ones(8, 8, 8, dtype=torch.bool)
    ramp, board = (autocorrelation(v, whole, spacing=(1.0, 1.0, 1.0)) for v in (x, (x + y + z) % 2))
    by_chance = -1 / (8**3 - 1)
    assert float(ramp.moran) > by_chance > float(board.moran)
    assert float(ramp.geary) < 1 < float(board.geary)


@pytest.mark.parametrize("values", [[0.1], [0.1, 0.1, 0.1]])
def test_one_or_equal_intensities_have_none(values: list[float]) -> None:
    line = torch.tensor(values, dtype=torch.float64).view(-1, 1, 1)
    found = autocorrelation(line, torch.ones_like(line, dtype=torch.bool), spacing=(1.0, 1.0, 1.0))
    assert found.moran.isnan()
    assert found.geary.isnan()


@pytest.mark.gpu
def test_the_device_does_not_matter() -> None:
    values = torch.randn(20, 21, 22, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    mask = values > -1
    here = autocorrelation(values, mask, spacing=(1.0, 1.0, 2.0))
    there = autocorrelation(values.cuda(), mask.cuda(), spacing=(1.0, 1.0, 2.0))
    assert float(there.moran) == pytest.approx(float(here.moran), rel=1e-10)
    assert float(there.geary) == pytest.approx(float(here.geary), rel=1e-10)
