"""Standard errors of an image's features beside their values: from one scan, its noise, and replicates of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from gradatim.base.nouns import Feature, QuantitativeMap, Regions
from gradatim.io.record_table import write_records
from gradatim.io.sidecar import write_sidecar
from gradatim.pipelines.measured_features import MeasuredFeatures
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.replicates import ReplicatedErrors
from gradatim.radiomics.soft.noise import WhiteNoise
from gradatim.radiomics.soft.standard_error import Estimate
from gradatim.radiomics.undefined import reasoned


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
        value: as in the table of features; NaN if undefined.
        standard_error: of repeated scans around their own mean, the outline as given; NaN if undefined in a replicate.
        noise_bias: by how much noise has raised the value; it is not taken off.
        unit: of these three; empty for a pure number.
        basis: which noise was assumed, and how many replicates.
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
    standard_error: float
    noise_bias: float
    unit: str
    basis: str
    reason: str


@dataclass(frozen=True)
class FeatureErrors:
    """Measured features and the noise of their image → a row with a standard error for each.

    Args:
        extraction: what was measured.
        noise: of the image, before any step.
        source: where its σ comes from, in words.
        replicates: how often the features are measured again.
        seed: of the replicates' noise.
    """

    extraction: Extraction
    noise: WhiteNoise
    source: str
    replicates: int = 40
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
        measure = ReplicatedErrors(self.extraction, self.noise, self.replicates, self.seed)
        many = {family.id for family in self.extraction.families if len(self.extraction.combined(family)) > 1}
        known = [(measure(image, layer), _labels(layer)) for layer in layers]
        count = len(features) // max(1, sum(len(labels) for _, labels in known))
        rows: list[StandardErrorRow] = []
        for found, labels in known:
            for label in labels:
                estimates = found.get(label, {})
                rows += [_row(feature, estimates, many, basis) for feature in islice(left, count)]
        return tuple(rows)

    def write(self, out: Path, measured: MeasuredFeatures, rows: Sequence[StandardErrorRow]) -> None:
        """The table, and beside it ``NAME.provenance.json``.

        Args:
            out: ends in ``.parquet``, ``.csv`` or ``.json``.
            measured: the features.
            rows: their standard errors.
        """
        write_records(out, StandardErrorRow, rows)
        said = {"Sigma": self.noise.sigma, "Source": self.source, "Replicates": self.replicates, "Seed": self.seed}
        write_sidecar(out.with_suffix(".provenance.json"), {**measured.record(), "Noise": said})

    def _basis(self, image: QuantitativeMap) -> str:
        sigma = f"white noise of σ = {self.noise.sigma:.4g}{f' {image.unit}' if image.unit else ''}, {self.source}"
        return f"{sigma}; {self.replicates} replicates, the outline as given"


def _labels(layer: Regions) -> list[int]:
    return sorted(label for label in {*layer.present, *layer.names} if label > 0)


def _row(feature: Feature, found: dict[str, Estimate], many: set[str], basis: str) -> StandardErrorRow:
    code = f".{feature.aggregation}" if feature.family in many else ""
    known = found.get(f"{feature.family}.{feature.feature}{code}", Estimate(math.nan, math.nan, math.nan))
    reason = feature.reason
    if math.isfinite(feature.value) and not math.isfinite(known.standard_error):
        reason = reasoned("GD-741", "the feature is undefined in a replicate")
    return StandardErrorRow(
        feature.case,
        feature.image,
        feature.region,
        feature.family,
        feature.feature,
        feature.ibsi_code,
        feature.aggregation,
        feature.value,
        known.standard_error,
        known.bias,
        feature.unit,
        basis,
        reason,
    )
