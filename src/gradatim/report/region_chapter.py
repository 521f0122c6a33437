"""What the regions of a scan measure: a table and plots."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from gradatim.base.nouns import Answer, Feature
from gradatim.pipelines.susceptibility import SusceptibilityResult
from gradatim.report.content import Cell, Column, Figure, Section, Table
from gradatim.report.plots import IntervalPlot

MOST_PLOTTED = 24
"""More regions than this make a plot that nobody reads; the table has them all."""

_SHOWN = (
    ("morphology", "volume"),
    ("statistics", "mean"),
    ("statistics", "variance"),
    ("statistics", "percentile_10"),
    ("statistics", "median"),
    ("statistics", "percentile_90"),
)


def region_chapter(result: SusceptibilityResult) -> Section:
    """The chapter on regions: susceptibility from the features, R2* from the answers.

    Args:
        result: what the chain found.
    """
    regions = _regions(result)
    if not regions:
        return Section("Regions", paragraphs=("No region was given or found.",))
    columns = (
        Column("Region"),
        Column("Volume", _unit(result.features, "volume")),
        *(Column(name, "ppm", 3) for name in ("Mean χ", "SD", "10th percentile", "Median", "90th percentile")),
        *(Column(name, "1/s", 3) for name in ("Mean R2*", "from", "to")),
    )
    undefined = sum(math.isnan(feature.value) for feature in result.features)
    return Section(
        "Regions",
        paragraphs=(
            f"{len(regions)} region(s), {len(result.features)} features in the table beside this page; "
            f"{undefined} of them are undefined and say why.",
            *dict.fromkeys(
                f"The intervals of R2* hold {100 * answer.level:.0f} %; they count {answer.basis}."
                for answer in result.answers
            ),
        ),
        figures=tuple(_plots(regions[:MOST_PLOTTED])),
        tables=(Table("Susceptibility and R2* by region", columns, tuple(_row(region) for region in regions)),),
    )


@dataclass(frozen=True)
class _Region:
    """One row: the region, what the table shows of its susceptibility, and its R2*."""

    name: str
    found: dict[tuple[str, str], float]
    rate: Answer | None

    @property
    def mean(self) -> float:
        return self.found.get(("statistics", "mean"), math.nan)

    @property
    def deviation(self) -> float:
        variance = self.found.get(("statistics", "variance"), math.nan)
        return math.sqrt(variance) if variance >= 0 else math.nan


def _regions(result: SusceptibilityResult) -> list[_Region]:
    found: dict[str, dict[tuple[str, str], float]] = {}
    for feature in result.features:
        if (feature.family, feature.feature) in _SHOWN:
            found.setdefault(feature.region, {})[feature.family, feature.feature] = feature.value
    rates = {answer.question: answer for answer in result.answers}
    return [_Region(name, values, rates.get(f"mean R2* of {name}")) for name, values in found.items()]


def _row(region: _Region) -> tuple[Cell, ...]:
    volume, *percentiles = (region.found.get(key, math.nan) for key in _SHOWN if key[1] not in {"mean", "variance"})
    rate = region.rate
    interval = (None, None, None) if rate is None else (rate.estimate, rate.low, rate.high)
    return (region.name, volume, region.mean, region.deviation, *percentiles, *interval)


def _plots(regions: list[_Region]) -> Iterator[Figure]:
    names, deviations = [r.name for r in regions], [r.deviation for r in regions]
    bars = [0.0 if math.isnan(deviation) else deviation for deviation in deviations]
    yield IntervalPlot("Susceptibility", "ppm")(names, [r.mean for r in regions], bars)
    rates = [(region.name, region.rate) for region in regions if region.rate is not None]
    if rates:
        plot = IntervalPlot("R2*", "1/s", error="confidence interval of the mean")
        halves = [rate.high - rate.estimate for _, rate in rates]
        yield plot([name for name, _ in rates], [rate.estimate for _, rate in rates], halves)


def _unit(features: tuple[Feature, ...], name: str) -> str:
    return next((feature.unit for feature in features if feature.feature == name), "")
