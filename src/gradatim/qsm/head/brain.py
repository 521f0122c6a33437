"""What lies inside the brain: folded cortex, white matter, cerebellum, ventricles and deep nuclei."""

import torch
from torch import Tensor

from gradatim.qsm.head import tissue
from gradatim.qsm.head.canvas import Canvas
from gradatim.qsm.head.folding import RandomField, sulci
from gradatim.qsm.head.shapes import Points, ellipsoid, fraction_inside, tube, union, without
from gradatim.qsm.head.surfaces import CEREBRUM, SIDES, Surfaces

CORTEX_MM, CEREBELLAR_CORTEX_MM = 3.0, 2.4
TEXTURE_PPM = 0.006
"""Standard deviation of the slow variation of susceptibility within grey and white matter."""

LABELS: dict[int, str] = {
    1: "caudate, left",
    2: "caudate, right",
    3: "putamen, left",
    4: "putamen, right",
    5: "pallidum, left",
    6: "pallidum, right",
    7: "thalamus, left",
    8: "thalamus, right",
    9: "red nucleus, left",
    10: "red nucleus, right",
    11: "substantia nigra, left",
    12: "substantia nigra, right",
    13: "dentate nucleus, left",
    14: "dentate nucleus, right",
    21: "white matter",
    22: "grey matter",
    23: "cerebrospinal fluid",
    24: "cerebellar white matter",
    25: "cerebellar grey matter",
    26: "brain stem",
    31: "vein",
    32: "calcification",
}
"""Label → name. Odd numbers up to 13 are left, even ones right."""

NUCLEI: tuple[tuple[str, tissue.Tissue], ...] = (
    ("thalamus", tissue.THALAMUS),
    ("caudate", tissue.CAUDATE),
    ("putamen", tissue.PUTAMEN),
    ("pallidum", tissue.PALLIDUM),
    ("substantia nigra", tissue.SUBSTANTIA_NIGRA),
    ("red nucleus", tissue.RED_NUCLEUS),
    ("dentate nucleus", tissue.DENTATE),
)
"""In the order in which they are painted; a later one covers an earlier one where they touch."""


def paint_cerebrum(canvas: Canvas, shape: Surfaces, *, generator: torch.Generator) -> None:
    """Cortex with sulci down to the fluid, then white matter ``CORTEX_MM`` below it."""
    p, depth = canvas.points, -shape.cerebrum
    pattern = RandomField.draw(24.0, generator=generator, count=32)
    depths = RandomField.draw(60.0, generator=generator, count=12)
    texture = TEXTURE_PPM * RandomField.draw(30.0, generator=generator)(p)
    fluid = sulci(
        p, depth, surface=CEREBRUM, pattern=pattern, reach=14.0 + 4.0 * depths(p).clamp(-1.0, 1.0), step=canvas.step
    )
    fluid = torch.maximum(union(fluid, _midline(p), _sylvian(p)), -_core(p))
    pial = without(shape.cerebrum, fluid)
    canvas.paint(fraction_inside(pial, canvas.width), tissue.GREY_MATTER, label=_label("grey matter"), texture=texture)
    white = fraction_inside(pial + CORTEX_MM, canvas.width)
    canvas.paint(white, tissue.WHITE_MATTER, label=_label("white matter"), texture=texture)


def paint_cerebellum(canvas: Canvas, shape: Surfaces) -> None:
    """Leaves that radiate from the fourth ventricle, around a white core."""
    x, y, z = canvas.points
    forward, up = y + 42.0, z + 32.0
    distance = torch.sqrt(forward * forward + up * up).clamp_min_(1.0)
    leaves = 15
    sheet = torch.sin(leaves * torch.atan2(up, -forward) + 0.03 * x).abs_() * distance / leaves
    fluid = torch.maximum(sheet - 0.5, -shape.cerebellum - 9.0)
    pial = without(shape.cerebellum, fluid)
    canvas.paint(fraction_inside(pial, canvas.width), tissue.GREY_MATTER, label=_label("cerebellar grey matter"))
    core = fraction_inside(pial + CEREBELLAR_CORTEX_MM, canvas.width)
    canvas.paint(core, tissue.WHITE_MATTER, label=_label("cerebellar white matter"))
    canvas.paint(fraction_inside(shape.stem, canvas.width), tissue.BRAIN_STEM, label=_label("brain stem"))


def paint_nuclei(canvas: Canvas, *, generator: torch.Generator) -> None:
    """Deep grey nuclei; right ones hold a little more iron, and each its own few per cent."""
    for side in SIDES:
        part = canvas.around((-45.0, -75.0, -50.0), (45.0, 35.0, 35.0))
        solids = nuclei(part.points, side)
        for name, kind in NUCLEI:
            spread = 1.0 + 0.04 * side + 0.04 * float(torch.randn(1, generator=generator))
            own = kind._replace(
                susceptibility=kind.susceptibility * spread, r2_star=kind.r2_star * (0.5 + 0.5 * spread)
            )
            label = _label(f"{name}, {'left' if side < 0 else 'right'}")
            part.paint(fraction_inside(solids[name], canvas.width), own, label=label)


