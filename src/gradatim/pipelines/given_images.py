"""What a user gives beside the scan: a mask of the brain, regions, the region whose mean is zero."""

from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import Regions
from gradatim.io.label_names import read_label_names
from gradatim.io.nifti import NiftiImage, read_labels, read_mask
from gradatim.pipelines.susceptibility import SusceptibilityRoute
from gradatim.qsm.reference import RegionMean


@dataclass(frozen=True)
class GivenImages:
    """Files of the user that replace what the chain would find by itself.

    Args:
        mask: mask of the brain, None to have it found.
        regions: label image, None to have regions found; names are read from the ``.tsv`` beside it.
        reference: label whose mean susceptibility is zero, None for what the route does.

    Raises:
        UsageError: GD-104 for a reference without regions.
    """

    mask: Path | None = None
    regions: Path | None = None
    reference: int | None = None

    def __post_init__(self) -> None:
        if self.reference is not None and self.regions is None:
            raise UsageError(
                "GD-104",
                given=f"reference label {self.reference} without regions",
                allowed="a label of a label image",
                do="give the label image too",
            )

    @property
    def files(self) -> dict[str, Path]:
        """The files by what outputs call them."""
        given = {"mask": self.mask, "regions": self.regions, "region names": self._table}
        return {name: path for name, path in given.items() if path is not None}

    @property
    def replaced(self) -> tuple[str, ...]:
        """Stages of the route that do not run, because what they find was given."""
        given = {"brain": self.mask, "segmentation": self.regions}
        return tuple(stage for stage, path in given.items() if path is not None)

    def read(self, grid: Grid) -> tuple[Tensor | None, Regions | None]:
        """The mask and the regions on a scan's grid.

        Args:
            grid: the scan's.

        Raises:
            InputError: GD-311 if an image lies elsewhere; as the readers of masks and labels.
        """
        mask = None if self.mask is None else _on(grid, read_mask(self.mask))
        if self.regions is None:
            return mask, None
        names = {} if self._table is None else read_label_names(self._table)
        return mask, Regions(_on(grid, read_labels(self.regions)), grid, names)

    def route(self, route: SusceptibilityRoute, regions: Regions | None) -> SusceptibilityRoute:
        """The route with the reference that was asked for."""
        if self.reference is None or regions is None:
            return route
        return replace(route, reference=RegionMean(regions, self.reference))

    @property
    def _table(self) -> Path | None:
        if self.regions is None:
            return None
        name = self.regions.name.removesuffix(".gz").removesuffix(".nii")
        table = self.regions.with_name(f"{name}.tsv")
        return table if table.is_file() else None


NOTHING = GivenImages()
"""The chain finds everything by itself."""


def _on(grid: Grid, image: NiftiImage) -> Tensor:
    same = image.grid.same_space(grid) if image.oriented else image.grid.shape == grid.shape
    if not same:
        raise InputError(
            "GD-311",
            given=f"{image.header.name} on a grid of {image.grid.shape}, the scan on {grid.shape} or turned",
            allowed="an image on the scan's grid",
            do="resample it to the first echo with nearest neighbours",
        )
    return image.data
