"""The images of a derivative data set that have regions beside them."""

from pathlib import Path

from gradatim.base.errors import InputError
from gradatim.io.bids_names import BidsName, parse_name
from gradatim.io.dataset_path import check_inside
from gradatim.io.manifest import MeasuredCase

_REGIONS, _MASK = "dseg", "mask"


def derivative_cases(root: Path, *, suffix: str) -> tuple[MeasuredCase, ...]:
    """Every image of a BIDS suffix with the label image, and the mask, that belong to it.

    Regions are the ``dseg`` of the same folder with the same entities beside ``desc``; the mask is the one whose
    ``desc`` is ``chi``, ``brain`` or nothing, in this order.

    Args:
        root: the data set's root; images lie in ``sub-*/anat`` or ``sub-*/ses-*/anat``.
        suffix: e.g. ``"Chimap"``; images with a ``desc``, such as standard errors, are left out.

    Returns:
        The cases, in the order of their names.

    Raises:
        InputError: GD-324 if no image of this suffix has regions beside it, or several ``dseg`` fit one image.
        UnsafeInputError: GD-403 for a link that leads out of the data set.
    """
    root = root.resolve()
    places = sorted([*root.glob("sub-*/anat"), *root.glob("sub-*/ses-*/anat")])
    cases = tuple(case for place in places for case in _in_folder(check_inside(place, root), suffix))
    if not cases:
        raise InputError(
            "GD-324",
            given=f"no {suffix} with a {_REGIONS} beside it in {root.name}",
            allowed=f"sub-*/anat/*_{suffix}.nii.gz and *_{_REGIONS}.nii.gz",
            do="name another suffix, or write a manifest",
        )
    return cases


def _in_folder(folder: Path, suffix: str) -> list[MeasuredCase]:
    names = ((path, parse_name(path.name)) for path in sorted(folder.glob("*.nii*")))
    files = {path: name for path, name in names if name is not None}
    found = []
    for path, name in files.items():
        if name.suffix != suffix or name.entity("desc"):
            continue
        regions = [each for each, other in files.items() if other.suffix == _REGIONS and _same_scan(name, other)]
        if len(regions) > 1:
            raise InputError(
                "GD-324",
                given=f"{path.name} with {len(regions)} label images: {', '.join(each.name for each in regions)}",
                allowed="one",
                do="write a manifest that says which",
            )
        masks = {
            other.entity("desc"): each
            for each, other in files.items()
            if other.suffix == _MASK and _same_scan(name, other)
        }
        mask = next((masks[desc] for desc in ("chi", "brain", "") if desc in masks), None)
        found += [MeasuredCase(_case(name), path, each, mask) for each in regions]
    return found


def _same_scan(one: BidsName, other: BidsName) -> bool:
    return _scan(one) == _scan(other)


def _scan(name: BidsName) -> list[tuple[str, str]]:
    return [(key, label) for key, label in name.entities if key != "desc"]


def _case(name: BidsName) -> str:
    return "_".join(f"{key}-{label}" for key, label in _scan(name))
