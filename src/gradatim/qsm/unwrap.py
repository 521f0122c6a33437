"""Phase unwrapping by quality-guided region growing, over all echoes."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.nouns import MultiEcho
from gradatim.base.soundness import require_sound
from gradatim.qsm.edge_quality import edge_weights, voxel_quality
from gradatim.qsm.first_echo import FirstEcho
from gradatim.qsm.islands import level_islands
from gradatim.qsm.region_growing import grow
from gradatim.qsm.unwrap_space import bounding_box, restore
from gradatim.qsm.wrapping import wrap

TWO_PI = 2.0 * math.pi
Lengths = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class UnwrappedPhase:
    """The phase of every echo without its jumps of 2π.

    Args:
        phase: (echo, x, y, z), rad; differs from the measured phase by whole turns; 0 outside the mask.
        mask: (x, y, z), bool.
        quality: (x, y, z), in [0, 1], mean weight of the voxel's edges; 0 outside the mask.
        regions: number of parts of the mask that do not touch; the whole turns between parts are a
            convention (:func:`gradatim.qsm.islands.level_islands`).
    """

    phase: Tensor
    mask: Tensor
    quality: Tensor
    regions: int


@dataclass(frozen=True)
class Romeo:
    """Unwraps a multi-echo scan: one template in space, the other echoes in time.

    A phase offset φ₀(r), common to all echoes, would spoil the prediction of one echo from another, so the
    template is the difference to the first echo, D₂ = wrap(φ₂ − φ₁), in which it cancels:

    1. u₂ from D₂ by region growing (:func:`gradatim.qsm.region_growing.grow`) along the edges of highest
       quality (:func:`gradatim.qsm.edge_quality.edge_weights`);
    2. ``first_echo`` repairs turns of u₂ where the field is steep, if TE₁ < TE₂ − TE₁;
    3. u_e = D_e + 2π·round((s·(TE_e − TE₁) + c_e − D_e)/2π), s the M²-weighted slope of the echoes before it,
       c_e the mean phase of what is left over (an offset of one echo as a whole);
    4. φ₁ = u₀ + s₂·TE₁, where s₂ = u₂/(TE₂ − TE₁) and u₀ is φ₁ − s₂·TE₁ unwrapped in space.

    The answer differs from the input by whole turns, voxel by voxel; gradients pass to the phase unchanged.
    With one echo only that echo is unwrapped in space. Echoes must share φ₀ up to a constant each (monopolar
    read-out). CPU only in its region growing; tensors on other devices are copied there and back.

    Args:
        first_echo: the check of step 2; None leaves it out.

    Raises:
        UsageError: GD-103 if the mask has another shape.
        InputError: GD-601 if the mask is empty; GD-603 if phase or magnitude is not finite inside it.

    Source:
        Dymerska et al., Magn Reson Med 85:2294 (2021). Ours are the difference to echo 1 as template, the vote
        of all visited neighbours with linear extrapolation, and step 2.

    Example:
        >>> from gradatim.base.grid import Grid
        >>> ramp = torch.linspace(0.0, 2.0, 16).reshape(16, 1, 1).expand(16, 4, 4)
        >>> true = torch.stack([0.3 + ramp * n for n in (1.0, 3.0, 5.0)])
        >>> grid = Grid((16, 4, 4), (1.0, 1.0, 1.0))
        >>> scan = MultiEcho(torch.ones_like(true), wrap(true), (0.004, 0.012, 0.020), 3.0, grid)
        >>> bool((Romeo()(scan).phase - true).abs().max() < 1e-4)
        True
    """

    first_echo: FirstEcho | None = FirstEcho()

    def __call__(self, signal: MultiEcho, *, mask: Tensor | None = None) -> UnwrappedPhase:
        """Unwrap every echo.

        Args:
            signal: the scan.
            mask: (x, y, z), bool; None takes every voxel with magnitude in all echoes.

        Returns:
            The phase of all echoes with its mask, quality and number of regions.
        """
        whole = (signal.magnitude > 0).all(0) if mask is None else mask
        require_sound(whole, signal.phase, signal.magnitude)
        box = bounding_box(whole)
        inside = whole[box]
        phase = torch.where(inside, signal.phase[(..., *box)], 0.0)
        magnitude = torch.where(inside, signal.magnitude[(..., *box)], 0.0)
        route = self._one_echo if len(phase) == 1 else self._all_echoes
        unwrapped, weights, regions = route(phase, magnitude, inside, signal.echo_times, signal.grid.spacing)
        shape = signal.grid.shape
        return UnwrappedPhase(
            phase=restore(unwrapped, box, shape),
            mask=whole,
            quality=restore(voxel_quality(weights, inside), box, shape),
            regions=int(regions.max()),
        )

    def _one_echo(
        self, phase: Tensor, magnitude: Tensor, mask: Tensor, times: tuple[float, ...], spacing: Lengths
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Unwrapped phase (1, x, y, z), edge weights and regions of a scan with a single echo."""
        weights = edge_weights(phase[0], magnitude=magnitude[0])
        unwrapped, regions = grow(phase[0], weights, mask)
        return level_islands(unwrapped, regions, spacing=spacing).unsqueeze(0), weights, regions

    def _all_echoes(
        self, phase: Tensor, magnitude: Tensor, mask: Tensor, times: tuple[float, ...], spacing: Lengths
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Unwrapped phase (echo, x, y, z), edge weights and regions of the template."""
        elapsed = [time - times[0] for time in times]
        difference = wrap(phase - phase[:1])
        later = [(difference[2], elapsed[1] / elapsed[2])] if len(times) > 2 else []
        weights = edge_weights(difference[1], magnitude=magnitude[:2].amin(0), later=later)
        template, regions = grow(difference[1], weights, mask)
        template = level_islands(template, regions, spacing=spacing)
        if self.first_echo is not None:
            template = template + TWO_PI * self.first_echo(
                template,
                phase=phase[0],
                magnitude=magnitude[:2],
                regions=regions,
                ratio=times[0] / elapsed[1],
                spacing=spacing,
            )
        evolved = template * (times[0] / elapsed[1])
        offset = wrap(phase[0] - evolved)
        offset, _ = grow(offset, edge_weights(offset, magnitude=magnitude[0]), mask)
        first = level_islands(offset, regions, spacing=spacing) + evolved
        return first + _in_time(template, difference, magnitude, elapsed), weights, regions


def _in_time(template: Tensor, difference: Tensor, magnitude: Tensor, elapsed: list[float]) -> Tensor:
    """Differences to echo 1 with the turns that the echoes before each predict."""
    echoes = [torch.zeros_like(template), template]
    power = magnitude[1].square()
    top, bottom = elapsed[1] * power * template.detach(), elapsed[1] ** 2 * power
    for echo in range(2, len(elapsed)):
        guess = elapsed[echo] * top / bottom.clamp(min=torch.finfo(bottom.dtype).tiny)
        left = difference[echo].detach() - guess
        power = magnitude[echo].square()
        common = torch.atan2((power * left.sin()).sum(), (power * left.cos()).sum())
        echoes.append(difference[echo] + TWO_PI * torch.round((common - left) / TWO_PI))
        top = top + elapsed[echo] * power * echoes[-1].detach()
        bottom = bottom + elapsed[echo] ** 2 * power
    return torch.stack(echoes)
