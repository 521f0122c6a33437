"""One table of operators, one list of laws: every operator obeys every law."""

import math

import pytest
import torch

from gradatim.base.grid import Grid
from gradatim.linop.blocks import BlockMean, BlockSum, Decimate
from gradatim.linop.convolution import Convolution, convolution_of_a_window, convolution_with_zeros
from gradatim.linop.crop import Crop, Pad
from gradatim.linop.diagonal import Diagonal, Mask
from gradatim.linop.difference import Divergence, Gradient, Laplacian, PeriodicGradient
from gradatim.linop.dipole import Dipole, dipole_symbol
from gradatim.linop.fourier import CentredFourier, Fourier
from gradatim.linop.identity import Identity
from gradatim.linop.multiplier import FourierMultiplier
from gradatim.linop.nonuniform import NonUniformFourier
from gradatim.linop.operator import LinearOperator
from gradatim.linop.resample import Resample
from gradatim.linop.sampled import SampledFourier
from gradatim.linop.shift_invariant import ShiftInvariant
from gradatim.linop.sphere import spherical_mean
from gradatim.linop.symmetrised import PeriodicSymmetrisedGradient, SymmetrisedGradient
from gradatim.linop.transposed import TransposedConvolution
from gradatim.linop.wavelet import Wavelet
from gradatim.linop.wavelet_filter import symlet
from tests.laws.kit import EVERY_OPERATOR

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
    "identity, plane": Identity((5, 4)),
    "diagonal": Diagonal(_random(*SHAPE)),
    "diagonal, complex": Diagonal(torch.polar(_random(5, 4), 6 * _random(5, 4))),
    "mask": Mask(_random(*SHAPE) > 0.5),
    "pad": Pad(ODD, (9, 8, 7), (2, 1, 0)),
    "crop": Crop(Pad.centred(ODD, (9, 8, 8))),
    "crop, plane": Crop(Pad((3, 4), (5, 4), (2, 0))),
    "gradient": Gradient(SHAPE, SPACING),
    "gradient, plane": Gradient((6, 5), (0.5, 2.0)),
    "gradient, line": Gradient((7,), (0.5,)),
    "gradient, one slice": Gradient((5, 4, 1), SPACING),
    "periodic gradient": PeriodicGradient(ODD, SPACING),
    "periodic gradient, one slice": PeriodicGradient((5, 4, 1), SPACING),
    "periodic gradient, plane": PeriodicGradient((6, 5), (0.5, 2.0)),
    "symmetrised gradient": SymmetrisedGradient((4, 5, 3), SPACING),
    "symmetrised gradient, one slice": SymmetrisedGradient((5, 4, 1), SPACING),
    "symmetrised gradient, plane": SymmetrisedGradient((6, 5), (0.5, 2.0)),
    "periodic symmetrised gradient": PeriodicSymmetrisedGradient((4, 5, 3), SPACING),
    "periodic symmetrised gradient, plane": PeriodicSymmetrisedGradient((6, 5), (0.5, 2.0)),
    "divergence": Divergence(Gradient(ODD, SPACING)),
    "periodic divergence": Divergence(PeriodicGradient(SHAPE, SPACING)),
    "laplacian": Laplacian(Gradient(ODD, SPACING)),
    "laplacian, periodic, plane": Laplacian(PeriodicGradient((6, 5), (0.5, 2.0))),
    "dipole, periodic, even, oblique": FourierMultiplier(
        dipole_symbol(SHAPE, SPACING, b0_direction=OBLIQUE, dtype=torch.float64), SHAPE
    ),
    "dipole, periodic, odd, oblique": FourierMultiplier(
        dipole_symbol(ODD, SPACING, b0_direction=OBLIQUE, dtype=torch.float64), ODD
    ),
    "dipole, padded, oblique": Dipole(ODD, SPACING, OBLIQUE),
    "dipole, on a tilted grid": Dipole.on(_tilted()),
    "blur, plane": FourierMultiplier(torch.fft.rfftn(_random(6, 5)), (6, 5)),
    "blur, volume": FourierMultiplier(torch.fft.rfftn(_random(*SHAPE)), SHAPE),
    "blur without wrap-around": Crop(Pad.centred((4, 3), (7, 6)))
    @ FourierMultiplier(torch.fft.rfftn(_random(7, 6)), (7, 6))
    @ Pad.centred((4, 3), (7, 6)),
    "spherical mean": spherical_mean(ODD, SPACING, radius_mm=1.6),
    "composition": Diagonal(_random(3, *SHAPE)) @ Gradient(SHAPE, SPACING),
    "sum": Dipole(SHAPE, SPACING) + 0.5 * Identity(SHAPE),
    "adjoint": Gradient(SHAPE, SPACING).H,
    "convolution, plane": Convolution(_random(3, 2) - 0.3, (5, 6)),
    "convolution, volume": Convolution(_random(3, 2, 4) - 0.3, (4, 5, 4)),
    "convolution of a window": convolution_of_a_window(_random(3, 2), (4, 5)),
    "convolution with zeros": convolution_with_zeros(_random(2, 3, 3), (4, 3, 3)),
    "fourier, plane": Fourier((5, 4)),
    "fourier, centred, volume": CentredFourier((4, 3, 5)),
    "sampled fourier": SampledFourier(Fourier((5, 6)), _random(5, 6) > 0.4),
    "sampled fourier, coils, lines": SampledFourier(
        CentredFourier((5, 4)), _random(1, 4) > 0.4, torch.polar(_random(3, 5, 4), 6 * _random(3, 5, 4))
    ),
    "block mean": BlockMean((4, 6), (2, 3)),
    "block sum, volume": BlockSum((4, 3, 2), (2, 3, 1)),
    "decimation": Decimate((5, 6), (2, 3), (1, 0)),
    "camera": Decimate((6, 5), (2, 2)) @ Convolution(_random(3, 3), (6, 5)),
    "resampling by areas": Resample.area((5, 4), (3, 6)),
    "linear resampling, volume": Resample.linear((3, 4, 5), (5, 3, 5)),
    "cubic resampling": Resample.cubic((5, 4), (7, 3)),
    "non-uniform fourier": NonUniformFourier((4, 5), 5 * _random(12, 2) - 2),
    "non-uniform fourier, coils": NonUniformFourier(
        (4, 3), 5 * _random(7, 2) - 2, torch.polar(_random(2, 4, 3), 6 * _random(2, 4, 3)), 4
    ),
    "transposed convolution, doubling": TransposedConvolution(_random(4), (7,), stride=2, padding=1),
    "transposed convolution, channels, plane": TransposedConvolution(
        _random(2, 3, 3, 4) - 0.5, (4, 3), stride=(2, 3), padding=1, output_padding=(1, 2)
    ),
    "transposed convolution, dilated, volume": TransposedConvolution(
        _random(1, 2, 2, 3, 2) - 0.5, (3, 2, 3), stride=(1, 2, 3), dilation=(2, 1, 2)
    ),
    "wavelet, plane, odd": Wavelet((7, 6), 2),
    "wavelet, volume": Wavelet((4, 5, 3), 2, symlet(4)),
    "strided convolution": TransposedConvolution(_random(3, 3), (3, 4), stride=2, padding=1).H,
    "weighted dipole": Mask(_random(*SHAPE) > 0.3) @ Dipole(SHAPE, SPACING, OBLIQUE),
}

