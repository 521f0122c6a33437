"""A sum that no number of threads changes."""

import math

import pytest
import torch

from gradatim.radiomics.total import ROW, total


@pytest.mark.parametrize("count", [0, 1, ROW - 1, ROW, 3 * ROW + 7])
def test_the_sum_is_right(count: int) -> None:
    values = torch.rand(count, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) - 0.5
    assert float(total(values)) == pytest.approx(math.fsum(values.tolist()), abs=1e-11)


def test_whole_numbers_and_single_precision_are_summed_in_double_precision() -> None:
    assert float(total(torch.full((3, ROW), 16777217, dtype=torch.int32))) == 3 * ROW * 16777217
    assert float(total(torch.full((2, ROW), 0.1))) == pytest.approx(2 * ROW * float(torch.tensor(0.1)), rel=1e-14)


def test_the_number_of_threads_changes_no_bit() -> None:
    values = torch.randn(300_001, dtype=torch.float64, generator=torch.Generator().manual_seed(3)).square()
    before, found = torch.get_num_threads(), set()
    try:
        for threads in (1, 2, 3, 4, 8):
            torch.set_num_threads(threads)
            found.add(float(total(values)))
    finally:
        torch.set_num_threads(before)
    assert len(found) == 1


def test_the_sum_is_differentiable() -> None:
    values = torch.rand(5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(total, (values,))
