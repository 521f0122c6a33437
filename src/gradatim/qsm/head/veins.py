"""Veins as tubes: the dural sinuses, the deep system, veins on the cortex and fine ones in white matter."""

import itertools
import math

import torch

from gradatim.qsm.head import tissue
from gradatim.qsm.head.brain import LABELS
from gradatim.qsm.head.canvas import Canvas
from gradatim.qsm.head.shapes import fraction_in_thin_tube
from gradatim.qsm.head.surfaces import CEREBRUM, SIDES

Path = list[tuple[float, float, float, float]]
ON_CORTEX, IN_WHITE_MATTER = 11, 14
"""How many of each, a side."""


def paint_veins(canvas: Canvas, *, generator: torch.Generator) -> None:
    """All veins, over whatever tissue is there."""
    label = next(number for number, name in LABELS.items() if name == "vein")
    for path in sinuses() + deep_veins() + cortical_veins(generator) + medullary_veins(generator):
        for segment in itertools.pairwise(path):
            x, y, z = ([station[axis] for station in segment] for axis in range(3))
            part = canvas.around((min(x), min(y), min(z)), (max(x), max(y), max(z)))
            if not part.empty:
                part.paint(fraction_in_thin_tube(part.points, segment, canvas.width), tissue.VENOUS_BLOOD, label=label)


def sinuses() -> list[Path]:
    """Superior sagittal, straight and both transverse sinuses; the right transverse one is wider."""
    sagittal = [(*_on_hull(0.0, math.radians(a), 1.045), 2.0 + 0.012 * a) for a in range(25, 196, 12)]
    paths = [
        sagittal,
        [(0.0, -42.0, 13.0, 1.8), (0.0, -70.0, 4.0, 2.2), (0.0, -103.0, -6.0, 2.5)],
    ]
    for side in SIDES:
        wide = 3.6 if side > 0 else 2.4
        paths.append(
            [
                (0.0, -104.0, -7.0, wide),
                (28.0 * side, -92.0, -14.0, wide),
                (50.0 * side, -66.0, -19.0, wide),
                (52.0 * side, -56.0, -36.0, wide),
            ]
        )
    return paths


def deep_veins() -> list[Path]:
    """Internal cerebral, thalamostriate, septal and basal veins, meeting behind the thalami."""
    paths: list[Path] = []
    for s in SIDES:
        paths += [
            [(2.2 * s, 4.0, 13.0, 0.9), (2.2 * s, -20.0, 16.0, 1.1), (0.5 * s, -42.0, 13.0, 1.4)],
            [(22.0 * s, -16.0, 19.5, 0.6), (12.0 * s, -2.0, 15.5, 0.7), (2.2 * s, 4.0, 13.0, 0.8)],
            [(9.0 * s, 28.0, 15.0, 0.5), (2.2 * s, 4.0, 13.0, 0.7)],
            [(9.0 * s, 2.0, -14.0, 0.8), (17.0 * s, -18.0, -9.0, 0.9), (1.0 * s, -42.0, 12.0, 1.1)],
        ]
    return paths


def cortical_veins(generator: torch.Generator) -> list[Path]:
    """Veins that climb over the hemispheres to the sagittal sinus."""
    paths: list[Path] = []
    for side in SIDES:
        for number in range(ON_CORTEX):
            draw = torch.rand(3, generator=generator).tolist()
            along = math.radians(35.0 + 125.0 * (number + draw[0]) / ON_CORTEX)
            bend, length = 0.25 * (draw[1] - 0.5), 0.5 + 0.6 * draw[2]
            angles = [0.06 + length * step / 5 for step in range(6)]
            paths.append(
                [(*_on_hull(side * a, along + bend * (a - 0.06), 1.0), 1.2 - 0.12 * i) for i, a in enumerate(angles)]
            )
    return paths


def medullary_veins(generator: torch.Generator) -> list[Path]:
    """Fine straight veins from the white matter down to the lateral ventricles."""
    paths: list[Path] = []
    for side in SIDES:
        for number in range(IN_WHITE_MATTER):
            draw = torch.rand(3, generator=generator).tolist()
            y = 26.0 - 66.0 * (number + draw[0]) / IN_WHITE_MATTER
            foot = (13.0 * side, y, 22.0)
            angle, length = math.radians(15.0 + 55.0 * draw[1]), 14.0 + 10.0 * draw[2]
            head = (
                foot[0] + side * length * math.cos(angle),
                y + 4.0 * (draw[0] - 0.5),
                22.0 + length * math.sin(angle),
            )
            paths.append([(*foot, 0.45), (*head, 0.3)])
    return paths


def _on_hull(lateral: float, along: float, stretch: float) -> tuple[float, float, float]:
    """A point over the cerebrum: ``lateral`` angle from the midline, ``along`` from front over top to back."""
    (cx, cy, cz), (sx, sy, sz) = CEREBRUM
    return (
        cx + stretch * sx * math.sin(lateral),
        cy + stretch * sy * math.cos(lateral) * math.cos(along),
        cz + stretch * sz * math.cos(lateral) * math.sin(along),
    )