LOOSE = {
    "composition": "a product of two bounds",
    "camera": "the same",
    "sampled fourier, coils, lines": "the strongest voxel alone, of which the mask sees a part",
    "convolution with zeros": "the same, as tight as a large image makes it",
    "sum": "a sum of two bounds",
    "dipole, padded, oblique": "on a few voxels, far from the 2/3 of a large volume",
    "dipole, on a tilted grid": "the same",
    "weighted dipole": "the same",
    "blur without wrap-around": "the largest response stands for an image that fills the padding too",
}
"""Operators whose bound may lie more than a fifth above the norm, and why."""


@pytest.mark.parametrize("law", EVERY_OPERATOR)
@pytest.mark.parametrize("name", OPERATORS)
def test_operator_obeys(name, law, laws):
    getattr(laws, law)(OPERATORS[name])


@pytest.mark.parametrize("name", sorted(OPERATORS.keys() - LOOSE.keys()))
def test_bound_is_sharp(name, laws):
    laws.bound_is_sharp(OPERATORS[name])


@pytest.mark.parametrize("name", [name for name, each in OPERATORS.items() if isinstance(each, ShiftInvariant)])
def test_hints_for_exact_solves_agree_with_the_operator(name, laws):
    laws.hints_for_exact_solves(OPERATORS[name])


BY_SPACING = {
    "gradient": (lambda h: Gradient(SHAPE, h), -1),
    "periodic gradient": (lambda h: PeriodicGradient(SHAPE, h), -1),
    "divergence": (lambda h: Divergence(Gradient(SHAPE, h)), -1),
    "laplacian": (lambda h: Laplacian(Gradient(SHAPE, h)), -2),
    "symmetrised gradient": (lambda h: SymmetrisedGradient(SHAPE, h), -1),
    "periodic symmetrised gradient": (lambda h: PeriodicSymmetrisedGradient(SHAPE, h), -1),
    "dipole": (lambda h: Dipole(SHAPE, h, OBLIQUE), 0),
}
"""Operators of voxel edges, and the power of the length in their unit."""


@pytest.mark.parametrize("factor", [0.001, 3.0])
@pytest.mark.parametrize("name", BY_SPACING)
def test_voxels_in_another_unit_change_the_result_by_that_unit(name, factor):
    build, power = BY_SPACING[name]
    small, large = build(SPACING), build(tuple(factor * h for h in SPACING))
    x = _random(*small.domain_shape) - 0.5
    torch.testing.assert_close(large.apply(x), factor**power * small.apply(x), rtol=1e-12, atol=0)
    assert large.norm_bound() == pytest.approx(factor**power * small.norm_bound(), rel=1e-12)


@pytest.mark.parametrize("name", OPERATORS)
def test_operator_follows_the_device(name, laws):
    laws.follows_the_device(OPERATORS[name])


@pytest.mark.gpu
@pytest.mark.parametrize("name", OPERATORS)
def test_cuda_gives_what_the_cpu_gives(name, laws):
    laws.same_on_cuda(OPERATORS[name])
