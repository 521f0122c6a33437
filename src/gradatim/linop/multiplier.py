"""Periodic convolution with a real kernel, written as a multiplication in Fourier space."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.fft import half_shape, irfftn, rfftn
from gradatim.linop.shift_invariant import ShiftInvariant
from gradatim.linop.tracing import transforming, watched


@dataclass(frozen=True, eq=False)
class FourierMultiplier(ShiftInvariant):
    """A x = F⁻¹(s · F x), a periodic convolution with a real kernel.

    Of a complex image it convolves the real and the imaginary part.

    Args:
        symbol: s, (x, y, z // 2 + 1) or (x, y // 2 + 1), real or complex; the half spectrum of a *real* kernel.
        shape: (x, y, z) or (x, y).

    Raises:
        UsageError: GD-103 if the symbol has another shape; GD-101 if no real kernel has this symbol,
            that is if s(−k) is not the conjugate of s(k) on the planes k_z = 0 and k_z = Nyquist (not looked
            at within a transform of ``torch.func``).

    Example:
        >>> halve = FourierMultiplier(torch.full((2, 2), 0.5), (2, 2))
        >>> halve.apply(torch.ones(2, 2)).sum().item()
        2.0
    """

    symbol: Tensor
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        if tuple(self.symbol.shape) != half_shape(self.shape):
            raise UsageError(
                "GD-103",
                given=f"a symbol of shape {tuple(self.symbol.shape)} for images {self.shape}",
                allowed=f"shape {half_shape(self.shape)}",
                do="give the half spectrum, as rfftn makes it",
            )
        # within a transform of torch.func a value may stand for many, and nothing can be said of it
        asymmetry = 0.0 if transforming() else _asymmetry(self.symbol.detach(), self.shape)
        if asymmetry > 1e-5:
            raise UsageError(
                "GD-101",
                given=f"a symbol whose mirror images differ by {asymmetry:.2g} of its largest value",
                allowed="s(−k) = conj(s(k)), the symbol of a real kernel",
                do="average s over both signs of each Nyquist frequency",
            )

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        return self.shape

    def _forward(self, x: Tensor) -> Tensor:
        return in_parts(lambda part: self.forward_from(rfftn(part, ndim=len(self.shape)), part), x)

    def _adjoint(self, y: Tensor) -> Tensor:
        return in_parts(lambda part: irfftn(self.adjoint_spectrum(part), self.shape), y)

    def norm_bound(self) -> float:
        return float(self.symbol.detach().abs().max())

    def gram_symbol(self, like: Tensor) -> Tensor:
        symbol = self._symbol(like)
        return symbol.abs().square() if symbol.is_complex() else symbol.square()

    def adjoint_spectrum(self, y: Tensor) -> Tensor:
        spectrum, symbol = rfftn(y, ndim=len(self.shape)), self._symbol(y).conj()
        return spectrum * symbol if watched(symbol) else spectrum.mul_(symbol)

    def forward_from(self, spectrum: Tensor, x: Tensor) -> Tensor:
        return irfftn(spectrum * self._symbol(x), self.shape)

    def _symbol(self, like: Tensor) -> Tensor:
        dtype = like.dtype.to_complex() if self.symbol.is_complex() else like.dtype.to_real()
        if self.symbol.requires_grad or watched(self.symbol) or transforming():  # it may learn, or be many
            return self.symbol.to(device=like.device, dtype=dtype)
        key = (like.device, dtype)
        if key not in self._converted:
            self._converted[key] = self.symbol.to(device=like.device, dtype=dtype)
        return self._converted[key]

    @cached_property
    def _converted(self) -> dict[tuple[torch.device, torch.dtype], Tensor]:
        """The symbol in each precision and on each device it was needed, so that solvers convert once."""
        return {}


def in_parts(real_map: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """A linear map of real images on x, real or complex; a complex x as a batch of its two parts."""
    if not x.is_complex():
        return real_map(x)
    real, imaginary = real_map(torch.stack((x.real, x.imag)))
    return torch.complex(real, imaginary)


def _asymmetry(symbol: Tensor, shape: tuple[int, ...]) -> float:
    planes = symbol[..., [0, -1]] if shape[-1] % 2 == 0 else symbol[..., [0]]
    axes = tuple(range(len(shape) - 1))
    mirrored = torch.roll(planes.flip(axes), (1,) * len(axes), axes) if axes else planes
    largest = float(symbol.abs().max())
    return float((planes - mirrored.conj()).abs().max()) / largest if largest > 0 else 0.0
