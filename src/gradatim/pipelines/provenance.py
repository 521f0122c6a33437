"""What made a result: versions, input, parameters, decisions. Plain data for sidecars, report and cache."""

import math
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import torch

from gradatim.io.multiecho import LoadedEchoes
from gradatim.pipelines.fingerprint import InputFile
from gradatim.pipelines.parameters import parameters, parameters_sha256
from gradatim.pipelines.quality import quality
from gradatim.pipelines.susceptibility import SusceptibilityResult, SusceptibilityRoute

try:
    import resource
except ImportError:  # Windows does not tell a process its peak
    resource = None  # type: ignore[assignment]

PACKAGES = ("torch", "numpy", "scipy", "numba", "nibabel", "scikit-image")
"""Whose version can change a number."""


def software() -> dict[str, str]:
    """Versions of gradatim, Python, and every package that can change a number."""
    return {
        "gradatim": version("gradatim"),
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def content_key(inputs: Sequence[InputFile], settings: Sequence[Any]) -> str:
    """The hash that says whether an output is still what the same command would make.

    Args:
        inputs: the input files.
        settings: methods and plain data that shape the output.

    Returns:
        SHA-256, hexadecimal, of the inputs' names and contents, all parameters, and gradatim's version.
    """
    return parameters_sha256(
        {
            "version": version("gradatim"),
            "inputs": {each.name: each.sha256 for each in inputs},
            "settings": [parameters(each) for each in settings],
        }
    )


def provenance(
    loaded: LoadedEchoes, result: SusceptibilityResult, route: SusceptibilityRoute, inputs: Sequence[InputFile]
) -> dict[str, Any]:
    """The record of one scan.

    Args:
        loaded: how the scan was read.
        result: what the chain made of it.
        route: the methods that ran.
        inputs: the files that were read.

    Returns:
        Name → plain data; names of input files appear as their BIDS URI or role only.
    """
    said = parameters(route)
    grid = result.signal.grid
    return {
        "Software": software(),
        "Inputs": {each.name: each.sha256 for each in inputs},
        **_without_names(loaded.record(), inputs),
        "B0Direction": list(grid.b0_direction),
        "VoxelSize": list(grid.spacing),
        "Shape": list(grid.shape),
        "Parameters": said,
        "ParametersSHA256": parameters_sha256(said),
        "Seeds": list(seeds(said)),
        "Device": str(result.signal.magnitude.device),
        "Threads": torch.get_num_threads(),
        "Reference": result.susceptibility.reference,
        "Quality": quality(result).record(),
        "MaskStages": [{"Stage": s.name, "Voxels": s.voxels, "Reason": s.reason} for s in result.stages],
        "ResidualWraps": [round(share, 6) for share in result.wraps.fraction],
        "Solutions": [
            {"Stage": stage, "Reason": reason, "Iterations": count} for stage, reason, count in result.solutions
        ],
        "Notes": list(result.notes),
    }


def effort(seconds: float) -> dict[str, Any]:
    """What a run cost: time, and this process's largest memory so far.

    Args:
        seconds: wall-clock time of the run.
    """
    time = {"Seconds": round(seconds, 1)}
    if resource is None:
        return time
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {**time, "PeakMemoryBytes": peak * (1 if sys.platform == "darwin" else 1024)}


def seeds(said: Any, place: str = "") -> Iterable[dict[str, Any]]:
    """Every seed among the parameters, with the method it belongs to.

    Args:
        said: parameters as plain data.
        place: the method that they belong to, if it is known already.

    Example:
        >>> list(seeds({"chains": [{"method": "AddNoise", "seed": 1}]}))
        [{'Method': 'AddNoise', 'Seed': 1}]
    """
    if isinstance(said, Mapping):
        for name, value in said.items():
            if name == "seed":
                yield {"Method": place or str(said.get("method", "")), "Seed": value}
            else:
                yield from seeds(value, str(said.get("method", place)))
    elif isinstance(said, list):
        for value in said:
            yield from seeds(value, place)


def _without_names(record: dict[str, Any], inputs: Sequence[InputFile]) -> dict[str, Any]:
    """The record with the own name of each input file outside BIDS replaced by what outputs call it."""
    names = {each.path.name: each.name for each in inputs if not each.name.endswith(each.path.name)}
    return {key: _renamed(value, names) for key, value in record.items()}


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for own, shown in names.items():
            value = value.replace(own, shown)
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    if isinstance(value, dict):
        return {key: _renamed(item, names) for key, item in value.items()}
    return value
