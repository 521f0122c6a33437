"""Linear maps that a Fourier transform makes diagonal, for exact solves."""

from abc import abstractmethod

from torch import Tensor

from gradatim.linop.operator import LinearOperator


class ShiftInvariant(LinearOperator):
    """A linear map of images whose Gram operator A*A is a periodic convolution with a real kernel.

    Solvers use three facts about it on real images of any dimension. All spectra are half spectra as
    ``torch.fft.rfftn`` gives them, (..., x, y, z // 2 + 1) in 3-D and (..., x, y // 2 + 1) in 2-D.

    - ``gram_symbol``: the real symbol g ≥ 0 of A*A, so that A*A x = F⁻¹(g · F x).
    - ``adjoint_spectrum``: F(A* y), without going back to the voxels first.
    - ``forward_from``: A x where F x is already there.

    All three are differentiable as ``apply`` is.
    """

    @abstractmethod
    def gram_symbol(self, like: Tensor) -> Tensor:
        """Symbol of A*A, (x, y, z // 2 + 1), real, in the precision and on the device of ``like``."""

    @abstractmethod
    def adjoint_spectrum(self, y: Tensor) -> Tensor:
        """F(A* y), complex half spectrum of shape (..., x, y, z // 2 + 1)."""

    @abstractmethod
    def forward_from(self, spectrum: Tensor, x: Tensor) -> Tensor:
        """A x, given both F x and x; may return x itself."""
