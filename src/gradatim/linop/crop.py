"""Putting an image into a larger one, and taking it out again."""

from dataclasses import dataclass

from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.operator import LinearOperator

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Pad(LinearOperator):
    """Zero padding: the image stands at ``offset`` in a larger one of zeros. Adjoint of :class:`Crop`.

    Around a periodic convolution, ``Crop ∘ convolution ∘ Pad`` is the one without wrap-around.

    Args:
        shape: of the image, any number of axes, e.g. (x, y) or (x, y, z).
        padded: of the larger image.
        offset: index in the larger image of the image's first voxel; the origin by default.

    Raises:
        UsageError: GD-103 if the image does not fit at that offset, or the numbers of axes differ.

    Example:
        >>> import torch
        >>> Pad((1, 2), (1, 4), (0, 1)).apply(torch.ones(1, 2)).flatten().tolist()
        [0.0, 1.0, 1.0, 0.0]
    """

    shape: Shape
    padded: Shape
    offset: Shape = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "offset", self.offset or (0,) * len(self.shape))
        fits = len(self.shape) == len(self.padded) == len(self.offset) and all(
            o >= 0 and o + n <= p for o, n, p in zip(self.offset, self.shape, self.padded, strict=True)
        )
        if not fits:
            raise UsageError(
                "GD-103",
                given=f"an image {self.shape} at {self.offset} in {self.padded}",
                allowed="offsets ≥ 0 with offset + size within the larger image",
                do="enlarge the padding or move the offset",
            )

    @classmethod
    def centred(cls, shape: Shape, padded: Shape) -> "Pad":
        """The image in the middle of the larger one (one voxel towards the origin for odd margins)."""
        return cls(shape, padded, tuple((p - n) // 2 for n, p in zip(shape, padded, strict=False)))

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return self.padded

    def _forward(self, x: Tensor) -> Tensor:
        out = x.new_zeros((*x.shape[: x.ndim - len(self.shape)], *self.padded))
        out[self._window] = x
        return out

    def _adjoint(self, y: Tensor) -> Tensor:
        return y[self._window].clone()

    def norm_bound(self) -> float:
        return 1.0

    @property
    def _window(self) -> tuple:
        return (..., *(slice(o, o + n) for o, n in zip(self.offset, self.shape, strict=True)))


@dataclass(frozen=True, eq=False)
class Crop(LinearOperator):
    """The part of an image that a padding put there. Adjoint of :class:`Pad`.

    Args:
        pad: the padding to undo.

    Example:
        >>> import torch
        >>> Crop(Pad((1, 2), (1, 4), (0, 1))).apply(torch.arange(4.0).view(1, 4)).flatten().tolist()
        [1.0, 2.0]
    """

    pad: Pad

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.pad.padded

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return self.pad.shape

    def _forward(self, x: Tensor) -> Tensor:
        return self.pad.adjoint(x)

    def _adjoint(self, y: Tensor) -> Tensor:
        return self.pad.apply(y)

    def norm_bound(self) -> float:
        return 1.0
