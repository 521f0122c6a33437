"""The noise's share of detail: what is left has the object's power, at every distance."""

import pytest
import torch
from torch import Tensor

from gradatim.radiomics.quiet import quieted

N = 20
AXIS = torch.arange(N) - (N - 1) / 2
BALL = AXIS[:, None, None] ** 2 + AXIS[:, None] ** 2 + AXIS**2 < 81


def drawn(seed: int, count: int = 1) -> Tensor:
    return torch.randn(count, N, N, N, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def texture(seed: int) -> Tensor:
    """A smooth random field of standard deviation 1."""
    k = torch.fft.fftfreq(N, dtype=torch.float64)
    square = k[:, None, None] ** 2 + k[:, None] ** 2 + k**2
    smooth = torch.fft.ifftn(torch.fft.fftn(drawn(seed)[0]) * torch.exp(-28.0 * square)).real
    return 5 + smooth / smooth[BALL].std()


def differences(values: Tensor, lag: int) -> float:
    """Mean squared difference of voxels of the ball that lie some steps apart along x."""
    both = BALL[lag:] & BALL[:-lag]
    return float(((values[lag:] - values[:-lag])[both] ** 2).mean())


def test_without_noise_nothing_changes() -> None:
    values = texture(1)
    torch.testing.assert_close(quieted(values, BALL, torch.zeros(1, N, N, N, dtype=torch.float64)), values)


def test_noise_alone_goes() -> None:
    quiet = quieted(3 + drawn(1)[0], BALL, drawn(2, 4))
    assert float(quiet[BALL].std()) < 0.25
    assert float(quiet[BALL].mean()) == pytest.approx(3 + float(drawn(1)[0][BALL].mean()), abs=0.01)


@pytest.mark.parametrize("lag", [1, 2, 3, 5])
@pytest.mark.parametrize("sigma", [0.25, 0.5])
def test_differences_are_those_of_the_object_at_every_distance(lag: int, sigma: float) -> None:
    # A Wiener filter would leave too little, the scan itself has 2σ² too much.
    found, expected, noisy = 0.0, 0.0, 0.0
    for seed in range(6):
        truth = texture(seed)
        scan = truth + sigma * drawn(50 + seed)[0]
        found += differences(quieted(scan, BALL, sigma * drawn(80 + seed, 3)), lag)
        expected, noisy = expected + differences(truth, lag), noisy + differences(scan, lag)
    assert abs(found - expected) < 0.15 * expected + 0.1 * (noisy - expected)


def test_only_the_part_counts_and_only_the_part_changes() -> None:
    values, noise = texture(3) + 0.5 * drawn(4)[0], 0.5 * drawn(5, 2)
    other = torch.where(BALL, values, 1e3 * values)
    first, second = quieted(values, BALL, noise), quieted(other, BALL, noise)
    torch.testing.assert_close(first[BALL], second[BALL])
    assert torch.equal(second[~BALL], other[~BALL])


def test_gain_and_level_pass_through_and_axes_are_alike() -> None:
    values, noise = texture(6) + 0.5 * drawn(7)[0], 0.5 * drawn(8, 2)
    expected = quieted(values, BALL, noise)
    torch.testing.assert_close(quieted(2 - 30 * values, BALL, 30 * noise), 2 - 30 * expected, rtol=1e-6, atol=1e-6)
    turned = quieted(values.permute(2, 0, 1).flip(1), BALL, noise.permute(0, 3, 1, 2).flip(2))
    torch.testing.assert_close(turned, expected.permute(2, 0, 1).flip(1), rtol=1e-6, atol=1e-6)


def test_a_single_voxel_and_a_plane_are_parts() -> None:
    lone = torch.zeros(3, 3, 3, dtype=torch.bool)
    lone[1, 1, 1] = True
    values = torch.rand(3, 3, 3, dtype=torch.float64)
    torch.testing.assert_close(quieted(values, lone, torch.rand(2, 3, 3, 3, dtype=torch.float64)), values)
    plane = quieted(drawn(1)[0][:, :, :1], BALL[:, :, 9:10], drawn(2, 4)[..., :1])
    assert float(plane[BALL[:, :, 9:10]].std()) < 0.6
