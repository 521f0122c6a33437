"""The route from a multi-echo scan to susceptibility, R2*, regions and features."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.nouns import Answer, Feature, FieldMap, MultiEcho, QuantitativeMap, Regions
from gradatim.pipelines.progress import Listener, announce
from gradatim.qsm.complex_fit import ComplexFit
from gradatim.qsm.echo_fit import EchoFit
from gradatim.qsm.masks import BrainMask, PhaseQuality, touches_border
from gradatim.qsm.reference import MaskMean, RegionMean
from gradatim.qsm.residual_wraps import ResidualWraps, WrapVerdict
from gradatim.qsm.two_pass import OnePass, TwoPass
from gradatim.qsm.unwrap import Romeo, UnwrappedPhase
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.presets import QSM
from gradatim.relaxation.maps import RelaxationMaps
from gradatim.relaxation.mono_exponential import MonoExponential
from gradatim.segment.clusters import OutstandingClusters

LEVEL = 0.95
NORMAL_QUANTILE = 1.959964
"""Half width of a central 95 % interval of the normal distribution, in standard deviations."""

SHRINKS = (
    "total variation takes contrast: on a simulated head the map's slope against the truth is 0.87 over all voxels "
    "and 0.97 over the means of deep nuclei, so differences between regions come out a little small"
)


@dataclass(frozen=True)
class MaskStage:
    """What a stage left of the mask.

    Args:
        name: the stage.
        voxels: how many voxels it kept.
        reason: why it took others.
    """

    name: str
    voxels: int
    reason: str


@dataclass(frozen=True, eq=False)
class SusceptibilityResult:
    """Everything the route found, in the order in which it was found.

    Args:
        signal: the scan.
        unwrapped: its phase without turns, in the brain mask.
        wraps: how many voxels still look a turn off.
        stages: how much of the mask each stage kept.
        total: total field, Hz, in the quality mask.
        local: local field, Hz.
        susceptibility: χ, ppm, with its reference.
        relaxation: R2*, T2*, S0.
        regions: given, or found in the map.
        features: of χ in the regions.
        answers: mean R2* of the regions with intervals.
        notes: what to keep in mind, in sentences.
        solutions: (method, why it stopped, iterations) of what iterated.
    """

    signal: MultiEcho
    unwrapped: UnwrappedPhase
    wraps: WrapVerdict
    stages: tuple[MaskStage, ...]
    total: FieldMap
    local: FieldMap
    susceptibility: QuantitativeMap
    relaxation: RelaxationMaps
    regions: Regions
    features: tuple[Feature, ...]
    answers: tuple[Answer, ...]
    notes: tuple[str, ...]
    solutions: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True)
class SusceptibilityRoute:
    """Signal → field → map → regions → features, by one method each.

    Args:
        brain: finds the brain where no mask is given.
        unwrap: takes the turns out of the phase.
        wraps: judges what is left of them.
        fit: the field and its standard error.
        refine: the field once more against the complex echoes.
        quality: where the phase can be trusted.
        sources: background removal and inversion.
        reference: what zero susceptibility means.
        relaxation: R2*, T2*, S0.
        segmentation: regions where none are given.
        extraction: which features.

    Raises:
        UsageError: GD-103 if mask or regions lie on another grid.
        InputError: what a method refuses; GD-602 if a given mask fills the whole image.

    Example:
        >>> SusceptibilityRoute(sources=OnePass()).sources.inversion.threshold
        0.15
    """

    brain: BrainMask = BrainMask()
    unwrap: Romeo = Romeo()
    wraps: ResidualWraps = ResidualWraps()
    fit: EchoFit = EchoFit()
    refine: ComplexFit = ComplexFit()
    quality: PhaseQuality = PhaseQuality()
    sources: TwoPass | OnePass = TwoPass()
    reference: MaskMean | RegionMean = MaskMean()
    relaxation: MonoExponential = MonoExponential()
    segmentation: OutstandingClusters = OutstandingClusters()
    extraction: Extraction = field(default=QSM)

    def __call__(
        self,
        signal: MultiEcho,
        *,
        mask: Tensor | None = None,
        regions: Regions | None = None,
        case: str = "",
        progress: Listener = announce,
    ) -> SusceptibilityResult:
        """Take a scan through.

        Args:
            signal: the scan.
            mask: (x, y, z), bool, the brain; found in the magnitude by default.
            regions: on the scan's grid; found in the map by default.
            case: how the feature table calls it.
            progress: told each stage before it starts and the fraction that is done.
        """
        if regions is not None:
            _require_same_grid(regions, signal)
        progress("mask", 0.02)
        brain = self.brain(signal) if mask is None else _checked(mask, signal)
        progress("unwrapping", 0.05)
        unwrapped = self.unwrap(signal, mask=brain)
        wraps = self.wraps(unwrapped)
        progress("field map", 0.15)
        fit = self.refine(signal, start=self.fit(signal, unwrapped=unwrapped))
        quality = self.quality(fit, last_echo=signal.echo_times[-1])
        total = _within(fit.field, quality.mask)
        progress("background and susceptibility", 0.2)
        sources = self.sources(total)
        local, inversion = sources.local, sources.inversion
        susceptibility = self.reference(inversion.susceptibility)
        progress("R2*", 0.85)
        relaxation = self.relaxation(signal, mask=brain)
        progress("regions and features", 0.9)
        found = self.segmentation(susceptibility) if regions is None else regions
        features = self.extraction(susceptibility, found, case=case, image="Chimap")
        apart = int(brain.sum()) - int(quality.mask.sum()) - quality.dispersed - quality.misfitting
        lost = f"{quality.dispersed} voxels dispersed, {quality.misfitting} off the line, {apart} apart from the rest"
        stages = (
            MaskStage("brain", int(brain.sum()), "found in the magnitude" if mask is None else "given"),
            MaskStage("phase quality", int(quality.mask.sum()), lost),
            MaskStage("background removal", int(local.field.mask.sum()), "rim that the method cannot answer"),
        )
        iterated = (("background removal", local.solution), ("inversion", inversion.solution))
        return SusceptibilityResult(
            signal=signal,
            unwrapped=unwrapped,
            wraps=wraps,
            stages=stages,
            total=total,
            local=local.field,
            susceptibility=susceptibility,
            relaxation=relaxation,
            regions=found,
            features=features,
            answers=_mean_r2star(relaxation.r2star, found),
            notes=_notes(signal, unwrapped, found, inversion.weight, inversion.misfit),
            solutions=tuple((name, s.reason.value, s.iterations) for name, s in iterated if s is not None),
        )


def _checked(mask: Tensor, signal: MultiEcho) -> Tensor:
    if tuple(mask.shape) != signal.grid.shape:
        raise UsageError(
            "GD-103",
            given=f"a mask of shape {tuple(mask.shape)} for a scan of {signal.grid.shape}",
            allowed="a mask on the scan's grid",
            do="resample the mask to the first echo",
        )
    if bool(mask.all()):
        raise InputError(
            "GD-602",
            given="a mask that fills the whole image",
            allowed="a mask with an outside",
            do="give a brain mask, or leave it out to have one found",
        )
    return mask


def _require_same_grid(regions: Regions, signal: MultiEcho) -> None:
    if not regions.grid.same_space(signal.grid):
        raise UsageError(
            "GD-103",
            given=f"regions on a grid {regions.grid.shape} with another affine or size than the scan's",
            allowed=f"the scan's grid {signal.grid.shape}",
            do="resample the label image to the first echo with nearest neighbours",
        )


def _within(total: FieldMap, mask: Tensor) -> FieldMap:
    zero = torch.zeros((), dtype=total.field.dtype, device=total.field.device)
    field_map, error = torch.where(mask, total.field, zero), torch.where(mask, total.error, zero)
    return FieldMap(field_map, error, mask, total.field_strength, total.grid)


def _mean_r2star(r2star: QuantitativeMap, regions: Regions) -> tuple[Answer, ...]:
    """Mean R2* of each region; independent voxel errors give σ² = Σσᵢ²/n²."""
    if r2star.error is None:
        return ()
    answers = []
    for label in regions.present:
        inside = (regions.labels == label) & r2star.mask
        count = int(inside.sum())
        if not count:
            continue
        mean = float(r2star.value[inside].double().mean())
        half = NORMAL_QUANTILE * float(r2star.error[inside].double().square().sum().sqrt()) / count
        answers.append(
            Answer(
                question=f"mean R2* of {regions.name(label)}",
                estimate=mean,
                low=mean - half,
                high=mean + half,
                level=LEVEL,
                unit=r2star.unit,
                basis="thermal noise of the echoes; not field gradients within voxels, nor the region's outline",
            )
        )
    return tuple(answers)


def _notes(
    signal: MultiEcho, unwrapped: UnwrappedPhase, regions: Regions, weight: float, misfit: float
) -> tuple[str, ...]:
    notes = []
    if touches_border(unwrapped.mask, signal.grid):
        notes.append("the mask touches the edge of the image: tissue may be cut off, which spoils the field near it")
    if unwrapped.regions > 1:
        notes.append(f"the mask has {unwrapped.regions} separate parts; whole turns between them are a convention")
    if not regions.present:
        notes.append("no region was given or found, so there are no features")
    if weight > 0:
        notes.append(f"total variation weight {weight:.4g} 1/(ppm/mm), robust misfit {misfit:.3g} standard errors")
        notes.append(SHRINKS)
    notes.append("the intervals are of R2* only; a standard error of susceptibility itself is not computed yet")
    return tuple(notes)
