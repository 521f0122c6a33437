"""What all Fourier transforms of an image at points of k-space share: points, coils and the shapes that follow."""

from abc import ABC
from dataclasses import dataclass

from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.operator import LinearOperator


@dataclass(frozen=True, eq=False)
class FourierAtPoints(LinearOperator, ABC):
    """An image, seen by coils, at points of k-space; how it is computed is left to a subclass.

    Args:
        shape: of the image.
        points: k, (points, axes), cycles per field of view along each axis.
        coils: s, sensitivities, complex or real, (coils, *shape); without them there is one uniform coil, and no axis
            for it.
    """

    shape: tuple[int, ...]
    points: Tensor
    coils: Tensor | None = None

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return (len(self.points),) if self.coils is None else (len(self.coils), len(self.points))

    def _fits(self) -> bool:
        """Whether points and coils have the axes of the image."""
        fits = self.points.ndim == 2 and self.points.shape[1] == len(self.shape)
        return fits and (self.coils is None or tuple(self.coils.shape[1:]) == self.shape)

    def _refusal(self, allowed: str) -> UsageError:
        """That they do not."""
        coils = "no coils" if self.coils is None else f"coils {tuple(self.coils.shape)}"
        return UsageError(
            "GD-103",
            given=f"points {tuple(self.points.shape)} and {coils} for images {self.shape}",
            allowed=allowed,
            do="bring points and coils to the axes of the image",
        )

    def _coils(self, like: Tensor) -> Tensor | None:
        if self.coils is None:
            return None
        dtype = like.dtype.to_complex() if self.coils.is_complex() else like.dtype.to_real()
        return self.coils.to(device=like.device, dtype=dtype)
