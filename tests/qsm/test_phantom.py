"""The simulated head obeys the physics it is meant to test, and is where it says it is."""

import itertools

import numpy as np
import pytest
import torch
from scipy import ndimage

from gradatim.base.grid import Grid
from gradatim.linop.difference import Gradient, Laplacian
from gradatim.qsm.head.brain import NUCLEI, nuclei
from gradatim.qsm.head.canvas import Canvas
from gradatim.qsm.head.shapes import fraction_inside
from gradatim.qsm.phantom import CENTRE, SCALE, HeadPhantom
from gradatim.qsm.scan import HeadScan

GRID = Grid((88, 84, 64), (2.4, 2.4, 2.4))


@pytest.fixture(scope="module")
def head():
    return HeadPhantom(GRID)()


@pytest.fixture(scope="module")
def scan(head):
    return HeadScan()(head)


def _centres(head, label):
    index = torch.nonzero(head.regions.labels == label).double().mean(dim=0)
    return torch.tensor(head.grid.matrix[:3, :3]) @ (index - (torch.tensor(head.grid.shape) - 1) / 2)


def test_every_region_is_there_and_inside_the_brain(head):
    assert set(head.regions.present) == set(head.regions.names)
    assert not bool(head.regions.labels[~head.mask].any())
    assert float((head.regions.labels[head.mask] > 0).double().mean()) > 0.97


def test_left_is_left(head):
    for label in range(1, 14, 2):
        assert head.regions.name(label).endswith("left")
        assert head.regions.name(label + 1).endswith("right")
        assert float(_centres(head, label)[0]) < -2.0
        assert float(_centres(head, label + 1)[0]) > 2.0


def test_anatomy_lies_the_right_way_round(head):
    """Frontal is forward, cerebellum low and behind, ventricles above the nigra, the stone left and behind."""
    caudate, dentate, nigra = (_centres(head, n) for n in (1, 13, 11))
    assert caudate[1] > nigra[1] > dentate[1]
    assert caudate[2] > nigra[2] > dentate[2]
    stone = _centres(head, 32)
    assert stone[0] < -10
    assert stone[1] < -10


def test_left_and_right_differ_so_that_a_flip_shows(head):
    difference = (head.susceptibility - head.susceptibility.flip(0)).abs()
    assert float(difference[head.mask].mean()) > 0.01


def test_values_are_mixtures_of_the_tissues(head):
    assert -2.11 < float(head.susceptibility.min()) < -2.0
    assert 9.1 < float(head.susceptibility.max()) < 9.21
    assert float(head.proton_density.min()) >= 0.0
    assert float(head.proton_density.max()) <= 1.0
    assert float(head.r2_star.min()) >= 0.0


def test_grey_nuclei_keep_their_order_of_iron(head):
    mean = {n: float(head.susceptibility[head.regions.labels == n].mean()) for n in head.regions.present}
    for side in (0, 1):
        assert mean[5 + side] > mean[1 + side] > mean[21]
        assert mean[13 + side] > mean[9 + side] > mean[7 + side]
    assert mean[32] < -1.0


def test_deep_nuclei_hardly_overlap():
    canvas = Canvas.of_air(Grid((128, 128, 96), (1.6, 1.6, 1.6)), scale=SCALE, origin=CENTRE)
    solids = {
        (name, side): fraction_inside(distance, canvas.width)
        for side in (-1.0, 1.0)
        for name, distance in nuclei(canvas.points, side).items()
    }
    assert {name for name, _ in solids} == {name for name, _ in NUCLEI}
    for (first, a), (second, b) in itertools.combinations(solids.items(), 2):
        shared = float(torch.minimum(a, b).sum()) / min(float(a.sum()), float(b.sum()))
        assert shared < 0.12, (first, second, shared)


def test_same_seed_same_head_and_another_seed_another(head):
    small = Grid((40, 40, 30), (5.1, 5.1, 5.1))
    one, two, other = HeadPhantom(small)(), HeadPhantom(small)(), HeadPhantom(small, seed=1)()
    assert bool((one.susceptibility == two.susceptibility).all())
    assert float((one.susceptibility - other.susceptibility).abs()[one.mask].mean()) > 0.01


