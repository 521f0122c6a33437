"""A susceptibility result as the images and sidecars of a BIDS derivative."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gradatim.base.nouns import FieldMap, QuantitativeMap
from gradatim.io.derivatives import DerivedImage
from gradatim.pipelines.methods_text import source_of
from gradatim.pipelines.susceptibility import SusceptibilityResult, SusceptibilityRoute

_KEPT = ("Inputs", "Parameters", "ParametersSHA256", "Seeds", "Device", "B0Direction", "MagneticFieldStrength",
         "PhaseScale", "PhaseOffset", "PhaseRule", "PhaseConfidence", "PhaseDecision", "PhaseSign")  # fmt: skip
"""What of the provenance every sidecar repeats."""


def said_of_all(provenance: Mapping[str, Any], sources: Sequence[str]) -> dict[str, Any]:
    """What the sidecar of every image says.

    Args:
        provenance: the scan's record.
        sources: BIDS URIs of the images that the scan consists of, the first magnitude first.
    """
    return {
        "GeneratedBy": {"Name": "gradatim", "Version": provenance["Software"]["gradatim"]},
        "Sources": list(sources),
        "SpatialReference": sources[0],
        **{key: provenance[key] for key in _KEPT if key in provenance},
    }


def derived_images(result: SusceptibilityResult, route: SusceptibilityRoute) -> tuple[DerivedImage, ...]:
    """Every image that a data set keeps of a result.

    Args:
        result: what the chain made.
        route: the methods that made it, for ``EstimationAlgorithm`` and ``EstimationReference``.
    """
    return (
        *_map("Chimap", result.susceptibility, route.sources.inversion, "Magnetic susceptibility"),
        *_map("R2starmap", result.relaxation.r2star, route.relaxation, "Effective transverse relaxation rate R2*"),
        *_map(
            "T2starmap",
            result.relaxation.t2star,
            route.relaxation,
            "Effective transverse relaxation time T2*; 0 where R2* is not above 0",
        ),
        *_map("S0map", result.relaxation.s0, route.relaxation, "Signal at echo time zero"),
        *_masks(result),
        *_regions(result),
        *_fields(result, route),
        *_unwrapped(result, route),
    )


def _map(suffix: str, image: QuantitativeMap, method: Any, what: str) -> list[DerivedImage]:
    said = {**_estimated(method), "SkullStripped": True, "Units": image.unit, "Reference": image.reference}
    images = [DerivedImage("anat", (), suffix, image.value, image.grid, {"Description": what, **said})]
    if image.error is not None:
        error = {"Description": f"{what}: standard error", **said}
        images.append(DerivedImage("anat", (("desc", "error"),), suffix, image.error, image.grid, error))
    return images


def _masks(result: SusceptibilityResult) -> list[DerivedImage]:
    """The brain, and what the stages left of it."""
    what = {
        "brain": ("Brain", "The brain", result.unwrapped.mask),
        "field": ("ROI", "Where the phase can be trusted and the field is known", result.total.mask),
        "chi": ("ROI", "Where susceptibility is known", result.susceptibility.mask),
    }
    return [
        DerivedImage(
            "anat",
            (("desc", name),),
            "mask",
            mask,
            result.signal.grid,
            {"Description": text, "Type": kind, "SkullStripped": True},
        )
        for name, (kind, text, mask) in what.items()
    ]


def _regions(result: SusceptibilityResult) -> list[DerivedImage]:
    regions = result.regions
    names = {label: regions.name(label) for label in {*regions.present, *regions.names}}
    said = {"Description": "Regions that the features describe", "SkullStripped": True}
    return [DerivedImage("anat", (("desc", "regions"),), "dseg", regions.labels, regions.grid, said, names)]


def _fields(result: SusceptibilityResult, route: SusceptibilityRoute) -> list[DerivedImage]:
    first = result.signal.magnitude[0]
    images = []
    for name, what, field, method in (
        ("total", "Offset of the magnetic field", result.total, route.refine),
        ("local", "Field of the sources inside the mask", result.local, route.sources.background),
    ):
        images += _field(name, what, field, method, first)
    return images


def _field(name: str, what: str, field: FieldMap, method: Any, magnitude: Tensor) -> list[DerivedImage]:
    said = {**_estimated(method), "SkullStripped": True, "Units": "Hz"}
    about = "Magnitude of the first echo, beside the field map as BIDS asks"
    beside = {"Description": about, "SkullStripped": False, "Units": "arbitrary"}
    values = ((name, what, field.field), (f"{name}error", f"{what}: standard error", field.error))
    return [
        image
        for label, text, value in values
        for image in (
            DerivedImage(
                "fmap", (("desc", label),), "fieldmap", value, field.grid, {"Description": f"{text}, in Hz", **said}
            ),
            DerivedImage("fmap", (("desc", label),), "magnitude", magnitude, field.grid, beside),
        )
    ]


def _unwrapped(result: SusceptibilityResult, route: SusceptibilityRoute) -> list[DerivedImage]:
    said = {**_estimated(route.unwrap), "SkullStripped": True, "Units": "rad"}
    return [
        DerivedImage(
            "anat",
            (("echo", str(number)), ("part", "phase"), ("desc", "unwrapped")),
            "MEGRE",
            phase.to(torch.float32),
            result.signal.grid,
            {"Description": "Phase without its jumps", "EchoTime": time, **said},
        )
        for number, (phase, time) in enumerate(
            zip(result.unwrapped.phase, result.signal.echo_times, strict=True), start=1
        )
    ]


def _estimated(method: Any) -> dict[str, str]:
    source = source_of(method)
    algorithm = {"EstimationAlgorithm": type(method).__name__}
    return {**algorithm, **({"EstimationReference": source} if source else {})}
