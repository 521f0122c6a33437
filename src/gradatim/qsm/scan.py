"""A scan of a simulated head, with the truth beside it."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.grid import Grid
from gradatim.base.nouns import FieldMap, MultiEcho, QuantitativeMap
from gradatim.base.units import hz_per_ppm
from gradatim.qsm.forward import SignalModel
from gradatim.qsm.phantom import Head
from gradatim.qsm.shim import Shim


@dataclass(frozen=True, eq=False)
class SimulatedScan:
    """What the scanner gives, and what a perfect chain would find in it.

    Args:
        signal: the echoes.
        total: true field after the shim, Hz; its error is 0.
        local: true field of the sources inside the mask, Hz; its error is 0.
        susceptibility: true map inside the mask, ppm relative to water.
        r2_star: true map inside the mask, 1/s.
    """

    signal: MultiEcho
    total: FieldMap
    local: FieldMap
    susceptibility: QuantitativeMap
    r2_star: QuantitativeMap


@dataclass(frozen=True)
class HeadScan:
    """Scans a head: shim over the brain, coil shading, a smooth phase offset, echoes, noise.

    The true R2* is the tissue's; loss of signal by field gradients within a voxel is not simulated.

    Args:
        echo_times: s, positive and increasing.
        field_strength: B0, T.
        snr: proton density of cerebrospinal fluid over the standard deviation of the noise in each
            channel (real, imaginary), > 0.
        seed: of the noise.
        shim: what the scanner takes away from the field.

    Raises:
        UsageError: GD-101 if the timing or the noise is impossible.

    Example:
        >>> from gradatim.qsm.phantom import HeadPhantom
        >>> scan = HeadScan()(HeadPhantom(Grid((24, 24, 18), (8.5, 8.5, 8.5)))())
        >>> tuple(scan.signal.phase.shape), scan.susceptibility.unit
        ((4, 24, 24, 18), 'ppm')
    """

    echo_times: tuple[float, ...] = (0.004, 0.012, 0.020, 0.028)
    field_strength: float = 3.0
    snr: float = 100.0
    seed: int = 0
    shim: Shim = Shim(2)

    def __call__(self, head: Head) -> SimulatedScan:
        """Scan a head."""
        field = head.total_field - self.shim(head.total_field, mask=head.mask, grid=head.grid)
        shading, offset = _coil(head.grid)
        model = SignalModel(self.echo_times, self.field_strength, noise_sd=1.0 / self.snr, seed=self.seed)
        signal = model.of_field(
            field,
            grid=head.grid,
            proton_density=head.proton_density * shading,
            r2_star=head.r2_star,
            phase_offset=offset,
        )
        zero = torch.zeros_like(field)
        hertz = hz_per_ppm(self.field_strength)

        def masked(values: Tensor) -> Tensor:
            return torch.where(head.mask, values, zero)

        def field_map(ppm: Tensor) -> FieldMap:
            return FieldMap(masked(ppm * hertz), zero, head.mask, self.field_strength, head.grid)

        return SimulatedScan(
            signal=signal,
            total=field_map(field),
            local=field_map(head.local_field),
            susceptibility=QuantitativeMap(
                head.brain_susceptibility, head.mask, head.grid, "susceptibility", "ppm", reference="water"
            ),
            r2_star=QuantitativeMap(masked(head.r2_star), head.mask, head.grid, "R2*", "1/s"),
        )


def _coil(grid: Grid) -> tuple[Tensor, Tensor]:
    """Receive shading between about 0.7 and 1.1, and a phase offset that varies by a few rad over the head."""
    x, y, z = (
        ((torch.arange(n, dtype=torch.float32) - (n - 1) / 2) * s / 100.0).view([-1 if i == j else 1 for j in range(3)])
        for i, (n, s) in enumerate(zip(grid.shape, grid.spacing, strict=True))
    )
    shading = 1.0 - 0.12 * torch.exp(-2.0 * (x * x + y * y + z * z)) + 0.08 * x - 0.05 * y
    offset = 0.9 + 0.7 * x - 0.5 * y + 0.4 * z + 0.8 * x * y + 0.6 * torch.sin(0.5 * math.pi * (y + z))
    return shading, offset
