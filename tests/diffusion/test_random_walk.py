"""Random walks against exp(−bD), closed forms of pores, the tortuosity of periodic arrays, and their torch twins."""

import math

import pytest
import torch

from gradatim.base.errors import UsageError
from gradatim.base.units import PROTON_GAMMA_RAD_PER_S_T
from gradatim.base.waveform import Waveform
from gradatim.diffusion.b_matrix import b_matrix
from gradatim.diffusion.restricted.attenuation import GaussianPhase, ShortPulse
from gradatim.diffusion.restricted.pores import Cylinder, Planes, Pore, Sphere
from gradatim.diffusion.restricted.pulses import PulsePair
from gradatim.diffusion.walks.grains import Grains
from gradatim.diffusion.walks.random_walk import RandomWalk
from gradatim.diffusion.walks.spaces import ClosedPores, FreeSpace, Space
from gradatim.diffusion.walks.step_weights import step_weights
from gradatim.diffusion.walks.voxels import VoxelPores
from gradatim.diffusion.walks.walk_tensors import step_closed, step_grains, step_voxels

WATER = 2.2995e-9
PORES = [(Planes(10e-6), 1), (Cylinder(5e-6), 2), (Sphere(5e-6), 3)]


def pair(gradient: float, small: float, big: float) -> Waveform:
    """Two rectangular pulses along x, as the coherence feels them."""
    values = torch.zeros(3, 3, dtype=torch.float64)
    values[0, 0], values[2, 0] = gradient, -gradient
    return Waveform(torch.tensor([0.0, small, big, big + small], dtype=torch.float64), values, values)


def ramps() -> Waveform:
    """Something without symmetry on all axes, whose area is nothing."""
    draw = torch.Generator().manual_seed(8)
    left, right = torch.randn(2, 6, 3, generator=draw, dtype=torch.float64) * 0.02
    edges = torch.tensor([0.0, 1.0, 1.7, 4.0, 7.0, 8.1, 9.0], dtype=torch.float64) * 2e-3
    steps = edges.diff()[:, None]
    rest = (0.5 * (left + right) * steps).sum(0) / steps[-1]
    left[-1] -= rest
    right[-1] -= rest
    return Waveform(edges, left, right)


def silent(duration: float) -> Waveform:
    zero = torch.zeros(1, 3, dtype=torch.float64)
    return Waveform(torch.tensor([0.0, duration], dtype=torch.float64), zero, zero)


@pytest.mark.parametrize("steps", [1, 4, 37])
def test_b_is_shared_between_steps_and_what_lies_within_them(steps: int) -> None:
    """Free diffusion: h·Σ|Q̄|² over increments and the share within add up to b, whatever the steps."""
    waveform = ramps()
    step = float(waveform.edges[-1]) / steps
    weights = step_weights(waveform, steps=steps, step=step)
    later = (weights.near + weights.far).flip(0).cumsum(0).flip(0)
    carried = weights.far + later - (weights.near + weights.far)
    total = step * carried.square().sum().item() + weights.within
    assert total == pytest.approx(b_matrix(waveform).trace().item(), rel=1e-10)


@pytest.mark.parametrize("steps", [2, 30])
def test_free_diffusion_is_exp_minus_b_d(steps: int) -> None:
    waveforms = [pair(0.05, 5e-3, 0.04), ramps(), pair(0.1, 5e-3, 0.02)]
    found = RandomWalk(20_000, steps, WATER)(FreeSpace(), waveforms, seed=3).signal()
    expected = torch.tensor([math.exp(-b_matrix(w).trace().item() * WATER) for w in waveforms], dtype=torch.float64)
    assert bool(((found.value.real - expected).abs() < 4 * found.error).all())
    assert bool((found.value.imag.abs() < 4 * math.sqrt(0.5 / 20_000)).all())


