"""Draws the ten pictures of docs/pixels-to-table.md from what the page's own code makes."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from skimage.measure import marching_cubes

from gradatim.radiomics.aggregation import VOLUME_MERGED
from gradatim.radiomics.cooccurrence import matrices
from gradatim.radiomics.zones import zones_in_space

PAGE = Path(__file__).with_name("pixels-to-table.md")
FOLDER = Path(__file__).with_name("pictures")
SLICE = 8
GREY = {"cmap": "gray", "vmin": -200, "vmax": 200}
MARKED = "#e4a02a"


def scene() -> dict[str, Any]:
    """What the page's own code makes: image, regions, and the region as it is measured."""
    made: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[:2]:
        exec(code, made)  # noqa: S102 - our own page
    return made


def plane(axis: Any, values: np.ndarray, spacing: tuple[float, ...], **how: Any) -> Any:
    """One slice, x to the right, y upwards, voxels in their true proportions."""
    axis.set_axis_off()
    return axis.imshow(values.T, origin="lower", interpolation="nearest", aspect=spacing[1] / spacing[0], **how)


def outline(axis: Any, mask: np.ndarray, colour: str = MARKED) -> None:
    """The border of a mask, along the voxels' edges."""
    big = np.kron(np.pad(mask, 1).T, np.ones((8, 8)))
    x = (np.arange(big.shape[1]) + 0.5) / 8 - 1.5
    y = (np.arange(big.shape[0]) + 0.5) / 8 - 1.5
    axis.contour(x, y, big, [0.5], colors=[colour], linewidths=1.2)


def ten() -> dict[str, Callable[[Any], None]]:
    """Name → what is drawn on an axis, in the order of the page."""
    made = scene()
    image, regions, roi = made["image"], made["regions"], made["roi"]
    new = made["rules"].resampled(image, regions)
    spacing, fine = image.grid.spacing, new.grid.spacing
    middle = roi.values.shape[2] // 2
    levels = roi.levels.numpy()
    (counts,) = matrices(roi.levels, VOLUME_MERGED, n_levels=int(levels.max()))
    start = roi.surroundings.origin

    def acquired(axis: Any) -> None:
        plane(axis, image.value[:, 32].numpy(), spacing[::2], **GREY)

    def region(axis: Any) -> None:
        plane(axis, image.value[:, :, SLICE].numpy(), spacing, **GREY)
        outline(axis, regions.labels[:, :, SLICE].numpy())

    def resampled(axis: Any) -> None:
        plane(axis, new.value[:, new.grid.shape[1] // 2].numpy(), fine[::2], **GREY)

    def moved(axis: Any) -> None:
        plane(axis, new.value[:, :, start[2] + middle].numpy(), fine, **GREY)
        mask = np.zeros(new.grid.shape[:2])
        n, m = roi.shape.shape[:2]
        mask[start[0] : start[0] + n, start[1] : start[1] + m] = roi.shape[:, :, middle]
        outline(axis, mask)

    def masks(axis: Any) -> None:
        both = roi.shape[:, :, middle].int() + roi.intensity[:, :, middle].int()
        plane(axis, both.numpy(), fine, cmap="viridis", vmin=0, vmax=2)

    def grey(axis: Any) -> None:
        shown = np.where(levels > 0, levels, np.nan)[:, :, middle]
        plane(axis, shown, fine, cmap="nipy_spectral", vmin=levels[levels > 0].min(), vmax=levels.max())

    def histogram(axis: Any) -> None:
        axis.hist(roi.intensities.numpy(), np.arange(-150, 210, 10), color="#0b6b77")
        axis.set_xlabel("HU")
        axis.set_ylabel("voxels")

    def cooccurrence(axis: Any) -> None:
        low = int(levels[levels > 0].min()) - 1
        ends = (low + 0.5, int(levels.max()) + 0.5) * 2
        axis.imshow(np.log1p(counts[0, low:, low:].numpy()), origin="lower", cmap="magma", extent=ends)
        axis.set_xlabel("level of a neighbour")
        axis.set_ylabel("level")

    def connected(axis: Any) -> None:
        found = zones_in_space(roi)
        axis.scatter(found.size, found.level, s=9, color="#0b6b77", alpha=0.6)
        axis.set_xscale("log")
        axis.set_xlabel("voxels of a zone")
        axis.set_ylabel("level")

    def mesh(axis: Any) -> None:
        corners, faces, _, _ = marching_cubes(np.pad(roi.shape.numpy(), 1).astype(float), 0.5, spacing=fine)
        axis.add_collection3d(Poly3DCollection(corners[faces], facecolor="#0b6b77", edgecolor="#06363c", linewidth=0.1))
        axis.set(xlim=(2, 38), ylim=(-2, 34), zlim=(-2, 34), box_aspect=(1, 1, 1))
        axis.set_axis_off()

    return {
        "acquired": acquired,
        "region": region,
        "resampled": resampled,
        "moved": moved,
        "masks": masks,
        "levels": grey,
        "histogram": histogram,
        "mesh": mesh,
        "cooccurrence": cooccurrence,
        "zones": connected,
    }


def draw() -> None:
    """Write all pictures."""
    for number, (name, picture) in enumerate(ten().items(), start=1):
        figure = Figure(figsize=(3.4, 2.7), dpi=110, facecolor="white", layout="constrained")
        axis = figure.add_subplot(projection="3d") if name == "mesh" else figure.add_subplot()
        picture(axis)
        figure.savefig(FOLDER / f"pixels-{number:02d}-{name}.png", metadata={"Software": ""})


if __name__ == "__main__":
    draw()
