"""Known latent numbers come back through half the picture, and with noise as well as theory lets them."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.diagonal import Mask
from gradatim.linop.identity import Identity
from gradatim.restore.latent import LatentInversion
from gradatim.solve.adaptive import Adam
from gradatim.solve.stopping import IterationBound

SIDE = 32
LATENT = 6


def rectified(seed: int = 0) -> list[Tensor]:
    """Weights of a random rectifier network that widens at each layer, whose valleys are known to be benign."""
    random = torch.Generator().manual_seed(seed)
    sizes = (LATENT, 40, 200, SIDE**2)
    return [
        torch.randn(a, b, generator=random, dtype=torch.float64) * math.sqrt(2 / a)
        for a, b in itertools.pairwise(sizes)
    ]


FIRST, SECOND, LAST = rectified()


def drawn(z: Tensor) -> Tensor:
    return (torch.relu(torch.relu(z @ FIRST) @ SECOND) @ LAST).reshape(SIDE, SIDE)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_known_latent_comes_back_through_half_the_picture(seed: int) -> None:
    """Hand & Voroninski, IEEE Trans Inf Theory 66:401-418, 2020: descent recovers z of an expansive random network."""
    random = torch.Generator().manual_seed(seed)
    z = torch.randn(LATENT, generator=random, dtype=torch.float64)
    operator = Mask(torch.rand(SIDE, SIDE, generator=random) > 0.5)
    found = LatentInversion(drawn, shape=(LATENT,), weight=0.0)(operator.apply(drawn(z)), operator=operator)
    torch.testing.assert_close(found.latent, z, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(found.value, drawn(z), rtol=1e-5, atol=1e-5)
    assert found.solution.converged


def test_with_noise_the_misfit_is_the_noise_that_no_latent_explains() -> None:
    """2·misfit is χ² with n − k degrees of freedom, and the prior costs ½‖z‖² at most."""
    random = torch.Generator().manual_seed(4)
    z, sigma = torch.randn(LATENT, generator=random, dtype=torch.float64), 0.1
    y = drawn(z) + sigma * torch.randn(SIDE, SIDE, generator=random, dtype=torch.float64)
    found = LatentInversion(drawn, shape=(LATENT,), starts=2)(y, operator=Identity((SIDE, SIDE)), weights=sigma**-2)
    freedom = SIDE**2 - LATENT
    misfit = float((found.value - y).square().sum()) / sigma**2
    assert abs(misfit - freedom) < 4 * math.sqrt(2 * freedom)
    at_truth = 0.5 * float((drawn(z) - y).square().sum()) / sigma**2 + 0.5 * float(z.square().sum())
    assert found.solution.history[-1].objective <= at_truth


def test_a_linear_generator_has_a_closed_form() -> None:
    random = torch.Generator().manual_seed(5)
    matrix = torch.randn(12, 3, generator=random, dtype=torch.float64)
    y = torch.randn(3, 4, generator=random, dtype=torch.float64)
    weights = 0.5 + torch.rand(3, 4, generator=random, dtype=torch.float64)
    found = LatentInversion(lambda z: (matrix @ z).reshape(3, 4), shape=(3,), weight=0.7, starts=1)(
        y, operator=Identity((3, 4)), weights=weights
    )
    normal = matrix.T @ (weights.reshape(-1, 1) * matrix) + 0.7 * torch.eye(3, dtype=torch.float64)
    wanted = torch.linalg.solve(normal, matrix.T @ (weights * y).reshape(-1))
    torch.testing.assert_close(found.latent, wanted, rtol=1e-5, atol=1e-6)


def test_the_search_is_watched_and_clipped() -> None:
    search = Adam(step_size=0.05, rule=IterationBound(20))
    invert = LatentInversion(
        lambda z: (8.0 * z).exp(), shape=(2,), weight=0.0, starts=2, search=search, longest=1.0, seed=1
    )
    found = invert(torch.ones(2, dtype=torch.float64), operator=Identity((2,)))
    assert [len(each.history) for each in found.searches] == [20, 20]
    assert all(len(progress.parts) == 1 for each in found.searches for progress in each.history)
    assert max(progress.parts[0] for progress in found.searches[0].history) > 1.0  # norms are from before the clipping
    assert found.gradients.names == ("z",)


def test_data_of_weight_zero_may_hold_anything() -> None:
    y = torch.tensor([2.0, torch.nan])
    found = LatentInversion(lambda z: z.expand(2), shape=(1,), weight=0.0, starts=1)(
        y, operator=Identity((2,)), weights=torch.tensor([1.0, 0.0])
    )
    assert abs(found.latent.item() - 2.0) < 1e-4


def test_a_picture_of_another_shape_is_refused() -> None:
    with pytest.raises(UsageError, match="GD-103"):
        LatentInversion(lambda z: z.expand(3, 2), shape=(1,))(torch.zeros(2), operator=Identity((2,)))


def test_parameters_are_checked() -> None:
    with pytest.raises(UsageError, match="GD-101"):
        LatentInversion(drawn, shape=(LATENT,), weight=-1.0)
    with pytest.raises(UsageError, match="GD-101"):
        LatentInversion(drawn, shape=(LATENT,), starts=0)
