"""The report of an image's features: regions, distributions, steps, numbers and the reporting checklist."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.pipelines.distributions import distributions
from gradatim.pipelines.measured_features import MeasuredFeatures
from gradatim.report.content import Cell, Column, Figure, Report, Section, Table, Verdict
from gradatim.report.figures import SliceMosaic
from gradatim.report.histogram_plot import HistogramPlot
from gradatim.report.render import write_report
from gradatim.report.reporting_checklist import reporting_checklist
from gradatim.report.scene import Overlay, Scene, Volume

_SLICES = 6


def write_feature_report(
    measured: MeasuredFeatures, image: QuantitativeMap, layers: Sequence[Regions], path: Path
) -> None:
    """Write the report of one image.

    Args:
        measured: its features.
        image: the map.
        layers: its regions.
        path: the page's path.

    Raises:
        ResourceError: GD-501, GD-520, GD-502 to GD-504 as :func:`gradatim.report.render.write_report`.
    """
    write_report(path, feature_report(measured, image, layers))


def feature_report(measured: MeasuredFeatures, image: QuantitativeMap, layers: Sequence[Regions]) -> Report:
    """What the page of an image's features shows.

    Args:
        measured: its features.
        image: the map.
        layers: its regions.
    """
    names = tuple(dict.fromkeys(feature.region for feature in measured.features))
    window, inside = _window(image, layers), _inside(layers)
    edges = " × ".join(f"{edge:.3g}" for edge in image.grid.spacing)
    overlays = tuple(
        Overlay(
            "Regions" if len(layers) == 1 else f"Regions, layer {number}",
            _host(layer.labels),
            layer.grid,
            {label: layer.name(label) for label in layer.present},
        )
        for number, layer in enumerate(layers, start=1)
    )
    picture = SliceMosaic(image.quantity, image.unit, window, slices=_SLICES, columns=3)
    return Report(
        title="Features",
        subtitle=f"{image.quantity}, {len(names)} region(s), {edges} mm",
        verdicts=_verdicts(measured),
        scene=Scene(
            (Volume(image.quantity, image.unit, _host(image.value), image.grid, window, _host(image.mask)),), overlays
        ),
        sections=(
            _regions_chapter(measured, image, layers, picture(_host(image.value), grid=image.grid, mask=inside)),
            _steps_chapter(measured, names),
            _numbers_chapter(measured, names),
            Section(
                "Reporting checklist",
                ("What a paper that uses these numbers should state; what only its authors know is left to them.",),
                tables=(
                    reporting_checklist(measured.extraction.parameters, image, names, measured.extraction.settings),
                ),
            ),
        ),
        provenance={key: value for key, value in measured.record().items() if key != "Steps"},
    )


def _verdicts(measured: MeasuredFeatures) -> tuple[Verdict, ...]:
    count = len(measured.features)
    undefined = sum(math.isnan(feature.value) for feature in measured.features)
    doubtful = sum(bool(feature.reason) for feature in measured.features) - undefined
    return (
        Verdict("good" if count > undefined else "bad", "features have a value", count - undefined),
        Verdict("warn" if undefined else "good", "are undefined, each with its reason in the table", undefined),
        Verdict("warn" if doubtful else "good", "have a remark: the image's border may have cut the region", doubtful),
    )


def _regions_chapter(
    measured: MeasuredFeatures, image: QuantitativeMap, layers: Sequence[Regions], picture: Figure
) -> Section:
    found = distributions(measured.extraction.preparation, image, layers)
    columns = (
        Column("Region"),
        Column("Intensities"),
        Column("Lowest", image.unit),
        Column("Highest", image.unit),
        Column("Grey levels"),
    )
    rows = tuple((each.region, each.voxels, each.edges[0], each.edges[-1], each.levels) for each in found)
    plots = (HistogramPlot(image.quantity, image.unit)(found),) if found else ()
    return Section(
        "Regions and their intensities",
        figures=(picture, *plots),
        tables=(Table("What is measured, after every step", columns, rows),),
    )


def _steps_chapter(measured: MeasuredFeatures, names: Sequence[str]) -> Section:
    tables = []
    for name in names:
        steps = [step for step in measured.steps if step.region == name]
        rows = tuple((step.stage, step.quantity, step.value, step.unit) for step in steps)
        columns = (Column("After"), Column("Quantity"), Column("Value"), Column("Unit"))
        tables.append(Table(f"Steps of {name}", columns, rows))
    return Section(
        "Every step",
        ("The processing diagnostics of the IBSI: where two programs disagree, the first row that differs says why.",),
        tables=tuple(tables),
    )


def _numbers_chapter(measured: MeasuredFeatures, names: Sequence[str]) -> Section:
    tables = []
    for family in dict.fromkeys(feature.family for feature in measured.features):
        cells: dict[tuple[str, str, str], dict[str, Cell]] = {}
        for feature in measured.features:
            if feature.family == family:
                key = (feature.feature.replace("_", " "), feature.aggregation, feature.unit)
                cells.setdefault(key, {})[feature.region] = feature.value
        columns = (Column("Feature"), Column("Aggregation"), Column("Unit"), *(Column(name) for name in names))
        rows = tuple((*key, *(row.get(name) for name in names)) for key, row in cells.items())
        tables.append(Table(family.replace("_", " "), columns, rows))
    return Section("Features", tables=tuple(tables))


def _window(image: QuantitativeMap, layers: Sequence[Regions]) -> tuple[float, float]:
    values = _host(image.value)[_inside(layers) & _host(image.mask)]
    values = values[np.isfinite(values)]
    low, high = (float(v) for v in np.percentile(values, (1, 99))) if values.size else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _inside(layers: Sequence[Regions]) -> np.ndarray:
    return np.logical_or.reduce([_host(layer.labels) > 0 for layer in layers])


def _host(values: Tensor) -> np.ndarray:
    return np.asarray(values.detach().cpu())
