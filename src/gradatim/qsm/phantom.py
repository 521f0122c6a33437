"""A simulated head: where each tissue is, what it is made of, and the field it makes."""

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from gradatim.base.grid import Grid
from gradatim.base.nouns import Regions
from gradatim.base.seeds import generator
from gradatim.linop.dipole import Dipole
from gradatim.qsm.head import tissue
from gradatim.qsm.head.brain import (
    LABELS,
    paint_calcification,
    paint_cerebellum,
    paint_cerebrum,
    paint_nuclei,
    paint_ventricles,
)
from gradatim.qsm.head.canvas import Canvas
from gradatim.qsm.head.folding import RandomField, warped
from gradatim.qsm.head.shapes import fraction_inside
from gradatim.qsm.head.surfaces import BRAIN_BOX, LOWEST_BRAIN_MM, Surfaces, eyes, spine, surfaces
from gradatim.qsm.head.veins import paint_veins
from gradatim.qsm.score import ChallengeScore

SCALE = 0.92
"""mm of the world per mm of the anatomy: a head of 147 × 190 mm."""
CENTRE = (0.0, -15.0, 6.0)
"""The point of the anatomy at the centre of the volume."""
WARP_MM = 1.6
"""Standard deviation of the smooth displacement that makes each seed another person."""
HEAD_SCORE = ChallengeScore(
    deep_grey=(1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14), tissue=(7, 8, 21, 22), blood=(31,), calcification=32
)
"""The challenge's measures with the labels of this head."""


@dataclass(frozen=True, eq=False)
class Head:
    """A head on a grid, with the fields that its susceptibility makes.

    Args:
        susceptibility: (x, y, z), ppm relative to water, of everything, air and bone included.
        r2_star: (x, y, z), 1/s at 3 T.
        proton_density: (x, y, z), relative to cerebrospinal fluid.
        regions: labels and their names.
        mask: (x, y, z), bool, the brain with the fluid in its sulci and ventricles.
        total_field: (x, y, z), ppm, the field of everything, before any shim.
        local_field: (x, y, z), ppm, the field of what is inside the mask alone.
        grid: where the voxels lie.
    """

    susceptibility: Tensor
    r2_star: Tensor
    proton_density: Tensor
    regions: Regions
    mask: Tensor
    total_field: Tensor
    local_field: Tensor
    grid: Grid

    @property
    def brain_susceptibility(self) -> Tensor:
        """Susceptibility inside the mask, 0 outside: the truth for an inversion of the local field, ppm."""
        return torch.where(self.mask, self.susceptibility, torch.zeros(()))


