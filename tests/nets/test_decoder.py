"""The decoder draws any size, from its seed alone, and has no grid of its own."""

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.nets.decoder import Decoder


@pytest.mark.parametrize("shape", [(33, 20), (1, 7), (48, 48), (9, 6, 5)])
def test_any_size_in_two_and_three_dimensions(shape: tuple[int, ...]) -> None:
    decoder = Decoder(shape, channels=2, width=4, levels=2)
    found = decoder(decoder.features())
    assert found.shape == (2, *shape)
    assert bool(torch.isfinite(found).all())


def test_a_batch_is_a_loop() -> None:
    decoder = Decoder((10, 12), width=4, levels=2)
    features = torch.randn(3, *decoder.coarse, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(decoder(features), torch.stack([decoder(each) for each in features]))


def test_the_seed_alone_decides() -> None:
    before = torch.random.get_rng_state()
    first, again, other = (Decoder((8, 8), width=4, levels=1, seed=seed).state_dict() for seed in (3, 3, 4))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["mixes.0.weight"], other["mixes.0.weight"])


def test_the_default_is_small() -> None:
    assert 20_000 < sum(each.numel() for each in Decoder((64, 64)).parameters()) < 60_000


def test_flat_features_are_drawn_without_a_checkerboard() -> None:
    """Each level keeps what is constant constant, edges too; a strided transposed convolution prints its grid."""
    decoder = Decoder((21, 30), width=6, levels=3).double()
    with torch.no_grad():
        for name, each in decoder.named_parameters():
            if name.startswith("norms") and name.endswith("bias"):
                each.copy_(torch.linspace(-1, 1, 6))
        found = decoder(torch.ones(decoder.coarse, dtype=torch.float64))
        strided = torch.nn.ConvTranspose2d(6, 1, 3, stride=2).double()(torch.ones(1, 6, 8, 8, dtype=torch.float64))
    assert float(found.std()) < 1e-6  # rounding, which each normalisation of a flat channel divides by √1e-5
    assert float(strided.std()) > 1e-2


def test_gradients_are_right() -> None:
    decoder = Decoder((5, 4), width=2, levels=1).double()
    features = decoder.features(seed=1).requires_grad_()
    assert torch.autograd.gradcheck(decoder, (features,))


@pytest.mark.parametrize("shape", [(8,), (8, 8, 8, 8), (8, 0)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="GD-101"):
        Decoder(shape)


def test_features_of_another_shape_are_refused() -> None:
    with pytest.raises(UsageError, match="GD-103"):
        Decoder((8, 8), width=4, levels=1)(torch.zeros(4, 3, 3))
