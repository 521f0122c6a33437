"""A synthesised picture has the statistics that were asked for, and is not the example."""

import pytest
import torch
from skimage import data
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.restore.synthesis import Synthesis
from gradatim.restore.texture import Histogram, SecondOrder, autocorrelation, quantiles
from gradatim.solve.adaptive import Adam
from gradatim.solve.stopping import IterationBound


def photograph(name: str) -> Tensor:
    picture: Tensor = torch.from_numpy(getattr(data, name)()[:192:4, :192:4].copy()).double() / 255
    return picture


@pytest.mark.parametrize("name", ["grass", "gravel"])
def test_statistics_of_the_texture_match_the_example(name: str) -> None:
    """Histogram to 0.1 % and autocorrelation to 0.1 %, root mean square, in a picture of another size."""
    example = photograph(name)
    histogram, second = Histogram(example), SecondOrder(example, radius=8)
    level, spread = float(example.mean()), float(example.std())
    make = Synthesis(lambda x: histogram(x) + second(x), mean=level, spread=spread, dtype=torch.float64)
    found = make((40, 56))
    assert found.value.shape == (40, 56)
    assert float(histogram(found.value)) ** 0.5 < 1e-3
    assert float(second(found.value)) ** 0.5 < 1e-3
    torch.testing.assert_close(found.value.mean(), example.mean(), rtol=1e-3, atol=0)
    torch.testing.assert_close(found.value.std(), example.std(), rtol=5e-3, atol=0)


def test_the_seed_makes_another_texture_and_none_is_the_example() -> None:
    example = photograph("grass")
    second = SecondOrder(example, radius=4)
    first, other = (Synthesis(second, spread=0.1, dtype=torch.float64, seed=seed)((48, 48)).value for seed in (0, 1))
    pairs = torch.corrcoef(torch.stack([first, other, example]).reshape(3, -1))
    assert float((pairs - torch.eye(3, dtype=pairs.dtype)).abs().max()) < 0.2


def test_the_penalty_is_in_the_history_and_not_in_the_objective() -> None:
    """min (x̄ − 3)² + λ x̄² has its minimum at 3/(1 + λ), where the wanted part is (3λ/(1 + λ))²."""
    make = Synthesis(lambda x: (x.mean() - 3.0) ** 2, penalty=lambda x: x.mean() ** 2, weight=0.5)
    found = make((4, 5))
    assert found.value.mean().item() == pytest.approx(2.0, abs=1e-4)
    assert found.objective == pytest.approx(1.0, abs=1e-3)
    assert found.solution.history[-1].objective == pytest.approx(1.0 + 0.5 * 4.0, rel=1e-5)


def test_any_descent_will_do() -> None:
    make = Synthesis(lambda x: (x - 1.0).square().sum(), method=Adam(rule=IterationBound(300)))
    torch.testing.assert_close(make((3, 3)).value, torch.ones(3, 3), rtol=0, atol=1e-2)


def test_autocorrelation_against_sums_over_shifts() -> None:
    random = torch.Generator().manual_seed(0)
    for shape in [(7, 6), (5, 6, 7)]:
        x = torch.randn(shape, generator=random, dtype=torch.float64)
        found, centred = autocorrelation(x, radius=2), x - x.mean()
        for step in [(0,) * len(shape), (1, -2, 2)[: len(shape)], (-1, 0, 1)[: len(shape)]]:
            # roll by −h puts x(p + h) at p
            wanted = (centred * centred.roll([-h for h in step], tuple(range(len(shape))))).mean()
            torch.testing.assert_close(found[tuple(h + 2 for h in step)], wanted)


def test_sorted_values_are_the_wasserstein_distance() -> None:
    """For histograms that differ by an offset a, W₂² = a²; by a factor b, (b − 1)² times the mean square."""
    x = torch.randn(1000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    distance, spread = Histogram(x), x.var()
    torch.testing.assert_close(distance(x.flip(0) + 0.3), 0.09 / spread)
    torch.testing.assert_close(distance(1.5 * x), 0.25 * quantiles(x).square().mean() / spread)


def test_gradients_of_the_statistics() -> None:
    random = torch.Generator().manual_seed(0)
    example, x = (torch.randn(6, 7, generator=random, dtype=torch.float64) for _ in range(2))
    x.requires_grad_()
    assert torch.autograd.gradcheck(Histogram(example), (x,))
    assert torch.autograd.gradcheck(SecondOrder(example, radius=2), (x,))


def test_what_is_no_texture_is_refused() -> None:
    with pytest.raises(InputError, match="GD-690"):
        Histogram(torch.ones(4, 4))
    with pytest.raises(InputError, match="GD-690"):
        SecondOrder(torch.full((9, 9), torch.nan), radius=2)
    with pytest.raises(UsageError, match="GD-103"):
        SecondOrder(torch.eye(8), radius=4)
    with pytest.raises(UsageError, match="GD-101"):
        Synthesis(torch.sum, weight=-1.0)
