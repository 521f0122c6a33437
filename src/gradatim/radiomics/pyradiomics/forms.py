"""How PyRadiomics can combine matrices: in space or in slices, never one matrix a slice."""

from gradatim.radiomics.aggregation import (
    DIRECTIONS_MERGED,
    PLANES_MERGED,
    VOLUME_AVERAGED,
    VOLUME_MERGED,
    ZONES_MERGED,
    ZONES_VOLUME,
)

WITH_DIRECTIONS = (DIRECTIONS_MERGED, PLANES_MERGED, VOLUME_AVERAGED, VOLUME_MERGED)
"""Of co-occurrence and runs: ``force2D``, the same with ``weightingNorm: no_weighting``, the default, and with that."""

WITHOUT_DIRECTIONS = (ZONES_MERGED, ZONES_VOLUME)
"""Of zones, tone differences and dependences: ``force2D``, and the default."""
