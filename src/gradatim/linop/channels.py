"""The gradients of all channels of an image as one field of vectors."""

from dataclasses import dataclass

from torch import Tensor

from gradatim.linop.difference import Gradient
from gradatim.linop.operator import LinearOperator


@dataclass(frozen=True, eq=False)
class ChannelGradient(LinearOperator):
    """Forward differences of every channel, stacked: (c, x, y) → (c·d, x, y), zero flux through the far faces.

    What :class:`~gradatim.solve.norms.GroupL1` makes of it is vectorial total variation: channels share edges.

    Args:
        shape: (channel, x, y) or (channel, x, y, z).
        spacing: voxel edges, mm, one a spatial axis.

    Raises:
        UsageError: GD-103 if shape and spacing do not fit; GD-101 if an edge is not positive and finite.

    Example:
        >>> import torch
        >>> ChannelGradient((2, 3, 3), (1.0, 1.0)).apply(torch.ones(2, 3, 3)).shape
        torch.Size([4, 3, 3])
    """

    shape: tuple[int, ...]
    spacing: tuple[float, ...]

    def __post_init__(self) -> None:
        self._gradient  # noqa: B018 - refuses what does not fit

    @property
    def _gradient(self) -> Gradient:
        return Gradient(self.shape[1:], self.spacing)

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return (self.shape[0] * len(self.spacing), *self.shape[1:])

    def norm_bound(self) -> float:
        return self._gradient.norm_bound()

    def _forward(self, x: Tensor) -> Tensor:
        axes = len(self.spacing)
        return self._gradient.apply(x).flatten(-axes - 2, -axes - 1)

    def _adjoint(self, y: Tensor) -> Tensor:
        axes = len(self.spacing)
        return self._gradient.adjoint(y.unflatten(-axes - 1, (self.shape[0], axes)))
