"""The deep image prior denoises, fills and deblurs, and stops without the truth near where the truth would have."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
from scipy.interpolate import griddata
from skimage import data
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.linop.convolution import Convolution
from gradatim.linop.diagonal import Mask
from gradatim.linop.difference import Gradient
from gradatim.linop.fourier import Fourier
from gradatim.linop.identity import Identity
from gradatim.restore.contrast import contrast
from gradatim.restore.deep_image_prior import DeepImage, DeepImagePrior
from gradatim.solve.descent import GradientDescent
from gradatim.solve.early_stop import EarlyStop, HeldOut, Patience, Wandering
from gradatim.solve.iterate_variance import IterateMoments
from gradatim.solve.solution import Stop
from gradatim.solve.stopping import IterationBound

TRUTH = torch.from_numpy(data.camera()[80:176:2, 180:276:2].copy()).float() / 255
QUICK = DeepImagePrior(width=6, levels=2, rule=IterationBound(4))


def psnr(picture: Tensor) -> float:
    return -10 * math.log10(float((picture - TRUTH).square().mean()))


def noise(sigma: float) -> Tensor:
    return sigma * torch.randn(TRUTH.shape, generator=torch.Generator().manual_seed(5))


@dataclass(frozen=True)
class Witness(EarlyStop):
    """Judges as another does, and notes how good each averaged iterate really was."""

    judge_of: EarlyStop
    seen: list[float] = field(default_factory=list)

    def held(self, shape: tuple[int, ...], *, seed: int | torch.Generator) -> Tensor:
        return self.judge_of.held(shape, seed=seed)

    def judge(self, moments: IterateMoments, unseen: float) -> float:
        self.seen.append(psnr(moments.mean))
        return self.judge_of.judge(moments, unseen)


@pytest.fixture(scope="module")
def denoised() -> Iterator[tuple[DeepImage, list[float]]]:
    """Six hundred iterations on a noisy photograph, far into the noise, with a witness.

    On one thread: the order of sums decides the last digit, and six hundred iterations later the whole picture.
    """
    witness, threads = Witness(HeldOut()), torch.get_num_threads()
    torch.set_num_threads(1)
    prior = DeepImagePrior(width=24, early=witness, rule=IterationBound(600), seed=1)
    yield prior(TRUTH + noise(0.15), operator=Identity((48, 48))), witness.seen
    torch.set_num_threads(threads)


def test_the_stop_is_near_the_best_that_the_truth_would_choose(denoised: tuple[DeepImage, list[float]]) -> None:
    found, seen = denoised
    assert psnr(found.value) > max(seen) - 0.5
    assert psnr(found.value) == pytest.approx(seen[found.chosen - 1], abs=1e-3)
    assert psnr(found.value) > psnr(TRUTH + noise(0.15)) + 4.0


def test_the_stop_beats_the_last_iterate_which_has_learnt_noise(denoised: tuple[DeepImage, list[float]]) -> None:
    found, seen = denoised
    assert psnr(found.value) > psnr(found.last) + 0.3  # 0.6 to 1.4 over seeds and numbers of threads
    assert psnr(found.value) > seen[-1] + 0.3
    misfits = [progress.misfit for progress in found.solution.history]
    assert misfits[-1] < 0.13  # below the noise of 0.15: it was fitted


def test_patience_would_have_ended_the_run_there(denoised: tuple[DeepImage, list[float]]) -> None:
    found, _ = denoised
    rule, history = Patience(150), found.solution.history
    assert rule.check(history[: found.chosen + 149]) is None
    assert rule.check(history[: found.chosen + 150]) is Stop.PLATEAU


def test_the_gradient_is_watched_layer_by_layer(denoised: tuple[DeepImage, list[float]]) -> None:
    found, _ = denoised
    assert found.gradients.names[0] == "mixes.0.weight"
    assert all(len(parts) == len(found.gradients.names) for parts in found.gradients.norms)
    assert found.gradients.vanished == ()
    assert found.gradients.exploded == ()


def test_half_the_pixels_missing() -> None:
    """Better than each pixel's nearest known neighbour; what lies under the mask does not matter."""
    known = torch.rand(48, 48, generator=torch.Generator().manual_seed(2)) > 0.5
    seen = torch.where(known, TRUTH + noise(0.02), torch.nan)
    found = DeepImagePrior(width=24, rule=IterationBound(400))(seen, operator=Identity((48, 48)), weights=known)
    places = np.argwhere(known.numpy())
    nearest = griddata(places, seen[known].numpy(), tuple(np.mgrid[:48, :48]), method="nearest")
    assert psnr(found.value) > psnr(torch.from_numpy(nearest)) + 0.5