@dataclass(frozen=True)
class HeadPhantom:
    """A head made of formulas: scalp, skull, sinuses, folded cortex, ventricles, deep nuclei, veins, a stone.

    Every edge is soft: a voxel holds the fraction of each tissue that its signed distance to the surface
    gives, and properties mix by volume. Left and right differ in shape and value, so that a flipped axis
    shows. The total field is computed on a volume ``margin_mm`` larger on every side, in which head and
    neck go on, so that no edge of the volume makes a field of its own. Fields and maps share one grid and
    one kernel with a later inversion; the phantom tests a chain, not the voxel model. CPU, float32, not
    differentiable; apply :class:`gradatim.linop.dipole.Dipole` to the maps for that.

    Args:
        grid: voxels; the head is centred on it and upright in its world (RAS), whatever the orientation
            of the array. 205 × 205 × 154 mm hold it whole.
        seed: another seed is another person.
        margin_mm: how far beyond the volume tissue counts for the field, mm.

    Source:
        Our own geometry. Values: see :mod:`gradatim.qsm.head.tissue`. The idea of testing with a whole head
        and its sinuses: Marques et al., Magn Reson Med 86:526-542, 2021.

    Example:
        >>> head = HeadPhantom(Grid((24, 24, 18), (8.5, 8.5, 8.5)))()
        >>> float(head.susceptibility.max()) > 9.0, 0.15 < float(head.mask.float().mean()) < 0.35
        (True, True)
    """

    grid: Grid = field(default=Grid((128, 128, 96), (1.6, 1.6, 1.6)))
    seed: int = 0
    margin_mm: float = 20.0

    def __call__(self) -> Head:
        """Draw the head and compute its fields."""
        random = generator(self.seed)
        margin, wide = _widened(self.grid, self.margin_mm)
        canvas = Canvas.of_air(wide, scale=SCALE, origin=CENTRE)
        first, second, third = (RandomField.draw(110.0, generator=random, count=8) for _ in range(3))
        canvas = _moved(canvas, (first, second, third))
        shape = surfaces(canvas.points)
        _paint_outside(canvas, shape)
        box = canvas.box(*BRAIN_BOX)
        paint_cerebrum(canvas.part(box), shape.part(box), generator=random)
        paint_cerebellum(canvas.part(box), shape.part(box))
        paint_nuclei(canvas, generator=random)
        paint_ventricles(canvas)
        paint_veins(canvas, generator=random)
        paint_calcification(canvas)

        inner = tuple(slice(m, m + n) for m, n in zip(margin, self.grid.shape, strict=True))
        hull = torch.maximum(shape.brain, LOWEST_BRAIN_MM - canvas.points[2])
        mask = (hull < 0)[inner].contiguous()
        labels = torch.where(mask, canvas.labels[inner], torch.zeros((), dtype=torch.int16))
        total = Dipole.on(wide, padding=1.5).apply(canvas.susceptibility - tissue.AIR.susceptibility)[inner]
        susceptibility = canvas.susceptibility[inner].contiguous()
        local = Dipole.on(self.grid).apply(torch.where(mask, susceptibility, torch.zeros(())))
        return Head(
            susceptibility=susceptibility,
            r2_star=canvas.r2_star[inner].contiguous(),
            proton_density=canvas.proton_density[inner].contiguous(),
            regions=Regions(labels, self.grid, LABELS),
            mask=mask,
            total_field=total.contiguous(),
            local_field=local,
            grid=self.grid,
        )


def _widened(grid: Grid, margin_mm: float) -> tuple[tuple[int, ...], Grid]:
    """Voxels added before each axis, and the grid with them added on both sides."""
    margin = tuple(math.ceil(margin_mm / s) for s in grid.spacing)
    affine = grid.matrix.copy()
    affine[:3, 3] -= affine[:3, :3] @ np.array(margin)
    shape = tuple(n + 2 * m for n, m in zip(grid.shape, margin, strict=True))
    return margin, Grid.from_affine(shape, affine)  # type: ignore[arg-type]


def _moved(canvas: Canvas, fields: tuple[RandomField, RandomField, RandomField]) -> Canvas:
    return Canvas(**{**vars(canvas), "points": warped(canvas.points, fields, WARP_MM)})


def _paint_outside(canvas: Canvas, shape: Surfaces) -> None:
    """From the skin inwards to the fluid around the brain."""
    w = canvas.width
    canvas.paint(fraction_inside(shape.head, w), tissue.MUSCLE)
    canvas.paint(fraction_inside(shape.head + 2.0, w), tissue.FAT)
    canvas.paint(fraction_inside(shape.head + 5.5, w), tissue.MUSCLE)
    canvas.paint(fraction_inside(shape.cavity - 6.5, w), tissue.BONE)
    canvas.paint(fraction_inside(spine(canvas.points), w), tissue.BONE)
    canvas.paint(fraction_inside(shape.orbits, w), tissue.FAT)
    canvas.paint(fraction_inside(eyes(canvas.points), w), tissue.EYE)
    canvas.paint(fraction_inside(torch.maximum(shape.air - 1.5, shape.head + 4.0), w), tissue.BONE)
    canvas.paint(fraction_inside(shape.cells, w), tissue.AIR_CELLS)
    canvas.paint(fraction_inside(shape.air, w), tissue.AIR)
    canvas.paint(fraction_inside(shape.cavity, w), tissue.CSF, label=23)
