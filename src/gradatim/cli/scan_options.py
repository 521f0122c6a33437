"""Options that every command of the susceptibility chain shares: how scans are read, and by which methods."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradatim.base.choice import choose

if TYPE_CHECKING:
    from gradatim.io.multiecho import EchoReader
    from gradatim.pipelines.susceptibility import SusceptibilityRoute


@dataclass(frozen=True)
class Reading:
    """How a scan is read.

    Attributes:
        phase_units: unit of the stored phase, if it is known: rad, mrad, degrees, siemens, 12-bit, signed-12-bit or
            full-range; by default told from sidecar, slope and range, and refused where they leave a doubt.
        phase_sign: grows if stored phase grows where the field is stronger, falls otherwise.
        frame: which orientation to follow where a header contradicts itself: sform or qform.
        b0_dir: direction of B0 in array axes, for images without orientation.
    """

    phase_units: str | None = None
    phase_sign: str = "grows"
    frame: str | None = None
    b0_dir: tuple[float, float, float] | None = None

    def reader(self) -> "EchoReader":
        """The reader that these words describe.

        Raises:
            UsageError: GD-102 for an unknown word.
        """
        from gradatim.io.multiecho import EchoReader
        from gradatim.io.orientation import FRAMES, Frame
        from gradatim.io.phase_units import PHASE_SIGNS, PHASE_UNITS

        return EchoReader(
            phase_units=choose(self.phase_units, PHASE_UNITS, what="phase unit") if self.phase_units else None,
            phase_sign=choose(self.phase_sign, PHASE_SIGNS, what="phase sign"),
            frame=choose(self.frame, FRAMES, what="frame") if self.frame else Frame.AGREED,
            b0_direction=self.b0_dir,
        )


@dataclass(frozen=True)
class Chain:
    """Which methods the chain uses.

    Attributes:
        inversion: tv for total variation with the noise in its data term, tkd for thresholded division: fast, a
            first look, not a map to measure in.
        background: boundary for the Laplacian boundary value method, vsharp for V-SHARP. Together with tv, boundary
            goes twice: the second time it knows from the first map what tissue does at the rim.
    """

    inversion: str = "tv"
    background: str = "boundary"

    def route(self) -> "SusceptibilityRoute":
        """The route that these words describe.

        Raises:
            UsageError: GD-102 for an unknown word.
        """
        from gradatim.pipelines.susceptibility import SusceptibilityRoute
        from gradatim.qsm.boundary_value import LaplacianBoundaryValue
        from gradatim.qsm.tkd import ThresholdedDivision
        from gradatim.qsm.total_variation import TotalVariation
        from gradatim.qsm.two_pass import OnePass
        from gradatim.qsm.vsharp import VSharp

        inversion = choose(self.inversion, {"tv": TotalVariation, "tkd": ThresholdedDivision}, what="inversion")
        removal = choose(self.background, {"boundary": LaplacianBoundaryValue, "vsharp": VSharp}, what="background")
        if (inversion, removal) == (TotalVariation, LaplacianBoundaryValue):
            return SusceptibilityRoute()
        return SusceptibilityRoute(sources=OnePass(removal(), inversion()))
