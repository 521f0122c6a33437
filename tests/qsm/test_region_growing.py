"""Growing follows quality, keeps to the mask and agrees with the spanning tree of an independent library."""

import math

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from gradatim.qsm.edge_quality import edge_weights, voxel_quality
from gradatim.qsm.region_growing import grow
from gradatim.qsm.wrapping import wrap

EVERYWHERE = torch.ones(9, 8, 7, dtype=torch.bool)


def test_each_connected_part_gets_its_number() -> None:
    mask = EVERYWHERE.clone()
    mask[4] = False
    _, regions = grow(torch.zeros(9, 8, 7), torch.ones(3, 9, 8, 7), mask)
    assert sorted(regions.unique().tolist()) == [0, 1, 2]
    assert len(regions[:4].unique()) == len(regions[5:].unique()) == 1
    assert bool((regions[4] == 0).all())


def test_edges_do_not_cross_the_image_border() -> None:
    """Flat neighbours of an array's end are no neighbours in space."""
    phase = torch.zeros(2, 2, 2)
    mask = torch.zeros(2, 2, 2, dtype=torch.bool)
    mask[0, 0, 1], mask[0, 1, 0] = True, True
    _, regions = grow(phase, torch.ones(3, 2, 2, 2), mask)
    assert int(regions.max()) == 2


def test_a_bad_edge_is_crossed_last() -> None:
    """A jump of 4 rad that lies on poor edges is walked around where the detour is smooth."""
    x, y = torch.meshgrid(torch.linspace(-3, 3, 13), torch.linspace(-3, 3, 13), indexing="ij")
    true = 1.5 * torch.atan2(y, x)[:, :, None] * torch.ones(1, 1, 3)  # opens by 3π along the negative x axis
    weights = edge_weights(wrap(true)).clamp(min=0.5)
    weights[1, :6, 5] = 0.01  # the edges from the row y = -0.5 to the row y = 0
    found, _ = grow(wrap(true), weights, torch.ones(13, 13, 3, dtype=torch.bool))
    turns = (found - true) / (2 * math.pi)
    assert len(turns.round().unique()) == 1


def test_noise_is_unwrapped_as_well_as_along_the_best_spanning_tree() -> None:
    """Against scipy: the vote of all neighbours is at least as good as the tree alone on noisy ramps."""
    generator = torch.Generator().manual_seed(5)
    axes = torch.meshgrid(*[torch.arange(float(n)) for n in (24, 22, 20)], indexing="ij")
    true = 1.1 * axes[0] - 0.7 * axes[1] + 0.5 * axes[2]
    measured = wrap(true + 0.55 * torch.randn(true.shape, generator=generator))
    weights = edge_weights(measured)
    mask = torch.ones(true.shape, dtype=torch.bool)
    ours, _ = grow(measured, weights, mask)
    tree = _along_the_tree(measured.numpy(), weights.numpy())

    def wrong(found: np.ndarray) -> float:
        turns = np.round((found - true.numpy()) / (2 * np.pi))
        return float((turns != np.median(turns)).mean())

    assert wrong(ours.numpy()) <= wrong(tree)
    assert wrong(ours.numpy()) < 0.01


def _along_the_tree(phase: np.ndarray, weights: np.ndarray) -> np.ndarray:
    number = np.arange(phase.size).reshape(phase.shape)
    ends, costs = [], []
    for axis in range(3):
        low, high = (np.take(number, np.arange(k, phase.shape[axis] - 1 + k), axis).ravel() for k in (0, 1))
        ends.append(np.stack([low, high]))
        costs.append(1.001 - weights[axis].ravel()[low])
    edges, cost = np.concatenate(ends, 1), np.concatenate(costs)
    tree = minimum_spanning_tree(coo_array((cost, edges), shape=(phase.size, phase.size)))
    order, parent = breadth_first_order(tree, 0, directed=False)
    flat = phase.ravel().astype(np.float64).copy()
    for voxel in order[1:]:
        flat[voxel] += 2 * np.pi * np.round((flat[parent[voxel]] - flat[voxel]) / (2 * np.pi))
    return flat.reshape(phase.shape)


def test_weights_lie_between_0_and_1_and_end_at_the_border() -> None:
    generator = torch.Generator().manual_seed(0)
    phase = wrap(6 * torch.randn(9, 8, 7, generator=generator))
    weights = edge_weights(phase, magnitude=torch.rand(9, 8, 7, generator=generator), later=[(wrap(2 * phase), 0.5)])
    assert 0 <= float(weights.min()) <= float(weights.max()) <= 1
    assert all(bool((weights[axis].select(axis, -1) == 0).all()) for axis in range(3))


def test_each_coherence_lowers_the_weight_of_what_it_distrusts() -> None:
    ramp = 0.5 * torch.arange(9.0).view(-1, 1, 1).expand(9, 8, 7).clone()
    plain = edge_weights(ramp)
    assert torch.allclose(plain[0, :8], torch.tensor(1 - 0.5 / math.pi))
    kinked = ramp.clone()
    kinked[5:] += 1.0
    assert float(edge_weights(kinked)[0, 4].max()) < float(plain[0, 4].min())
    magnitude = torch.ones(9, 8, 7)
    magnitude[4] = 0.5
    assert torch.allclose(edge_weights(ramp, magnitude=magnitude)[0, 3:5], 0.25 * plain[0, 3:5])
    later = 2 * ramp
    later[6:] += 0.4
    weights = edge_weights(ramp, later=[(wrap(later), 0.5)])
    assert torch.allclose(weights[0, 5], 0.8 * plain[0, 5])
    assert torch.allclose(weights[0, :5], plain[0, :5], atol=1e-5)


def test_quality_is_the_mean_over_edges_inside_the_mask() -> None:
    weights = torch.zeros(3, 9, 8, 7)
    weights[0, :8] = 0.6
    weights[1, :, :7] = 0.3
    mask = torch.zeros(9, 8, 7, dtype=torch.bool)
    mask[2:5, 3:5, 2] = True
    quality = voxel_quality(weights, mask)
    assert bool((quality[~mask] == 0).all())
    assert float(quality[3, 3, 2]) == float(torch.tensor((0.6 + 0.6 + 0.3) / 3))