@pytest.mark.parametrize(("pore", "axes"), PORES, ids=["planes", "cylinder", "sphere"])
def test_closed_pores_by_short_pulses(pore: Pore, axes: int) -> None:
    radius = pore.size if axes > 1 else pore.size / 2
    walks = RandomWalk(6000, 800, WATER)(ClosedPores((radius,), axes), [silent(8e-3)], seed=5)
    q = torch.tensor([1.5e5, 3e5, 6e5, 9e5], dtype=torch.float64)
    along = torch.stack([q, 0 * q, 0 * q], 1)
    found = walks.echo(along)
    pulses = PulsePair(q / (PROTON_GAMMA_RAD_PER_S_T * 1e-9), 1e-9, 8e-3)
    expected = ShortPulse()(pore, pulses, diffusivity=WATER).signal
    assert walks.holds
    assert bool(((found.value.real - expected).abs() < 4 * found.error).all())


@pytest.mark.parametrize(("pore", "axes"), PORES, ids=["planes", "cylinder", "sphere"])
def test_closed_pores_by_gaussian_phase(pore: Pore, axes: int) -> None:
    radius = pore.size if axes > 1 else pore.size / 2
    waveforms = [pair(g, 5e-3, 0.02) for g in (0.03, 0.06)]
    found = RandomWalk(6000, 1500, WATER)(ClosedPores((radius,), axes), waveforms, seed=7).signal()
    pulses = PulsePair(torch.tensor([0.03, 0.06], dtype=torch.float64), 5e-3, 0.02)
    expected = GaussianPhase()(pore, pulses, diffusivity=WATER)
    assert bool(((found.value.real - expected.signal).abs() < 4 * found.error + expected.error).all())


@pytest.mark.parametrize(("pore", "axes"), PORES, ids=["planes", "cylinder", "sphere"])
def test_where_approximations_fail_they_say_so(pore: Pore, axes: int) -> None:
    """Long strong pulses: neither form is right, and the difference is of the size that each says."""
    radius = pore.size if axes > 1 else pore.size / 2
    found = RandomWalk(6000, 1500, WATER)(ClosedPores((radius,), axes), [pair(0.4, 5e-3, 0.02)], seed=9).signal()
    value, spread = found.value.real.item(), found.error.item()
    for method in (GaussianPhase(), ShortPulse()):
        told = method(pore, PulsePair(0.4, 5e-3, 0.02), diffusivity=WATER)
        assert not bool(told.holds) or abs(value - told.signal.item()) < 0.01 + 4 * spread
        assert abs(value - told.signal.item()) < 3 * told.error.item() + 4 * spread


def cubic(share: float, axes: int) -> Space:
    edge = 10e-6
    radius = edge * ((0.75 * share / math.pi) ** (1 / 3) if axes == 3 else math.sqrt(share / math.pi))
    centre = torch.full((1, 3), edge / 2, dtype=torch.float64)
    return Grains(centre, torch.tensor([radius], dtype=torch.float64), (edge, edge, edge), axes)


@pytest.mark.parametrize(("share", "axes"), [(0.3, 3), (0.5, 2)])
def test_tortuosity_of_periodic_arrays(share: float, axes: int) -> None:
    """Rayleigh (Phil Mag 34:481, 1892, coefficients as corrected): insulating spheres and cylinders in a lattice."""
    if axes == 3:
        conducts = 1 - 3 * share / (2 + share - 0.392 * share ** (10 / 3))
    else:
        conducts = 1 - 2 * share / (1 + share - 0.30583 * share**4)
    expected = conducts / (1 - share)
    walks = RandomWalk(4000, 3000, WATER)(cubic(share, axes), [silent(3e-10 / WATER)], seed=2)
    found, error = walks.diffusivity()
    mean, spread = found[:axes].mean().item() / WATER, error[:axes].norm().item() / axes / WATER
    assert mean == pytest.approx(expected, abs=3.5 * spread)
    assert mean < 1 - 5 * spread
    if axes == 2:  # along cylinders nothing hinders
        assert found[2].item() / WATER == pytest.approx(1, abs=4 * error[2].item() / WATER)


def test_voxels_of_a_slit_are_planes() -> None:
    image = torch.ones(11, 1, 1, dtype=torch.bool)
    image[0] = False
    waveforms = [pair(g, 5e-3, 0.02) for g in (0.03, 0.06)]
    found = RandomWalk(6000, 1500, WATER)(VoxelPores(image, (1e-6, 2e-6, 3e-6)), waveforms, seed=11).signal()
    pulses = PulsePair(torch.tensor([0.03, 0.06], dtype=torch.float64), 5e-3, 0.02)
    expected = GaussianPhase()(Planes(10e-6), pulses, diffusivity=WATER)
    assert bool(((found.value.real - expected.signal).abs() < 4 * found.error + expected.error).all())


