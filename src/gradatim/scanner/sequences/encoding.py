"""What a Cartesian measurement shall resolve."""

import math
from dataclasses import dataclass

from gradatim.base.errors import UsageError
from gradatim.base.sequence import TICKS
from gradatim.base.units import PROTON_GAMMA_BAR_HZ_PER_T
from gradatim.scanner.system import System


@dataclass(frozen=True)
class CartesianEncoding:
    """Field of view and matrix: readout along x, lines along y, partitions along z.

    Δk = 1/FOV, and sample i of n lies at (i − n//2)·Δk, so that one falls on k = 0. A matrix of 1 along z encodes
    nothing there, and the field of view is then the slice.

    Args:
        fov: m, x, y, z.
        matrix: samples, lines, partitions.
        dwell: of a sample, s; a whole number of readout rasters.

    Raises:
        UsageError: GD-168 for an impossible number; from :meth:`dwell_ticks` if the dwell time is off the raster.

    Example:
        >>> round(1e3 * CartesianEncoding((0.22, 0.22, 0.005), (64, 64, 1), 20e-6).gradient, 4)
        5.3379
    """

    fov: tuple[float, float, float] = (0.22, 0.22, 0.005)
    matrix: tuple[int, int, int] = (64, 64, 1)
    dwell: float = 20e-6

    def __post_init__(self) -> None:
        real = (*self.fov, self.dwell)
        if not all(math.isfinite(value) and value > 0 for value in real) or not all(
            1 <= n <= 4096 for n in self.matrix
        ):
            raise UsageError(
                "GD-168",
                given=f"a field of view of {self.fov} m, a matrix of {self.matrix}, a dwell time of {self.dwell} s",
                allowed="positive, finite numbers, and a matrix of 1 to 4096",
                do="give metres and seconds",
            )

    @property
    def gradient(self) -> float:
        """Of the readout, 1/(γ̄·FOV·dwell), T/m."""
        return 1 / (PROTON_GAMMA_BAR_HZ_PER_T * self.fov[0] * self.dwell)

    @property
    def voxel(self) -> tuple[float, float, float]:
        """FOV over matrix, m."""
        x, y, z = (extent / count for extent, count in zip(self.fov, self.matrix, strict=True))
        return x, y, z

    def step_area(self, index: int, axis: int) -> float:
        """Area that leads from k = 0 to line or partition ``index``, (index − n//2)/(γ̄·FOV), T·s/m.

        Args:
            index: from 0.
            axis: 1 for lines, 2 for partitions.
        """
        return (index - self.matrix[axis] // 2) / (PROTON_GAMMA_BAR_HZ_PER_T * self.fov[axis])

    def dwell_ticks(self, system: System) -> int:
        """The dwell time, ns.

        Args:
            system: whose readout raster holds.
        """
        raster = system.rasters.readout
        whole = round(self.dwell * TICKS / raster) * raster
        if whole == 0 or abs(self.dwell * TICKS - whole) > 1e-3:
            raise UsageError(
                "GD-168",
                given=f"a dwell time of {1e6 * self.dwell:g} µs",
                allowed=f"whole multiples of {raster} ns, such as {max(whole, raster) / 1e3:g} µs",
                do="choose a dwell time on the readout raster",
            )
        return whole
