"""A transposed convolution written with plain ones: the sub-kernels of a stride, and what they sum to."""

from itertools import chain

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.strides import PerAxis, Strides

_CONVOLVE = {1: torch.nn.functional.conv1d, 2: torch.nn.functional.conv2d, 3: torch.nn.functional.conv3d}


def phase_kernels(kernel: Tensor, *, stride: PerAxis, dilation: PerAxis = 1) -> Tensor:
    """The sub-kernels w_r[j] = w[r + s·j] of a kernel, one a phase r = 0 … s − 1 of the output.

    The output at s·m + r of a transposed convolution is (w_r * x)[m], a plain convolution. Kernels whose
    length s does not divide end in zeros.

    Args:
        kernel: w, (in, out, *k) with one to three axes k. Differentiable.
        stride: s.
        dilation: zeros are put between the taps first.

    Returns:
        (in, out, *s, *⌈(d(k − 1) + 1)/s⌉).

    Raises:
        UsageError: GD-121 if the kernel has no such axes; GD-103 if the strides are too many or too few.

    Source:
        Vaidyanathan, Multirate Systems and Filter Banks, 1993, section 4.3.

    Example:
        >>> phase_kernels(torch.arange(5.0).view(1, 1, 5), stride=2)[0, 0].tolist()
        [[0.0, 2.0, 4.0], [1.0, 3.0, 0.0]]
    """
    axes = spatial_axes(kernel)
    numbers = Strides.over(axes, stride=stride, dilation=dilation)
    kernel = _dilated(kernel, numbers.dilation)
    taps = [-(-k // s) for k, s in zip(kernel.shape[2:], numbers.stride, strict=True)]
    missing = [j * s - k for j, s, k in zip(taps, numbers.stride, kernel.shape[2:], strict=True)]
    whole = torch.nn.functional.pad(kernel, list(chain(*((0, m) for m in reversed(missing)))))
    split = whole.reshape(*kernel.shape[:2], *chain(*zip(taps, numbers.stride, strict=True)))
    return split.permute(0, 1, *(3 + 2 * a for a in range(axes)), *(2 + 2 * a for a in range(axes)))


def phase_sums(kernel: Tensor, *, stride: PerAxis, dilation: PerAxis = 1) -> Tensor:
    """P_r = Σⱼ w[r + s·j]: what a constant 1 becomes at each phase of the output.

    A flat input stays flat iff they are all equal. That s divides k makes only the number of taps equal.

    Args:
        kernel: w, (in, out, *k). Differentiable.
        stride: s.
        dilation: d.

    Returns:
        (in, out, *s).

    Example:
        >>> phase_sums(torch.ones(1, 1, 3), stride=2)[0, 0].tolist()
        [2.0, 1.0]
    """
    axes = spatial_axes(kernel)
    return phase_kernels(kernel, stride=stride, dilation=dilation).sum(dim=tuple(range(-axes, 0)))


def convolve_by_phases(
    x: Tensor,
    kernel: Tensor,
    *,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    output_padding: PerAxis = 0,
    dilation: PerAxis = 1,
) -> Tensor:
    """The transposed convolution of :func:`~gradatim.linop.transposed.convolve_transposed`, by its phases.

    All sub-kernels run over the input in one plain convolution with s₁·s₂·… times as many outputs; these
    are then interleaved. No zero is put between the inputs. The cost is that of the direct form where s
    divides k; the zeros that fill up other kernels are multiplied too.

    Args:
        x: (batch, in, *shape), real. Differentiable.
        kernel: (in, out, *k), of the dtype of x. Differentiable.
        stride: s.
        padding: p.
        output_padding: q.
        dilation: d.

    Returns:
        (batch, out, *shape'), the shape by :func:`~gradatim.linop.strides.transposed_size`.

    Raises:
        UsageError: GD-103, GD-120 or GD-121 where the numbers do not fit.

    Example:
        >>> convolve_by_phases(torch.tensor([[[1.0, 10.0]]]), torch.tensor([[[1.0, 2.0, 3.0]]]), stride=2).tolist()
        [[[1.0, 2.0, 13.0, 20.0, 30.0]]]
    """
    axes = spatial_axes(kernel)
    numbers = Strides.over(axes, stride=stride, padding=padding, output_padding=output_padding, dilation=dilation)
    shape = numbers.output_shape(tuple(x.shape[2:]), tuple(kernel.shape[2:]))
    phases = phase_kernels(kernel, stride=numbers.stride, dilation=numbers.dilation)
    taps = phases.shape[2 + axes :]
    plain = phases.flatten(1, 1 + axes).transpose(0, 1).flip(tuple(range(2, 2 + axes)))
    found = _CONVOLVE[axes](x, plain, padding=[j - 1 for j in taps])
    apart = found.reshape(x.shape[0], kernel.shape[1], *numbers.stride, *found.shape[2:])
    together = apart.permute(0, 1, *chain(*((2 + axes + a, 2 + a) for a in range(axes))))
    whole = together.reshape(*apart.shape[:2], *(s * m for s, m in zip(numbers.stride, found.shape[2:], strict=True)))
    # beyond the last phase lies only what output padding asks for, which is zero
    ends = [p + m for p, m in zip(numbers.padding, shape, strict=True)]
    extra = [max(end - n, 0) for end, n in zip(ends, whole.shape[2:], strict=True)]
    whole = torch.nn.functional.pad(whole, list(chain(*((0, e) for e in reversed(extra))))) if any(extra) else whole
    window: tuple = (..., *(slice(p, end) for p, end in zip(numbers.padding, ends, strict=True)))
    return whole[window]


def spatial_axes(kernel: Tensor) -> int:
    """How many axes a kernel (in, out, *k) convolves, 1 to 3.

    Raises:
        UsageError: GD-121 for any other number of axes.

    Example:
        >>> spatial_axes(torch.ones(1, 1, 3, 3))
        2
    """
    if kernel.ndim - 2 not in _CONVOLVE or 0 in kernel.shape:
        raise UsageError(
            "GD-121",
            given=f"a kernel of shape {tuple(kernel.shape)}",
            allowed="(in, out, *k) with one to three axes k, none of them empty",
            do="give the axes of the channels first, of size 1 where there is one channel",
        )
    return kernel.ndim - 2


def _dilated(kernel: Tensor, dilation: tuple[int, ...]) -> Tensor:
    if all(d == 1 for d in dilation):
        return kernel
    sizes = (d * (k - 1) + 1 for d, k in zip(dilation, kernel.shape[2:], strict=True))
    spread = kernel.new_zeros((*kernel.shape[:2], *sizes))
    every: tuple = (..., *(slice(None, None, d) for d in dilation))
    spread[every] = kernel
    return spread
