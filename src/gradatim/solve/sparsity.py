"""Few coefficients in a wavelet basis, as a term of a problem."""

import torch
from torch import Tensor

from gradatim.linop.identity import Identity
from gradatim.linop.wavelet import Wavelet
from gradatim.solve.basis import InBasis
from gradatim.solve.norms import L1
from gradatim.solve.problem import Term


def wavelet_sparsity(
    wavelet: Wavelet, *, weight: float | Tensor, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> Term:
    """λ Σ |W x| over the differences of every level; the coarsest averages are free, as they are not sparse.

    It stands behind the identity, so that every solver takes it and its prox is one shrinkage.

    Args:
        wavelet: W.
        weight: λ, unit of the objective per unit of the image (W keeps lengths).
        device: where the image lies.
        dtype: precision of the image.

    Source:
        Donoho & Johnstone, Biometrika 81:425-455, 1994; Daubechies, Defrise & De Mol, Comm Pure Appl Math
        57:1413-1457, 2004.

    Example:
        >>> from gradatim.linop.wavelet_filter import daubechies
        >>> haar = wavelet_sparsity(Wavelet((2,), 1, daubechies(1)), weight=0.5)
        >>> round(haar.value(torch.tensor([3.0, 1.0])).item(), 4)
        0.7071
    """
    details = wavelet.details().to(device=device, dtype=dtype)
    return Term(InBasis(L1(details), wavelet), Identity(wavelet.shape), weight)