def test_open_voxels_are_free() -> None:
    space = VoxelPores(torch.ones(2, 3, 4, dtype=torch.bool), (1e-6, 2e-6, 3e-6))
    waveform = pair(0.05, 5e-3, 0.02)
    found = RandomWalk(6000, 300, WATER)(space, [waveform], seed=13).signal()
    assert abs(found.value.real.item() - math.exp(-b_matrix(waveform).trace().item() * WATER)) < 4 * found.error.item()


def test_walls_are_never_passed_and_places_stay_even() -> None:
    """The equilibrium is uniform: after long walks as many are in the inner half of a sphere's volume as outside."""
    pores = ClosedPores((4e-6,), 3)
    walkers = pores.enter(4000, generator=torch.Generator().manual_seed(1), reach=1e-5)
    draw = torch.Generator().manual_seed(2)
    none, phases = torch.zeros(1, 300, 3, dtype=torch.float64), torch.zeros(4000, 1, dtype=torch.float64)
    walkers.advance(8e-7 * torch.randn(4000, 300, 3, generator=draw, dtype=torch.float64), none, none, phases)
    depth = walkers.path.norm(dim=1) / 4e-6
    assert bool((depth <= 1 + 1e-12).all())
    inner = (depth < 0.5 ** (1 / 3)).double().mean().item()
    assert inner == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(4000))


def test_no_walker_enters_a_grain() -> None:
    space = cubic(0.3, 3)
    walkers = space.enter(2000, generator=torch.Generator().manual_seed(1), reach=1e-5)
    draw = torch.Generator().manual_seed(2)
    none, phases = torch.zeros(1, 100, 3, dtype=torch.float64), torch.zeros(2000, 1, dtype=torch.float64)
    walkers.advance(8e-7 * torch.randn(2000, 100, 3, generator=draw, dtype=torch.float64), none, none, phases)
    apart = (walkers.path % 10e-6 - 5e-6).norm(dim=1)
    assert bool((apart >= float(space.radii[0]) * (1 - 1e-9)).all())


def steps_of(count: int, size: float) -> torch.Tensor:
    draw = torch.Generator().manual_seed(17)
    return size * torch.randn(count, 12, 3, generator=draw, dtype=torch.float64)


