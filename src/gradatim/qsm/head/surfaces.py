"""The large surfaces of a head: skin, skull, cranial cavity, air spaces, and the hull of the brain.

Coordinates are mm, x to the right, y forward, z up, with the origin near the anterior commissure, as in
the common brain atlases. Proportions are an adult's; no atlas was used.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.qsm.head.canvas import Box
from gradatim.qsm.head.shapes import Points, blend, ellipsoid, tube, union, without

CEREBRUM = ((0.0, -17.0, 13.0), (67.0, 86.0, 63.0))
"""Centre and semi-axes of the ellipsoid that the cerebrum follows."""
LOWEST_BRAIN_MM = -58.0
"""Where the brain mask ends and the spinal cord begins."""
BRAIN_BOX = ((-72.0, -108.0, -66.0), (72.0, 74.0, 80.0))
"""Two corners between which the brain lies."""
SIDES = (-1.0, 1.0)
"""Left and right."""


@dataclass(frozen=True, eq=False)
class Surfaces:
    """Signed distances, mm, negative inside.

    Args:
        head: skin.
        cavity: everything inside the dura.
        air: sinuses, nose, throat and ear canals.
        cells: air cells of the mastoid bones.
        orbits: eye sockets.
        cerebrum: hull of both hemispheres, without sulci.
        cerebellum: its hull.
        stem: brain stem and spinal cord.
    """

    head: Tensor
    cavity: Tensor
    air: Tensor
    cells: Tensor
    orbits: Tensor
    cerebrum: Tensor
    cerebellum: Tensor
    stem: Tensor

    def part(self, box: Box) -> "Surfaces":
        """The same in a box of voxels."""
        return Surfaces(**{name: distance[box] for name, distance in vars(self).items()})

    @property
    def brain(self) -> Tensor:
        """Hull of cerebrum, cerebellum and stem together."""
        return union(self.cerebrum, self.cerebellum, self.stem)


def surfaces(p: Points) -> Surfaces:
    """All large surfaces at the given points."""
    air, cells, orbits = _air(p), _mastoid(p), _orbits(p)
    obstacle = union(air, cells, orbits)
    cerebrum, cerebellum, stem = _cerebrum(p), _cerebellum(p), _stem(p)
    cavity = blend(blend(cerebrum - 4.0, cerebellum - 4.0, 10.0), stem - 4.0, 10.0)
    cavity = torch.maximum(cavity, 2.5 - obstacle)
    kept = 5.0 - obstacle  # bone and fluid lie between the brain and any air
    return Surfaces(
        head=_head(p, cavity),
        cavity=cavity,
        air=air,
        cells=cells,
        orbits=orbits,
        cerebrum=torch.maximum(cerebrum, kept),
        cerebellum=torch.maximum(cerebellum, kept),
        stem=torch.maximum(stem, kept),
    )


def _cerebrum(p: Points) -> Tensor:
    whole = ellipsoid(p, *CEREBRUM)
    hull = -blend(-whole, p[2] + 14.0, 10.0)  # flat below: the floor of the frontal lobes and the tentorium
    for side in SIDES:
        hull = blend(hull, ellipsoid(p, (40.0 * side, -10.0, -20.0), (21.0, 40.0, 21.0), turn=0.08 * side), 10.0)
    return hull


def _cerebellum(p: Points) -> Tensor:
    halves = [ellipsoid(p, (21.0 * side, -62.0, -34.0), (28.0, 26.0, 21.0)) for side in SIDES]
    return blend(halves[0], halves[1], 8.0)


def _stem(p: Points) -> Tensor:
    midbrain = tube(p, [(0.0, -16.0, 0.0, 13.0), (0.0, -22.0, -16.0, 14.0)])
    pons = ellipsoid(p, (0.0, -25.0, -31.0), (18.0, 13.0, 14.0))
    below = tube(p, [(0.0, -30.0, -38.0, 9.5), (0.0, -40.0, -62.0, 7.5), (0.0, -48.0, -170.0, 6.0)])
    return blend(blend(midbrain, pons, 8.0), below, 6.0)


def _head(p: Points, cavity: Tensor) -> Tensor:
    face = ellipsoid(p, (0.0, 38.0, -62.0), (60.0, 48.0, 70.0))
    nose = tube(p, [(0.0, 82.0, -22.0, 5.0), (0.0, 93.0, -48.0, 9.0)])
    neck = tube(p, [(0.0, -28.0, -40.0, 56.0), (0.0, -40.0, -220.0, 56.0)])
    cranium = blend(cavity - 14.0, ellipsoid(p, (0.0, -17.0, 4.0), (80.0, 100.0, 86.0)), 20.0)
    head = blend(blend(cranium, face, 25.0), neck, 30.0)
    head = blend(head, nose, 12.0)
    for side in SIDES:
        head = torch.minimum(head, ellipsoid(p, (83.0 * side, -24.0, -34.0), (5.0, 16.0, 26.0)))
    return head


def _air(p: Points) -> Tensor:
    spaces = [
        ellipsoid(p, (2.0, 51.0, -33.0), (11.0, 20.0, 12.0)),  # ethmoid cells
        ellipsoid(p, (-2.0, 14.0, -37.0), (13.0, 12.0, 9.0)),  # sphenoid sinus
        ellipsoid(p, (0.0, 58.0, -60.0), (9.0, 30.0, 16.0)),  # nose
        tube(p, [(0.0, 26.0, -62.0, 9.0), (0.0, 4.0, -88.0, 9.0), (0.0, 2.0, -220.0, 9.0)]),  # throat
    ]
    for side in SIDES:
        high = 13.0 if side < 0 else 10.0  # frontal sinuses are rarely alike
        spaces += [
            ellipsoid(p, (11.0 * side, 77.0, -5.0), (11.0, 5.0, high)),
            ellipsoid(p, (28.0 * side, 46.0, -60.0), (14.0, 17.0, 17.0)),  # maxillary
            tube(p, [(54.0 * side, -20.0, -40.0, 3.5), (95.0 * side, -22.0, -40.0, 4.0)]),  # ear canal
        ]
    return union(*spaces)


def _mastoid(p: Points) -> Tensor:
    return union(*(ellipsoid(p, (57.0 * side, -38.0, -48.0), (9.0, 12.0, 14.0)) for side in SIDES))


def _orbits(p: Points) -> Tensor:
    return union(*(tube(p, [(18.0 * s, 26.0, -31.0, 5.0), (31.0 * s, 58.0, -32.0, 16.0)]) for s in SIDES))


def eyes(p: Points) -> Tensor:
    """Signed distance of both eyeballs."""
    return union(*(ellipsoid(p, (32.0 * side, 65.0, -31.0), (12.0, 12.0, 12.0)) for side in SIDES))


def spine(p: Points) -> Tensor:
    """Signed distance of the vertebral column, without its canal."""
    column = tube(p, [(0.0, -36.0, -70.0, 17.0), (0.0, -42.0, -220.0, 17.0)])
    canal = tube(p, [(0.0, -40.0, -62.0, 10.5), (0.0, -48.0, -220.0, 10.0)])
    return without(column, canal)
