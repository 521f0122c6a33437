"""In what images are sparse: the priors of compressed sensing."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.linop.difference import PeriodicGradient
from gradatim.linop.local_cosines import LocalCosines
from gradatim.linop.shift_invariant import ShiftInvariant
from gradatim.solve.function import Function
from gradatim.solve.norms import L1, GroupL1


class Sparsity(ABC):
    """A prior R(x) = Σ w|K x| with weights w that may be set voxel by voxel.

    Source:
        Lustig, Donoho & Pauly, Magn Reson Med 58:1182-1195, 2007.
    """

    @abstractmethod
    def operator(self, shape: tuple[int, ...]) -> ShiftInvariant:
        """K, for images of a shape that repeat themselves."""

    @abstractmethod
    def function(self, weights: Tensor) -> Function:
        """Σ w|·|, with the weights that :meth:`weights` gives."""

    @abstractmethod
    def weights(self, coefficients: Tensor, floor: float) -> Tensor:
        """w = floor / (local size of K x + floor), at most 1: what is large is taken for real. 1 where K x = 0."""


@dataclass(frozen=True)
class TotalVariation(Sparsity):
    """Isotropic total variation Σ √(Σᵢ |∂ᵢ x|²) by forward differences a voxel apart, periodic: flat patches.

    Source:
        Rudin, Osher & Fatemi, Physica D 60:259-268, 1992.

    Example:
        >>> steps = torch.tensor([[0.0, 0.0, 2.0, 2.0]]).expand(4, 4)
        >>> TotalVariation().function(torch.ones(4, 4)).value(TotalVariation().operator((4, 4)).apply(steps)).item()
        16.0
    """

    def operator(self, shape: tuple[int, ...]) -> PeriodicGradient:
        return PeriodicGradient(shape, (1.0,) * len(shape))

    def function(self, weights: Tensor) -> GroupL1:
        return GroupL1(weights, axis=-1 - weights.ndim)

    def weights(self, coefficients: Tensor, floor: float) -> Tensor:
        return floor / (torch.linalg.vector_norm(coefficients, dim=0) + floor)


@dataclass(frozen=True)
class CosineSparsity(Sparsity):
    """Few local frequencies: Σ w|K x| over the cosines of all overlapping blocks, their means left free.

    The local size, from which weights are made, is the root mean square of a coefficient over the 3^d
    neighbouring blocks, so that a detail is kept or smoothed as a whole.

    Args:
        size: edge of a block, voxels.

    Source:
        Frame: :class:`~gradatim.linop.local_cosines.LocalCosines`. Shrinkage by what the neighbours hold: Cai &
        Silverman, Sankhya B 63:127-148, 2001; here it makes the weights of reweighted ℓ1.

    Example:
        >>> prior = CosineSparsity(2)
        >>> prior.function(torch.ones(4, 1, 1)).value(prior.operator((4, 4)).apply(torch.ones(4, 4))).item()
        16.0
    """

    size: int = 4

    def operator(self, shape: tuple[int, ...]) -> LocalCosines:
        return LocalCosines(shape, self.size)

    def function(self, weights: Tensor) -> L1:
        return L1(weights)

    def weights(self, coefficients: Tensor, floor: float) -> Tensor:
        power = coefficients.abs().square()
        for axis in range(1, power.ndim):
            power = (power + power.roll(1, axis) + power.roll(-1, axis)) / 3.0
        found = floor / (power.sqrt() + floor)
        found[0] = 0.0
        return found
