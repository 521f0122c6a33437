"""How far the features of a cohort hold under perturbations: measured side by side, resumable, one tidy table."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gradatim.base.nouns import Feature, QuantitativeMap, Regions
from gradatim.io.manifest import MeasuredCase
from gradatim.io.record_table import write_records
from gradatim.io.sidecar import read_sidecar, write_sidecar
from gradatim.io.table import read_features, table_format
from gradatim.pipelines.cohort_features import CaseResult, CohortFeatures, Reader
from gradatim.pipelines.outcome import Outcome
from gradatim.pipelines.provenance import seeds
from gradatim.pipelines.supervisor import Executor
from gradatim.radiomics.described import described
from gradatim.radiomics.robustness.icc import OneWayRandom, TwoWayMixed, TwoWayRandom
from gradatim.radiomics.robustness.study import FeatureReliability, Repetition, Robustness, chain_name, reliability
from gradatim.radiomics.robustness.variation import WithinCaseDeviation, WithinCaseVariation

_OF_THE_UNIT = WithinCaseDeviation.name


@dataclass(frozen=True)
class RobustnessRow:
    """One statistic of one feature of one region, over cases and repeated measurements.

    Args:
        region: name of the region.
        family: family of the feature.
        feature: its name.
        ibsi_code: its IBSI code.
        aggregation: IBSI code of its aggregation, empty where none.
        statistic: ``"ICC(1,1)"``, ``"ICC(2,1)"``, ``"ICC(3,1)"``, ``"within-case SD"`` or ``"within-case CV"``.
        estimate: the statistic; NaN if undefined.
        low: lower end of its interval.
        high: upper end of its interval.
        level: what the interval covers, e.g. 0.95.
        unit: the feature's unit beside its standard deviation; the others are pure numbers.
        subjects: on how many cases it rests: those with a finite value in every measurement.
        repeats: how many measurements of each.
        reason: why it is NaN, its code GD-731, GD-732 or GD-740 first.
    """

    region: str
    family: str
    feature: str
    ibsi_code: str
    aggregation: str
    statistic: str
    estimate: float
    low: float
    high: float
    level: float
    unit: str
    subjects: int
    repeats: int
    reason: str


@dataclass(frozen=True)
class RepeatedExtraction:
    """A study as what a cohort measures: rows of features whose settings name the perturbations too.

    Args:
        study: the extraction and the chains of perturbations.
    """

    study: Robustness

    @property
    def settings(self) -> str:
        """The extraction's settings."""
        return self.study.extraction.settings

    @property
    def parameters(self) -> dict[str, Any]:
        """The extraction's parameters, and every chain."""
        chains = [[described(step) for step in chain] for chain in self.study.chains]
        return {**self.study.extraction.parameters, "chains": chains}

    def settings_under(self, chain: str) -> str:
        """What the rows under a chain have as settings.

        Args:
            chain: its name in words.
        """
        return f"{self.settings} {chain}"

    def __call__(self, image_map: QuantitativeMap, regions: Regions, *, case: str, image: str) -> tuple[Feature, ...]:
        """The rows of all chains, one after the other."""
        return tuple(
            _under(row.feature, self.settings_under(row.chain))
            for row in self.study(image_map, regions, case=case, name=image)
        )


@dataclass(frozen=True)
class CohortRobustness:
    """Cases and perturbations → table of intraclass correlations and of spread within cases.

    Beside the table ``NAME`` lie ``NAME.perturbed.parquet``, every value under every chain, the cases' own tables in
    ``NAME.perturbed.parts``, by which a run that was stopped goes on, and ``NAME.provenance.json``.

    Args:
        cases: what is measured; a case is a subject.
        study: how it is perturbed and measured.
        out: the table, ending in .parquet, .csv or .json.
        level: coverage of the intervals.
        read: reads a case's files; picklable.
        failed: turns an exception into an outcome; picklable.

    Raises:
        UsageError: GD-102 for another ending; GD-148 for another level.
        InputError: GD-730 if a case has a feature twice; GD-703 if no case could be measured.
        ResourceError: as :class:`~gradatim.pipelines.cohort_features.CohortFeatures`.
    """

    cases: tuple[MeasuredCase, ...]
    study: Robustness
    out: Path
    level: float
    read: Reader
    failed: Callable[[Exception, str], Outcome]

    def __call__(
        self, executor: AbstractContextManager[Executor], *, nprocs: int, heard: Callable[[Outcome], None]
    ) -> tuple[CaseResult, ...]:
        """Measure what is not measured yet, and write the tables.

        Args:
            executor: where cases are measured.
            nprocs: how many at a time.
            heard: told each outcome.
        """
        table_format(self.out)
        statistics = tuple(
            kind(self.level)
            for kind in (OneWayRandom, TwoWayRandom, TwoWayMixed, WithinCaseDeviation, WithinCaseVariation)
        )
        repeated, values = RepeatedExtraction(self.study), self.out.with_name(f"{self.out.stem}.perturbed.parquet")
        cohort = CohortFeatures(self.cases, repeated, values, self.read, self.failed)
        results = cohort(executor, nprocs=nprocs, heard=heard)
        chains = {repeated.settings_under(name): name for name in map(chain_name, self.study.chains)}
        rows = [Repetition(chains[feature.settings], feature) for feature in read_features(values)]
        units = {_key(row.feature): row.feature.unit for row in rows}
        tables = [reliability(rows, coefficient=statistic) for statistic in statistics]
        write_records(self.out, RobustnessRow, self._rows(zip(*tables, strict=True), units))
        record = read_sidecar(values.with_suffix(".provenance.json"))
        record |= {"Seeds": list(seeds(record["Parameters"])), "Level": self.level}
        write_sidecar(self.out.with_suffix(".provenance.json"), record)
        return results

    def _rows(
        self, found: Iterator[tuple[FeatureReliability, ...]], units: dict[tuple[str, ...], str]
    ) -> Iterator[RobustnessRow]:
        for row in (row for statistics in found for row in statistics):
            yield RobustnessRow(
                row.region,
                row.family,
                row.feature,
                row.ibsi_code,
                row.aggregation,
                row.kind,
                row.estimate,
                row.low,
                row.high,
                self.level,
                units[_key(row)] if row.kind == _OF_THE_UNIT else "",
                row.subjects,
                row.perturbations,
                row.reason,
            )


def _key(row: Feature | FeatureReliability) -> tuple[str, ...]:
    return row.region, row.family, row.feature, row.aggregation


def _under(feature: Feature, settings: str) -> Feature:
    return replace(feature, settings=settings)
