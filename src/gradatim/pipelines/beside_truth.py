"""A result beside the truth of its simulation."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.units import hz_per_ppm
from gradatim.pipelines.simulated_dataset import Truth
from gradatim.pipelines.susceptibility import SusceptibilityResult
from gradatim.qsm.phantom import HEAD_SCORE
from gradatim.qsm.score import ChallengeScore, Scores


@dataclass(frozen=True, eq=False)
class BesideTruth:
    """What a result has in common with the truth, and what not.

    Args:
        truth: what a perfect chain would find.
        scores: of the susceptibility map, where both are known.
        kept: share of the true brain in which susceptibility was found, 0 … 1.
        mask: (x, y, z), bool, where both are known.
        true: (x, y, z), ppm, the true map with the result's mean, so that both have one zero; 0 outside the mask.
        error: (x, y, z), ppm, result less that; 0 outside the mask.
        field_error: (x, y, z), Hz, total field less its truth; 0 outside the mask.
        field_error_ppb: median of its magnitude, ppb.
    """

    truth: Truth
    scores: Scores
    kept: float
    mask: Tensor
    true: Tensor
    error: Tensor
    field_error: Tensor
    field_error_ppb: float


def beside_truth(result: SusceptibilityResult, truth: Truth, *, score: ChallengeScore = HEAD_SCORE) -> BesideTruth:
    """Compare a result with the truth.

    Args:
        result: what the chain found.
        truth: on the same grid.
        score: which measures, with the labels of the simulated head by default.

    Raises:
        UsageError: GD-103 if the grids differ.
    """
    found, true = result.susceptibility, truth.susceptibility
    mask = found.mask & true.mask
    shift = found.value[mask].double().mean() - true.value[mask].double().mean()
    moved = torch.where(mask, true.value + float(shift), 0.0)
    both = result.total.mask & truth.total.mask
    off = torch.where(both, result.total.field - truth.total.field, 0.0)
    ppb_per_hz = 1000.0 / hz_per_ppm(result.total.field_strength)
    return BesideTruth(
        truth=truth,
        scores=score(found.value, truth=true.value, mask=mask, labels=truth.regions.labels),
        kept=float(mask.sum() / true.mask.sum()),
        mask=mask,
        true=moved,
        error=torch.where(mask, found.value - moved, 0.0),
        field_error=off,
        field_error_ppb=ppb_per_hz * float(off[both].abs().median()),
    )
