"""Overlapping cosine blocks against scipy's transform of each block, and what a tight frame promises."""

from types import ModuleType

import pytest
import scipy.fft
import torch

from gradatim.base.errors import UsageError
from gradatim.linop.local_cosines import LocalCosines

FRAMES = [LocalCosines((6, 5), 4), LocalCosines((4, 5, 3), 2), LocalCosines((7, 1, 6), 3)]
LAWS = [
    "linearity",
    "adjointness",
    "norm_is_a_bound",
    "first_gradient",
    "double_backward",
    "batch_is_a_loop",
    "gradcheck",
]


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: str(frame.shape))
def test_laws(laws: ModuleType, frame: LocalCosines, law: str) -> None:
    getattr(laws, law)(frame)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: str(frame.shape))
@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
def test_a_tight_frame_gives_the_image_back(frame: LocalCosines, dtype: torch.dtype) -> None:
    x = torch.randn(2, *frame.shape, dtype=dtype, generator=torch.Generator().manual_seed(1))
    c = frame.apply(x)
    assert torch.allclose(frame.adjoint(c), x, atol=1e-14)
    assert float(c.abs().square().sum()) == pytest.approx(float(x.abs().square().sum()), rel=1e-13)
    assert frame.norm_bound() == 1.0


def test_each_block_is_scipys_transform() -> None:
    x = torch.randn(6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    c = LocalCosines((6, 5), 4).apply(x)
    for i, j in ((0, 0), (1, 0), (4, 3)):
        block = x.roll((-i, -j), (0, 1))[:4, :4].numpy()
        expected = torch.from_numpy(scipy.fft.dctn(block, norm="ortho")) / 4.0
        assert torch.allclose(c[:, i, j].view(4, 4), expected, atol=1e-14)


def test_only_the_first_coefficient_sees_a_constant() -> None:
    c = LocalCosines((5, 6, 4), 3).apply(torch.full((5, 6, 4), 2.0, dtype=torch.float64))
    assert torch.allclose(c[0], torch.full((5, 6, 4), 2.0, dtype=torch.float64))
    assert float(c[1:].abs().max()) < 1e-14


def test_its_symbol_is_what_it_does() -> None:
    frame = LocalCosines((6, 5), 4)
    x = torch.randn(6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    y = frame.apply(x)
    assert torch.allclose(frame.adjoint_spectrum(y), torch.fft.rfftn(x) * frame.gram_symbol(x), atol=1e-13)
    assert torch.equal(frame.forward_from(torch.fft.rfftn(x), x), y)


@pytest.mark.parametrize(("shape", "size"), [((6, 5), 6), ((6, 5), 1), ((1, 1), 2)])
def test_sizes_that_do_not_fit_are_refused(shape: tuple[int, ...], size: int) -> None:
    with pytest.raises(UsageError, match="GD-101"):
        LocalCosines(shape, size)
