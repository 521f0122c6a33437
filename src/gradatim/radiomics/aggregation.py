"""How the matrices of slices and directions become one value of a texture feature."""

import itertools
from dataclasses import dataclass

Offset = tuple[int, int, int]

SPACE: tuple[Offset, ...] = tuple(
    (x, y, z) for x, y, z in itertools.product((-1, 0, 1), repeat=3) if (x, y, z) > (0, 0, 0)
)
"""The 13 neighbours of a voxel, one of each pair of opposite ones; Chebyshev distance 1."""

PLANE: tuple[Offset, ...] = tuple(m for m in SPACE if m[2] == 0)
"""The four of them that stay in the slice, i.e. in the plane of the first two array axes."""


@dataclass(frozen=True)
class Aggregation:
    """Which directions are looked along, and whether each slice and each direction has its own matrix.

    Matrices of the same kind are merged by adding their counts; where several remain, the feature is
    computed from each and averaged. Slices are those of the third array axis. Source: IBSI reference
    manual, arXiv:1612.07003, "Grey level co-occurrence based features", aggregating features.

    Args:
        code: IBSI code; empty where a family has no matrices to combine.
        name: IBSI's name.
        directions: voxel offsets, one of each opposite pair.
        per_slice: one matrix a slice.
        per_direction: one matrix a direction.
    """

    code: str
    name: str
    directions: tuple[Offset, ...] = ()
    per_slice: bool = False
    per_direction: bool = False


WHOLE = Aggregation("", "whole region")
SLICES_AVERAGED = Aggregation("BTW3", "2D, averaged", PLANE, per_slice=True, per_direction=True)
SLICES_MERGED = Aggregation("SUJT", "2D, slice-merged", PLANE, per_slice=True)
DIRECTIONS_MERGED = Aggregation("JJUI", "2.5D, direction-merged", PLANE, per_direction=True)
PLANES_MERGED = Aggregation("ZW7Z", "2.5D, merged", PLANE)
VOLUME_AVERAGED = Aggregation("ITBB", "3D, averaged", SPACE, per_direction=True)
VOLUME_MERGED = Aggregation("IAZD", "3D, merged", SPACE)

DIRECTIONAL = (
    SLICES_AVERAGED,
    SLICES_MERGED,
    DIRECTIONS_MERGED,
    PLANES_MERGED,
    VOLUME_AVERAGED,
    VOLUME_MERGED,
)
"""The six aggregations of matrices that have a direction."""

ZONES_AVERAGED = Aggregation("8QNN", "2D, averaged", PLANE, per_slice=True)
ZONES_MERGED = Aggregation("62GR", "2.5D, merged", PLANE)
ZONES_VOLUME = Aggregation("KOBO", "3D", SPACE)

ZONAL = (ZONES_AVERAGED, ZONES_MERGED, ZONES_VOLUME)
"""The three aggregations of matrices without a direction: neighbours are those of the plane or of space."""

EVERY_AGGREGATION = (*DIRECTIONAL, *ZONAL)
"""All nine, each known by its IBSI code."""

VOLUME = (VOLUME_MERGED, ZONES_VOLUME)
"""One matrix a family over the whole region in three dimensions, so that no slice direction is preferred."""
