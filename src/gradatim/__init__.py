"""gradatim: quantitative imaging from the scanner's gradients to an answer.

The public list: nouns, errors, methods, files in and out. Nothing is imported before it is asked for. Every name can
also be had from the module that defines it, so that steps read as they are spoken::

    from gradatim.qsm import unwrap

    unwrap.Romeo()(signal)
"""

from importlib import import_module
from typing import Any

_HOMES = {
    # the nouns: signal → field → map → regions → features → answer, and where their voxels lie
    "Answer": "base.nouns",
    "Feature": "base.nouns",
    "FieldMap": "base.nouns",
    "Grid": "base.grid",
    "MultiEcho": "base.nouns",
    "QuantitativeMap": "base.nouns",
    "Regions": "base.nouns",
    # what is refused
    "GradatimError": "base.errors",
    "InputError": "base.errors",
    "ResourceError": "base.errors",
    "UnsafeInputError": "base.errors",
    "UsageError": "base.errors",
    # files
    "EchoReader": "io.multiecho",
    "read_features": "io.table",
    "read_image": "io.nifti",
    "read_labels": "io.nifti",
    "read_mask": "io.nifti",
    "write_features": "io.table",
    "write_nifti": "io.nifti_write",
    # signal → field → map
    "BrainMask": "qsm.masks",
    "EchoFit": "qsm.echo_fit",
    "LaplacianBoundaryValue": "qsm.boundary_value",
    "MonoExponential": "relaxation.mono_exponential",
    "OnePass": "qsm.two_pass",
    "PhaseQuality": "qsm.masks",
    "ResidualWraps": "qsm.residual_wraps",
    "Romeo": "qsm.unwrap",
    "ThresholdedDivision": "qsm.tkd",
    "TotalVariation": "qsm.total_variation",
    "TwoPass": "qsm.two_pass",
    "VSharp": "qsm.vsharp",
    # map → regions → features
    "OutstandingClusters": "segment.clusters",
    "Extraction": "radiomics.extraction",
    # a simulated head, and what a map is worth beside its truth
    "ChallengeScore": "qsm.score",
    "HeadPhantom": "qsm.phantom",
    "HeadScan": "qsm.scan",
}
"""Public name → the module, below this one, that defines it. `make docs` writes the type stub from it."""

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name == "__version__":
        return import_module("importlib.metadata").version("gradatim")
    if name not in _HOMES:
        raise AttributeError(f"module 'gradatim' has no public name {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"gradatim.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
