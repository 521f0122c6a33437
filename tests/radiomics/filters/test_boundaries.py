"""What a filter sees beyond the edge, against NumPy's padding; stencils, against sums by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradatim.radiomics.filters.boundary import Boundary, Mirror, Nearest, Periodic, Zero, extended
from gradatim.radiomics.filters.stencil import BLOCK, Stencil, product

PADDING = {Zero(): "constant", Nearest(): "edge", Periodic(): "wrap", Mirror(): "symmetric"}

boundaries = st.sampled_from(list(PADDING))
taps = st.lists(st.floats(-2, 2), min_size=1, max_size=9).map(tuple)
offsets = st.integers(-12, 12)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("boundary", PADDING)
@pytest.mark.parametrize("widths", [((0, 0), (1, 2), (3, 0)), ((9, 11), (0, 25), (4, 4))])
def test_an_extended_image_is_the_padded_one(boundary: Boundary, widths: tuple[tuple[int, int], ...]) -> None:
    x = noise(3, 4, 5)
    assert np.array_equal(extended(x, boundary, widths).numpy(), np.pad(x.numpy(), widths, mode=PADDING[boundary]))


@given(taps=taps, first=offsets, boundary=boundaries, size=st.integers(1, 14), axis=st.integers(0, 2))
def test_a_stencil_is_a_weighted_sum_of_neighbours(
    taps: tuple[float, ...], first: int, boundary: Boundary, size: int, axis: int
) -> None:
    x = noise(2, 3, size).movedim(2, axis)
    before, behind = max(0, -first), max(0, first + len(taps) - 1)
    widths = [(before, behind) if other == axis else (0, 0) for other in range(3)]
    padded = np.pad(x.numpy(), widths, mode=PADDING[boundary])
    expected = sum(tap * padded.take(np.arange(size) + before + first + k, axis=axis) for k, tap in enumerate(taps))
    assert np.allclose(Stencil(taps, first).along(x, axis=axis, boundary=boundary).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("boundary", PADDING)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_blocks_of_long_lines_meet(boundary: Boundary, axis: int) -> None:
    x = noise(2, 3, 2 * BLOCK + 7).movedim(2, axis)
    widths = [(1, 2) if other == axis else (0, 0) for other in range(3)]
    padded = np.pad(x.numpy(), widths, mode=PADDING[boundary])
    expected = sum(
        tap * padded.take(np.arange(x.shape[axis]) + k, axis=axis) for k, tap in enumerate((1.0, 2.0, -3.0, 0.5))
    )
    found = Stencil((1.0, 2.0, -3.0, 0.5), -1).along(x, axis=axis, boundary=boundary)
    assert np.allclose(found.numpy(), expected, atol=1e-12)


@given(one=taps, other=taps, first=offsets, second=offsets)
def test_stencils_add_and_follow_each_other(
    one: tuple[float, ...], other: tuple[float, ...], first: int, second: int
) -> None:
    a, b, x = Stencil(one, first), Stencil(other, second), noise(40)

    def run(stencil: Stencil, values: torch.Tensor) -> torch.Tensor:
        return stencil.along(values, axis=0, boundary=Periodic())

    assert torch.allclose(run(a.plus(b), x), run(a, x) + run(b, x), atol=1e-10)
    assert torch.allclose(run(a.after(b), x), run(a, run(b, x)), atol=1e-10)
    assert torch.allclose(run(a.mirrored, x), run(a, x.flip(0)).flip(0), atol=1e-10)
    assert torch.allclose(run(a.times(-0.5), x), -0.5 * run(a, x), atol=1e-10)


def test_a_product_leaves_axes_without_stencil() -> None:
    x = noise(4, 4, 4)
    shifts = (Stencil((1.0,), 1), Stencil((1.0,), -1))
    assert torch.equal(product(x, shifts, boundary=Periodic()), x.roll((-1, 1), (0, 1)))
