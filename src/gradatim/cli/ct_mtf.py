"""gradatim ct mtf: how sharp a scanner is, from an edge, a wire or a bead."""

import json as jsonlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from gradatim.base.errors import UsageError

if TYPE_CHECKING:
    from gradatim.radiomics.blur.mtf import MeasuredMtf


@dataclass(frozen=True)
class Mtf:
    """Measure the modulation transfer function from an edge, a round insert, a wire or a bead.

    Prints the frequencies at which it is down to 50 % and 10 %, with standard errors, in 1/mm. Give one of the four.

    Attributes:
        image: NIfTI, any linear unit.
        edge: mask around a plane edge, tilted by 2 to 10 degrees against the voxels.
        circle: mask around the rim of a round insert that runs along the third axis.
        wire: mask around a thin wire along the third axis.
        bead: mask around a small bead; gives the axial curve as well.
        diameter: of the wire or bead, mm; its size is taken out.
        picture: draw the curves to this SVG file.
        json: print one JSON object with the whole curves, for programs.
    """

    image: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="IMAGE")]
    edge: Path | None = None
    circle: Path | None = None
    wire: Path | None = None
    bead: Path | None = None
    diameter: float = 0.0
    picture: Path | None = None
    json: bool = False

    def run(self) -> int:
        """Measure, print and draw.

        Raises:
            UsageError: GD-104 unless one of the four regions is given; GD-107 for a picture in the place of an input.
            InputError: GD-724 if nothing can be measured there; what the readers refuse.
        """
        from gradatim.cli.feature_outputs import require_outputs

        require_outputs([self.picture], inputs=(self.image, self.edge, self.circle, self.wire, self.bead))
        curves = self._curves()
        if self.picture is not None:
            from gradatim.io.atomic import atomic_file
            from gradatim.report.transfer_plot import TransferPlot

            drawn = TransferPlot()({name: _lists(curve) for name, curve in curves.items()})
            with atomic_file(self.picture) as file:
                file.write(drawn.data)
        if self.json:
            print(jsonlib.dumps({name: _record(curve) for name, curve in curves.items()}, indent=2))
            return 0
        for name, curve in curves.items():
            for level in (0.5, 0.1):
                found, error = curve.frequency_at(level), curve.error_at(level)
                said = "" if math.isnan(error) else f" ± {error:.2g}"
                print(f"{name:<10}MTF{100 * level:.0f}  {found:.4g}{said} 1/mm")
        return 0

    def _curves(self) -> "dict[str, MeasuredMtf]":
        from gradatim.cli.ct_input import read_with_masks
        from gradatim.radiomics.blur.bead import Bead
        from gradatim.radiomics.blur.edges import CircularEdge, SlantedEdge
        from gradatim.radiomics.blur.wire import Wire

        ways = {"edge": self.edge, "circle": self.circle, "wire": self.wire, "bead": self.bead}
        chosen = [(name, path) for name, path in ways.items() if path is not None]
        if len(chosen) != 1:
            raise UsageError(
                "GD-104",
                given=f"{len(chosen)} of --edge, --circle, --wire and --bead",
                allowed="one of them",
                do="give the mask of what there is in the image",
            )
        name, path = chosen[0]
        given, (mask,) = read_with_masks(self.image, path)
        where: dict[str, Any] = {"mask": mask, "spacing": given.grid.spacing}
        if name == "bead":
            plane, axial = Bead(self.diameter)(given.data, **where)
            return {"in plane": plane, "axial": axial}
        simple: dict[str, SlantedEdge | CircularEdge | Wire] = {
            "edge": SlantedEdge(),
            "circle": CircularEdge(),
            "wire": Wire(self.diameter),
        }
        return {name: simple[name](given.data, **where)}


def _lists(curve: "MeasuredMtf") -> tuple[list[float], list[float], list[float] | None]:
    errors = None if curve.errors is None else curve.errors.tolist()
    return curve.frequencies.tolist(), curve.values.tolist(), errors


def _record(curve: "MeasuredMtf") -> dict[str, Any]:
    frequencies, values, errors = _lists(curve)
    found = {
        f"mtf{100 * level:.0f}{what}": value if math.isfinite(value) else None
        for level in (0.5, 0.1)
        for what, value in (("", curve.frequency_at(level)), ("_error", curve.error_at(level)))
    }
    return {**found, "frequencies": frequencies, "values": values, "errors": errors}
