import math

import pytest
import torch
from skimage import data

from gradatim.base.errors import UsageError
from gradatim.linop.difference import Gradient
from gradatim.linop.fft import frequencies
from gradatim.linop.identity import Identity
from gradatim.linop.multiplier import FourierMultiplier
from gradatim.solve.discrepancy_principle import DiscrepancyPrinciple
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.norms import GroupL1
from gradatim.solve.pdhg import Pdhg
from gradatim.solve.problem import Problem, Term
from gradatim.solve.regularisation_path import RegularisationPath
from gradatim.solve.selection import Selected
from gradatim.solve.stopping import IterationBound, SmallGap
from gradatim.solve.sure import Sure

SHAPE = (10, 10, 1)


def _tv(y, A, weights=1.0):
    K = Gradient(A.domain_shape, (1.0, 1.0, 1.0))
    return lambda lam: Problem((Term(SquaredDistance(y, weights), A), Term(GroupL1(), K, lam)))


def _random(*shape, seed):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def _blur():
    squared = sum(f.square() for f in frequencies(SHAPE, (1.0, 1.0, 1.0)))
    return FourierMultiplier(torch.exp(-2.0 * (math.pi * 0.7) ** 2 * squared), SHAPE)  # Gaussian, σ 0.7 voxels


@pytest.mark.parametrize("operator", ["identity", "blur"])
def test_the_estimate_is_unbiased_over_repeats(operator):
    """Mean over 6·48 repeats against the true error of A x, within four of its standard errors."""
    A = Identity(SHAPE) if operator == "identity" else _blur()
    truth = torch.zeros(SHAPE, dtype=torch.float64)
    truth[3:8, 4:] = 1.0
    sigma, lams = 0.25, (0.05, 0.2)
    off = []
    for block in range(6):
        y = A.apply(truth) + sigma * _random(48, *SHAPE, seed=block)
        path = RegularisationPath(_tv(y, A), Pdhg(IterationBound(200) | SmallGap(1e-4)), y)
        choice = Sure(sigma, seed=block).choose(path, lams)
        real = [float(A.apply(path.at(lam).value - truth).square().mean()) for lam in lams]
        estimated = dict(zip(choice.weights, choice.values, strict=True))
        off.append([estimated[lam] - error for lam, error in zip(lams, real, strict=True)])
    off = torch.tensor(off)
    standard_error = off.std(0) / math.sqrt(len(off))
    assert (off.mean(0).abs() < 4.0 * standard_error).all()
    assert (standard_error < 0.1 * sigma**2).all()  # so that the test can tell


@pytest.mark.slow
@pytest.mark.parametrize("level", [15, 25, 50])
def test_the_discrepancy_principle_oversmooths_a_picture_and_sure_does_not(level):
    """Total variation on the camera picture: 0.5 dB and more are lost by the one, less than 0.1 dB by the other."""
    truth = torch.tensor(data.camera()[64:192, 160:288] / 255.0, dtype=torch.float32)[..., None]
    sigma = level / 255
    y = truth + sigma * torch.randn(truth.shape, generator=torch.Generator().manual_seed(level))
    problem_at, method = _tv(y, Identity(tuple(y.shape))), Pdhg(IterationBound(1000) | SmallGap(1e-4))

    def decibels(x):
        return -10.0 * math.log10(float((x - truth).square().mean()))

    sure = Selected(Sure(sigma), method)(problem_at, start=y)
    rough = Selected(DiscrepancyPrinciple(sigma), method)(problem_at, start=y)
    near = (sure.weight * 10 ** (0.1 * k) for k in (-4, -3, -2, -1, 0, 1, 2, 3, 4))
    best = max(decibels(method(problem_at(lam), start=sure.value).value) for lam in near)
    assert not sure.at_edge
    assert not rough.at_edge
    assert best - decibels(sure.value) < 0.1
    assert best - decibels(rough.value) > 0.5


def test_noise_or_probes_that_are_not_positive_are_refused():
    for bad in (lambda: Sure(0.0), lambda: Sure(math.nan), lambda: Sure(1.0, probes=0)):
        with pytest.raises(UsageError, match="GD-101"):
            bad()