def nuclei(p: Points, side: float) -> dict[str, Tensor]:
    """Signed distances of the deep nuclei of one side (−1 left, 1 right), by name."""
    s = side
    dentate = ellipsoid(p, (15.0 * s, -57.0, -36.0), (7.0, 9.0, 5.5), turn=-0.3 * s)
    hilum = ellipsoid(p, (11.0 * s, -54.0, -36.0), (6.0, 6.5, 2.6), turn=-0.3 * s)
    return {
        "thalamus": ellipsoid(p, (12.0 * s, -19.0, 6.5), (9.0, 15.5, 10.0), turn=0.4 * s),
        "caudate": tube(
            p,
            [
                (14.0 * s, 19.0, 3.0, 7.0),
                (15.0 * s, 11.0, 11.0, 6.0),
                (18.5 * s, -3.0, 19.0, 4.4),
                (21.5 * s, -18.0, 21.5, 3.2),
                (29.0 * s, -32.0, 16.0, 2.4),
            ],
        ),
        "putamen": ellipsoid(p, (27.0 * s, 3.0, 1.0), (6.2, 17.5, 11.0), turn=0.24 * s),
        "pallidum": ellipsoid(p, (19.2 * s, -3.5, -1.0), (4.7, 10.5, 7.0), turn=0.42 * s),
        "substantia nigra": ellipsoid(p, (10.5 * s, -17.0, -14.5), (2.8, 8.0, 4.0), turn=0.6 * s),
        "red nucleus": ellipsoid(p, (5.0 * s, -20.5, -9.0), (3.9, 4.2, 5.0)),
        "dentate nucleus": without(dentate, hilum),
    }


def paint_ventricles(canvas: Canvas) -> None:
    """Both lateral ventricles (the left one wider), the third, the aqueduct and the fourth."""
    part = canvas.around((-45.0, -75.0, -45.0), (45.0, 40.0, 30.0))
    p = part.points
    spaces = [
        ellipsoid(p, (0.0, -14.0, 2.0), (2.4, 13.0, 9.0)),
        tube(p, [(0.0, -27.0, -4.0, 1.3), (0.0, -38.0, -18.0, 1.5)]),
        ellipsoid(p, (0.0, -45.0, -30.0), (6.5, 5.5, 11.0)),
    ]
    for s in SIDES:
        wide = 1.12 if s < 0 else 1.0
        body = [
            (10.0 * s, 34.0, 4.0, 3.0 * wide),
            (8.0 * s, 22.0, 12.0, 5.0 * wide),
            (9.0 * s, 5.0, 19.0, 4.8 * wide),
            (14.0 * s, -15.0, 21.0, 4.6 * wide),
            (23.0 * s, -34.0, 17.0, 6.0 * wide),
            (27.0 * s, -44.0, 8.0, 6.5 * wide),
        ]
        spaces += [
            tube(p, body),
            tube(p, [body[-1], (25.0 * s, -68.0, 5.0, 2.5)]),
            tube(p, [body[-1], (36.0 * s, -32.0, -9.0, 3.5), (33.0 * s, -12.0, -18.0, 2.5)]),
        ]
    distance = union(*spaces)
    part.paint(fraction_inside(distance, canvas.width), tissue.CSF, label=_label("cerebrospinal fluid"))


def paint_calcification(canvas: Canvas) -> None:
    """One small stone in the left parietal white matter."""
    centre = (-24.0, -50.0, 30.0)
    part = canvas.around(centre, centre)
    distance = ellipsoid(part.points, centre, (3.6, 4.4, 3.2))
    part.paint(fraction_inside(distance, canvas.width), tissue.CALCIFICATION, label=_label("calcification"))


def _midline(p: Points) -> Tensor:
    """The fissure between the hemispheres, outside an ellipse that callosum and thalami fill."""
    outside = torch.sqrt(((p[1] + 8.0) / 44.0) ** 2 + ((p[2] - 5.0) / 23.0) ** 2)
    return torch.maximum(p[0].abs() - 1.3, 23.0 * (1.0 - outside))


def _core(p: Points) -> Tensor:
    """Where no sulcus reaches: thalami and basal ganglia with the capsules between them."""
    return ellipsoid(p, (0.0, -10.0, 2.0), (36.0, 42.0, 24.0))


def _sylvian(p: Points) -> Tensor:
    """The fissure above each temporal lobe, rising backwards, and the sheet of fluid over the insula."""
    sloping = (p[0], p[1], p[2] + 0.35 * p[1])
    parts = []
    for side in SIDES:
        parts.append(ellipsoid(sloping, (54.0 * side, -2.0, -3.0), (16.0, 27.0, 1.8)))
        parts.append(ellipsoid(p, (39.5 * side, 3.0, 1.0), (1.7, 21.0, 13.0), turn=0.12 * side))
    return union(*parts)


def _label(name: str) -> int:
    return next(number for number, known in LABELS.items() if known == name)
