"""Laws that hold for every filter: linear, moved with the image, turned with it, differentiable, of one precision."""

import json
import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.radiomics.described import described
from gradatim.radiomics.filters.boundary import Boundary, Mirror, Nearest, Periodic, Zero
from gradatim.radiomics.filters.energy_map import EnergyMap
from gradatim.radiomics.filters.frequencies import FourierFrequencies
from gradatim.radiomics.filters.gabor import Gabor, evenly
from gradatim.radiomics.filters.laplacian_of_gaussian import LaplacianOfGaussian
from gradatim.radiomics.filters.laws import LawsKernels
from gradatim.radiomics.filters.mean import MeanFilter
from gradatim.radiomics.filters.nonseparable_wavelet import NonseparableWavelet
from gradatim.radiomics.filters.orthogonal_planes import OrthogonalPlanes
from gradatim.radiomics.filters.pooled import Pooled
from gradatim.radiomics.filters.pooling import Average, Maximum
from gradatim.radiomics.filters.riesz import Riesz
from gradatim.radiomics.filters.rotations import PlaneRotations, SpaceRotations
from gradatim.radiomics.filters.separable_wavelet import WAVELETS, SeparableWavelet
from gradatim.radiomics.preparation import Response

SPACING = (1.0, 1.5, 2.0)
CUBES = (1.0, 1.0, 1.0)
BOUNDARIES = (Zero(), Nearest(), Periodic(), Mirror())
DB2 = WAVELETS["db2"]


def linear(boundary: Boundary) -> dict[str, Response]:
    return {
        "mean": MeanFilter(3, boundary=boundary),
        "mean of slices": MeanFilter(5, dimensions=2, boundary=boundary),
        "LoG": LaplacianOfGaussian(1.2, boundary=boundary),
        "LoG of slices": LaplacianOfGaussian(1.2, dimensions=2, boundary=boundary),
        "Laws": LawsKernels("E5S3W5", boundary=boundary),
        "Laws of slices": LawsKernels("R5L3", boundary=boundary),
        "wavelet": SeparableWavelet(DB2, "LHH", level=2, boundary=boundary),
        "turned wavelet": Pooled(
            SeparableWavelet(WAVELETS["coif1"], "LHL", boundary=boundary), over=SpaceRotations(), by=Average()
        ),
        "Simoncelli": NonseparableWavelet(1, 3, boundary, FourierFrequencies()),
        "Simoncelli of the IBSI": NonseparableWavelet(1, boundary=boundary),
        "Simoncelli of slices": NonseparableWavelet(2, 2, boundary, FourierFrequencies()),
        "Riesz": Riesz(MeanFilter(3, boundary=boundary), order=(1, 0, 2), boundary=boundary),
        "Riesz of slices": Riesz(MeanFilter(3, 2, boundary), order=(1, 1), boundary=boundary),
    }


def bent(boundary: Boundary) -> dict[str, Response]:
    return {
        "Gabor": Gabor(2.0, 4.0, 0.8, angles=(0.3, 1.0), boundary=boundary),
        "Gabor in three planes": OrthogonalPlanes(Gabor(2.0, 4.0, 0.8, angles=evenly(math.pi / 2), boundary=boundary)),
        "energy": EnergyMap(LawsKernels("L5E5E5", boundary=boundary), distance=2, boundary=boundary),
        "largest of turns": Pooled(LawsKernels("L5E5", boundary=boundary), over=PlaneRotations(), by=Maximum()),
    }


NAMES = list(linear(Zero())) + list(bent(Zero()))


def named(name: str, boundary: Boundary) -> Response:
    return (linear(boundary) | bent(boundary))[name]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("name", linear(Zero()))
