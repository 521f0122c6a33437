"""A simulation's result beside its truth: pictures, volumes and scores."""

from dataclasses import fields

import numpy as np
from torch import Tensor

from gradatim.base.grid import Grid
from gradatim.pipelines.beside_truth import BesideTruth
from gradatim.pipelines.susceptibility import SusceptibilityResult
from gradatim.report.comparison import Comparison, Panel
from gradatim.report.content import Column, Figure, Section, Table
from gradatim.report.scene import Volume

ERROR_SHARE = 0.5
"""An error is shown in this share of its map's window, so that it cannot hide in the middle grey."""

_MEASURES = {
    "nrmse": ("NRMSE", "%", "0"),
    "detrended_nrmse": ("NRMSE after a straight line", "%", "0"),
    "correlation": ("Correlation", "", "1"),
    "slope": ("Slope", "", "1"),
    "rmse_ppb": ("RMSE", "ppb", "0"),
    "hfen": ("HFEN", "%", "0"),
    "xsim": ("XSIM", "", "1"),
    "tissue": ("Error in tissue", "%", "0"),
    "blood": ("Error in veins", "%", "0"),
    "deep_grey": ("Error in deep nuclei", "%", "0"),
    "deep_grey_slope_error": ("Slope error of deep nuclei", "", "0"),
    "calcification_moment": ("Moment error of the calcification", "ppm·voxels", "0"),
    "calcification_streak_ppb": ("Streaks round the calcification", "ppb", "0"),
}


def truth_chapter(result: SusceptibilityResult, truth: BesideTruth) -> Section:
    """The chapter that shows result, truth and error, with the challenge's measures.

    Args:
        result: what the chain found.
        truth: the comparison.
    """
    rows = tuple(
        (*_MEASURES[field.name][:2], getattr(truth.scores, field.name), _MEASURES[field.name][2])
        for field in fields(truth.scores)
    )
    columns = (Column("Measure"), Column("Unit"), Column("Found", digits=3), Column("Perfect"))
    return Section(
        "Beside the truth",
        paragraphs=(
            f"The head is simulated, so the truth is known. Susceptibility was found in {100 * truth.kept:.1f} % of "
            f"the true brain; the measures hold there. The total field is off by {truth.field_error_ppb:.2g} ppb "
            "(median).",
        ),
        figures=(truth_picture(result, truth),),
        tables=(Table("How far the susceptibility map is from the truth", columns, rows),),
    )


def truth_picture(
    result: SusceptibilityResult, truth: BesideTruth, *, window: tuple[float, float] = (-0.15, 0.15)
) -> Figure:
    """From the wrapped phase to the map, its truth and the difference, side by side.

    Args:
        result: what the chain found.
        truth: the comparison.
        window: ppm shown black and white in map and truth.
    """
    inside, grid = _host(truth.truth.susceptibility.mask), result.signal.grid
    field, chi = result.total, result.susceptibility
    top = float(f"{np.percentile(np.abs(_host(field.field)[_host(field.mask)]), 95):.2g}")
    narrow = (ERROR_SHARE * window[0], ERROR_SHARE * window[1])
    panels = (
        Panel("Phase, last echo", np.where(inside, _host(result.signal.phase[-1]), np.nan), (-np.pi, np.pi), "rad"),
        Panel("Field", _within(field.field, field.mask), (-top, top), "Hz"),
        Panel("Susceptibility", _within(chi.value, chi.mask), window, "ppm"),
        Panel("Truth", _within(truth.true, truth.mask), window, "ppm"),
        Panel("Difference", _within(truth.error, truth.mask), narrow, "ppm"),
    )
    return Comparison()(panels, grid=grid, mask=inside)


def truth_volumes(truth: BesideTruth, grid: Grid, window: tuple[float, float]) -> tuple[Volume, ...]:
    """Truth and error for the viewer, with the window of the map."""
    mask = _host(truth.mask)
    narrow = (ERROR_SHARE * window[0], ERROR_SHARE * window[1])
    return (
        Volume("True susceptibility", "ppm", _host(truth.true), grid, window, mask),
        Volume("Error of susceptibility", "ppm", _host(truth.error), grid, narrow, mask),
    )


def _within(values: Tensor, mask: Tensor) -> np.ndarray:
    return np.where(_host(mask), _host(values), np.nan)


def _host(values: Tensor) -> np.ndarray:
    return np.asarray(values.detach().cpu())
