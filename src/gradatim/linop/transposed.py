"""Transposed convolution: every input paints its kernel into a finer output; and its adjoint."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.operator import LinearOperator
from gradatim.linop.polyphase import convolve_by_phases, spatial_axes
from gradatim.linop.strides import PerAxis, Strides

_TRANSPOSED = {
    1: torch.nn.functional.conv_transpose1d,
    2: torch.nn.functional.conv_transpose2d,
    3: torch.nn.functional.conv_transpose3d,
}
_STRIDED = {1: torch.nn.functional.conv1d, 2: torch.nn.functional.conv2d, 3: torch.nn.functional.conv3d}

MOST_FILLING = 1.2
"""Phases are taken where their kernels, filled up with zeros, hold at most so many times the taps."""
MOST_FILLING_OF_ONE = 4.0
"""The same for one channel, where the direct form of torch is slow."""


def convolve_transposed(
    x: Tensor,
    kernel: Tensor,
    *,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    output_padding: PerAxis = 0,
    dilation: PerAxis = 1,
) -> Tensor:
    """y[n] = Σᵢ x[i]·w[(n + p − s·i)/d] over the i for which the index is a whole number of a tap.

    Equal to ``torch.nn.functional.conv_transpose1d``, ``2d`` and ``3d``. Of two forms the faster is
    taken: by phases where the stride divides the kernel, or there is one channel; else torch's own.

    Args:
        x: (batch, in, *shape), real or complex. Differentiable.
        kernel: w, (in, out, *k), real. Differentiable; taken to the precision of x.
        stride: s ≥ 1.
        padding: p ≥ 0, outputs cropped at both ends.
        output_padding: q, outputs added at the far end, 0 ≤ q < max(s, d).
        dilation: d ≥ 1, distance between taps.

    Returns:
        (batch, out, *shape'), the shape by :func:`~gradatim.linop.strides.transposed_size`.

    Raises:
        UsageError: GD-103 if channels or numbers of axes disagree; GD-120 if the output would be empty or
            q is out of range; GD-121 if the kernel has not one to three spatial axes.

    Source:
        Dumoulin & Visin, arXiv 1603.07285.

    Example:
        >>> convolve_transposed(torch.ones(1, 1, 2), torch.ones(1, 1, 4), stride=2, padding=1).tolist()
        [[[1.0, 2.0, 2.0, 1.0]]]
    """
    axes = spatial_axes(kernel)
    if x.ndim != axes + 2 or x.shape[1] != kernel.shape[0]:
        raise UsageError(
            "GD-103",
            given=f"x of shape {tuple(x.shape)} and a kernel of shape {tuple(kernel.shape)}",
            allowed="(batch, in, *shape) and (in, out, *k) with as many axes",
            do="check the order of the axes",
        )
    numbers = Strides.over(axes, stride=stride, padding=padding, output_padding=output_padding, dilation=dilation)
    numbers.output_shape(tuple(x.shape[2:]), tuple(kernel.shape[2:]))
    if x.is_complex():
        return torch.complex(_convolve_real(x.real, kernel, numbers), _convolve_real(x.imag, kernel, numbers))
    return _convolve_real(x, kernel, numbers)


def convolve_strided(
    y: Tensor,
    kernel: Tensor,
    *,
    shape: tuple[int, ...],
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
) -> Tensor:
    """x[i] = Σₙ y[n]·w[(n + p − s·i)/d]: the strided convolution whose adjoint is the transposed one.

    Args:
        y: (batch, out, *shape'), real or complex. Differentiable.
        kernel: w, (in, out, *k) as for :func:`convolve_transposed`. Differentiable.
        shape: of the result; a stride maps several sizes to one, and the output padding that made
            ``shape'`` may reach beyond.
        stride: s.
        padding: p, zeros put at both ends.
        dilation: d.

    Returns:
        (batch, in, *shape).

    Example:
        >>> convolve_strided(torch.ones(1, 1, 4), torch.ones(1, 1, 4), shape=(2,), stride=2, padding=1).tolist()
        [[[3.0, 3.0]]]
    """
    if y.is_complex():
        parts = (
            convolve_strided(part, kernel, shape=shape, stride=stride, padding=padding, dilation=dilation)
            for part in (y.real, y.imag)
        )
        return torch.complex(*parts)
    axes = spatial_axes(kernel)
    n = Strides.over(axes, stride=stride, padding=padding, dilation=dilation)
    weights = kernel.to(device=y.device, dtype=y.dtype)
    found = _STRIDED[axes](y, weights, stride=n.stride, padding=n.padding, dilation=n.dilation)
    window: tuple = (..., *(slice(0, size) for size in shape))
    return found[window]


@dataclass(frozen=True, eq=False)
class TransposedConvolution(LinearOperator):
    """Transposed convolution as a linear map; its adjoint is the strided convolution of the same kernel.

    Take ``.H`` for a convolution that blurs and decimates at once. Whether values are intensive or
    extensive is for the kernel to say: its sum is Πs for a total of concentration times cell volume, and
    1 for a total of amounts, as long as nothing is cropped; a flat field stays flat iff all
    :func:`~gradatim.linop.polyphase.phase_sums` are 1.

    Args:
        kernel: w, real, (in, out, *k), or (*k) for one channel that has no axis of its own. Gradients
            flow to it if it requires them.
        shape: of the input without its channels.
        stride: s, one number or one an axis.
        padding: p.
        output_padding: q.
        dilation: d.

    Returns (apply):
        (..., out, *shape') from (..., in, *shape), or (..., *shape') from (..., *shape).

    Raises:
        UsageError: GD-103, GD-120 or GD-121 as for :func:`convolve_transposed`.

    Example:
        >>> double = TransposedConvolution(torch.ones(4, 4), (3, 5), stride=2, padding=1)
        >>> double.codomain_shape
        (6, 10)
    """

    kernel: Tensor
    shape: tuple[int, ...]
    stride: PerAxis = 1
    padding: PerAxis = 0
    output_padding: PerAxis = 0
    dilation: PerAxis = 1

    def __post_init__(self) -> None:
        axes = len(self.shape)
        if self.kernel.ndim not in (axes, axes + 2):
            raise UsageError(
                "GD-103",
                given=f"a kernel of shape {tuple(self.kernel.shape)} for images {self.shape}",
                allowed=f"{axes} axes, or two more in front for channels in and out",
                do="bring the kernel to the axes of the image",
            )
        self._numbers.output_shape(self.shape, self._taps)

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return (*self.kernel.shape[:1], *self.shape) if self._has_channels else self.shape

    @property
    def codomain_shape(self) -> tuple[int, ...]:
        finer = self._numbers.output_shape(self.shape, self._taps)
        return (*self.kernel.shape[1:2], *finer) if self._has_channels else finer

    def _forward(self, x: Tensor) -> Tensor:
        found = convolve_transposed(
            self._batched(x, self.domain_shape),
            self._weights,
            stride=self.stride,
            padding=self.padding,
            output_padding=self.output_padding,
            dilation=self.dilation,
        )
        return found.reshape(*x.shape[: x.ndim - len(self.domain_shape)], *self.codomain_shape)

    def _adjoint(self, y: Tensor) -> Tensor:
        numbers = self._numbers
        found = convolve_strided(
            self._batched(y, self.codomain_shape),
            self._weights,
            shape=self.shape,
            stride=numbers.stride,
            padding=numbers.padding,
            dilation=numbers.dilation,
        )
        return found.reshape(*y.shape[: y.ndim - len(self.codomain_shape)], *self.domain_shape)

    @property
    def _has_channels(self) -> bool:
        return self.kernel.ndim > len(self.shape)

    @property
    def _weights(self) -> Tensor:
        return self.kernel if self._has_channels else self.kernel[None, None]

    @property
    def _taps(self) -> tuple[int, ...]:
        return tuple(self._weights.shape[2:])

    @property
    def _numbers(self) -> Strides:
        return Strides.over(
            len(self.shape),
            stride=self.stride,
            padding=self.padding,
            output_padding=self.output_padding,
            dilation=self.dilation,
        )

    def _batched(self, x: Tensor, shape: tuple[int, ...]) -> Tensor:
        return x.reshape(-1, *(shape if self._has_channels else (1, *shape)))


def _convolve_real(x: Tensor, kernel: Tensor, numbers: Strides) -> Tensor:
    weights = kernel.to(device=x.device, dtype=x.dtype)
    if _phases_are_faster(weights, numbers):
        return convolve_by_phases(
            x,
            weights,
            stride=numbers.stride,
            padding=numbers.padding,
            output_padding=numbers.output_padding,
            dilation=numbers.dilation,
        )
    return _TRANSPOSED[x.ndim - 2](
        x,
        weights,
        stride=numbers.stride,
        padding=numbers.padding,
        output_padding=numbers.output_padding,
        dilation=numbers.dilation,
    )


def _phases_are_faster(kernel: Tensor, numbers: Strides) -> bool:
    filling = 1.0
    for k, s, d in zip(kernel.shape[2:], numbers.stride, numbers.dilation, strict=True):
        filling *= -(-(d * (k - 1) + 1) // s) * s / k
    one = kernel.shape[0] == kernel.shape[1] == 1
    return max(numbers.stride) > 1 and filling <= (MOST_FILLING_OF_ONE if one else MOST_FILLING)
