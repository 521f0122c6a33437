"""How uncertain a feature is, from one scan: its gradient and the noise."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.radiomics.boxes import boxes
from gradatim.radiomics.preparation import Preparation
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.soft.extraction import SoftExtraction
from gradatim.radiomics.soft.noise import Noise, Window
from gradatim.radiomics.undefined import Undefined


class Estimate(NamedTuple):
    """A feature with what the noise does to it.

    Args:
        value: the feature of the scan.
        standard_error: standard deviation of the value over repeated scans, around the mean of those.
        bias: by how much noise has raised the value over that of the same object without noise; NaN where that
            is not known. It is not taken off the value.
    """

    value: float
    standard_error: float
    bias: float


@dataclass(frozen=True)
class StandardErrors:
    """One scan and its noise → value, standard error and noise bias of every soft feature.

    g: gradient of a feature in the map, Σ: covariance of the noise, H: Hessian.

        SE² = gᵀΣg − ½·tr((HΣ)²), bias = ½·tr(HΣ)

    gᵀΣg is the first order. Taken at the noisy scan it is too large on the average by tr((HΣ)²), because the gradient
    itself is noisy, of which half belongs to the variance; so half is taken off, and never more than half of gᵀΣg.
    Both traces come from pairs of scans with noise n added and taken off: Hn from half the difference of
    their gradients, the bias from the mean of their values.

    The standard error is that of the estimate around its own mean: of 100 repeated scans, 68 lie within one of their
    common mean. That mean is not the value without noise: noise adds contrast, and ``bias`` says how
    much. Too wide where a derivative rests on one voxel and the spread does not (percentiles, extremes, joint
    maximum), for counts of dependences and run lengths, and for entropies and NGTDM where noise is several bins
    wide; too narrow for normalised inverse differences, which jump with the highest level. The page "How a feature
    moves with blur, noise and dose" has the coverage of each. NaN for features that move in steps; for these and
    the former, :class:`~gradatim.radiomics.replicates.ReplicatedErrors`. ``bias`` is NaN without draws.

    Cost: 1 + 2·draws evaluations with one backward pass a feature each. Soft grey levels of temperature 1 are what
    the standard error of IBSI's hard features is approximated by: quantisation adds to their spread.

    Args:
        preparation: the steps from the map to what is measured; the gradient goes through resampling and
            filters as far as they are differentiable, and the noise is that of the map before them.
        noise: of the map.
        extraction: the soft features.
        draws: pairs of scans with noise added and taken off; 0 for the first order alone.
        seed: of these draws.

    Raises:
        UsageError: when called, GD-103 if the grids of map and regions differ.
        InputError: when called, GD-725 if a region gives a family nothing to measure; GD-726 if the noise does not
            fit the map.

    Source:
        Error propagation: any textbook; the second order in a noisy gradient is derived above.

    Example:
        >>> from gradatim.radiomics.discretise import FixedBinSize
        >>> from gradatim.radiomics.soft.noise import WhiteNoise
        >>> grid = Grid((10, 10, 1), (1.0, 1.0, 1.0))
        >>> values = torch.rand(grid.shape, generator=torch.Generator().manual_seed(1))
        >>> image = QuantitativeMap(values, torch.ones(grid.shape).bool(), grid, "χ", "ppm")
        >>> regions = Regions(torch.ones(grid.shape, dtype=torch.int64), grid, {1: "all"})
        >>> measure = StandardErrors(Preparation(FixedBinSize(width=0.2, origin=-1.0)), WhiteNoise(0.05))
        >>> round(measure(image, regions)[1]["statistics.mean"].standard_error, 4)  # 0.05/√100
        0.005
    """

    preparation: Preparation
    noise: Noise
    extraction: SoftExtraction = field(default_factory=SoftExtraction)
    draws: int = 2
    seed: int = 0

    def __call__(self, image: QuantitativeMap, regions: Regions) -> dict[int, dict[str, Estimate]]:
        """Label → family and feature, e.g. ``"glcm.contrast"`` → :class:`Estimate`; labels that occur.

        Args:
            image: the map as measured, with its noise.
            regions: on the map's grid.
        """
        image = replace(image, value=image.value.detach().to(torch.float64))
        local = self.preparation.resampling is None and self.preparation.response is None
        found = {}
        for label, box in sorted(boxes(regions.labels).items()):
            window: Window = (box[0], box[1], box[2]) if local else (slice(None), slice(None), slice(None))
            part, labels = _cut(image, regions, label, window)
            found[label] = self._estimated(part, labels, self.noise.within(window))
        return found

    def _estimated(self, image: QuantitativeMap, regions: Regions, noise: Noise) -> dict[str, Estimate]:
        value, slope = {}, {}
        for name, (one, gradient) in self._gradients(image, regions):
            value[name], slope[name] = one, float(noise.variance(gradient))
        mean, bend = dict.fromkeys(value, 0.0 if self.draws else math.nan), dict.fromkeys(value, 0.0)
        generator = torch.Generator().manual_seed(self.seed)
        for _ in range(self.draws):
            step = noise.sample(image.grid.shape, generator).to(image.value.device)
            more, less = replace(image, value=image.value + step), replace(image, value=image.value - step)
            pairs = zip(self._gradients(more, regions), self._gradients(less, regions), strict=True)
            for (name, (up, gradient_up)), (_, (down, gradient_down)) in pairs:
                mean[name] += (up + down) / 2 / self.draws
                bend[name] += float(noise.variance((gradient_up - gradient_down) / 2)) / self.draws
        return {
            name: Estimate(one, math.sqrt(slope[name] - min(bend[name], slope[name]) / 2), mean[name] - one)
            for name, one in value.items()
        }

    def _gradients(self, image: QuantitativeMap, regions: Regions) -> Iterator[tuple[str, tuple[float, Tensor]]]:
        """Value and gradient (x, y, z) of each feature, one after the other; NaN where there is no derivative."""
        leaf = image.value.clone().requires_grad_()
        features = self.extraction(_only_region(self.preparation, replace(image, value=leaf), regions))
        for name, value in features.items():
            if value.requires_grad:
                (gradient,) = torch.autograd.grad(value, leaf, retain_graph=True)
            else:
                gradient = torch.full_like(leaf, torch.nan)
            yield name, (float(value.detach()), gradient)


def _cut(image: QuantitativeMap, regions: Regions, label: int, window: Window) -> tuple[QuantitativeMap, Regions]:
    """One region and what lies in a box around it."""
    value, mask = image.value[window], image.mask[window]
    x, y, z = value.shape
    here, there = (Grid((x, y, z), whole.spacing, whole.affine) for whole in (image.grid, regions.grid))
    return (
        QuantitativeMap(value, mask, here, image.quantity, image.unit),
        Regions((regions.labels[window] == label).to(torch.int64), there),
    )


def _only_region(preparation: Preparation, image: QuantitativeMap, regions: Regions) -> Roi:
    _, roi = next(iter(preparation(image, regions)))
    if isinstance(roi, Undefined):
        raise InputError(
            "GD-725",
            given=f"a region without features: {roi.reason}",
            allowed="a region with voxels after resampling",
            do="look at the region and at the spacing that it is resampled to",
        )
    return roi
