"""Results as a BIDS derivative data set that the official validator accepts."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from torch import Tensor

from gradatim.base.errors import GradatimError
from gradatim.base.grid import Grid
from gradatim.io.atomic import atomic_file, write_refusal
from gradatim.io.label_names import write_label_names
from gradatim.io.nifti_write import write_nifti
from gradatim.io.sidecar import read_sidecar, write_sidecar

BIDS_VERSION = "1.11.1"

ENTITY_ORDER = (
    *("sub", "ses", "sample", "task", "tracksys", "acq", "nuc", "voi", "ce", "trc", "stain", "rec", "dir", "run"),
    *("mod", "echo", "flip", "inv", "mt", "part", "proc", "hemi", "space", "split", "recording", "chunk", "seg"),
    *("res", "den", "label", "desc"),
)
"""The order in which BIDS wants a name's entities; one that BIDS does not know goes last."""

NOT_OF_BIDS = (
    *("*_features.parquet", "*_features.csv", "*_report.html", "*_overview.png", "*_scores.json"),
    *("provenance.json", "summary.json", ".*"),
)
"""What BIDS has no name for: features, reports, pictures, scores, provenance, the run's summary, what a run hides."""

README = """\
# Derivatives written by gradatim {version}

From multi-echo gradient-echo magnitude and phase: magnetic susceptibility (`Chimap`, ppm), relaxation (`R2starmap`
in 1/s, `T2starmap` in s, `S0map`), the field in Hz before and after removal of the background (`fmap/*_fieldmap`),
standard errors (`desc-*error`), the unwrapped phase, masks and regions.

Every image has a JSON file with its unit, its sources, every parameter and the hashes of what it was made from.
`*_report.html` opens in any browser. `*_features.parquet` and `.csv` hold one row a feature. `provenance.json` is the
record of a whole subject; a later run skips the subject as long as that record still fits.

Zero outside a mask means "not measured". The reference of susceptibility stands in each `Chimap`'s JSON file.
"""


@dataclass(frozen=True, eq=False)
class DerivedImage:
    """One image of a derivative data set, with what its sidecar says of it alone.

    Args:
        folder: ``anat`` or ``fmap``.
        entities: those beyond the scan's own, e.g. ``(("desc", "local"),)``.
        suffix: BIDS suffix, e.g. ``Chimap``.
        data: (x, y, z).
        grid: where the voxels lie.
        sidecar: keys of this image, e.g. ``Units`` and ``Description``.
        names: for a ``dseg``, label → name, written beside it as a table.
    """

    folder: str
    entities: tuple[tuple[str, str], ...]
    suffix: str
    data: Tensor
    grid: Grid
    sidecar: Mapping[str, Any]
    names: Mapping[int, str] = field(default_factory=dict)


def bids_stem(entities: Sequence[tuple[str, str]], suffix: str = "") -> str:
    """Entities in BIDS' order, and the suffix.

    Example:
        >>> bids_stem([("desc", "local"), ("sub", "01"), ("run", "2")], "fieldmap")
        'sub-01_run-2_desc-local_fieldmap'
    """
    place = {key: number for number, key in enumerate(ENTITY_ORDER)}
    ordered = sorted((pair for pair in entities if pair[1]), key=lambda pair: place.get(pair[0], len(place)))
    return "_".join([*(f"{key}-{label}" for key, label in ordered), *([suffix] if suffix else [])])


def write_images(
    folder: Path, images: Sequence[DerivedImage], *, scan: Sequence[tuple[str, str]], said: Mapping[str, Any]
) -> None:
    """Write images and sidecars below a subject's or session's folder.

    Args:
        folder: ``sub-01`` or ``sub-01/ses-a`` of the derivative, or what will become it; must exist.
        images: what to write.
        scan: entities of the scan that they come from, subject and session included.
        said: what every sidecar says, before what its image says.

    Raises:
        ResourceError: GD-502 to GD-504 if a file cannot be written.
    """
    for image in images:
        stem = folder / image.folder / bids_stem([*scan, *image.entities], image.suffix)
        try:
            stem.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise write_refusal(error, stem.parent) from error
        write_image_files(stem, image, said=said)


def write_image_files(stem: Path, image: DerivedImage, *, said: Mapping[str, Any]) -> None:
    """Write one image, its sidecar and the table of its names.

    Args:
        stem: their path without an ending.
        image: what to write.
        said: what the sidecar says before what the image says.

    Raises:
        ResourceError: GD-502 to GD-504 if a file cannot be written.
    """
    write_nifti(stem.with_name(f"{stem.name}.nii.gz"), image.data, image.grid)
    write_sidecar(stem.with_name(f"{stem.name}.json"), {**said, **image.sidecar})
    if image.names:
        write_label_names(stem.with_name(f"{stem.name}.tsv"), image.names)


def write_dataset_files(root: Path, *, raw: Path, title: str, readme: str = README) -> None:
    """Write what makes a folder a derivative data set; files that say the same already are left alone.

    The raw data set is named by its path from here, so that both can be moved together.

    Args:
        root: the derivative's folder; must exist.
        raw: the data set it comes from.
        title: its name.
        readme: text of its README, where ``{version}`` stands for gradatim's.

    Raises:
        ResourceError: GD-502 to GD-504 if a file cannot be written.
    """
    link = quote(Path(os.path.relpath(raw.resolve(), root.resolve())).as_posix())
    raw_says = _description(raw)
    description = {
        "Name": title,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        **{key: raw_says[key] for key in ("License",) if isinstance(raw_says.get(key), str)},
        "GeneratedBy": [{"Name": "gradatim", "Version": version("gradatim")}],
        "SourceDatasets": [{"URL": link}],
        "DatasetLinks": {"raw": link},
    }
    if _description(root) != description:
        write_sidecar(root / "dataset_description.json", description)
    for name, text in (
        ("README.md", readme.format(version=version("gradatim"))),
        (".bidsignore", "".join(f"{pattern}\n" for pattern in NOT_OF_BIDS)),
    ):
        place = root / name
        if not place.is_file() or place.read_bytes() != text.encode():
            write_text(place, text)


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8, whole or not at all.

    Raises:
        ResourceError: GD-502 to GD-504 if the file cannot be written.
    """
    with atomic_file(path) as file:
        file.write(text.encode("utf-8", "replace"))


def _description(root: Path) -> dict[str, Any]:
    path = root / "dataset_description.json"
    try:
        return read_sidecar(path) if path.is_file() else {}
    except GradatimError:
        return {}
