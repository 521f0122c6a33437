"""Unwrapping on known truth and on real scans: voxels off by a turn, seams, and what is refused."""

import functools
import json
import math
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from skimage.restoration import unwrap_phase as unwrap_by_skimage
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import MultiEcho
from gradatim.base.units import hz_per_ppm
from gradatim.qsm.residual_wraps import ResidualWraps
from gradatim.qsm.unwrap import Romeo
from gradatim.qsm.unwrap_space import unwrap_phase
from gradatim.qsm.wrapping import wrap

TWO_PI = 2.0 * math.pi


@functools.cache
def image(path: Path) -> np.ndarray:
    """The values of a NIfTI file."""
    return nibabel.load(path).get_fdata()


def without_shim(field: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A field without its best second-order shim over the mask."""
    x, y, z = np.indices(field.shape).reshape(3, -1) - np.array(field.shape)[:, None] / 2
    terms = np.stack([np.ones_like(x), x, y, z, x * x - y * y, x * y, 2 * z * z - x * x - y * y, y * z, x * z], 1)
    inside = mask.ravel()
    fitted = np.linalg.lstsq(terms[inside], field.ravel()[inside], rcond=None)[0]
    return (field.ravel() - terms @ fitted).reshape(field.shape) * mask


def share_off_by_a_turn(found: np.ndarray, true: np.ndarray) -> float:
    """Share of voxels more than half a turn from truth after the best global turn and the median."""
    difference = found - true
    difference = difference - TWO_PI * np.round(np.median(difference) / TWO_PI)
    return float((np.abs(difference - np.median(difference)) > np.pi).mean())


@pytest.fixture(scope="module")
def head(shared: Path) -> dict:
    """The simulated head: mask, field in ppm without shim, magnitude, phase and acquisition."""
    folder = shared / "data" / "qsm" / "phantom_sim1"
    mask = image(folder / "mask.nii.gz") > 0
    return {
        "mask": mask,
        "field": without_shim(image(folder / "field.nii.gz"), mask),
        "magnitude": np.moveaxis(image(folder / "mag.nii.gz"), -1, 0),
        "phase": np.moveaxis(image(folder / "phase.nii.gz"), -1, 0),
        **json.loads((folder / "params.json").read_text()),
    }


def test_one_late_echo_of_a_head_in_space_alone(head: dict) -> None:
    """28 ms, SNR 50: at most 0.29 % (ROMEO on the same input) of the mask off by a turn; we ask for 0.2 %."""
    mask, te = head["mask"], 0.028
    true = TWO_PI * hz_per_ppm(head["B0"]) * te * head["field"]
    magnitude = head["magnitude"][0] / head["magnitude"][0][mask].max()
    noise = np.random.default_rng(3)
    signal = (
        magnitude * np.exp(1j * true)
        + (noise.standard_normal(mask.shape) + 1j * noise.standard_normal(mask.shape)) / 50
    )
    found = unwrap_phase(
        torch.from_numpy(np.angle(signal)).float(),
        magnitude=torch.from_numpy(np.abs(signal)).float(),
        mask=torch.from_numpy(mask),
    )
    assert share_off_by_a_turn(found.numpy()[mask], true[mask]) <= 0.0020


def test_all_echoes_of_a_head(head: dict) -> None:
    """Differences to echo 1 against the true field: at most 0.01 % off by a turn at 12 ms and 0.1 % at 28 ms."""
    mask, times = head["mask"], head["TE"]
    grid = Grid(mask.shape, tuple(head["voxel_size"]))
    signal = MultiEcho(
        torch.from_numpy(head["magnitude"]).float(),
        torch.from_numpy(head["phase"]).float(),
        tuple(times),
        head["B0"],
        grid,
    )
    found = Romeo()(signal, mask=torch.from_numpy(mask))
    phase = found.phase.numpy()
    assert np.abs(np.exp(1j * phase) - np.exp(1j * head["phase"]))[:, mask].max() < 1e-4
    assert found.regions == 1
    for echo, most in ((1, 0.0001), (2, 0.0006), (3, 0.0010)):
        true = TWO_PI * hz_per_ppm(head["B0"]) * (times[echo] - times[0]) * head["field"]
        assert share_off_by_a_turn((phase[echo] - phase[0])[mask], true[mask]) <= most
    # what the verdict suspects without knowing the truth stays an upper estimate of the same size
    suspect = ResidualWraps()(found).fraction
    assert suspect[1] < 0.001
    assert 0.0005 < suspect[3] < 0.004


@pytest.fixture(params=["romeo_small", "clearswi_small"])
def block(request: pytest.FixtureRequest, shared: Path) -> MultiEcho:
    """A real block of three echoes; phase brought from raw units to ±π, echo times nominal."""
    folder = shared / "data" / "qsm" / request.param
    header = nibabel.load(folder / "Phase.nii")
    phase = np.moveaxis(image(folder / "Phase.nii"), -1, 0)
    magnitude = np.moveaxis(image(folder / "Mag.nii"), -1, 0)
    return MultiEcho(
        torch.from_numpy(magnitude.copy()).float(),
        torch.from_numpy(phase * np.pi / np.abs(phase).max()).float(),
        (0.004, 0.008, 0.012),
        7.0,
        Grid.from_affine(phase.shape[1:], header.affine),
    )


def steps_over_half_a_turn(phase: Tensor) -> int:
    """Number of edges between face neighbours over which the phase changes by more than π."""
    return sum(int((torch.diff(phase, dim=axis).abs() > math.pi).sum()) for axis in range(3))


def near_residues(wrapped: Tensor, reach: int) -> Tensor:
    """Voxels within ``reach`` of a four-voxel loop whose wrapped steps do not add up to zero: where no method can
    avoid a step over half a turn."""
    marked = torch.zeros(wrapped.shape)
    for one, two in ((0, 1), (0, 2), (1, 2)):
        along, across = wrap(torch.diff(wrapped, dim=one)), wrap(torch.diff(wrapped, dim=two))
        residue = (torch.diff(across, dim=one) - torch.diff(along, dim=two)).abs() > math.pi
        target = marked.narrow(one, 0, residue.shape[one]).narrow(two, 0, residue.shape[two])
        target.logical_or_(residue)
    grown = torch.nn.functional.max_pool3d(marked[None, None], 2 * reach + 1, stride=1, padding=reach)
    return grown[0, 0] > 0


def test_no_seams_on_real_scans(block: MultiEcho) -> None:
    found = Romeo()(block)
    phase = found.phase
    assert float(wrap(phase - block.phase).abs().max()) < 1e-5
    edges = 3 * phase[0].numel()
    # the first echo is without residues: its answer is unique, and so is ours
    assert steps_over_half_a_turn(phase[0]) == 0
    assert steps_over_half_a_turn(phase[1]) <= 4
    assert steps_over_half_a_turn(phase[2]) <= 0.0005 * edges
    for echo in range(3):
        far = ~near_residues(block.phase[echo], reach=3)
        for axis in range(3):
            length = far.shape[axis] - 1
            both = far.narrow(axis, 0, length) & far.narrow(axis, 1, length)
            assert not bool((torch.diff(phase[echo], dim=axis).abs() > math.pi)[both].any())
    assert max(ResidualWraps()(found).fraction) < 0.0012


def test_real_scans_agree_with_another_implementation(block: MultiEcho) -> None:
    """scikit-image unwraps each echo alone; we differ from it only where its echoes contradict one another."""
    ours = Romeo()(block).phase.numpy()
    theirs = np.stack([unwrap_by_skimage(echo, rng=0) for echo in block.phase.numpy()])
    theirs -= TWO_PI * np.round(np.median(theirs - ours, axis=(1, 2, 3), keepdims=True) / TWO_PI)
    differ = np.abs(ours - theirs) > math.pi
    assert differ[0].sum() == 0
    assert differ.mean() < 0.0005
    # evenly spaced echoes lie on a line: φ3 − 2φ2 + φ1 = 0
    bend = [np.abs(each[2] - 2 * each[1] + each[0]) > math.pi for each in (ours, theirs)]
    assert bend[0].sum() <= 2
    assert bend[1].sum() >= differ.any(axis=0).sum() - 2


def test_a_constant_phase_of_one_echo_is_no_seam() -> None:
    x = torch.linspace(-1, 1, 20).view(-1, 1, 1)
    field = 3.0 * x.square().expand(20, 16, 12)
    true = torch.stack([0.2 + field * n + shift for n, shift in ((1, 0.0), (2, 0.0), (3, 3.0), (4, -2.9))])
    signal = MultiEcho(
        torch.ones_like(true), wrap(true), (0.004, 0.008, 0.012, 0.016), 3.0, Grid((20, 16, 12), (1.0,) * 3)
    )
    found = Romeo()(signal).phase
    turns = (found - true) / TWO_PI
    assert all(len(echo.round().unique()) == 1 for echo in turns)


def test_one_echo_is_unwrapped_in_space() -> None:
    true = torch.linspace(-20, 20, 30).view(-1, 1, 1).expand(30, 8, 8).contiguous()
    signal = MultiEcho(torch.ones(1, 30, 8, 8), wrap(true)[None], (0.02,), 3.0, Grid((30, 8, 8), (1.0,) * 3))
    found = Romeo()(signal)
    assert found.phase.shape == (1, 30, 8, 8)
    turns = (found.phase[0] - true) / TWO_PI
    assert len(turns.round().unique()) == 1


def test_parts_of_the_mask_are_counted_and_empty_space_is_zero() -> None:
    true = torch.linspace(-9, 9, 30).view(1, -1, 1, 1) * torch.tensor([1.0, 2.0, 3.0]).view(3, 1, 1, 1)
    true = true.expand(3, 30, 8, 8).contiguous()
    mask = torch.ones(30, 8, 8, dtype=torch.bool)
    mask[10], mask[20] = False, False
    signal = MultiEcho(torch.ones_like(true), wrap(true), (0.004, 0.008, 0.012), 3.0, Grid((30, 8, 8), (1.0,) * 3))
    found = Romeo()(signal, mask=mask)
    assert found.regions == 3
    assert bool((found.phase[:, ~mask] == 0).all())
    assert bool((found.quality[~mask] == 0).all())
    assert 0 < float(found.quality[mask].min()) <= float(found.quality.max()) <= 1


def test_voxels_without_magnitude_are_left_out_by_default() -> None:
    magnitude = torch.ones(2, 8, 8, 8)
    magnitude[1, 0] = 0.0
    signal = MultiEcho(magnitude, torch.zeros(2, 8, 8, 8), (0.004, 0.008), 3.0, Grid((8, 8, 8), (1.0,) * 3))
    found = Romeo()(signal)
    assert int(found.mask.sum()) == 7 * 64
    assert found.regions == 1


def test_bad_input_is_refused() -> None:
    phase = torch.zeros(2, 4, 4, 4)
    hole = phase.clone()
    hole[1, 2, 2, 2] = torch.nan
    everywhere = torch.ones(4, 4, 4, dtype=torch.bool)
    grid = Grid((4, 4, 4), (1.0, 1.0, 1.0))

    def scan(values: Tensor) -> MultiEcho:
        return MultiEcho(torch.ones(2, 4, 4, 4), values, (0.004, 0.008), 3.0, grid)

    with pytest.raises(InputError, match="GD-603"):
        Romeo()(scan(hole), mask=everywhere)
    with pytest.raises(InputError, match="GD-601"):
        Romeo()(scan(phase), mask=~everywhere)
    with pytest.raises(UsageError, match="GD-103"):
        Romeo()(scan(phase), mask=everywhere[:2])
    with pytest.raises(UsageError, match="GD-103"):
        unwrap_phase(phase[0], magnitude=torch.ones(3, 4, 4))
    without = everywhere.clone()
    without[2, 2, 2] = False
    assert bool(torch.isfinite(Romeo()(scan(hole), mask=without).phase).all())
