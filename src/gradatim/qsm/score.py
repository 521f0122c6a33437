"""How far a susceptibility map is from the truth, in the measures of the field's reconstruction challenges."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from torch import Tensor

from gradatim.base.errors import InputError, UsageError

HFEN_SIGMA_VOXELS = 1.5
"""Width of the Laplacian of Gaussian, as in the 2016 challenge."""
XSIM_WINDOW_VOXELS, XSIM_K1, XSIM_K2 = 5, 0.01, 0.001
"""Window edge and constants of XSIM, for maps in ppm with a dynamic range of 1 ppm."""
SHELL_VOXELS = (3.0, 7.0)
"""Distances from a calcification between which its streaks are looked for."""


@dataclass(frozen=True)
class Scores:
    """The measures; NaN where the labels needed for one are absent or the truth has no contrast.

    With a and b the map and the truth in the mask, each less its mean, and s = ⟨a, b⟩/⟨b, b⟩:

    Args:
        nrmse: 100·‖a − b‖/‖b‖, %.
        detrended_nrmse: 100·‖a/s − b‖/‖b‖, %: the error that a straight line cannot repair.
        correlation: ⟨a, b⟩/(‖a‖·‖b‖).
        slope: s; 1 is right, less is underestimation.
        rmse_ppb: root mean square of a − b, ppb.
        hfen: 100·‖L x − L t‖/‖L t‖ in the mask, %, L the Laplacian of a Gaussian of 1.5 voxels, both maps
            set to 0 outside the mask first.
        xsim: mean in the mask of the structural similarity with constants for susceptibility; 1 is perfect.
        tissue: detrended error of the tissue labels over their own truth's deviation from its mean, %.
        blood: the same for veins.
        deep_grey: the same for the deep nuclei.
        deep_grey_slope_error: |1 − slope| of the nuclei's mean values against the true ones.
        calcification_moment: |Σ t − Σ x| over the calcification and the voxels that touch it, ppm·voxels.
        calcification_streak_ppb: standard deviation of x − t in a shell of 3 to 7 voxels round it, ppb.
    """

    nrmse: float
    detrended_nrmse: float
    correlation: float
    slope: float
    rmse_ppb: float
    hfen: float
    xsim: float
    tissue: float
    blood: float
    deep_grey: float
    deep_grey_slope_error: float
    calcification_moment: float
    calcification_streak_ppb: float


@dataclass(frozen=True)
class ChallengeScore:
    """Scores a map against the truth. Not differentiable; computed in float64 on the CPU.

    The labels are by default those of the second challenge's head.

    Args:
        deep_grey: labels of the deep nuclei.
        tissue: labels of thalamus, white and grey matter.
        blood: labels of veins.
        calcification: label of the calcification.

    Raises:
        UsageError: GD-103 if shapes disagree.
        InputError: GD-601 if the mask is empty; GD-603 if the map or the truth is not finite inside it.

    Source:
        Langkammer et al., Magn Reson Med 79:1661-1673, 2018 (2016 challenge: RMSE, HFEN); Bilgic et al.,
        Magn Reson Med 86:1241-1255, 2021 (second challenge: detrended, tissue, slope and calcification
        measures); Milovic et al., Magn Reson Med 93:411-421, 2025 (XSIM).

    Example:
        >>> import torch
        >>> truth = torch.rand(8, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> scores = ChallengeScore()(0.5 * truth, truth=truth, mask=torch.ones(8, 8, 8, dtype=torch.bool))
        >>> round(scores.nrmse, 3), round(scores.slope, 3), scores.detrended_nrmse < 1e-4
        (50.0, 0.5, True)
    """

    deep_grey: tuple[int, ...] = (1, 2, 3, 4, 5, 6)
    tissue: tuple[int, ...] = (7, 8, 9)
    blood: tuple[int, ...] = (11,)
    calcification: int = 16

    def __call__(self, estimate: Tensor, *, truth: Tensor, mask: Tensor, labels: Tensor | None = None) -> Scores:
        """Compare.

        Args:
            estimate: x, (x, y, z), ppm; its mean is removed where a measure asks for it.
            truth: t, (x, y, z), ppm.
            mask: (x, y, z), bool.
            labels: (x, y, z), integer; without it the measures by region are NaN.
        """
        x, t, m, regions = _arrays(estimate, truth, mask, labels)
        a, b = x[m] - x[m].mean(), t[m] - t[m].mean()
        slope = _ratio(float(a @ b), float(b @ b))
        left = np.zeros(x.shape)
        left[m] = a / slope - b if slope else np.nan  # NaN passes on where a is flat or t is
        centred = np.zeros(x.shape)
        centred[m] = b
        moment, streak = _calcification(x, t, m, regions == self.calcification)
        return Scores(
            nrmse=100.0 * _ratio(_norm(a - b), _norm(b)),
            detrended_nrmse=100.0 * _ratio(_norm(left[m]), _norm(b)),
            correlation=_ratio(float(a @ b), _norm(a) * _norm(b)),
            slope=slope,
            rmse_ppb=1000.0 * math.sqrt(float(np.mean((a - b) ** 2))),
            hfen=_hfen(x, t, m),
            xsim=_xsim(x * m, t * m, m),
            tissue=_within(left, centred, m & np.isin(regions, self.tissue)),
            blood=_within(left, centred, m & np.isin(regions, self.blood)),
            deep_grey=_within(left, centred, m & np.isin(regions, self.deep_grey)),
            deep_grey_slope_error=_slope_error(x, t, m, regions, self.deep_grey),
            calcification_moment=moment,
            calcification_streak_ppb=streak,
        )


def _arrays(
    estimate: Tensor, truth: Tensor, mask: Tensor, labels: Tensor | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    for name, tensor in (("truth", truth), ("mask", mask), ("labels", labels)):
        if tensor is not None and tensor.shape != estimate.shape:
            raise UsageError(
                "GD-103",
                given=f"{name} of shape {tuple(tensor.shape)} for a map of shape {tuple(estimate.shape)}",
                allowed="equal shapes",
                do="bring both to one grid first",
            )
    m = mask.detach().cpu().numpy() > 0
    if not m.any():
        raise InputError("GD-601", given="an empty mask", allowed="at least one voxel", do="give the brain's mask")
    x, t = (v.detach().cpu().numpy().astype(np.float64) for v in (estimate, truth))
    if not (np.isfinite(x[m]).all() and np.isfinite(t[m]).all()):
        raise InputError(
            "GD-603",
            given="a map or truth with NaN or infinity inside the mask",
            allowed="finite values",
            do="shrink the mask to where both are defined",
        )
    regions = np.zeros(x.shape, dtype=np.int64) if labels is None else labels.detach().cpu().numpy()
    return np.nan_to_num(x), np.nan_to_num(t), m, regions


def _hfen(x: np.ndarray, t: np.ndarray, m: np.ndarray) -> float:
    edges_x, edges_t = (ndimage.gaussian_laplace(np.where(m, v, 0.0), HFEN_SIGMA_VOXELS)[m] for v in (x, t))
    return 100.0 * _ratio(_norm(edges_x - edges_t), _norm(edges_t))


def _xsim(x: np.ndarray, t: np.ndarray, m: np.ndarray) -> float:
    """Mean of (2 x̄ t̄ + c₁)(2 cov + c₂) / ((x̄² + t̄² + c₁)(var x + var t + c₂)), cᵢ = kᵢ²."""

    def mean(v: np.ndarray) -> np.ndarray:
        return ndimage.uniform_filter(v, XSIM_WINDOW_VOXELS, mode="constant")

    mean_x, mean_t = mean(x), mean(t)
    variance = mean(x * x) - mean_x**2 + mean(t * t) - mean_t**2
    covariance = mean(x * t) - mean_x * mean_t
    first, second = XSIM_K1**2, XSIM_K2**2
    similarity = (2 * mean_x * mean_t + first) * (2 * covariance + second)
    similarity /= (mean_x**2 + mean_t**2 + first) * (variance + second)
    return float(similarity[m].mean())


def _within(left: np.ndarray, centred: np.ndarray, region: np.ndarray) -> float:
    if not region.any():
        return math.nan
    return 100.0 * _ratio(_norm(left[region]), _norm(centred[region] - centred[region].mean()))


def _slope_error(x: np.ndarray, t: np.ndarray, m: np.ndarray, regions: np.ndarray, nuclei: tuple[int, ...]) -> float:
    present = [inside for label in nuclei if (inside := (regions == label) & m).any()]
    if len(present) < 2:
        return math.nan
    found, true = (np.array([v[inside].mean() for inside in present]) for v in (x, t))
    found, true = found - found.mean(), true - true.mean()
    return abs(1.0 - _ratio(float(found @ true), float(true @ true)))


def _calcification(x: np.ndarray, t: np.ndarray, m: np.ndarray, stone: np.ndarray) -> tuple[float, float]:
    stone = stone & m
    if not stone.any():
        return math.nan, math.nan
    around = ndimage.binary_dilation(stone)
    distance = ndimage.distance_transform_edt(~stone)
    shell = (distance > SHELL_VOXELS[0]) & (distance <= SHELL_VOXELS[1]) & m
    streak = 1000.0 * float((x - t)[shell].std()) if shell.any() else math.nan
    return abs(float(t[around].sum() - x[around].sum())), streak


def _norm(v: np.ndarray) -> float:
    return float(np.linalg.norm(v))


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else math.nan
