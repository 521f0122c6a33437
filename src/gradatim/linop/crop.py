"""Putting a volume into a larger one, and taking it out again."""

from dataclasses import dataclass

from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.operator import LinearOperator

Shape3 = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Pad(LinearOperator):
    """Zero padding: the volume stands at ``offset`` in a larger one of zeros. Adjoint of :class:`Crop`.

    Args:
        shape: (x, y, z) of the volume.
        padded: (x, y, z) of the larger volume.
        offset: index in the larger volume of the volume's first voxel.

    Raises:
        UsageError: GD-103 if the volume does not fit at that offset.

    Example:
        >>> import torch
        >>> Pad((1, 1, 2), (1, 1, 4), (0, 0, 1)).apply(torch.ones(1, 1, 2)).flatten().tolist()
        [0.0, 1.0, 1.0, 0.0]
    """

    shape: Shape3
    padded: Shape3
    offset: Shape3 = (0, 0, 0)

    def __post_init__(self) -> None:
        if any(o < 0 or o + n > p for o, n, p in zip(self.offset, self.shape, self.padded, strict=True)):
            raise UsageError(
                "GD-103",
                given=f"a volume {self.shape} at {self.offset} in {self.padded}",
                allowed="offsets ≥ 0 with offset + size within the larger volume",
                do="enlarge the padding or move the offset",
            )

    @classmethod
    def centred(cls, shape: Shape3, padded: Shape3) -> "Pad":
        """The volume in the middle of the larger one (one voxel towards the origin for odd margins)."""
        x, y, z = ((p - n) // 2 for n, p in zip(shape, padded, strict=True))
        return cls(shape, padded, (x, y, z))

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return self.padded

    def _forward(self, x: Tensor) -> Tensor:
        out = x.new_zeros((*x.shape[:-3], *self.padded))
        out[self._window] = x
        return out

    def _adjoint(self, y: Tensor) -> Tensor:
        return y[self._window].clone()

    @property
    def _window(self) -> tuple:
        return (..., *(slice(o, o + n) for o, n in zip(self.offset, self.shape, strict=True)))


@dataclass(frozen=True, eq=False)
class Crop(LinearOperator):
    """The part of a volume that a padding put there. Adjoint of :class:`Pad`.

    Args:
        pad: the padding to undo.

    Example:
        >>> import torch
        >>> Crop(Pad((1, 1, 2), (1, 1, 4), (0, 0, 1))).apply(torch.arange(4.0).view(1, 1, 4)).flatten().tolist()
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
