"""Tiles give the whole image's result: exactly for local methods, and for total variation by sweeps."""

from pathlib import Path

import numpy as np
import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.restore.denoise import Denoising
from gradatim.restore.local_cosine import LocalCosine
from gradatim.restore.sharpen import UnsharpMask
from gradatim.restore.sweeps import SweptTotalVariation
from gradatim.restore.tiles import Tiled, windows
from gradatim.restore.total_variation import TotalVariationDenoising
from gradatim.solve.stopping import IterationBound, SmallGap
from tests.restore.pictures import grey, noisy

LOCAL = [
    (UnsharpMask(1.5, 0.7), UnsharpMask(1.5).reach),
    (Denoising(LocalCosine(), noise=20.0), LocalCosine().reach),
    (Denoising(LocalCosine(size=4), noise=20.0), LocalCosine(size=4).reach),
]


@pytest.mark.parametrize(("method", "halo"), LOCAL)
@pytest.mark.parametrize("tile", [(32, 32), (50, 17), (200, 200)])
def test_local_methods_are_exact(method: UnsharpMask | Denoising, halo: int, tile: tuple[int, int]) -> None:
    image = noisy(grey("camera", 70), 20.0)
    found = method(image)
    whole = found if isinstance(found, torch.Tensor) else found.value
    tiled = Tiled(method, tile, halo)(image.numpy(), out=np.empty((70, 70), np.float32))
    assert np.abs(tiled - whole.numpy()).max() < 1e-5 * 255


def test_less_halo_than_the_reach_is_seen() -> None:
    image = noisy(grey("camera", 70), 20.0)
    method, halo = LOCAL[1]
    tiled = Tiled(method, (32, 32), halo - 6)(image.numpy(), out=np.empty((70, 70), np.float32))
    assert np.abs(tiled - method(image).value.numpy()).max() > 1e-3


def test_total_variation_comes_near_with_a_wide_halo() -> None:
    image = noisy(grey("camera", 96), 20.0).double()
    method = TotalVariationDenoising(noise=20.0, weight=14.0, rule=IterationBound(5000) | SmallGap(1e-6))
    whole = method(image).value.numpy()
    away = [
        np.abs(Tiled(method, (48, 48), halo)(image.numpy(), out=np.empty((96, 96))) - whole).mean() for halo in (2, 24)
    ]
    assert away[1] < 0.1 * away[0]
    assert away[1] < 0.05


def test_channels_stay_together_and_files_on_disk_will_do(tmp_path: Path) -> None:
    shape = (2, 3, 40, 30)
    source = np.memmap(tmp_path / "in", np.float32, "w+", shape=shape)
    source[:] = np.random.default_rng(0).random(shape)
    out = np.memmap(tmp_path / "out", np.float32, "w+", shape=shape)
    seen: list[tuple[int, ...]] = []

    def method(part: torch.Tensor) -> torch.Tensor:
        seen.append(tuple(part.shape))
        return 2.0 * part

    Tiled(method, (16, 30), (4, 0))(source, out=out)
    assert np.allclose(out, 2.0 * source)
    assert seen == [(2, 3, 20, 30), (2, 3, 24, 30), (2, 3, 12, 30)]


def test_windows_cover_everything_once() -> None:
    count = np.zeros((2, 11, 7), int)
    for inner, outer in windows((2, 11, 7), (4, 3), (1, 2)):
        count[inner] += 1
        assert all(o.start <= i.start and i.stop <= o.stop for i, o in zip(inner, outer, strict=True))
    assert (count == 1).all()


def test_parameters_that_would_differ_from_tile_to_tile_are_refused() -> None:
    for method in (Denoising(), TotalVariationDenoising(noise=3.0)):
        with pytest.raises(UsageError, match="GD-104"):
            Tiled(method, (8, 8), 2)
    with pytest.raises(UsageError, match="GD-101"):
        Tiled(UnsharpMask(), (0, 8), 2)
    with pytest.raises(UsageError, match="GD-103"):
        Tiled(UnsharpMask(), (8, 8), 2)(np.zeros((9, 9)), out=np.zeros((9, 8)))
    with pytest.raises(UsageError, match="GD-103"):
        Tiled(lambda part: part[1:], (8, 8), 2)(np.zeros((9, 9)), out=np.zeros((9, 9)))


@pytest.mark.parametrize("shape", [(50, 37), (18, 13, 11)])
@pytest.mark.parametrize("halo", [3, 7])
def test_sweeps_are_the_whole_images_iteration(shape: tuple[int, ...], halo: int) -> None:
    image = np.random.default_rng(0).normal(100.0, 20.0, shape).astype(np.float32)
    spacing = (1.0, 0.7, 2.0)[: len(shape)]
    results, ends = [], []
    for tile in ((9, 16, 5)[: len(shape)], shape):
        out = np.empty(shape, np.float32)
        ends.append(SweptTotalVariation(12.0, tile, iterations=30, halo=halo, spacing=spacing)(image, out=out))
        results.append(out)
    assert np.abs(results[0] - results[1]).max() <= 1e-5 * np.abs(image).max()
    assert ends[0].certificate.gap == pytest.approx(ends[1].certificate.gap, rel=1e-4)


def test_sweeps_reach_the_minimum_that_they_certify(tmp_path: Path) -> None:
    image = noisy(grey("camera", 64), 20.0)
    out = np.empty((64, 64), np.float32)
    end = SweptTotalVariation(14.0, (40, 40), iterations=300, halo=25, scratch=tmp_path)(image.numpy(), out=out)
    exact = TotalVariationDenoising(noise=20.0, weight=14.0, rule=IterationBound(5000) | SmallGap(1e-6))(image.double())
    assert exact.certificate is not None
    away = float((torch.from_numpy(out) - exact.value).norm())
    assert away <= end.certificate.distance + exact.certificate.distance
    assert end.certificate.relative < 2e-3
    assert list(tmp_path.iterdir()) == []


def test_sweeps_refuse_what_does_not_fit() -> None:
    with pytest.raises(UsageError, match="GD-103"):
        SweptTotalVariation(1.0, (8, 8))(np.zeros((3, 9, 9), np.float32), out=np.zeros((3, 9, 9), np.float32))
    with pytest.raises(UsageError, match="GD-101"):
        SweptTotalVariation(1.0, (8, 0))
