"""How uncertain any feature is, from one scan: the extraction again on replicates with the same noise."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import Feature, QuantitativeMap, Regions
from gradatim.radiomics.boxes import Box, boxes
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.local_intensity import RADIUS_MM
from gradatim.radiomics.quiet import quieted
from gradatim.radiomics.soft.noise import Noise
from gradatim.radiomics.soft.standard_error import Estimate

_MARGIN_VOXELS = 8
_SEEN_VOXELS = 10_000
_MOST_DRAWS = 16


@dataclass(frozen=True)
class ReplicatedErrors:
    """One scan and its noise → value, standard error and noise bias of every feature, as the table has it.

    With t̂ the scan x after :func:`~gradatim.radiomics.quiet.quieted` and noise e₁ … e_K:

        SE² = 1/(K − 1) Σ (f(t̂ + eₖ) − mean)², bias = mean − f(t̂)

    Noise added to the scan itself would be there twice: variances, contrasts and what rests on the highest level
    then spread too much, entropies and energies too little. In t̂ the detail of each size has lost the noise's
    share of its power, so that replicates look like scans. No derivative is taken, so every feature has an
    error: percentiles, extremes, zones, shapes after re-segmentation.

    The standard error is that of the value around its own mean over repeated scans, as with
    :class:`~gradatim.radiomics.soft.standard_error.StandardErrors`. It is itself known to 1/√(2K), 11 % for 40. One
    gain for each size of detail is right where texture is alike all over the region; sharp edges inside it keep the
    noise of the finest detail. The page "How a feature moves with blur, noise and dose" has coverages.

    Cost: K + 2 extractions; without resampling and filter of each region by itself, else of the whole map.

    Args:
        extraction: the features; its preparation works on each replicate as it does on the scan.
        noise: of the map, before resampling and filters.
        replicates: K, at least 2.
        seed: of the noise.

    Raises:
        UsageError: GD-101 for fewer than 2 replicates; when called, GD-103 if the grids of map and regions differ.
        InputError: when called, GD-726 if the noise does not fit the map.

    Source:
        Replicates from an estimated object: the parametric bootstrap, Efron and Tibshirani 1993, chapter 6.

    Example:
        >>> from gradatim.radiomics.discretise import FixedBinNumber
        >>> from gradatim.radiomics.preparation import Preparation
        >>> from gradatim.radiomics.soft.noise import WhiteNoise
        >>> from gradatim.radiomics.statistics import Statistics
        >>> grid = Grid((10, 10, 1), (1.0, 1.0, 1.0))
        >>> values = 7.0 + torch.randn(grid.shape, generator=torch.Generator().manual_seed(1))
        >>> image = QuantitativeMap(values, torch.ones(grid.shape).bool(), grid, "χ", "ppm")
        >>> regions = Regions(torch.ones(grid.shape, dtype=torch.int64), grid, {1: "all"})
        >>> measure = ReplicatedErrors(Extraction(Preparation(FixedBinNumber(8)), (Statistics(),)), WhiteNoise(1.0))
        >>> round(measure(image, regions)[1]["statistics.mean"].standard_error, 1)  # 1/√100
        0.1
    """

    extraction: Extraction
    noise: Noise
    replicates: int = 40
    seed: int = 0

    def __post_init__(self) -> None:
        if self.replicates < 2:
            raise UsageError(
                "GD-101",
                given=f"{self.replicates} replicates",
                allowed="at least 2",
                do="40 know a standard error to 11 %, 200 to 5 %",
            )

    def __call__(self, image: QuantitativeMap, regions: Regions) -> dict[int, dict[str, Estimate]]:
        """Label → family and feature, e.g. ``"ngtdm.busyness"`` → :class:`Estimate`; labels that occur.

        Where the extraction combines a family's matrices in several ways, the IBSI code of the aggregation follows,
        e.g. ``"glcm.contrast.IAZD"``. Error and bias are NaN where the feature is undefined in the scan or in one
        of the replicates.

        Args:
            image: the map as measured, with its noise.
            regions: on the map's grid.
        """
        regions = Regions(regions.labels, regions.grid)  # without names, so that a row has its label
        value = _named(self.extraction(image, regions))
        found: dict[int, dict[str, Estimate]] = {}
        for part, labels, noise in self._parts(image, regions):
            quiet, *noisy = (_named(self.extraction(one, labels)) for one in self._scans(part, labels, noise))
            for label, names in quiet.items():
                found[label] = {
                    name: _estimate(value[label][name], without, [one[label][name] for one in noisy])
                    for name, without in names.items()
                }
        return dict(sorted(found.items()))

    def _parts(self, image: QuantitativeMap, regions: Regions) -> Iterator[tuple[QuantitativeMap, Regions, Noise]]:
        """What can be measured by itself: each region with a margin, or all that the preparation mixes."""
        image = replace(image, value=image.value.detach().to(torch.float64))
        preparation = self.extraction.preparation
        if preparation.resampling is not None or preparation.response is not None:
            yield image, regions, self.noise
            return
        for label, box in boxes(regions.labels).items():
            window = _grown(box, image.grid)
            x, y, z = regions.labels[window].shape
            here, there = (Grid((x, y, z), whole.spacing, whole.affine) for whole in (image.grid, regions.grid))
            yield (
                QuantitativeMap(image.value[window], image.mask[window], here, image.quantity, image.unit),
                Regions((regions.labels[window] == label).to(torch.int64) * label, there),
                self.noise.within(window),
            )

    def _scans(self, image: QuantitativeMap, regions: Regions, noise: Noise) -> Iterator[QuantitativeMap]:
        """The quieted scan, then replicates of it."""
        generator = torch.Generator().manual_seed(self.seed)
        quiet = replace(image, value=_quiet(image, regions, noise, generator))
        yield quiet
        for _ in range(self.replicates):
            step = noise.sample(image.grid.shape, generator).to(quiet.value.device)
            yield replace(quiet, value=quiet.value + torch.where(image.mask, step, 0.0))


def _quiet(image: QuantitativeMap, regions: Regions, noise: Noise, generator: torch.Generator) -> Tensor:
    """The map with each region, and what lies around it, quieted by itself."""
    quiet, labels = image.value, regions.labels.to(image.value.device)
    known = image.mask & image.value.isfinite()
    found = {label: _grown(box, image.grid) for label, box in boxes(regions.labels).items()}
    for label, window in [*((0, window) for window in found.values()), *found.items()]:
        part = (labels[window] == label) & known[window]
        size = int(part.sum())
        if not size:
            continue
        draws = min(_MOST_DRAWS, math.ceil(_SEEN_VOXELS / size))
        x, y, z = part.shape
        near = noise.within(window)
        noises = torch.stack([near.sample((x, y, z), generator) for _ in range(draws)]).to(quiet.device)
        quiet = quiet.clone()
        quiet[window] = torch.where(part, quieted(image.value[window], part, noises), quiet[window])
    return quiet


def _grown(box: Box, grid: Grid) -> Box:
    """A box with a margin that holds what local intensity sees."""
    reach = [max(_MARGIN_VOXELS, math.ceil(RADIUS_MM / edge)) for edge in grid.spacing]
    x, y, z = (
        slice(max(0, side.start - far), min(size, side.stop + far))
        for side, far, size in zip(box, reach, grid.shape, strict=True)
    )
    return x, y, z


def _named(features: tuple[Feature, ...]) -> dict[int, dict[str, float]]:
    """Label → name → value, the aggregation's code in the name where a family has several."""
    ways: dict[str, set[str]] = {}
    for one in features:
        ways.setdefault(one.family, set()).add(one.aggregation)
    named: dict[int, dict[str, float]] = {}
    for one in features:
        code = f".{one.aggregation}" if len(ways[one.family]) > 1 else ""
        named.setdefault(int(one.region), {})[f"{one.family}.{one.feature}{code}"] = one.value
    return named


def _estimate(value: float, quiet: float, noisy: list[float]) -> Estimate:
    values = torch.tensor(noisy, dtype=torch.float64)
    if not (math.isfinite(value) and bool(values.isfinite().all())):
        return Estimate(value, math.nan, math.nan)
    return Estimate(value, float(values.std()), float(values.mean()) - quiet)
