"""Scores against the reference scorer, and against what each measure must do by its definition."""

import dataclasses
import importlib.util
import math

import nibabel
import numpy as np
import pytest
import torch
from scipy import ndimage

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.qsm.phantom import HEAD_SCORE, HeadPhantom
from gradatim.qsm.score import ChallengeScore, Scores

NAMES = {
    "nrmse": "nrmse",
    "detrended_nrmse": "dnrmse",
    "correlation": "corr",
    "slope": "slope",
    "rmse_ppb": "rmse_ppb",
    "hfen": "hfen",
    "xsim": "xsim",
    "tissue": "d_tissue",
    "blood": "d_blood",
    "deep_grey": "d_dgm",
    "deep_grey_slope_error": "dgm_slope",
    "calcification_moment": "calc_moment",
    "calcification_streak_ppb": "calc_streak",
}


def _case(seed=0, size=28):
    """Smooth random truth with 16 labels, and a map that is a blurred, scaled, noisy copy of it."""
    random = np.random.default_rng(seed)
    truth = ndimage.gaussian_filter(random.standard_normal((size, size, size)), 2.0)
    labels = np.digitize(
        ndimage.gaussian_filter(random.standard_normal(truth.shape), 3.0), np.linspace(-0.08, 0.08, 16)
    )
    x = 0.8 * ndimage.gaussian_filter(truth, 0.7) + 0.02 * random.standard_normal(truth.shape) + 0.3
    mask = ndimage.gaussian_filter(random.standard_normal(truth.shape), 4.0) > -0.02
    return (torch.from_numpy(v) for v in (np.where(mask, x, 0.0), truth, mask, labels))


@pytest.fixture(scope="module")
def reference(shared):
    path = shared / "tools" / "peers" / "qsm" / "qsmscore.py"
    spec = importlib.util.spec_from_file_location("qsmscore", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.score


def _agree(scores: Scores, other: dict) -> None:
    for name, value in dataclasses.asdict(scores).items():
        assert value == pytest.approx(other.get(NAMES[name], math.nan), rel=1e-6, nan_ok=True), name


@pytest.mark.parametrize("seed", [0, 1])
def test_agrees_with_the_reference_scorer(seed, reference):
    x, t, m, labels = _case(seed)
    scores = ChallengeScore()(x, truth=t, mask=m, labels=labels)
    assert not any(math.isnan(v) for v in dataclasses.asdict(scores).values())
    _agree(scores, reference(x.numpy(), t.numpy(), m.numpy(), labels.numpy()))
    _agree(ChallengeScore()(x, truth=t, mask=m), reference(x.numpy(), t.numpy(), m.numpy()))


def test_agrees_on_a_whole_head(reference, shared):
    folder = shared / "data" / "qsm" / "phantom_sim1"
    t, m, labels = (nibabel.load(folder / f"{n}.nii.gz").get_fdata(dtype=np.float32) for n in ("chi", "mask", "dseg"))
    x = np.where(m > 0, 0.9 * ndimage.gaussian_filter(t, 0.8), 0).astype(np.float32)
    labels = np.round(labels).astype(np.int64)
    scores = ChallengeScore()(
        torch.from_numpy(x), truth=torch.from_numpy(t), mask=torch.from_numpy(m > 0), labels=torch.from_numpy(labels)
    )
    _agree(scores, reference(x, t, m, labels))


def test_truth_scores_perfectly():
    _, t, m, labels = _case()
    scores = ChallengeScore()(t, truth=t, mask=m, labels=labels)
    assert (scores.nrmse, scores.hfen, scores.rmse_ppb, scores.calcification_moment) == (0.0, 0.0, 0.0, 0.0)
    assert scores.xsim == pytest.approx(1.0)
    assert scores.correlation == pytest.approx(1.0)
    assert scores.slope == pytest.approx(1.0)
    assert scores.deep_grey_slope_error == pytest.approx(0.0, abs=1e-12)


def test_what_each_measure_does_not_see():
    x, t, m, labels = _case()
    score = ChallengeScore()
    base = score(x, truth=t, mask=m, labels=labels)
    shifted = score(torch.where(m, x + 0.2, 0.0), truth=t, mask=m, labels=labels)
    assert shifted.nrmse == pytest.approx(base.nrmse)
    assert shifted.deep_grey_slope_error == pytest.approx(base.deep_grey_slope_error)
    doubled = score(2 * x, truth=t, mask=m, labels=labels)
    assert doubled.detrended_nrmse == pytest.approx(base.detrended_nrmse)
    assert doubled.tissue == pytest.approx(base.tissue)
    assert doubled.slope == pytest.approx(2 * base.slope)
    outside = score(torch.where(m, x, torch.nan), truth=t, mask=m)
    assert outside.xsim == pytest.approx(score(x, truth=t, mask=m).xsim)


def test_without_contrast_or_labels_the_measure_is_undefined_not_wrong():
    m = torch.ones(8, 8, 8, dtype=torch.bool)
    flat = ChallengeScore()(torch.rand(8, 8, 8), truth=torch.ones(8, 8, 8), mask=m)
    assert all(math.isnan(v) for v in (flat.nrmse, flat.slope, flat.correlation, flat.detrended_nrmse, flat.tissue))
    assert flat.rmse_ppb > 0
    nothing = ChallengeScore()(torch.ones(8, 8, 8), truth=torch.rand(8, 8, 8), mask=m)
    assert nothing.nrmse == pytest.approx(100.0)
    assert math.isnan(nothing.detrended_nrmse)


def test_simulated_head_has_all_the_labels_its_score_asks_for():
    head = HeadPhantom(Grid((64, 64, 48), (3.2, 3.2, 3.2)))()
    truth = head.brain_susceptibility
    scores = HEAD_SCORE(0.9 * truth, truth=truth, mask=head.mask, labels=head.regions.labels)
    assert not any(math.isnan(v) for v in dataclasses.asdict(scores).values())
    assert scores.deep_grey_slope_error == pytest.approx(0.1)
    assert scores.nrmse == pytest.approx(10.0)


def test_bad_input_is_refused():
    x, m = torch.zeros(4, 4, 4), torch.ones(4, 4, 4, dtype=torch.bool)
    with pytest.raises(UsageError, match="GD-103"):
        ChallengeScore()(x, truth=x[1:], mask=m)
    with pytest.raises(InputError, match="GD-601"):
        ChallengeScore()(x, truth=x, mask=~m)
    with pytest.raises(InputError, match="GD-603"):
        ChallengeScore()(torch.full_like(x, torch.nan), truth=x, mask=m)
