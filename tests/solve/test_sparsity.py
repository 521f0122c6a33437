"""Wavelet sparsity: one shrinkage, the coarsest band free, and the same answer from every solver."""

import torch

from gradatim.linop.identity import Identity
from gradatim.linop.wavelet import Wavelet
from gradatim.linop.wavelet_filter import daubechies
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.norms import L1
from gradatim.solve.pdhg import Pdhg
from gradatim.solve.problem import Problem, Term
from gradatim.solve.sparsity import wavelet_sparsity
from gradatim.solve.stopping import IterationBound, SmallGap

WAVELET = Wavelet((12, 16), 2, daubechies(2))


def _random(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def _shrunk(y, threshold):
    c = WAVELET.apply(y)
    return WAVELET.adjoint(torch.where(WAVELET.details(), c.sign() * (c.abs() - threshold).clamp_min(0.0), c))


def test_denoising_is_one_shrinkage():
    y = _random(12, 16)
    prior = wavelet_sparsity(WAVELET, weight=0.6, dtype=torch.float64)
    torch.testing.assert_close(prior.prox(y, 1.0), _shrunk(y, 0.6))


def test_flat_images_are_free():
    prior = wavelet_sparsity(WAVELET, weight=1.0, dtype=torch.float64)
    flat = torch.full((12, 16), 7.0, dtype=torch.float64)
    assert float(prior.value(flat)) < 1e-10
    torch.testing.assert_close(prior.prox(flat, 5.0), flat)


def test_behind_the_transform_it_is_the_same_problem():
    """The primal-dual method with W as an operator, which knows nothing of orthogonality, agrees."""
    y, one = _random(12, 16, seed=1), Identity((12, 16))
    plain = Term(L1(WAVELET.details().double()), WAVELET, 0.6)
    found = Pdhg(IterationBound(500) | SmallGap(1e-6))(Problem((Term(SquaredDistance(y), one), plain)), start=y)
    assert found.certificate is not None
    assert float((found.value - _shrunk(y, 0.6)).norm()) <= found.certificate.distance < 0.02


def test_its_certificate_survives_single_precision():
    """Coefficients that must be 0 in the dual are so only up to the rounding of W; that is forgiven."""
    y, one = _random(12, 16, seed=2).float(), Identity((12, 16))
    prior = wavelet_sparsity(WAVELET, weight=0.6)
    problem = Problem((Term(SquaredDistance(y), one), prior))
    x = prior.prox(y, 1.0)
    certificate = problem.certificate(x, (None, y - x))
    assert certificate is not None
    assert certificate.relative < 1e-5
    assert prior.conjugate(y) == torch.inf
