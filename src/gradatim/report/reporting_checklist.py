"""The reporting checklist of the Image Biomarker Standardisation Initiative, filled in as far as a run knows.

Source: IBSI reference manual, arXiv:1612.07003, chapter "Radiomics reporting guidelines and nomenclature".
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gradatim.base.nouns import QuantitativeMap
from gradatim.report.content import Column, Table

BY_YOU = "to be stated by the authors"

_ACQUISITION = (
    ("Cohort", "patients, how they were chosen, image preparation and injection"),
    ("Acquisition", "scanner, protocol, tube or sequence parameters, slice thickness, contrast agent"),
    ("Reconstruction", "algorithm, kernel, iterations, reconstructed voxel size"),
    ("Segmentation", "who or what drew the regions, on which image, with which software, and how well two agree"),
)

NONE = "none"

_ANOTHER = "pyradiomics_"
"""How the families begin whose definitions are PyRadiomics', not the standard's."""


def reporting_checklist(
    parameters: Mapping[str, Any], image: QuantitativeMap, regions: Sequence[str], settings: str
) -> Table:
    """The checklist as a table: topic, item, what this run did.

    Args:
        parameters: of the extraction.
        image: the map as it was read.
        regions: names of the regions.
        settings: program and settings, as the table of features has them.
    """
    edges = " × ".join(f"{edge:.4g}" for edge in image.grid.spacing)
    size = " × ".join(map(str, image.grid.shape))
    resampling = parameters.get("resampling") or {}
    rows = [(topic, item, BY_YOU) for topic, item in _ACQUISITION]
    rows += [
        ("Image", "quantity and unit", f"{image.quantity}, {image.unit or 'unit not stated'}"),
        ("Image", "dimensions and voxel edges, mm", f"{size}; {edges}"),
        ("Regions", "names", ", ".join(regions)),
        ("Interpolation", "new voxel edges, mm", _words(resampling.get("spacing", NONE))),
        ("Interpolation", "of the image", _words(resampling.get("interpolation", NONE))),
        ("Interpolation", "rounding of intensities", _words(resampling.get("rounding", NONE))),
        ("Interpolation", "of the masks; share of a voxel that makes it part", _mask_rule(resampling)),
        (
            "Re-segmentation",
            "ranges and outliers, on the unfiltered image",
            _words(parameters.get("resegmentation", NONE)),
        ),
        ("Image filter", "convolutional filter", _words(parameters.get("response", NONE))),
        ("Discretisation", "of texture and histogram", _words(parameters.get("discretisation", NONE))),
        (
            "Discretisation",
            "of the intensity-volume histogram",
            _words(parameters.get("curve", "a bin a whole number")),
        ),
        ("Features", "families", ", ".join(parameters.get("families", ()))),
        ("Features", "aggregations, IBSI codes", ", ".join(parameters.get("aggregations", ()))),
        ("Features", "left out", ", ".join(parameters.get("leave_out", ())) or NONE),
        ("Features", "co-occurrence: distance, weights, symmetry", "Chebyshev 1, no weights, symmetric"),
        ("Features", "dependences: distance, coarseness; tone differences: distance", "Chebyshev 1, 0; Chebyshev 1"),
        ("Features", "zones: neighbours", "26 in space, 8 in a slice; border distance by city blocks"),
        ("Features", "software and settings", settings),
        ("Features", "agreement with the standard", _agreement(parameters.get("families", ()))),
        ("Analysis", "harmonisation, selection, model and validation", BY_YOU),
    ]
    return Table("IBSI reporting checklist", (Column("Topic"), Column("Item"), Column("This run")), tuple(rows))


def _agreement(families: Sequence[str]) -> str:
    others = [family for family in families if family.startswith(_ANOTHER)]
    agreed = "all 1804 published IBSI 1 values within tolerance"
    if not others:
        return agreed
    rest = f"; the other families: {agreed}" if len(others) < len(families) else ""
    return f"{', '.join(others)}: PyRadiomics' definitions, which deviate from the standard{rest}"


def _mask_rule(resampling: Mapping[str, Any]) -> str:
    if not resampling:
        return NONE
    masks = {key: value for key, value in resampling.items() if "mask" in key or key == "threshold"}
    return _words(masks) if masks else NONE


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key} {_words(item)}" for key, item in value.items() if key != "method")
        name = str(value.get("method", ""))
        return f"{name} ({inside})" if name and inside else name or inside
    if isinstance(value, list | tuple):
        return (
            ", then ".join(map(_words, value))
            if value and isinstance(value[0], Mapping)
            else ", ".join(map(_words, value))
        )
    return f"{value:g}" if isinstance(value, float) else str(value)