def weights_of(count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(18)
    near, far = torch.randn(2, 2, 12, 3, generator=draw, dtype=torch.float64)
    return near, far, torch.zeros(count, 2, dtype=torch.float64)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_compiled_and_torch_steps_agree_in_closed_pores(axes: int) -> None:
    walkers = ClosedPores((3e-6, 5e-6), axes).enter(300, generator=torch.Generator().manual_seed(1), reach=1e-5)
    place, radii, steps = walkers.path.clone(), walkers.radii.clone(), steps_of(300, 2e-6)
    near, far, phases = weights_of(300)
    total = torch.zeros_like(phases)
    for step in range(12):
        new = step_closed(place, steps[:, step], radii=radii, axes=axes)
        total += place @ near[:, step].T + new @ far[:, step].T
        place = new
    walkers.advance(steps, near, far, phases)
    torch.testing.assert_close(walkers.path, place, rtol=0, atol=1e-15)
    torch.testing.assert_close(phases, total, rtol=0, atol=1e-14)


@pytest.mark.parametrize("axes", [2, 3])
def test_compiled_and_torch_steps_agree_between_grains(axes: int) -> None:
    draw = torch.Generator().manual_seed(4)
    box = (12e-6, 14e-6, 10e-6)
    centres = torch.rand(9, 3, generator=draw, dtype=torch.float64) * torch.tensor(box, dtype=torch.float64)
    radii = (1 + torch.rand(9, generator=draw, dtype=torch.float64)) * 1e-6
    walkers = Grains(centres, radii, box, axes).enter(200, generator=draw, reach=8e-6)
    local, path, steps = walkers.local.clone(), walkers.path.clone(), steps_of(200, 1e-6)
    near, far, phases = weights_of(200)
    edges = torch.tensor(box, dtype=torch.float64)
    for step in range(12):
        local, gone = step_grains(local, steps[:, step], balls=walkers.balls, axes=axes)
        path, local = path + gone, local - edges * (local / edges).floor()
    walkers.advance(steps, near, far, phases)
    torch.testing.assert_close(walkers.path, path, rtol=0, atol=1e-14)


def test_compiled_and_torch_steps_agree_between_voxels() -> None:
    draw = torch.Generator().manual_seed(4)
    image = torch.rand(6, 5, 4, generator=draw) < 0.6
    walkers = VoxelPores(image, (1e-6, 1.5e-6, 2e-6)).enter(200, generator=draw, reach=8e-6)
    voxel, inside, path, steps = (
        walkers.voxel.clone(),
        walkers.inside.clone(),
        walkers.path.clone(),
        steps_of(200, 1e-6),
    )
    near, far, phases = weights_of(200)
    for step in range(12):
        rest = steps[:, step] / walkers.spacing
        voxel, inside, gone = step_voxels(voxel, inside, rest, pores=image)
        path = path + gone * walkers.spacing
    walkers.advance(steps, near, far, phases)
    torch.testing.assert_close(walkers.path, path, rtol=0, atol=1e-15)
    assert bool((walkers.voxel == voxel).all())
    assert bool(image[tuple(voxel.T)].all())


def test_the_same_seed_walks_the_same_way() -> None:
    walk, pores = RandomWalk(50, 20, WATER), ClosedPores((5e-6,))
    first, second, other = (walk(pores, [pair(0.1, 2e-3, 0.01)], seed=seed).phases for seed in (1, 1, 2))
    assert bool((first == second).all())
    assert not bool((first == other).any())


def test_coarse_steps_are_told() -> None:
    assert not RandomWalk(10, 3, WATER)(ClosedPores((5e-6,)), [silent(0.05)], seed=1).holds


@pytest.mark.parametrize(
    "given", [(1, 10, WATER), (10, 0, WATER), (10, 10, 0.0), (10, 10, math.nan), (10**12, 1, WATER)]
)
def test_impossible_walks_are_refused(given: tuple[int, int, float]) -> None:
    with pytest.raises(UsageError, match="GD-196"):
        RandomWalk(*given)


def test_impossible_spaces_and_requests_are_refused() -> None:
    with pytest.raises(UsageError, match="GD-196"):
        RandomWalk(10, 10, WATER)(FreeSpace(), [], seed=1)
    with pytest.raises(UsageError, match="GD-196"):
        RandomWalk(90_000_000, 10, WATER)(FreeSpace(), [silent(1.0)], seed=1)
    for radii, axes in (((), 3), ((-1e-6,), 3), ((math.nan,), 2), ((1e-6,), 4)):
        with pytest.raises(UsageError, match="GD-195"):
            ClosedPores(radii, axes)
    one = torch.full((1, 3), 5e-6, dtype=torch.float64)
    for radius, box in ((6e-6, 1e-5), (-1e-6, 1e-5), (1e-6, 4e-6), (math.nan, 1e-5), (1e-6, math.inf)):
        with pytest.raises(UsageError, match="GD-195"):
            Grains(one, torch.tensor([radius], dtype=torch.float64), (box, box, box))
    full = torch.cartesian_prod(*3 * [torch.arange(4, dtype=torch.float64) * 2.5e-6])
    packed = Grains(full, torch.full((64,), 4e-6, dtype=torch.float64), (1e-5, 1e-5, 1e-5))
    with pytest.raises(UsageError, match="GD-195"):
        packed.enter(5, generator=torch.Generator(), reach=1e-7)
    for image, edge in (
        (torch.zeros(2, 2, 2).bool(), 1e-6),
        (torch.ones(2, 2).bool(), 1e-6),
        (torch.ones(2, 2, 2), 1e-6),
    ):
        with pytest.raises(UsageError, match="GD-195"):
            VoxelPores(image, (edge, edge, edge))
    with pytest.raises(UsageError, match="GD-195"):
        VoxelPores(torch.ones(2, 2, 2).bool(), (1e-6, 0.0, 1e-6))
