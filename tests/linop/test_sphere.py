import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.linop.sphere import spherical_mean

SHAPE, SPACING = (32, 40, 24), (1.0, 0.8, 1.6)


def _kernel(radius_mm, shape=SHAPE, spacing=SPACING):
    return torch.fft.irfftn(spherical_mean(shape, spacing, radius_mm=radius_mm).symbol, s=shape)


@pytest.mark.parametrize("radius", [0.1, 1.0, 3.3, 8.0])
def test_kernel_is_a_mean(radius):
    kernel = _kernel(radius)
    assert kernel.sum().item() == pytest.approx(1.0, abs=1e-12)
    assert kernel.min().item() > -1e-15


def test_kernel_has_the_volume_of_the_sphere():
    """The central weight is voxel volume over sphere volume; 8³ points a voxel give 0.2 %."""
    volume = 4 / 3 * torch.pi * 8.0**3
    assert _kernel(8.0)[0, 0, 0].item() == pytest.approx(1.0 * 0.8 * 1.6 / volume, rel=2e-3)


def test_kernel_is_round_on_anisotropic_voxels():
    """Second moments along the axes equal R²/5 plus the variance of the voxel's own box, h²/12."""
    kernel = _kernel(9.0)
    for axis, (n, h) in enumerate(zip(SHAPE, SPACING, strict=True)):
        position = (torch.fft.fftfreq(n, dtype=torch.float64) * n * h).view([-1 if i == axis else 1 for i in range(3)])
        assert (kernel * position**2).sum().item() == pytest.approx(9.0**2 / 5 + h**2 / 12, rel=3e-3)


def test_small_sphere_is_the_voxel_itself():
    x = torch.randn(SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(spherical_mean(SHAPE, SPACING, radius_mm=0.3).apply(x), x)


def test_harmonic_field_keeps_its_value():
    x, y, z = torch.meshgrid(
        *((torch.arange(n, dtype=torch.float64) - n // 2) * h for n, h in zip(SHAPE, SPACING, strict=True)),
        indexing="ij",
    )
    harmonic = x * y + 2 * z + x * z - 3 * y + (x**2 + y**2 - 2 * z**2)
    mean = spherical_mean(SHAPE, SPACING, radius_mm=6.0).apply(harmonic)
    inner = (slice(8, -8), slice(10, -10), slice(6, -6))
    # the voxel's box adds h²/12 along each axis, which does not cancel on anisotropic voxels
    box = sum(c * h**2 / 12 for c, h in zip((1, 1, -2), SPACING, strict=True))
    torch.testing.assert_close(mean[inner] - box, harmonic[inner], rtol=0, atol=0.01 * 6.0**2 / 5)


@pytest.mark.parametrize("radius", [0.0, -1.0, float("nan"), 20.0])
def test_impossible_radius_is_refused(radius):
    with pytest.raises(UsageError, match="GD-101"):
        spherical_mean(SHAPE, SPACING, radius_mm=radius)
