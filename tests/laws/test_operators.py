"""One table of operators, one list of laws: every operator obeys every law."""

import math

import pytest
import torch

from gradatim.base.grid import Grid
from gradatim.linop.crop import Crop, Pad
from gradatim.linop.diagonal import Diagonal, Mask
from gradatim.linop.difference import Divergence, Gradient, Laplacian, PeriodicGradient
from gradatim.linop.dipole import Dipole, dipole_symbol
from gradatim.linop.identity import Identity
from gradatim.linop.multiplier import FourierMultiplier
from gradatim.linop.operator import LinearOperator
from gradatim.linop.sphere import spherical_mean
from gradatim.linop.transposed import TransposedConvolution

SHAPE, ODD = (6, 8, 4), (5, 6, 7)
SPACING = (1.0, 0.7, 2.2)
OBLIQUE = (0.36, -0.48, 0.8)


def _random(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def _tilted() -> Grid:
    c, s = math.cos(0.4), math.sin(0.4)
    turn = torch.tensor([[1.0, 0, 0], [0, c, -s], [0, s, c]], dtype=torch.float64) * torch.tensor(SPACING)
    affine = torch.eye(4, dtype=torch.float64)
    affine[:3, :3] = turn
    return Grid.from_affine(SHAPE, affine.numpy())


OPERATORS: dict[str, LinearOperator] = {
    "identity": Identity(SHAPE),
    "diagonal": Diagonal(_random(*SHAPE)),
    "mask": Mask(_random(*SHAPE) > 0.5),
    "pad": Pad(ODD, (9, 8, 7), (2, 1, 0)),
    "crop": Crop(Pad.centred(ODD, (9, 8, 8))),
    "gradient": Gradient(SHAPE, SPACING),
    "gradient, one slice": Gradient((5, 4, 1), SPACING),
    "periodic gradient": PeriodicGradient(ODD, SPACING),
    "periodic gradient, one slice": PeriodicGradient((5, 4, 1), SPACING),
    "divergence": Divergence(Gradient(ODD, SPACING)),
    "periodic divergence": Divergence(PeriodicGradient(SHAPE, SPACING)),
    "laplacian": Laplacian(Gradient(ODD, SPACING)),
    "dipole, periodic, even, oblique": FourierMultiplier(
        dipole_symbol(SHAPE, SPACING, b0_direction=OBLIQUE, dtype=torch.float64), SHAPE
    ),
    "dipole, periodic, odd, oblique": FourierMultiplier(
        dipole_symbol(ODD, SPACING, b0_direction=OBLIQUE, dtype=torch.float64), ODD
    ),
    "dipole, padded, oblique": Dipole(ODD, SPACING, OBLIQUE),
    "dipole, on a tilted grid": Dipole.on(_tilted()),
    "spherical mean": spherical_mean(ODD, SPACING, radius_mm=1.6),
    "composition": Diagonal(_random(3, *SHAPE)) @ Gradient(SHAPE, SPACING),
    "sum": Dipole(SHAPE, SPACING) + 0.5 * Identity(SHAPE),
    "adjoint": Gradient(SHAPE, SPACING).H,
    "transposed convolution, doubling": TransposedConvolution(_random(4), (7,), stride=2, padding=1),
    "transposed convolution, channels, plane": TransposedConvolution(
        _random(2, 3, 3, 4) - 0.5, (4, 3), stride=(2, 3), padding=1, output_padding=(1, 2)
    ),
    "transposed convolution, dilated, volume": TransposedConvolution(
        _random(1, 2, 2, 3, 2) - 0.5, (3, 2, 3), stride=(1, 2, 3), dilation=(2, 1, 2)
    ),
    "strided convolution": TransposedConvolution(_random(3, 3), (3, 4), stride=2, padding=1).H,
    "weighted dipole": Mask(_random(*SHAPE) > 0.3) @ Dipole(SHAPE, SPACING, OBLIQUE),
}

LAW_NAMES = (
    "linearity",
    "adjointness",
    "norm_is_a_bound",
    "first_gradient",
    "double_backward",
    "batch_is_a_loop",
    "gradcheck",
)


@pytest.mark.parametrize("law", LAW_NAMES)
@pytest.mark.parametrize("name", OPERATORS)
def test_operator_obeys(name, law, laws):
    getattr(laws, law)(OPERATORS[name])


SHIFT_INVARIANT = {
    "identity": Identity(SHAPE),
    "periodic gradient": PeriodicGradient(SHAPE, SPACING),
    "dipole": OPERATORS["dipole, periodic, even, oblique"],
    "complex kernel": FourierMultiplier(
        torch.fft.rfftn(_random(*SHAPE)),
        SHAPE,
    ),
}


@pytest.mark.parametrize("name", SHIFT_INVARIANT)
def test_hints_for_exact_solves_agree_with_the_operator(name):
    A = SHIFT_INVARIANT[name]
    x, y = _random(*SHAPE), _random(*A.codomain_shape) - 0.5
    gram = torch.fft.irfftn(A.gram_symbol(x) * torch.fft.rfftn(x), s=SHAPE)
    torch.testing.assert_close(gram, A.adjoint(A.apply(x)), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(A.adjoint_spectrum(y), torch.fft.rfftn(A.adjoint(y)), rtol=1e-12, atol=1e-11)
    torch.testing.assert_close(A.forward_from(torch.fft.rfftn(x), x), A.apply(x), rtol=1e-12, atol=1e-12)


@pytest.mark.gpu
@pytest.mark.parametrize("name", OPERATORS)
def test_cuda_gives_what_the_cpu_gives(name):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    A = OPERATORS[name]
    x, y = _random(*A.domain_shape) - 0.5, _random(*A.codomain_shape) - 0.5
    for map_, given in ((A.apply, x), (A.adjoint, y)):
        found = map_(given.cuda())
        assert found.is_cuda
        torch.testing.assert_close(found.cpu(), map_(given), rtol=1e-12, atol=1e-12)
