"""Whether a preset is made for images of another unit."""

from pathlib import Path

from gradatim.base.findings import Finding, Severity

_UNITS = dict.fromkeys(("ibsi-a", "ibsi-b", "ibsi-c", "ibsi-d", "ibsi-e"), "HU") | {"qsm": "ppm"}
"""Preset → unit of its ranges, bins and rounding; the others have none."""


def about_unit(preset: str, settings: Path | None, *, unit: str, image: str) -> tuple[Finding, ...]:
    """A warning where a preset's ranges and bins are of another unit than the image's values.

    Nothing is said of an image whose unit is not known, nor of settings of one's own.

    Args:
        preset: its name; empty for the one that is taken if nothing is said.
        settings: a settings file, None for none.
        unit: of the image's values, empty if not known.
        image: what the warning calls the image.

    Example:
        >>> [finding.code for finding in about_unit("", None, unit="HU", image="ct")]
        ['GD-705']
        >>> about_unit("ibsi-c", None, unit="HU", image="ct")
        ()
    """
    name = preset or "qsm"
    made_for = _UNITS.get(name, unit)
    if settings is not None or not unit or unit == made_for:
        return ()
    what = f"values in {unit}, measured by ranges and bins of the preset {name} in {made_for}"
    fix = "choose a preset or settings for this unit, or correct it with --unit"
    return (Finding("GD-705", Severity.WARN, image, what, f"values in {made_for}", fix),)
