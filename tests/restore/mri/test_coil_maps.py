"""Coil maps against coils that are known, and what every set of maps promises."""

from pathlib import Path

import numpy as np
import pytest
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.restore.mri.coil_maps import CoilMaps, Espirit, LowResolutionMaps, calibration_region
from gradatim.restore.mri.kspace import KSpace
from tests.restore.mri.coils import coils, head, pattern, scan

SHAPE = (48, 44)
METHODS = [Espirit(calibration=20, kernel=5), LowResolutionMaps(calibration=20)]


def similarity(found: CoilMaps, true: torch.Tensor) -> torch.Tensor:
    """|⟨found, true⟩| / ‖true‖ at every voxel, 1 where they agree but for a phase."""
    return (found.maps.conj() * true).sum(dim=0).abs() / torch.linalg.vector_norm(true, dim=0)


def test_espirit_finds_the_coils() -> None:
    true, image = coils(SHAPE), head(SHAPE)
    found = Espirit(calibration=20, kernel=5)(scan(image, true, torch.ones(SHAPE, dtype=torch.bool)))
    assert float((1 - similarity(found, true))[image.abs() > 0].max()) < 1e-3


def test_espirit_is_better_than_a_quotient_of_images() -> None:
    true, image = coils(SHAPE), head(SHAPE)
    kspace = scan(image, true, pattern(SHAPE, share=0.3, middle=20), noise=0.005)
    worst = [float((1 - similarity(method(kspace), true))[image.abs() > 0].mean()) for method in METHODS]
    assert worst[0] < worst[1]


def test_espirit_in_three_dimensions() -> None:
    shape = (20, 18, 16)
    true, image = coils(shape), head(shape)
    found = Espirit(calibration=12, kernel=3)(scan(image, true, torch.ones(shape, dtype=torch.bool)))
    assert float((1 - similarity(found, true))[image.abs() > 0].mean()) < 1e-2


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_maps_have_length_one_where_they_are(method: Espirit | LowResolutionMaps) -> None:
    found = method(scan(head(SHAPE), coils(SHAPE), pattern(SHAPE, share=0.3, middle=20)))
    length = torch.linalg.vector_norm(found.maps, dim=0)
    assert torch.allclose(length[length > 0], torch.ones((), dtype=torch.float64), atol=1e-12)
    assert bool((length[head(SHAPE).abs() > 0] > 0).all())
    assert float(found.trust.max()) <= 1 + 1e-12


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_the_virtual_coil_has_phase_zero(method: Espirit | LowResolutionMaps) -> None:
    kspace = scan(head(SHAPE), coils(SHAPE), torch.ones(SHAPE, dtype=torch.bool))
    found = method(kspace)
    data = calibration_region(kspace, edge=20).flatten(1)
    strongest = torch.linalg.eigh(data @ data.conj().T).eigenvectors[:, -1]
    virtual = torch.einsum("c,cxy->xy", strongest.conj(), found.maps)
    assert float(virtual.imag.abs().max()) < 1e-12
    assert float(virtual.real.min()) >= 0


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_only_the_middle_matters(method: Espirit | LowResolutionMaps) -> None:
    image, true = head(SHAPE), coils(SHAPE)
    middle = torch.zeros(SHAPE, dtype=torch.bool)
    middle[14:34, 12:32] = True
    some, all_ = (method(scan(image, true, mask)) for mask in (middle, torch.ones(SHAPE, dtype=torch.bool)))
    assert torch.allclose(some.maps, all_.maps, atol=1e-12)


def test_data_lie_in_the_span_of_the_maps() -> None:
    kspace = scan(head(SHAPE), coils(SHAPE), torch.ones(SHAPE, dtype=torch.bool))
    maps, images = Espirit(calibration=20, kernel=5, crop=0.0)(kspace).maps, kspace.coil_images
    projected = maps * (maps.conj() * images).sum(dim=0)
    assert float((projected - images).norm() / images.norm()) < 1e-2


def test_the_middle_is_the_largest_box() -> None:
    mask = torch.zeros(32, 30, dtype=torch.bool)
    mask[16 - 6 : 16 + 5, 15 - 10 : 15 + 12] = True
    kspace = KSpace(torch.ones(1, 32, 30) * mask + 0j, mask)
    assert calibration_region(kspace, edge=24).shape == (1, 10, 21)
    assert calibration_region(kspace, edge=10).shape == (1, 10, 10)


def test_too_small_a_middle_is_refused() -> None:
    with pytest.raises(InputError, match="GD-682"):
        Espirit()(scan(head(SHAPE), coils(SHAPE), pattern(SHAPE, share=0.1, middle=6)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Espirit(kernel=1),
        lambda: Espirit(calibration=8, kernel=6),
        lambda: Espirit(threshold=0.0),
        lambda: Espirit(crop=1.0),
        lambda: LowResolutionMaps(calibration=4),
        lambda: LowResolutionMaps(crop=-0.1),
    ],
)
def test_parameters_out_of_range(make) -> None:
    with pytest.raises(UsageError, match="GD-101"):
        make()


def test_a_real_brain(shared: Path) -> None:
    file = shared / "data/restore/sigpy_tutorial/cartesian_ksp.npy"
    if not file.is_file():
        pytest.skip("the 8-coil brain is not among the reference data")
    kspace = KSpace.measured(torch.from_numpy(np.load(file, allow_pickle=False)))
    found = Espirit()(kspace)
    middle = calibration_region(kspace, edge=24)
    taken = kspace.only(_box(kspace.shape, middle.shape[1:]))
    images = taken.coil_images
    inside = found.trust >= 0.9
    projected = found.maps * (found.maps.conj() * images).sum(dim=0)
    missed = (projected - images)[:, inside].norm() / images[:, inside].norm()
    assert 0.4 < float(inside.float().mean()) < 0.9
    assert float(missed.square()) < 0.005  # one map a coil explains the data but for noise
    assert float(found.trust.max()) < 1 + 1e-5


def _box(shape: tuple[int, ...], size: torch.Size) -> torch.Tensor:
    mask = torch.zeros(shape, dtype=torch.bool)
    mask[tuple(slice(n // 2 - m // 2, n // 2 - m // 2 + m) for n, m in zip(shape, size, strict=True))] = True
    return mask
