"""From susceptibility to the signal of a multi-echo gradient-echo scan."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import MultiEcho
from gradatim.base.seeds import generator
from gradatim.base.units import hz_per_ppm
from gradatim.linop.dipole import Dipole


@dataclass(frozen=True)
class SignalModel:
    """What a spoiled gradient-echo scan measures of a susceptibility map.

    Formula: S_e = M0·exp(−R2*·TE_e)·exp(i(φ0 + 2π·Δf·TE_e)) + n, with Δf = γ̄·B0·1e-6·(D χ + extra) and D
    the dipole field in free space, both in ppm. n is complex Gaussian. Without noise the signal is
    differentiable in every map; noise is drawn once per call and does not depend on them.

    Args:
        echo_times: TE_e, s, positive and increasing.
        field_strength: B0, T.
        noise_sd: standard deviation of the real and of the imaginary part of n, unit of M0, ≥ 0.
        seed: of the noise.
        padding: of the dipole convolution; 2 makes wrap-around negligible.

    Raises:
        UsageError: GD-101 if ``noise_sd`` is negative or the timing is impossible; GD-103 if shapes disagree.

    Source:
        Marques & Bowtell, Concepts Magn Reson 25B:65-78, 2005 (field); Haacke et al., Magnetic Resonance
        Imaging, Wiley 1999, chapter 25 (signal).

    Example:
        >>> grid = Grid((8, 8, 8), (1.0, 1.0, 1.0))
        >>> chi = torch.zeros(8, 8, 8); chi[4, 4, 4] = 1.0
        >>> one = torch.ones(8, 8, 8)
        >>> scan = SignalModel((0.01, 0.02))(chi, grid=grid, proton_density=one, r2_star=20.0 * one)
        >>> tuple(scan.phase.shape), round(scan.magnitude[0].mean().item(), 4), bool(scan.phase[0, 4, 4, 6] > 0)
        ((2, 8, 8, 8), 0.8187, True)
    """

    echo_times: tuple[float, ...]
    field_strength: float = 3.0
    noise_sd: float = 0.0
    seed: int = 0
    padding: float = 2.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.noise_sd) and self.noise_sd >= 0):
            raise UsageError(
                "GD-101", given=f"noise sd {self.noise_sd}", allowed="a finite number ≥ 0", do="use 0 for no noise"
            )

    def __call__(
        self,
        susceptibility: Tensor,
        *,
        grid: Grid,
        proton_density: Tensor,
        r2_star: Tensor,
        extra_field: Tensor | None = None,
        phase_offset: Tensor | None = None,
    ) -> MultiEcho:
        """Simulate from a susceptibility map.

        Args:
            susceptibility: χ, (x, y, z), ppm; what lies outside the volume counts as 0.
            grid: where the voxels lie; B0 is the scanner's z.
            proton_density: M0, (x, y, z), any unit.
            r2_star: R2*, (x, y, z), 1/s.
            extra_field: (x, y, z), ppm, added to D χ: sources outside the volume, minus a shim.
            phase_offset: φ0, (x, y, z), rad, the same in all echoes.

        Returns:
            The scan, phase wrapped into (−π, π].
        """
        field = Dipole.on(grid, padding=self.padding).apply(susceptibility)
        if extra_field is not None:
            field = field + extra_field
        return self.of_field(
            field, grid=grid, proton_density=proton_density, r2_star=r2_star, phase_offset=phase_offset
        )

    def of_field(
        self,
        field: Tensor,
        *,
        grid: Grid,
        proton_density: Tensor,
        r2_star: Tensor,
        phase_offset: Tensor | None = None,
    ) -> MultiEcho:
        """Simulate from a field that is already known.

        Args:
            field: (x, y, z), ppm of B0.
            grid: where the voxels lie.
            proton_density: M0, (x, y, z), any unit.
            r2_star: R2*, (x, y, z), 1/s.
            phase_offset: φ0, (x, y, z), rad, the same in all echoes.

        Returns:
            The scan, phase wrapped into (−π, π].
        """
        for name, tensor in (("field", field), ("proton density", proton_density), ("R2*", r2_star)):
            if tuple(tensor.shape) != grid.shape:
                raise UsageError(
                    "GD-103",
                    given=f"{name} of shape {tuple(tensor.shape)}",
                    allowed=f"the grid's shape {grid.shape}",
                    do="bring all maps to one grid",
                )
        times = torch.tensor(self.echo_times, dtype=field.dtype, device=field.device).view(-1, 1, 1, 1)
        phase = (2.0 * math.pi * hz_per_ppm(self.field_strength)) * field * times
        if phase_offset is not None:
            phase = phase + phase_offset
        signal = torch.polar(proton_density * torch.exp(-r2_star * times), phase)
        if self.noise_sd > 0:
            random = generator(self.seed, field.device)
            noise = torch.randn((2, *signal.shape), generator=random, dtype=field.dtype, device=field.device)
            signal = signal + self.noise_sd * torch.complex(noise[0], noise[1])
        return MultiEcho(
            magnitude=signal.abs(),
            phase=signal.angle(),
            echo_times=self.echo_times,
            field_strength=self.field_strength,
            grid=grid,
        )
