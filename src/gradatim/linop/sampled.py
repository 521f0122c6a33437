"""What an MR scanner samples: coil-weighted images at some points of k-space."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.fourier import CentredFourier, Fourier
from gradatim.linop.operator import LinearOperator


@dataclass(frozen=True, eq=False)
class SampledFourier(LinearOperator):
    """y_c = M F (s_c x): Cartesian k-space of each coil where it was sampled, 0 elsewhere.

    Its adjoint is Σ_c s_c*·F* M y_c. Scaled by :meth:`norm_bound` it has norm at most 1 and without coils
    exactly 1: the transform is orthonormal, so nothing depends on the size of the image.

    Args:
        transform: F, :class:`~gradatim.linop.fourier.CentredFourier` for k-space with its centre in the
            middle, :class:`~gradatim.linop.fourier.Fourier` for centre first. It sets the image's shape.
        mask: M, bool, True where k-space was sampled; broadcasts to the image's shape, so that a line
            (y, 1) or (1, z) stands for lines that were read in full.
        coils: s, sensitivities, complex or real, (coils, *shape). Gradients flow to them if they require
            them. Without them there is one uniform coil, and no axis for it.

    Returns (apply):
        (..., coils, *shape), or (..., *shape) without coils; complex.

    Raises:
        UsageError: GD-101 if the mask is not bool; GD-103 if mask or coils do not fit the image.

    Source:
        Pruessmann et al., Magn Reson Med 42:952-962, 1999 (SENSE); 46:638-651, 2001.

    Example:
        >>> A = SampledFourier(CentredFourier((4, 4)), torch.tensor([[True], [False], [True], [False]]))
        >>> A.apply(torch.ones(4, 4)).abs().sum().item(), A.sampled_fraction
        (4.0, 0.5)
    """

    transform: Fourier | CentredFourier
    mask: Tensor
    coils: Tensor | None = None

    def __post_init__(self) -> None:
        shape = self.transform.shape
        if self.mask.dtype is not torch.bool:
            raise UsageError(
                "GD-101", given=f"a mask of type {self.mask.dtype}", allowed="bool", do="compare with a threshold first"
            )
        fits = self.mask.ndim <= len(shape) and all(
            m in (1, n) for m, n in zip(reversed(self.mask.shape), reversed(shape), strict=False)
        )
        if not fits or (self.coils is not None and tuple(self.coils.shape[1:]) != shape):
            coils = "no coils" if self.coils is None else f"coils {tuple(self.coils.shape)}"
            raise UsageError(
                "GD-103",
                given=f"a mask {tuple(self.mask.shape)} and {coils} for images {shape}",
                allowed="a mask that broadcasts to the image, coils (coils, *image)",
                do="bring mask and coils to the grid of the image",
            )

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.transform.shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return self.transform.shape if self.coils is None else (len(self.coils), *self.transform.shape)

    @property
    def sampled_fraction(self) -> float:
        """Share of k-space that the mask keeps."""
        return float(self.mask.double().mean())

    def norm_bound(self) -> float:
        """maxᵣ √Σ_c |s_c(r)|², and 1 without coils; 0 where nothing is sampled."""
        if not bool(self.mask.any()):
            return 0.0
        if self.coils is None:
            return 1.0
        return float(self.coils.detach().abs().double().square().sum(dim=0).max().sqrt())

    def gram_symbol(self, like: Tensor) -> Tensor:
        """The symbol of A*A without coils: A*A x = F*(g·F x) with the full transform F and g = M.

        Args:
            like: gives precision and device.

        Returns:
            *shape, real, 0 or 1.

        Raises:
            UsageError: GD-104 if there are coils, with which A*A is not diagonal in k-space.
        """
        if self.coils is not None:
            raise UsageError(
                "GD-104",
                given=f"the symbol of A*A with {len(self.coils)} coils",
                allowed="a symbol without coils",
                do="solve by conjugate gradients, or split the coils off",
            )
        mask = self.mask.to(device=like.device, dtype=like.dtype.to_real())
        return mask.expand(self.transform.shape).clone()

    def _forward(self, x: Tensor) -> Tensor:
        if self.coils is None:
            return self._masked(self.transform.apply(x))
        return self._masked(self.transform.apply(x.unsqueeze(-1 - len(self.transform.shape)) * _like(self.coils, x)))

    def _adjoint(self, y: Tensor) -> Tensor:
        images = self.transform.adjoint(self._masked(y))
        if self.coils is None:
            return images
        return (images * _like(self.coils, y).conj()).sum(dim=-1 - len(self.transform.shape))

    def _masked(self, y: Tensor) -> Tensor:
        return torch.where(self.mask.to(y.device), y, torch.zeros((), dtype=y.dtype, device=y.device))


def _like(coils: Tensor, x: Tensor) -> Tensor:
    dtype = x.dtype.to_complex() if coils.is_complex() else x.dtype.to_real()
    return coils.to(device=x.device, dtype=dtype)
