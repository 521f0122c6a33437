"""Getters for the optional parts: each gives the module, or says which extra installs it."""

import importlib
import re
from importlib.metadata import PackageNotFoundError, requires, version
from types import ModuleType

from gradatim.base.errors import ResourceError


def jinja2() -> ModuleType:
    """The template engine of the report (extra ``report``)."""
    return _get("jinja2", "report")


def matplotlib_figure() -> ModuleType:
    """``matplotlib.figure``, which draws without a display and without global state (extra ``report``)."""
    return _get("matplotlib.figure", "report")


def pydicom() -> ModuleType:
    """The reader of DICOM's data elements (extra ``dicom``)."""
    return _get("pydicom", "dicom")


def pydicom_pixels() -> ModuleType:
    """``pydicom.pixels``, the decoders of DICOM's pixel data (extra ``dicom``)."""
    return _get("pydicom.pixels", "dicom")


def pypulseq() -> ModuleType:
    """The writer of Pulseq files and their timing check (extra ``sequence``)."""
    return _get("pypulseq", "sequence")


def pulseq_systems() -> ModuleType:
    """The table of vendors' gradient systems (extra ``sequence``)."""
    return _get("pulseq_systems", "sequence")


def h5py() -> ModuleType:
    """The reader of HDF5 files, in which raw data comes (extra ``raw``)."""
    return _get("h5py", "raw")


def finufft() -> ModuleType:
    """The fast non-uniform Fourier transform of the Flatiron Institute (extra ``nufft``)."""
    return _get("finufft", "nufft")


def nmrglue() -> ModuleType:
    """The reader of spectrometers' files (extra ``nmr``)."""
    return _get("nmrglue", "nmr")


def _get(module: str, extra: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as missing:
        raise ResourceError(
            "GD-501",
            given=f"no module {missing.name}",
            allowed=f"gradatim with its part {extra!r}",
            do=f"run: {install_line(extra)}",
        ) from missing


def install_line(extra: str) -> str:
    """The shell line that installs an extra.

    Example:
        >>> install_line("report")
        "pip install 'gradatim[report]'"
    """
    return f"pip install 'gradatim[{extra}]'"


def parts() -> dict[str, dict[str, str]]:
    """Extra → distribution → installed version, ``""`` where it is not installed.

    Read from the package's own metadata, so that it cannot differ from what pip installs. The extra
    ``""`` holds what every installation needs; ``all`` is left out, being made of
    others, and so are ``dev`` and ``bench``, which no user needs.

    Example:
        >>> sorted(parts()["report"])
        ['jinja2', 'matplotlib']
    """
    found: dict[str, dict[str, str]] = {}
    for line in requires("gradatim") or []:
        name = re.match(r"[A-Za-z0-9._-]+", line)
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", line)
        group = extra.group(1) if extra else ""
        if name and group not in {"all", "bench", "dev"}:
            found.setdefault(group, {})[name.group()] = _installed(name.group())
    return found


def _installed(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
