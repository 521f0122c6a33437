"""Standard errors of an image's features beside their values: from one scan, its noise, and soft grey levels."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.base.nouns import Feature, QuantitativeMap, Regions
from gradatim.io.record_table import write_records
from gradatim.io.sidecar import write_sidecar
from gradatim.pipelines.measured_features import MeasuredFeatures
from gradatim.radiomics.aggregation import WHOLE
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.pyradiomics.resample import CornerAlignedResampling
from gradatim.radiomics.resample import ResampleTo
from gradatim.radiomics.soft.extraction import COUNTERPARTS, SoftExtraction
from gradatim.radiomics.soft.noise import WhiteNoise
from gradatim.radiomics.soft.standard_error import Estimate, StandardErrors
from gradatim.radiomics.undefined import reasoned

_OF_A_REGION = {"GD-725", "GD-144"}
"""Refusals that are a reason in the table: a region, or a discretisation, has no soft grey levels."""

_Key = tuple[str, str]


@dataclass(frozen=True)
class StandardErrorRow:
    """One feature of one region with its standard error.

    Args:
        case: whose image.
        image: which image.
        region: name of the region.
        family: family of the feature.
        feature: its name.
        ibsi_code: its IBSI code.
        aggregation: IBSI code of its aggregation, empty where none.
        value: as in the table of features, from hard grey levels; NaN if undefined.
        soft_value: from soft grey levels, whose standard error it is.
        standard_error: of repeated scans around their own mean; NaN where a gradient tells nothing.
        noise_bias: by how much noise has raised the soft value; it is not taken off.
        unit: of these four; empty for a pure number.
        basis: which noise was assumed, and what differs from the table of features.
        reason: why a number is NaN, its code first.
    """

    case: str
    image: str
    region: str
    family: str
    feature: str
    ibsi_code: str
    aggregation: str
    value: float
    soft_value: float
    standard_error: float
    noise_bias: float
    unit: str
    basis: str
    reason: str


@dataclass(frozen=True)
class FeatureErrors:
    """Measured features and the noise of their image → a row with a standard error for each.

    Rounded intensities have no gradient, so a resampling is taken without its rounding; ``basis`` says so.

    Args:
        extraction: what was measured.
        noise: of the image, before any step.
        source: where its σ comes from, in words.
        draws: pairs of scans with noise added and taken off, for the second order.
        seed: of these draws.
    """

    extraction: Extraction
    noise: WhiteNoise
    source: str
    draws: int = 2
    seed: int = 0

    @classmethod
    def of(cls, extraction: Extraction, image: QuantitativeMap, sigma: float | None) -> "FeatureErrors":
        """With white noise of a given size, or of the size that the image's finest detail suggests.

        Args:
            extraction: what is measured.
            image: the map.
            sigma: standard deviation in the map's unit; None to estimate it.

        Raises:
            UsageError: GD-145 for a negative σ.
            InputError: GD-640 if it cannot be told from the map.
        """
        if sigma is None:
            return cls(extraction, WhiteNoise.estimated(image), "estimated from the image's finest detail")
        return cls(extraction, WhiteNoise(sigma), "given")

    def __call__(
        self, image: QuantitativeMap, layers: Sequence[Regions], features: Sequence[Feature]
    ) -> tuple[StandardErrorRow, ...]:
        """One row a feature, in their order.

        Args:
            image: the map.
            layers: its regions.
            features: what the extraction gave for these, layer after layer.
        """
        basis, left = self._basis(image), iter(features)
        regions = [(layer, label) for layer in layers for label in _labels(layer)]
        rows: list[StandardErrorRow] = []
        for layer, label in regions:
            found = self._estimates(image, layer, label)
            rows += [_row(feature, found, basis) for feature in islice(left, len(features) // len(regions))]
        return tuple(rows)

    def write(self, out: Path, measured: MeasuredFeatures, rows: Sequence[StandardErrorRow]) -> None:
        """The table, and beside it ``NAME.provenance.json``.

        Args:
            out: ends in ``.parquet``, ``.csv`` or ``.json``.
            measured: the features.
            rows: their standard errors.
        """
        write_records(out, StandardErrorRow, rows)
        said = {"Sigma": self.noise.sigma, "Source": self.source, "Draws": self.draws, "Seed": self.seed}
        write_sidecar(out.with_suffix(".provenance.json"), {**measured.record(), "Noise": said})

    def _basis(self, image: QuantitativeMap) -> str:
        sigma = f"white noise of σ = {self.noise.sigma:.4g}{f' {image.unit}' if image.unit else ''}, {self.source}"
        unrounded = "" if self._preparation == self.extraction.preparation else "; intensities not rounded"
        return f"{sigma}; soft grey levels{unrounded}"

    @property
    def _preparation(self) -> Preparation:
        preparation = self.extraction.preparation
        if isinstance(preparation.resampling, ResampleTo | CornerAlignedResampling):
            return replace(preparation, resampling=replace(preparation.resampling, rounding=None))
        return preparation

    def _soft(self) -> Iterator[SoftExtraction]:
        """The families that have a soft counterpart, for one aggregation after the other."""
        families = [family for family in self.extraction.families if family.id in COUNTERPARTS]
        for aggregation in (WHOLE, *self.extraction.aggregations):
            chosen = tuple(family for family in families if aggregation in family.aggregations)
            if chosen:
                yield SoftExtraction(families=chosen, directional=aggregation, zonal=aggregation)

    def _estimates(self, image: QuantitativeMap, layer: Regions, label: int) -> dict[_Key, Estimate | str]:
        """Family and feature, and aggregation → the estimate, or why a whole family has none."""
        only = replace(layer, labels=torch.where(layer.labels == label, layer.labels, 0), names={})
        found: dict[_Key, Estimate | str] = {}
        if label in layer.present:
            for soft in self._soft():
                found |= self._measured(image, only, soft)
        return found

    def _measured(self, image: QuantitativeMap, only: Regions, soft: SoftExtraction) -> dict[_Key, Estimate | str]:
        measure = StandardErrors(self._preparation, self.noise, soft, self.draws, self.seed)
        try:
            (found,) = measure(image, only).values()
        except (InputError, UsageError) as error:
            if error.code not in _OF_A_REGION:
                raise
            if len(soft.families) > 1:
                alone = [self._measured(image, only, replace(soft, families=(one,))) for one in soft.families]
                return {key: value for each in alone for key, value in each.items()}
            (family,) = soft.families
            why = reasoned(error.code, error.given)
            return {(f"{family.id}.{record.id}", _code(soft, family.id)): why for record in family.features}
        return {(name, _code(soft, name.split(".")[0])): estimate for name, estimate in found.items()}


def _code(soft: SoftExtraction, family: str) -> str:
    """The IBSI code of the aggregation of a family, empty where it has none."""
    (combined,) = (each.aggregations for each in soft.families if each.id == family)
    return "" if WHOLE in combined else soft.directional.code


def _labels(layer: Regions) -> list[int]:
    return sorted({*layer.present, *(label for label in layer.names if label > 0)})


def _row(feature: Feature, found: dict[_Key, Estimate | str], basis: str) -> StandardErrorRow:
    estimate = found.get((f"{feature.family}.{feature.feature}", feature.aggregation))
    known = estimate if isinstance(estimate, Estimate) else Estimate(math.nan, math.nan, math.nan)
    if math.isnan(feature.value) or math.isfinite(known.standard_error):
        reason = feature.reason
    elif isinstance(estimate, str):
        reason = estimate
    elif estimate is None:
        reason = reasoned("GD-741", f"family {feature.family} has no soft counterpart with a gradient")
    else:
        reason = reasoned("GD-741", "the feature moves in steps, or its soft counterpart has no value")
    return StandardErrorRow(
        feature.case,
        feature.image,
        feature.region,
        feature.family,
        feature.feature,
        feature.ibsi_code,
        feature.aggregation,
        feature.value,
        known.value,
        known.standard_error,
        known.bias,
        feature.unit,
        basis,
        reason,
    )
