"""The size rule of transposed convolutions: which output size follows from which numbers, and back."""

from dataclasses import dataclass

from gradatim.base.errors import UsageError

PerAxis = int | tuple[int, ...]
"""One number for every axis, or one number an axis."""


def transposed_size(
    size: int, kernel: int, *, stride: int = 1, padding: int = 0, output_padding: int = 0, dilation: int = 1
) -> int:
    """Output size of a transposed convolution along one axis, (n − 1)·s − 2p + d·(k − 1) + q + 1.

    It is the size m whose strided convolution has ⌊(m + 2p − d(k − 1) − 1)/s⌋ + 1 = n outputs. There are
    s such sizes; q says which.

    Args:
        size: n, input size, ≥ 1.
        kernel: k, taps, ≥ 1.
        stride: s ≥ 1.
        padding: p ≥ 0, outputs cropped at both ends.
        output_padding: q, outputs added at the far end, 0 ≤ q < max(s, d).
        dilation: d ≥ 1, distance between taps.

    Returns:
        m ≥ 1.

    Raises:
        UsageError: GD-120 if a number is out of range or nothing is left of the output.

    Source:
        Dumoulin & Visin, arXiv 1603.07285, relationship 14.

    Example:
        >>> [transposed_size(n, 4, stride=2, padding=1) for n in (1, 7, 32)]
        [2, 14, 64]
    """
    found = (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1
    positive = min(size, kernel, stride, dilation) >= 1 and padding >= 0
    if not positive or not 0 <= output_padding < max(stride, dilation) or found < 1:
        raise UsageError(
            "GD-120",
            given=f"size {size}, kernel {kernel}, stride {stride}, padding {padding}, "
            f"output padding {output_padding}, dilation {dilation}: output size {found}",
            allowed="size, kernel, stride, dilation ≥ 1, padding ≥ 0, 0 ≤ output padding < max(stride, dilation), "
            "output size ≥ 1",
            do="crop less, or take a longer kernel",
        )
    return found


def output_padding_for(
    size: int, target: int, kernel: int, *, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    """The output padding that brings an axis to a wanted size, as a decoder needs for odd sizes.

    Args:
        size: n, input size.
        target: wanted output size.
        kernel: k, taps.
        stride: s.
        padding: p.
        dilation: d.

    Returns:
        q = target − ((n − 1)·s − 2p + d·(k − 1) + 1).

    Raises:
        UsageError: GD-120 if no allowed q gives that size.

    Example:
        >>> [output_padding_for(4, target, 3, stride=2, padding=1) for target in (7, 8)]
        [0, 1]
    """
    least = (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1
    if not 0 <= target - least < max(stride, dilation):
        raise UsageError(
            "GD-120",
            given=f"output size {target} from size {size}, kernel {kernel}, stride {stride}, padding {padding}, "
            f"dilation {dilation}",
            allowed=f"sizes from {least} to {least + max(stride, dilation) - 1}",
            do="change the padding or the kernel",
        )
    return target - least


@dataclass(frozen=True)
class Strides:
    """The four numbers of a transposed convolution, one an axis.

    Args:
        stride: s.
        padding: p.
        output_padding: q.
        dilation: d.

    Example:
        >>> Strides.over(2, stride=2, padding=(1, 0)).padding
        (1, 0)
    """

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    output_padding: tuple[int, ...]
    dilation: tuple[int, ...]

    @classmethod
    def over(
        cls, axes: int, *, stride: PerAxis = 1, padding: PerAxis = 0, output_padding: PerAxis = 0, dilation: PerAxis = 1
    ) -> "Strides":
        """The numbers for so many axes, a single one repeated.

        Raises:
            UsageError: GD-103 if the lengths differ from the number of axes.
        """
        return cls(*(_each(value, axes) for value in (stride, padding, output_padding, dilation)))

    def output_shape(self, shape: tuple[int, ...], kernel: tuple[int, ...]) -> tuple[int, ...]:
        """:func:`transposed_size` of every axis."""
        numbers = zip(shape, kernel, self.stride, self.padding, self.output_padding, self.dilation, strict=True)
        return tuple(
            transposed_size(n, k, stride=s, padding=p, output_padding=q, dilation=d) for n, k, s, p, q, d in numbers
        )


def _each(value: PerAxis, axes: int) -> tuple[int, ...]:
    numbers = (value,) * axes if isinstance(value, int) else value
    if len(numbers) != axes:
        raise UsageError(
            "GD-103", given=f"{numbers} for {axes} axes", allowed="one number, or one an axis", do="count the axes"
        )
    return numbers
