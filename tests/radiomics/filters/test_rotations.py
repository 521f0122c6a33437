"""Turns of the grid, and pooling over them: the shared work gives what each turn by itself gives."""

import itertools
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from gradatim.radiomics.filters.boundary import Boundary, Mirror, Nearest, Periodic, Zero
from gradatim.radiomics.filters.laws import LawsKernels
from gradatim.radiomics.filters.mean import MeanFilter
from gradatim.radiomics.filters.pooled import Pooled
from gradatim.radiomics.filters.pooling import Average, Maximum, Pooling
from gradatim.radiomics.filters.rotations import PlaneRotations, Rotations, SpaceRotations
from gradatim.radiomics.filters.separable_wavelet import WAVELETS, SeparableWavelet
from gradatim.radiomics.preparation import Response

CUBES = (1.0, 1.0, 1.0)
BOUNDARIES = (Zero(), Nearest(), Periodic(), Mirror())


@dataclass(frozen=True)
class Opaque:
    """A filter whose stencils cannot be seen, so that every turn is made by itself."""

    filter: Response

    def __call__(self, values: Tensor, *, spacing: tuple[float, float, float]) -> Tensor:
        return self.filter(values, spacing=spacing)


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_the_turns_of_a_cube_are_24_rotations() -> None:
    turns = SpaceRotations().turns
    matrices = []
    for turn in turns:
        matrix = torch.zeros(3, 3)
        for new, old in enumerate(turn.axes):
            matrix[new, old] = -1.0 if new in turn.backwards else 1.0
        matrices.append(matrix)
    assert all(float(torch.det(matrix)) == 1.0 for matrix in matrices)
    assert len({tuple(matrix.flatten().tolist()) for matrix in matrices}) == 24
    for one, other in itertools.product(matrices, repeat=2):
        assert any(torch.equal(one @ other, third) for third in matrices)
    x = noise(2, 3, 4)
    assert torch.equal(turns[0].apply(x), x)


def test_the_turns_of_a_slice_are_those_of_rot90() -> None:
    x = noise(3, 4, 2)
    found = [turn.apply(x) for turn in PlaneRotations().turns]
    for k in range(4):
        assert any(t.shape == torch.rot90(x, k).shape and torch.equal(t, torch.rot90(x, k)) for t in found)


@pytest.mark.parametrize("by", [Maximum(), Average()])
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize(
    ("make", "over"),
    [
        (lambda b: LawsKernels("L5E5E5", b), SpaceRotations()),
        (lambda b: LawsKernels("E3W5R5", b), SpaceRotations()),
        (lambda b: LawsKernels("S3E5", b), PlaneRotations()),
        (lambda b: LawsKernels("S3E5", b), SpaceRotations()),
        (lambda b: SeparableWavelet(WAVELETS["db2"], "LHL", 1, b), SpaceRotations()),
        (lambda b: SeparableWavelet(WAVELETS["coif1"], "HHH", 2, b), SpaceRotations()),
        (lambda b: SeparableWavelet(WAVELETS["db3"], "LH", 1, b), PlaneRotations()),
        (lambda b: MeanFilter(3, boundary=b), SpaceRotations()),
    ],
)
def test_shared_work_changes_nothing(make, over: Rotations, boundary: Boundary, by: Pooling) -> None:
    x, filter_ = noise(5, 6, 7), make(boundary)
    shared, apart = (Pooled(f, over=over, by=by)(x, spacing=CUBES) for f in (filter_, Opaque(filter_)))
    assert torch.allclose(shared, apart, atol=1e-12)


@pytest.mark.parametrize("by", [Maximum(), Average()])
def test_a_pooled_response_turns_with_the_image(by: Pooling) -> None:
    x, pooled = noise(5, 5, 6), Pooled(LawsKernels("L5E5S5"), over=SpaceRotations(), by=by)
    for turn in SpaceRotations().turns:
        assert torch.allclose(turn.undo(pooled(turn.apply(x), spacing=CUBES)), pooled(x, spacing=CUBES), atol=1e-12)


def test_an_edge_filter_has_no_mean_over_turns() -> None:
    response = Pooled(LawsKernels("E5L5L5"), over=SpaceRotations(), by=Average())(noise(6, 6, 6), spacing=CUBES)
    assert float(response.abs().max()) < 1e-14