def test_linear(name: str, boundary: Boundary) -> None:
    one, other = noise(6, 7, 5), noise(6, 7, 5, seed=1)
    run = named(name, boundary)
    together = run(2.0 * one - 3.0 * other, spacing=SPACING)
    assert torch.allclose(together, 2.0 * run(one, spacing=SPACING) - 3.0 * run(other, spacing=SPACING), atol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_a_periodic_image_moves_its_response_with_it(name: str) -> None:
    run, x = named(name, Periodic()), noise(6, 7, 5)
    moved = run(x.roll((2, -3, 1), (0, 1, 2)), spacing=SPACING)
    assert torch.allclose(moved, run(x, spacing=SPACING).roll((2, -3, 1), (0, 1, 2)), atol=1e-10)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("name", NAMES)
def test_a_filter_of_slices_keeps_them_apart(name: str, boundary: Boundary) -> None:
    run, x = named(name, boundary), noise(6, 7, 4)
    alone = torch.cat([run(x[:, :, k : k + 1], spacing=SPACING) for k in range(4)], dim=2)
    in_slices = name.endswith("of slices") or name in ("Gabor", "largest of turns")
    assert torch.allclose(run(x, spacing=SPACING), alone, atol=1e-10) == in_slices


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("name", ["mean", "LoG", "Simoncelli", "turned wavelet", "Gabor in three planes"])
def test_what_has_no_direction_turns_with_the_image(name: str, boundary: Boundary) -> None:
    run, x = named(name, boundary), noise(5, 7, 5)
    for turn in SpaceRotations().turns:
        turned = run(turn.apply(x), spacing=turn.spacing(SPACING))
        assert torch.allclose(turn.undo(turned), run(x, spacing=SPACING), atol=1e-9)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("name", NAMES)
def test_one_precision_from_image_to_response(name: str, boundary: Boundary) -> None:
    run, x = named(name, boundary), noise(6, 7, 5)
    single, double = run(x.float(), spacing=SPACING), run(x, spacing=SPACING)
    assert (single.dtype, double.dtype) == (torch.float32, torch.float64)
    assert single.shape == x.shape
    assert torch.allclose(single.double(), double, atol=1e-4)
    whole = (10 * x).round()
    assert torch.equal(run(whole.to(torch.int16), spacing=SPACING), run(whole, spacing=SPACING))


@pytest.mark.parametrize("name", NAMES)
def test_differentiable(name: str) -> None:
    x = noise(4, 3, 3).requires_grad_()
    run = named(name, Mirror())
    assert torch.autograd.gradcheck(lambda values: run(values, spacing=SPACING), (x,), fast_mode=True)


@pytest.mark.gpu
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("name", NAMES)
def test_the_same_on_a_gpu(name: str, boundary: Boundary) -> None:
    run, x = named(name, boundary), noise(6, 7, 5)
    assert torch.allclose(run(x.cuda(), spacing=SPACING).cpu(), run(x, spacing=SPACING), atol=1e-10)


@given(shape=st.tuples(*[st.integers(1, 6)] * 3), name=st.sampled_from(NAMES), boundary=st.sampled_from(BOUNDARIES))
def test_any_size_is_filtered(shape: tuple[int, int, int], name: str, boundary: Boundary) -> None:
    response = named(name, boundary)(noise(*shape), spacing=SPACING)
    assert response.shape == shape
    assert bool(response.isfinite().all())


@pytest.mark.parametrize("name", NAMES)
def test_the_image_is_not_changed(name: str) -> None:
    x = noise(6, 7, 5)
    before = x.clone()
    named(name, Periodic())(x, spacing=SPACING)
    assert torch.equal(x, before)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_plain_data_and_tell_filters_apart(name: str, boundary: Boundary) -> None:
    said = json.dumps(described(named(name, boundary)), allow_nan=False)
    others = [json.dumps(described(named(n, b))) for n in NAMES for b in BOUNDARIES if (n, b) != (name, boundary)]
    assert said not in others


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 0), (1, 4, 4, 4)])
def test_anything_but_a_volume_is_refused(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        named(name, Mirror())(torch.zeros(shape), spacing=SPACING)
    assert caught.value.code == "GD-137"


@pytest.mark.parametrize(
    ("code", "make"),
    [
        ("GD-136", lambda: MeanFilter(4)),
        ("GD-136", lambda: MeanFilter(0)),
        ("GD-101", lambda: MeanFilter(3, dimensions=1)),
        ("GD-101", lambda: LaplacianOfGaussian(0.0)),
        ("GD-101", lambda: LaplacianOfGaussian(math.nan)),
        ("GD-101", lambda: LaplacianOfGaussian(1.0, truncate=-1.0)),
        ("GD-101", lambda: LaplacianOfGaussian(1.0, dimensions=4)),
        ("GD-138", lambda: LawsKernels("L5")),
        ("GD-138", lambda: LawsKernels("L5E5E5E5")),
        ("GD-138", lambda: LawsKernels("L5X5")),
        ("GD-138", lambda: LawsKernels("L5E")),
        ("GD-136", lambda: EnergyMap(LawsKernels("L5E5"), distance=-1)),
        ("GD-101", lambda: EnergyMap(LawsKernels("L5E5"), dimensions=5)),
        ("GD-101", lambda: Gabor(-1.0, 2.0)),
        ("GD-101", lambda: Gabor(1.0, 0.0)),
        ("GD-101", lambda: Gabor(1.0, 2.0, gamma=math.inf)),
        ("GD-138", lambda: Gabor(1.0, 2.0, angles=())),
        ("GD-138", lambda: Gabor(1.0, 2.0, angles=(math.nan,))),
        ("GD-138", lambda: evenly(1.0)),
        ("GD-138", lambda: evenly(-math.pi)),
        ("GD-138", lambda: SeparableWavelet(DB2, "L")),
        ("GD-138", lambda: SeparableWavelet(DB2, "LXL")),
        ("GD-101", lambda: SeparableWavelet(DB2, "LH", level=0)),
        ("GD-122", lambda: SeparableWavelet((1.0, 1.0), "LH")),
        ("GD-122", lambda: SeparableWavelet((), "LH")),
        ("GD-122", lambda: SeparableWavelet((1.0,), "LH")),
        ("GD-101", lambda: NonseparableWavelet(0)),
        ("GD-101", lambda: NonseparableWavelet(1, dimensions=1)),
        ("GD-138", lambda: Riesz(MeanFilter(1), order=(1,))),
        ("GD-138", lambda: Riesz(MeanFilter(1), order=(0, 0, 0))),
        ("GD-138", lambda: Riesz(MeanFilter(1), order=(2, -1, 0))),
    ],
)
def test_impossible_parameters_are_refused(code: str, make: Callable[[], Response]) -> None:
    with pytest.raises(UsageError) as caught:
        make()
    assert caught.value.code == code
