"""Total variation of images larger than memory, exactly: several iterations a tile, as many as its halo is wide."""

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.difference import Gradient
from gradatim.restore.restored import require_positive, require_spacing
from gradatim.restore.tiles import Sliceable, Window, windows, within
from gradatim.solve.solution import Certificate


@dataclass(frozen=True)
class Swept:
    """How a sweep over tiles ended.

    Args:
        iterations: made on the whole image.
        certificate: F(x) − F(x*) ≤ gap for the whole image, summed over the tiles.
    """

    iterations: int
    certificate: Certificate


@dataclass(frozen=True)
class SweptTotalVariation:
    """Minimises ½‖x − y‖² + λ Σ |∇x|₂ over an image on disk, with the whole image's iterates and its certificate.

    The method is the accelerated projected gradient on the dual field p (x = y − ∇*p, |p| ≤ λ), with ``t`` the same
    sequence everywhere::

        p⁺ = P(q + ∇(y − ∇*q)/L),   q⁺ = p⁺ + (t − 1)/t⁺·(p⁺ − p),   L = 4 Σ 1/hᵢ²

    An iteration moves what a pixel feels by one pixel. So a tile with a halo of k + 1 pixels can go k iterations by
    itself and its inner part is what it would have been in the whole image, to the last bit but for rounding. One
    such sweep after the other, the fields p kept on disk between them, gives the whole image's iterates, whatever
    the tiles are. Memory: about 8 tiles with halo; disk: 4 fields of the image's size per axis, in ``scratch``.

    Args:
        weight: λ, unit of the image times mm.
        tile: sizes along the last axes, two or three.
        iterations: on the whole image; 200 leave a relative gap of about 1e-3 on pictures.
        halo: iterations a sweep, and pixels around a tile less one. Wider means fewer passes over the disk and more
            work done twice.
        spacing: edges of a pixel or voxel, mm, one an axis of the tile.
        scratch: folder for the fields; by default the system's temporary folder. They are removed at the end.

    Raises:
        UsageError: GD-101 if a parameter is not positive; GD-103 if tile, spacing and image differ in axes.

    Source:
        Beck & Teboulle, IEEE Trans Image Process 18:2419-2434, 2009; iterations in tiles with wide halos are the
        ghost zones of parallel stencil codes (Ding & He, Supercomputing 2001).

    Example:
        >>> image = np.random.default_rng(0).normal(50.0, 5.0, (40, 30)).astype(np.float32)
        >>> small, whole = np.empty_like(image), np.empty_like(image)
        >>> ends = SweptTotalVariation(5.0, tile=(16, 16), iterations=40, halo=8)(image, out=small)
        >>> _ = SweptTotalVariation(5.0, tile=(40, 30), iterations=40, halo=8)(image, out=whole)
        >>> float(np.abs(small - whole).max()) < 1e-5, ends.certificate.relative < 0.1
        (True, True)
    """

    weight: float
    tile: tuple[int, ...]
    iterations: int = 200
    halo: int = 20
    spacing: tuple[float, ...] = (1.0, 1.0)
    scratch: Path | None = None

    def __post_init__(self) -> None:
        require_spacing(self.spacing)
        require_positive(self.weight, "weight", do="choose one, e.g. by a smaller image of the kind")
        if min(self.tile, default=0) < 1 or min(self.iterations, self.halo) < 1:
            raise UsageError(
                "GD-101",
                given=f"tiles {self.tile}, {self.iterations} iterations, halo {self.halo}",
                allowed="numbers of at least 1",
                do="see the defaults",
            )

    def __call__(self, source: Sliceable, *, out: Sliceable) -> Swept:
        """Denoise from one array into another.

        Args:
            source: y, (x, y) or (x, y, z), any real type.
            out: x, of the same shape, floating point; a different array than ``source``.
        """
        shape = tuple(source.shape)
        if len(shape) != len(self.tile) or len(shape) != len(self.spacing) or tuple(out.shape) != shape:
            raise UsageError(
                "GD-103",
                given=f"an image {shape} into {tuple(out.shape)}, tiles {self.tile}, spacing {self.spacing}",
                allowed="one shape, one size of a tile and one edge an axis",
                do="give channels one after the other",
            )
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            fields = [
                [_zeros(Path(folder) / f"{name}{turn}.field", (len(shape), *shape)) for name in "pq"]
                for turn in range(2)
            ]
            done, t = 0, 1.0
            while done < self.iterations:
                count = min(self.halo, self.iterations - done)
                after = t
                for inner, outer in windows(shape, self.tile, (count + 1,) * len(shape)):
                    after = self._tile(source, fields[0], fields[1], inner, outer, (t, count))
                fields.reverse()
                done, t = done + count, after
            return Swept(done, self._finish(source, fields[0][0], out))

    def _tile(
        self,
        source: Sliceable,
        old: list[np.ndarray],
        new: list[np.ndarray],
        inner: Window,
        outer: Window,
        schedule: tuple[float, int],
    ) -> float:
        """Some iterations on one tile; the next ``t``."""
        y = _read(source, outer)
        every = (slice(None),)
        p, q = (_read(field, every + outer) for field in old)
        gradient = Gradient(tuple(y.shape), self.spacing)
        step = 1.0 / (4.0 * sum(1.0 / h**2 for h in self.spacing))
        t, count = schedule
        for _ in range(count):
            moved = q + step * gradient.apply(y - gradient.adjoint(q))
            length = moved.square().sum(0).sqrt_()
            moved *= self.weight / length.clamp_min_(self.weight)
            following = 0.5 * (1.0 + math.sqrt(1.0 + 4.0 * t * t))
            q = moved + ((t - 1.0) / following) * (moved - p)
            p, t = moved, following
        keep = every + within(inner, outer)
        for field, value in zip(new, (p, q), strict=True):
            field[every + inner] = value[keep].numpy()
        return t

    def _finish(self, source: Sliceable, field: np.ndarray, out: Sliceable) -> Certificate:
        """x = y − ∇*p into the output, and the duality gap of the whole."""
        shape, every = tuple(source.shape), (slice(None),)
        objective = dual = 0.0
        for inner, outer in windows(shape, self.tile, (2,) * len(shape)):
            y = _read(source, outer)
            gradient = Gradient(tuple(y.shape), self.spacing)
            pull = gradient.adjoint(_read(field, every + outer))
            x, keep = y - pull, within(inner, outer)
            out[inner] = x[keep].numpy()
            variation = gradient.apply(x).double().square().sum(0).sqrt()[keep].sum()
            mine, given = pull[keep].double(), y[keep].double()
            objective += float(0.5 * mine.square().sum() + self.weight * variation)
            dual += float((given * mine).sum() - 0.5 * mine.square().sum())
        return Certificate(max(objective - dual, 0.0), objective, 0.0, 1.0)


def _read(array: Sliceable, window: Window) -> Tensor:
    return torch.from_numpy(np.array(array[window], dtype=np.float32))


def _zeros(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    return np.memmap(path, dtype=np.float32, mode="w+", shape=shape)
