"""How far measures of shape are from the truth, for a body whose truth is known."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.grid import Grid
from gradatim.base.seeds import generator
from gradatim.radiomics.discretise import NoDiscretisation
from gradatim.radiomics.resample import ResampleTo
from gradatim.radiomics.roi import Roi
from gradatim.radiomics.shape.crofton import crofton_area
from gradatim.radiomics.shape.ellipsoid import Ellipsoid
from gradatim.radiomics.shape.measured import Shape

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Bias:
    """What one estimator does to one body over its orientations and places.

    Args:
        estimator: which.
        mean: mean relative error.
        spread: standard deviation of the relative error.
    """

    estimator: str
    mean: float
    spread: float


@dataclass(frozen=True)
class ShapeStudy:
    """Bias of shape estimators on a digitised ellipsoid, over random orientations and places on the grid.

    A voxel is inside if its centre is. True values are those of the ellipsoid: volume, area (Carlson's integral),
    IBSI's axes 4√λ = 4a/√5, largest diameter 2a.

    Args:
        semi_axes: of the ellipsoid, longest first, mm.
        spacing: voxel edges, mm.
        resampling: brings the mask to another grid before it is measured; None for its own grid.
        placements: how many orientations and places.

    Example:
        >>> study = ShapeStudy((8.0, 8.0, 8.0), (1.0, 1.0, 1.0), placements=2)
        >>> bias = {found.estimator: found.mean for found in study(seed=0)}
        >>> abs(bias["voxel volume"]) < 0.02, 0.07 < bias["mesh area"] < 0.11, abs(bias["Crofton area"]) < 0.03
        (True, True, True)
    """

    semi_axes: Triple
    spacing: Triple
    resampling: ResampleTo | None = None
    placements: int = 12

    def __call__(self, *, seed: int | torch.Generator) -> tuple[Bias, ...]:
        """The bias of every estimator.

        Args:
            seed: of the orientations and places.
        """
        source = generator(seed)
        found = [
            self._measured(ellipsoid_mask(self.semi_axes, self.spacing, seed=source)) for _ in range(self.placements)
        ]
        truth = _values(_TRUE, Ellipsoid(self.semi_axes))
        errors = torch.tensor(found, dtype=torch.float64) / torch.tensor(truth, dtype=torch.float64) - 1
        spread = errors.std(0, correction=0).tolist()
        return tuple(Bias(*row) for row in zip(_TRUE, errors.mean(0).tolist(), spread, strict=True))

    def _measured(self, mask: Tensor) -> list[float]:
        spacing = self.spacing
        if self.resampling is not None:
            x, y, z = mask.shape
            grid = Grid((x, y, z), spacing)
            mask, _ = self.resampling.region(mask, (slice(0, x), slice(0, y), slice(0, z)), grid)
            spacing = self.resampling.grid(grid).spacing
        values = torch.zeros(mask.shape, dtype=torch.float64)
        return _values(_MEASURED, Shape(Roi(values, mask, mask, spacing, NoDiscretisation())))


def ellipsoid_mask(semi_axes: Triple, spacing: Triple, *, seed: int | torch.Generator) -> Tensor:
    """Voxels (x, y, z), bool, whose centres lie in an ellipsoid of random orientation and random place.

    Args:
        semi_axes: mm.
        spacing: voxel edges, mm.
        seed: of the orientation and of the place.
    """
    source = generator(seed)
    turn, _ = torch.linalg.qr(torch.randn(3, 3, generator=source, dtype=torch.float64))
    shift = torch.rand(3, generator=source, dtype=torch.float64)
    reach = [math.ceil(max(semi_axes) / edge) + 2 for edge in spacing]
    lines = [
        (torch.arange(-n, n + 1, dtype=torch.float64) + s) * edge
        for n, s, edge in zip(reach, shift.tolist(), spacing, strict=True)
    ]
    places = torch.stack(torch.meshgrid(*lines, indexing="ij"), dim=-1) @ turn
    return (places / torch.tensor(semi_axes, dtype=torch.float64)).square().sum(-1) <= 1


def _sphericity(volume: float, area: float) -> float:
    return float((36 * math.pi * volume**2) ** (1 / 3) / area)


_TRUE: dict[str, Callable[[Ellipsoid], float]] = {
    "voxel volume": lambda e: e.volume,
    "mesh volume": lambda e: e.volume,
    "mesh area": lambda e: e.area,
    "Crofton area": lambda e: e.area,
    "sphericity, mesh": lambda e: _sphericity(e.volume, e.area),
    "sphericity, Crofton": lambda e: _sphericity(e.volume, e.area),
    "major axis": lambda e: 4 / math.sqrt(5) * e.semi_axes[0],
    "least axis": lambda e: 4 / math.sqrt(5) * e.semi_axes[2],
    "diameter": lambda e: 2 * e.semi_axes[0],
}

_MEASURED: dict[str, Callable[[Shape], float]] = {
    "voxel volume": lambda s: float(s.voxel_volume),
    "mesh volume": lambda s: float(s.volume),
    "mesh area": lambda s: float(s.area),
    "Crofton area": lambda s: float(crofton_area(s.roi.shape, spacing=s.roi.spacing)),
    "sphericity, mesh": lambda s: _sphericity(float(s.volume), float(s.area)),
    "sphericity, Crofton": lambda s: _sphericity(
        float(s.voxel_volume), float(crofton_area(s.roi.shape, spacing=s.roi.spacing))
    ),
    "major axis": lambda s: float(s.axes[0]),
    "least axis": lambda s: float(s.axes[2]),
    "diameter": lambda s: float(s.diameter),
}


def _values(of: dict[str, Callable[..., float]], body: Ellipsoid | Shape) -> list[float]:
    return [measure(body) for measure in of.values()]
