"""Names that moved to gradatim.solve.norms and gradatim.solve.distances."""

from gradatim.solve.distances import HuberDistance, L1Distance, SquaredDistance  # noqa: F401
from gradatim.solve.norms import L1, GroupL1  # noqa: F401
