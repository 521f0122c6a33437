"""The brain is found, and the phase is trusted where its own rules say so."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import FieldMap, MultiEcho
from gradatim.qsm.echo_fit import EchoFitResult
from gradatim.qsm.masks import BrainMask, PhaseQuality, largest_part, touches_border
from gradatim.qsm.phantom import HeadPhantom
from gradatim.qsm.scan import HeadScan

SHAPE = (20, 18, 16)
LAST = 0.028


def fit_of(field: Tensor, mask: Tensor, misfit: Tensor | None = None) -> EchoFitResult:
    one = torch.ones_like(field)
    noun = FieldMap(torch.where(mask, field, 0.0), mask * one, mask, 3.0, Grid(SHAPE, (1.0, 1.0, 2.0)))
    return EchoFitResult(noun, 0.0 * field, one if misfit is None else misfit, 0.01)


def block() -> Tensor:
    mask = torch.zeros(SHAPE, dtype=torch.bool)
    mask[2:-2, 2:-2, 2:-2] = True
    return mask


def ramp(radians: float) -> Tensor:
    """A field whose phase at the last echo changes by so much from voxel to voxel along x."""
    slope = radians / (2.0 * math.pi * LAST)
    return (slope * torch.arange(20.0)).view(20, 1, 1).expand(SHAPE).contiguous()


@pytest.mark.parametrize("grid", [Grid((50, 50, 38), (4.0, 4.0, 4.0)), Grid((68, 68, 26), (3.0, 3.0, 6.0))])
def test_the_brain_of_a_simulated_head_is_found(grid: Grid) -> None:
    """Scalp and neck stay out and the brain is in; what is too much is fluid and dura around it, one voxel thick."""
    head = HeadPhantom(grid)()
    found = BrainMask()(HeadScan()(head).signal)
    assert found.dtype is torch.bool
    recall = float((found & head.mask).sum() / head.mask.sum())
    extra = float((found & ~head.mask).sum() / head.mask.sum())
    assert recall >= 0.99
    assert extra <= 0.20
    assert ndimage.label(found.numpy())[1] == 1


def scan_of(magnitude: Tensor) -> MultiEcho:
    return MultiEcho(magnitude, torch.zeros_like(magnitude), (0.01,), 3.0, Grid(SHAPE, (1.0, 1.0, 2.0)))


def test_a_ball_is_found_without_its_thin_shell_and_bridge() -> None:
    """A ball of 8 mm, a shell of 1 mm around it, a bridge of one voxel between."""
    shape = (48, 48, 24)
    axes = [(torch.arange(n) - n // 2) * h for n, h in zip(shape, (1.0, 1.0, 2.0), strict=True)]
    x, y, z = torch.meshgrid(*axes, indexing="ij")
    r = (x * x + y * y + z * z).sqrt()
    ball, shell, bridge = r <= 14.0, (r > 19.0) & (r <= 21.0), (y == 0) & (z == 0) & (x > 0) & (x < 20)
    bright = (ball | shell | bridge).float()
    bright[shape[0] // 2, shape[1] // 2, shape[2] // 2] = 0.0
    scan = MultiEcho(bright[None], torch.zeros_like(bright)[None], (0.01,), 3.0, Grid(shape, (1.0, 1.0, 2.0)))
    found = BrainMask(opening_mm=5.0)(scan)
    assert bool(found[ball].all())
    assert not bool((found & shell).any())
    assert int((found & ~ball).sum()) <= 8


def test_a_brain_cut_by_the_border_of_the_image_is_kept_to_the_border() -> None:
    bright = torch.zeros(SHAPE)
    bright[3:-3, 3:-3, :10] = 1.0
    found = BrainMask(opening_mm=3.0)(scan_of(bright[None]))
    assert bool(found[8, 8, 0])
    assert touches_border(found, Grid(SHAPE, (1.0, 1.0, 2.0)))


def test_an_image_without_signal_is_an_error() -> None:
    with pytest.raises(InputError, match="GD-601"):
        BrainMask()(scan_of(torch.zeros(1, *SHAPE)))


def test_an_image_of_tissue_alone_is_all_tissue() -> None:
    """A block cut from a brain holds no air for a threshold to find; even a flat one is whole."""
    shades = 1.0 + 0.4 * torch.rand(1, *SHAPE, generator=torch.Generator().manual_seed(0))
    for magnitude in (torch.ones(1, *SHAPE), shades):
        assert bool(BrainMask()(scan_of(magnitude)).all())


def test_magnitudes_that_are_not_finite_are_an_error() -> None:
    holes = torch.ones(1, *SHAPE)
    holes[0, 0, 0, 0] = math.nan
    with pytest.raises(InputError, match="GD-603"):
        BrainMask()(scan_of(holes))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize(("radians", "kept"), [(0.95 * math.pi, True), (1.05 * math.pi, False)])
def test_dispersion_is_phase_over_a_voxel_at_the_last_echo(axis: int, radians: float, *, kept: bool) -> None:
    """Left half flat, right half a ramp, along each axis."""
    slope = radians / (2.0 * math.pi * LAST)
    index = torch.arange(SHAPE[axis], dtype=torch.float32).view([-1 if i == axis else 1 for i in range(3)])
    field = (slope * (index - SHAPE[axis] // 2).clamp_min(0.0)).expand(SHAPE).contiguous()
    fit = fit_of(field, block())
    quality = PhaseQuality()(fit, last_echo=LAST)
    steep = (index > SHAPE[axis] // 2).expand(SHAPE) & block()
    assert bool(quality.mask[block() & ~steep].all())
    assert bool(quality.mask[steep].all()) is kept
    assert bool(quality.mask[steep].any()) is kept
    assert quality.dispersed == (0 if kept else int(steep.sum()))
    assert quality.misfitting == 0


def test_steepness_adds_over_the_axes_as_a_length() -> None:
    x, y, _ = torch.meshgrid(*[torch.arange(float(n)) for n in SHAPE], indexing="ij")
    slope = 1.0 / (2.0 * math.pi * LAST)
    fit = fit_of(slope * (2.0 * x + 2.0 * y), block())
    assert PhaseQuality(dispersion=2.9)(fit_of(slope * (2.0 * x), block()), last_echo=LAST).dispersed == 0
    assert PhaseQuality(dispersion=2.0**1.5 + 0.01)(fit, last_echo=LAST).dispersed == 0
    with pytest.raises(InputError, match="GD-601"):
        PhaseQuality(dispersion=2.0**1.5 - 0.01)(fit, last_echo=LAST)


def test_a_smooth_field_loses_nothing() -> None:
    quality = PhaseQuality()(fit_of(ramp(1.0), block()), last_echo=LAST)
    assert bool((quality.mask == block()).all())
    assert (quality.dispersed, quality.misfitting) == (0, 0)


def test_echoes_off_the_line_are_lost_but_not_where_they_are_few() -> None:
    """A lump of eight voxels goes, a single voxel between good ones stays."""
    misfit = torch.ones(SHAPE)
    misfit[5, 5, 5] = 20.0
    misfit[10:13, 10:13, 8:11] = 7.1
    misfit[14, 4, 4] = 6.9
    quality = PhaseQuality()(fit_of(ramp(0.5), block(), misfit), last_echo=LAST)
    assert bool(quality.mask[5, 5, 5])
    assert not bool(quality.mask[11, 11, 9])
    assert bool(quality.mask[14, 4, 4])
    lost = int((block() & ~quality.mask).sum())
    assert quality.misfitting == lost
    assert 1 <= lost <= 27


def test_only_the_largest_part_is_kept() -> None:
    misfit = torch.ones(SHAPE)
    misfit[7:10] = 20.0
    quality = PhaseQuality()(fit_of(ramp(0.5), block(), misfit), last_echo=LAST)
    assert not bool(quality.mask[:10].any())
    assert bool((quality.mask[10:] == block()[10:]).all())
    assert quality.misfitting == int(block()[7:10].sum())


def test_nothing_to_trust_is_an_error() -> None:
    with pytest.raises(InputError, match="GD-601"):
        PhaseQuality()(fit_of(ramp(0.5), block(), torch.full(SHAPE, 8.0)), last_echo=LAST)


def test_the_largest_part_is_counted_over_faces() -> None:
    mask = np.zeros((6, 6, 6), dtype=bool)
    mask[0, 0, 0:2], mask[1:4, 1, 2] = True, True
    assert largest_part(mask).sum() == 3
    assert largest_part(np.ones((2, 2, 2), dtype=bool)).all()


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("end", [0, -1])
def test_a_mask_at_the_border_is_noticed(axis: int, end: int) -> None:
    grid = Grid(SHAPE, (1.0, 1.0, 1.0))
    mask = block()
    assert not touches_border(mask, grid)
    mask.movedim(axis, 0)[end, 8, 8] = True
    assert touches_border(mask, grid)


def test_settings_out_of_range_are_refused() -> None:
    for make in (
        lambda: BrainMask(opening_mm=0.0),
        lambda: PhaseQuality(dispersion=0.0),
        lambda: PhaseQuality(misfit=-1.0),
        lambda: PhaseQuality(misfit=math.nan),
    ):
        with pytest.raises(UsageError, match="GD-101"):
            make()
