"""From words to chains of perturbations: files in TOML, read strictly."""

from pathlib import Path
from typing import Any

from gradatim.base.choice import choose
from gradatim.base.errors import UsageError
from gradatim.cli.methods_from_tables import method, of_kind, refuse_unknown
from gradatim.cli.toml_file import read_toml
from gradatim.radiomics.interpolation import CubicSpline, Linear
from gradatim.radiomics.robustness.move import Rotate, Shift
from gradatim.radiomics.robustness.noise import AddNoise
from gradatim.radiomics.robustness.outline import ChangeVolume, Dilate, Erode, RandomiseContour
from gradatim.radiomics.robustness.perturbation import Chain, every_chain
from gradatim.radiomics.robustness.usual_chains import ROTATION_VOLUME_CONTOUR

PERTURBATIONS: dict[str, type] = {
    each.__name__: each for each in (Rotate, Shift, AddNoise, Dilate, Erode, ChangeVolume, RandomiseContour)
}
"""Name in a file → perturbation."""

_INSIDE: dict[str, type] = {each.__name__: each for each in (Linear, CubicSpline)}


def chosen_chains(path: Path | None) -> tuple[Chain, ...]:
    """The chains that a TOML file describes, or the usual ones without a file.

    ``chains`` lists them one by one, the empty one standing for the unperturbed image; ``choices`` lists, for each
    step, what it may be, and every combination is taken. A file may have both::

        chains = [[], [{ method = "AddNoise", seed = 1 }]]
        choices = [
          [{ method = "Rotate", angle = -4 }, { method = "Rotate", angle = 4 }],
          [{ method = "RandomiseContour", sigma_mm = 1, smoothness_mm = 3, seed = 1 }],
        ]

    Args:
        path: the file.

    Raises:
        InputError: GD-222 if there is no such file.
        UsageError: GD-105 if it is not TOML; GD-102 for an unknown key or name, with the nearest known one; GD-106 for
            a field that is missing or of the wrong kind; GD-147 for an impossible perturbation; GD-154 for fewer than
            two chains.
    """
    if path is None:
        return ROTATION_VOLUME_CONTOUR
    content = read_toml(path)
    refuse_unknown(content, ("chains", "choices"), where=path.name)
    found = _steps(content["chains"], "chains") if "chains" in content else ()
    if "choices" in content:
        found += every_chain(*_steps(content["choices"], "choices"))
    if len(found) < 2:
        raise UsageError(
            "GD-154",
            given=f"{path.name} with {len(found)} chain(s) of perturbations",
            allowed="two or more, of which one may be empty: []",
            do="add chains, or choices",
        )
    return found


def _steps(data: Any, where: str) -> tuple[tuple[Any, ...], ...]:
    """Lists of lists of perturbations."""
    return tuple(
        tuple(
            _perturbation(step, f"{where}[{i}][{j}]")
            for j, step in enumerate(of_kind(each, list, where=f"{where}[{i}]"))
        )
        for i, each in enumerate(of_kind(data, list, where=where))
    )


def _perturbation(data: Any, where: str) -> Any:
    name = of_kind(of_kind(data, dict, where=where).get("method"), str, where=f"{where}.method")
    return method(data, {name: choose(name, PERTURBATIONS, what=where), **_INSIDE}, where=where)