@pytest.mark.parametrize("order", [(1, 2, 0), (2, 0, 1)])
def test_array_orientation_does_not_move_the_head(head, order):
    """A sagittal or coronal array with a flipped axis holds the same head, and B0 is still the world's z."""
    affine = GRID.matrix
    turned = affine.copy()
    turned[:3, :3] = affine[:3, list(order)]
    turned[:3, 0] *= -1
    grid = Grid.from_affine(tuple(GRID.shape[i] for i in order), turned)
    again = HeadPhantom(grid)()
    for name, tolerance in (("susceptibility", 2e-3), ("total_field", 2e-3), ("local_field", 2e-4)):
        expected = getattr(head, name).permute(order).flip(0)
        difference = (getattr(again, name) - expected).abs()
        assert float(difference.mean()) < tolerance / 20
        assert float(difference.quantile(0.999)) < tolerance
    assert float((again.mask == head.mask.permute(order).flip(0)).float().mean()) > 0.9999


def test_oblique_array_holds_the_same_tissue(head):
    angle = 0.3
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    affine = np.eye(4)
    affine[:3, :3] = turn * 2.4
    tilted = HeadPhantom(Grid.from_affine((88, 84, 72), affine))()
    for label in (5, 6, 13, 14, 21):
        volume = float((head.regions.labels == label).sum())
        assert float((tilted.regions.labels == label).sum()) == pytest.approx(volume, rel=0.15)
        torch.testing.assert_close(_centres(tilted, label), _centres(head, label), rtol=0, atol=1.2)
    spread = [float(h.local_field[h.mask].std()) for h in (head, tilted)]
    assert spread[0] == pytest.approx(spread[1], rel=0.1)


def test_coarse_voxels_hold_as_much_of_everything_as_fine_ones(head):
    """Soft edges: the amount of protons does not depend on the voxel size."""
    coarse = HeadPhantom(Grid((44, 42, 32), (4.8, 4.8, 4.8)))()
    fine = float(head.proton_density.sum()) * head.grid.voxel_volume_mm3
    assert float(coarse.proton_density.sum()) * coarse.grid.voxel_volume_mm3 == pytest.approx(fine, rel=0.005)


def test_field_from_outside_is_harmonic_in_the_brain(head):
    """Δ of (total − local) is far below Δ of the local field, three voxels away from the mask's edge."""
    core = torch.from_numpy(ndimage.binary_erosion(head.mask.numpy(), iterations=3))
    laplacian = Laplacian(Gradient(GRID.shape, GRID.spacing))
    background = laplacian.apply(head.total_field - head.local_field)[core]
    local = laplacian.apply(head.local_field)[core]
    assert float(background.square().mean().sqrt()) < 0.2 * float(local.square().mean().sqrt())


def test_scan_is_wrapped_noisy_and_true_to_its_field(head, scan):
    times = torch.tensor(scan.signal.echo_times)
    turns = (scan.total.field * times[-1]).abs()[head.mask]
    assert float((turns > 0.5).float().mean()) > 0.02
    assert float(scan.signal.phase.abs().max()) <= torch.pi + 1e-6
    step = scan.signal.complex[1] * scan.signal.complex[0].conj()
    expected = torch.polar(torch.ones_like(scan.total.field), 2 * torch.pi * scan.total.field * (times[1] - times[0]))
    error = (step * expected.conj()).angle()[head.mask]
    assert float(error.abs().median()) < 0.02


def test_true_maps_are_zero_outside_the_mask(head, scan):
    for values in (scan.total.field, scan.local.field, scan.susceptibility.value, scan.r2_star.value):
        assert not bool(values[~head.mask].any())


def test_shim_leaves_little_but_local_structure(head, scan):
    shimmed, unshimmed = scan.total.ppm[head.mask], head.total_field[head.mask]
    assert float(shimmed.std()) < 0.6 * float(unshimmed.std())
    assert abs(float(shimmed.mean())) < 1e-3


def test_wrapped_slices_differ_from_true_phase_by_whole_turns(head, scan):
    true = 2 * torch.pi * scan.total.field * scan.signal.echo_times[-1]
    first = 2 * torch.pi * scan.total.field * scan.signal.echo_times[0]
    offset = scan.signal.phase[0] - first
    turns = (scan.signal.phase[-1] - true - offset)[head.mask] / (2 * torch.pi)
    assert float((turns - turns.round()).abs().median()) < 0.02
    assert np.unique(turns.round().numpy()).size >= 3
