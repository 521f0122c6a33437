"""What a scanner measured in k-space: samples, where they lie, and the coils that saw them."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gradatim.base.errors import InputError, UsageError
from gradatim.linop.fourier import CentredFourier
from gradatim.linop.sampled import SampledFourier


@dataclass(frozen=True, eq=False)
class KSpace:
    """Cartesian samples of one slice or volume by one or more receive coils.

    ``y_c = M F (S_c x)`` with the orthonormal F of :class:`~gradatim.linop.fourier.CentredFourier`: the zero
    frequency lies in the middle, index n // 2 of each axis, as SigPy and BART have it.

    Args:
        samples: y, (coil, *shape), complex64 or complex128, 0 where nothing was measured; shape (x, y) or
            (x, y, z).
        mask: M, (*shape), bool, True where a sample was taken.

    Raises:
        UsageError: GD-103 if the shapes disagree.
        InputError: GD-680 if the samples are not complex or not of two or three axes after the coils';
            GD-681 if a sample is not finite, none is taken, or all are 0.

    Example:
        >>> KSpace(torch.ones(1, 4, 4) + 0j, torch.eye(4, dtype=torch.bool)).acceleration
        4.0
    """

    samples: Tensor
    mask: Tensor

    def __post_init__(self) -> None:
        if not self.samples.is_complex() or self.samples.ndim not in (3, 4):
            raise InputError(
                "GD-680",
                given=f"samples of type {self.samples.dtype} and shape {tuple(self.samples.shape)}",
                allowed="complex samples (coil, x, y) or (coil, x, y, z)",
                do="give complex k-space; a single coil needs a leading axis of one",
            )
        if self.mask.shape != self.samples.shape[1:] or self.mask.dtype is not torch.bool:
            raise UsageError(
                "GD-103",
                given=f"a mask of shape {tuple(self.mask.shape)} and type {self.mask.dtype} for samples of shape "
                f"{tuple(self.samples.shape)}",
                allowed="a bool mask of the samples' shape without the coils",
                do="give one mask for all coils",
            )
        if not bool(torch.isfinite(self.samples).all()) or not bool((self.samples != 0)[:, self.mask].any()):
            raise InputError(
                "GD-681",
                given=f"{int((~torch.isfinite(self.samples)).sum())} non-finite samples, {int(self.mask.sum())} taken, "
                f"the largest {float(self.samples.abs().nan_to_num(0.0).max()):.3g}",
                allowed="finite samples, not all 0",
                do="check the file and the mask; sampled places are True",
            )

    @classmethod
    def measured(cls, samples: Tensor) -> "KSpace":
        """The mask read off the samples: measured is what is not exactly 0 in every coil.

        Args:
            samples: (coil, *shape), complex.
        """
        return cls(samples, (samples != 0).any(dim=0))

    def only(self, mask: Tensor) -> "KSpace":
        """The samples that lie in a mask too; the others as if never taken.

        Args:
            mask: (*shape), bool.
        """
        kept = self.mask & mask
        return replace(self, samples=torch.where(kept, self.samples, 0.0), mask=kept)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the image."""
        return tuple(self.mask.shape)

    @property
    def acceleration(self) -> float:
        """Voxels of the image over samples a coil."""
        return self.mask.numel() / int(self.mask.sum())

    @property
    def transform(self) -> CentredFourier:
        """F."""
        return CentredFourier(self.shape)

    def model(self, maps: Tensor | None = None) -> SampledFourier:
        """What a scanner with these coils samples of an image at these places: x → M F (S_c x).

        Args:
            maps: S, (coil, *shape); None for a single coil of sensitivity 1, whose samples have no coil axis.
        """
        return SampledFourier(self.transform, self.mask, maps)

    def combined(self, maps: Tensor | None) -> Tensor:
        """S*F*M y, the zero-filled image of all coils together, (*shape), complex.

        Args:
            maps: S, (coil, *shape); None for a single coil, whose image it then is.
        """
        return self.model(maps).adjoint(self.samples[0] if maps is None else self.samples)

    @property
    def coil_images(self) -> Tensor:
        """F*M y of each coil, (coil, *shape): the image where all was sampled, else the zero-filled one."""
        return self.model().adjoint(self.samples)

    @property
    def zero_filled(self) -> Tensor:
        """Root of the sum of squares of the coil images, (*shape), real: the image nobody thought about."""
        return torch.linalg.vector_norm(self.coil_images, dim=0)
