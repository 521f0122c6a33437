"""The camera's gain from its noise, on simulated frames whose gain is known."""

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import GradatimError
from gradatim.restore.microscopy.photon_transfer import PhotonTransfer
from gradatim.restore.microscopy.poisson_noise import mean_deviance


def frame(gain: float, offset: float, read: float, shape: tuple[int, ...] = (256, 256)) -> Tensor:
    seed = torch.Generator().manual_seed(1)
    x, y = torch.meshgrid(*(torch.linspace(0, 6, n) for n in shape[:2]), indexing="ij")
    light = 60 * (1.2 + torch.sin(x) * torch.cos(y))
    light = light if len(shape) == 2 else light[..., None].expand(shape)
    return (
        gain * torch.poisson(light.double(), generator=seed)
        + offset
        + read * torch.randn(shape, dtype=torch.float64, generator=seed)
    )


@pytest.mark.parametrize(("gain", "offset", "read"), [(1.0, 0.0, 0.0), (2.3, 100.0, 4.0), (0.45, 20.0, 1.5)])
@pytest.mark.parametrize("shape", [(256, 256), (128, 128, 4)])
def test_gain_and_intercept_are_the_cameras(gain: float, offset: float, read: float, shape: tuple[int, ...]) -> None:
    image = frame(gain, offset, read, shape)
    camera = PhotonTransfer.of(image)
    assert camera.gain == pytest.approx(gain, rel=0.08)
    photons = camera.photons(image)
    background = camera.background(offset)
    assert background == pytest.approx((read / gain) ** 2, abs=4.0)
    assert float((photons - background).mean()) == pytest.approx(72.0, rel=0.15)


def test_photons_have_their_mean_as_variance() -> None:
    camera = PhotonTransfer(gain=2.0, intercept=25.0 - 2.0 * 100.0)
    seed = torch.Generator().manual_seed(2)
    many = 2.0 * torch.poisson(torch.full((200_000,), 30.0), generator=seed) + 100.0
    photons = camera.photons(many + 5.0 * torch.randn(200_000, generator=seed))
    assert float(photons.var()) == pytest.approx(float(photons.mean()), rel=0.02)
    assert float(photons.mean()) - camera.background(100.0) == pytest.approx(30.0, rel=0.01)
    assert float(camera.units(torch.tensor(3.0))) == 6.0


@pytest.mark.parametrize(
    "make",
    [
        lambda: PhotonTransfer.of(torch.zeros(2, 2)),
        lambda: PhotonTransfer.of(torch.zeros(20, 20)),
        lambda: PhotonTransfer.of(frame(0.0, 0.0, 5.0) + 100 * torch.linspace(0, 1, 256, dtype=torch.float64)),
    ],
)
def test_noise_that_says_nothing_is_refused(make) -> None:
    with pytest.raises(GradatimError) as caught:
        make()
    assert caught.value.code == "GD-672"


@pytest.mark.parametrize("mean", [0.05, 0.7, 1.5, 8.0, 2000.0])
def test_the_mean_deviance_is_that_of_drawn_counts(mean: float) -> None:
    counts = torch.poisson(
        torch.full((400_000,), mean, dtype=torch.float64), generator=torch.Generator().manual_seed(3)
    )
    deviance = 2 * (torch.xlogy(counts, counts / mean) - counts + mean)
    error = float(deviance.std()) / 400_000**0.5
    assert float(mean_deviance(torch.tensor(mean))) == pytest.approx(float(deviance.mean()), abs=4 * error)
