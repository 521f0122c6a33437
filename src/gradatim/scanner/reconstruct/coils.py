"""One image from those of several coils."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError


@dataclass(frozen=True)
class RootSumOfSquares:
    """√Σ_c |m_c|²: a magnitude without phase, whose noise has a floor.

    Source:
        Roemer et al., Magn Reson Med 16:192-225, 1990.

    Example:
        >>> RootSumOfSquares()(torch.tensor([3.0, 4.0j]).reshape(2, 1, 1, 1)).item()
        5.0
    """

    def __call__(self, images: Tensor) -> Tensor:
        """Combine (coils, x, y, z) to (x, y, z), real.

        Args:
            images: complex.
        """
        return images.abs().square().sum(0).sqrt()


@dataclass(frozen=True)
class Adaptive:
    """Σ_c conj(u_c)·m_c with u the first eigenvector of the coils' local covariance, of length 1.

    Where one object is seen by all coils, u is their sensitivity there and the combination keeps phase; u's own phase
    is that of the coil with the most signal in the whole image, which is set to 0.

    Args:
        width: voxels of the neighbourhood along each axis, odd.

    Raises:
        UsageError: GD-101 if the width is even or not positive.

    Source:
        Walsh, Gmitro & Marcellin, Magn Reson Med 43:682-690, 2000.

    Example:
        >>> sensitivities = torch.tensor([0.6, 0.8j]).reshape(2, 1, 1, 1)
        >>> round(abs(Adaptive()(sensitivities * torch.ones(5, 5, 1)))[0, 0, 0].item(), 6)
        1.0
    """

    width: int = 5

    def __post_init__(self) -> None:
        if self.width < 1 or self.width % 2 == 0:
            raise UsageError(
                "GD-101", given=f"a width of {self.width}", allowed="1, 3, 5 ...", do="give an odd number of voxels"
            )

    def __call__(self, images: Tensor) -> Tensor:
        """Combine (coils, x, y, z) to (x, y, z), complex.

        Args:
            images: complex.
        """
        return (self.sensitivities(images).conj() * images).sum(0)

    def sensitivities(self, images: Tensor) -> Tensor:
        """u, (coils, x, y, z), of images of that shape; one coil's is 1."""
        if len(images) == 1:
            return torch.ones_like(images)
        covariance = images[:, None] * images[None].conj()
        smooth = torch.stack([_mean(part.flatten(0, 1), self.width) for part in (covariance.real, covariance.imag)], -1)
        matrices = (
            torch.view_as_complex(smooth.contiguous()).unflatten(0, covariance.shape[:2]).movedim((0, 1), (-2, -1))
        )
        first = torch.linalg.eigh(matrices).eigenvectors[..., -1].movedim(-1, 0)
        strongest = int(images.abs().square().flatten(1).sum(1).argmax())
        reference = first[strongest : strongest + 1]
        return first * torch.polar(torch.ones_like(reference.real), -reference.angle())


def _mean(values: Tensor, width: int) -> Tensor:
    """Mean over a neighbourhood that ends at the image's borders."""
    sizes = [min(width, n - 1 + n % 2) for n in values.shape[-3:]]
    margins = [size // 2 for size in sizes]
    return torch.nn.functional.avg_pool3d(values, sizes, stride=1, padding=margins, count_include_pad=False)