def test_a_blur_is_undone() -> None:
    bell = torch.exp(-torch.linspace(-2, 2, 5).square())
    blur = Convolution(torch.outer(bell, bell) / bell.sum() ** 2, (48, 48))
    seen = blur.apply(TRUTH) + noise(0.02)
    found = DeepImagePrior(width=24, levels=2, rule=IterationBound(500))(seen, operator=blur)
    assert psnr(found.value) > psnr(seen) + 1.0


def test_other_units_give_the_same_picture_in_other_units() -> None:
    y, operator = (TRUTH + noise(0.1)).double(), Identity((48, 48))
    first, other = QUICK(y, operator=operator), QUICK(1e4 * y - 300.0, operator=operator)
    torch.testing.assert_close(1e4 * first.value - 300.0, other.value, rtol=1e-6, atol=1e-4)
    assert first.chosen == other.chosen


def test_a_gain_of_the_operator_and_of_the_weights_does_not_matter() -> None:
    y, operator = (TRUTH + noise(0.1)).double(), Identity((48, 48))
    first = QUICK(y, operator=operator)
    other = QUICK(7.0 * y, operator=7.0 * operator, weights=torch.tensor(3.0))
    torch.testing.assert_close(first.value, other.value, rtol=1e-6, atol=1e-8)


def test_the_seed_decides() -> None:
    first, again = (QUICK(TRUTH, operator=Identity((48, 48))).value for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, replace(QUICK, seed=1)(TRUTH, operator=Identity((48, 48))).value)


@pytest.mark.parametrize("shape", [(3, 9, 8), (2, 2, 9, 8)])
def test_leading_axes_are_channels_of_one_network(shape: tuple[int, ...]) -> None:
    y = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    assert QUICK(y, operator=Identity((9, 8))).value.shape == shape


def test_three_dimensions_and_an_operator_that_does_not_see_constants() -> None:
    slope = Gradient((6, 7, 8), (1.0, 1.0, 1.0))
    x = torch.rand(6, 7, 8, generator=torch.Generator().manual_seed(0)) + 100.0
    found = replace(QUICK, early=Wandering())(slope.apply(x), operator=slope)
    assert found.value.shape == (6, 7, 8)
    assert contrast(slope.apply(x), operator=slope, weights=torch.ones(3, 6, 7, 8)).offset == 0.0


def test_complex_data_of_a_real_picture() -> None:
    """The orthonormal Fourier transform changes no misfit: the same level, the same steps."""
    whole = replace(QUICK, early=Wandering())
    y, fourier = (TRUTH + noise(0.1)).double(), Fourier((48, 48))
    first, other = whole(y, operator=Identity((48, 48))), whole(fourier.apply(y.to(torch.complex128)), operator=fourier)
    torch.testing.assert_close(other.value, first.value, rtol=1e-6, atol=1e-8)


def test_clipping_shortens_the_step_and_the_history_keeps_the_true_norm() -> None:
    steps = replace(QUICK, method=GradientDescent(step_size=0.01), rule=IterationBound(1), early=Wandering())
    free = steps(TRUTH, operator=Identity((48, 48))).solution.history[0]
    length = replace(steps, longest=0.1)(TRUTH, operator=Identity((48, 48))).solution.history[0]
    start_gradient = free.change / length.change * 0.1  # steps are as long as the gradients they follow
    assert start_gradient > 0.5
    assert length.gradient > 0.1


def test_what_cannot_be_fitted_is_refused() -> None:
    operator = Identity((8, 8))
    with pytest.raises(UsageError, match="GD-103"):
        QUICK(torch.zeros(8, 9), operator=operator)
    with pytest.raises(UsageError, match="GD-103"):
        QUICK(torch.zeros(8, 8), operator=operator, weights=torch.ones(3))
    with pytest.raises(UsageError, match="GD-101"):
        QUICK(torch.zeros(8, 8), operator=operator, weights=-torch.ones(8, 8))
    with pytest.raises(UsageError, match="GD-101"):
        QUICK(torch.zeros(8), operator=Mask(torch.ones(8, dtype=torch.bool)))
    with pytest.raises(InputError, match="GD-660"):
        QUICK(torch.full((8, 8), torch.nan), operator=operator)
    with pytest.raises(InputError, match="GD-661"):
        QUICK(torch.ones(8, 8), operator=operator, weights=torch.zeros(8, 8))


def test_a_method_without_a_step_size_is_refused() -> None:
    with pytest.raises(UsageError, match="GD-101"):
        replace(QUICK, method=GradientDescent())(TRUTH, operator=Identity((48, 48)))
