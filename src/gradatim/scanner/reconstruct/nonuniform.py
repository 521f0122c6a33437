"""Images of samples anywhere in k-space: weighted least squares through any non-uniform Fourier operator."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gradatim.base.errors import InputError
from gradatim.base.raw import RawData
from gradatim.linop.nonuniform import NonUniformFourier
from gradatim.linop.operator import LinearOperator
from gradatim.scanner.reconstruct.box import Reconstructed, box_of, one_image
from gradatim.scanner.reconstruct.cartesian import BESIDE
from gradatim.solve.least_squares import ConjugateGradientLeastSquares
from gradatim.solve.stopping import IterationBound, SmallResidual

Maker = Callable[[tuple[int, ...], Tensor], LinearOperator]


@dataclass(frozen=True)
class DensityCompensation:
    """Weights w that make A·A*·w as even as it can be: w ← w / |A A* w|, from ones.

    Args:
        iterations: how often.

    Source:
        Pipe & Menon, Magn Reson Med 41:179-186, 1999.

    Example:
        >>> A = NonUniformFourier((4,), torch.tensor([[-2.0], [-1.0], [0.0], [0.0], [1.0]]).double(), width=8)
        >>> [round(v, 2) for v in DensityCompensation()(A).tolist()]
        [1.0, 1.0, 0.5, 0.5, 1.0]
    """

    iterations: int = 10

    def __call__(self, operator: LinearOperator) -> Tensor:
        """Weights of the samples, (points,), real, float64."""
        weights = torch.ones(operator.codomain_shape, dtype=torch.complex128)
        with torch.no_grad():
            for _ in range(self.iterations):
                weights = weights / operator.apply(operator.adjoint(weights)).abs()
        return weights.real


@dataclass(frozen=True)
class NonUniform:
    """Minimises Σᵢ wᵢ|(A ρ)ᵢ − sᵢ|² by conjugate gradients, A the non-uniform Fourier transform.

    With weights that compensate the density of samples the first iteration is gridding, and few more suffice. Stopped
    early, it regularises. Axes of one voxel are integrated over. Samples beyond the matrix are left out.

    Args:
        matrix: voxels along x, y and z; by default the raw data's.
        extent: field of view, m; by default the raw data's.
        centre: of the middle voxel, m.
        operator: makes A from the image's shape and the points (n, axes) in cycles per field of view; e.g.
            :class:`~gradatim.linop.nonuniform.NonUniformFourier` or :class:`~gradatim.linop.finufft.FinufftFourier`.
        compensation: gives w, or none for equal weights.
        solver: of the least-squares problem.

    Raises:
        InputError: GD-810 if k moves along an axis of one voxel; GD-811, GD-813, GD-815 as
            :class:`~gradatim.scanner.reconstruct.cartesian.Cartesian`; GD-814 if no sample lies inside the matrix.

    Example:
        >>> k = torch.tensor([-2.0, -1.0, 0.0, 1.0]).double()
        >>> raw = RawData(torch.ones(1, 4).double() + 0j, torch.stack([k, 0 * k, 0 * k], 1), 0 * k,
        ...               torch.zeros(4, dtype=torch.int64))
        >>> found = NonUniform((4, 1, 1), (1.0, 1.0, 1.0))(raw).image[0, :, 0, 0]
        >>> [round(v, 3) + 0.0 for v in found.real.tolist()]
        [0.0, 0.0, 4.0, 0.0]
    """

    matrix: tuple[int, int, int] | None = None
    extent: tuple[float, float, float] | None = None
    centre: tuple[float, float, float] = (0.0, 0.0, 0.0)
    operator: Maker = NonUniformFourier
    compensation: DensityCompensation | None = field(default_factory=DensityCompensation)
    solver: ConjugateGradientLeastSquares = field(
        default_factory=lambda: ConjugateGradientLeastSquares(IterationBound(20) | SmallResidual(1e-6))
    )

    def __call__(self, raw: RawData) -> Reconstructed:
        """Reconstruct.

        Args:
            raw: samples of one image.
        """
        raw = one_image(raw)
        box = box_of(raw, self.matrix, self.extent, self.centre)
        steps = raw.position.double() * torch.tensor(box.extent, dtype=torch.float64)
        wide = [axis for axis in range(3) if box.matrix[axis] > 1]
        for axis in set(range(3)) - set(wide):
            moved = float(steps[:, axis].detach().max() - steps[:, axis].detach().min())
            if moved > 10 * BESIDE:
                raise InputError(
                    "GD-810",
                    given=f"samples that move by {moved:.3g} of a step along {'xyz'[axis]}, where there is one voxel",
                    allowed="several voxels along each axis that is encoded",
                    do="give the matrix of all three axes",
                )
        shape = tuple(box.matrix[axis] for axis in wide) or (1,)
        inside = torch.stack([steps[:, axis].abs() <= (box.matrix[axis] + 1) / 2 for axis in range(3)]).all(0)
        if not bool(inside.any()):
            raise InputError(
                "GD-814", given="no sample inside the matrix", allowed="samples near k = 0", do="correct the extent"
            )
        operator = self.operator(shape, steps[inside][:, wide or [0]])
        weights = None if self.compensation is None else self.compensation(operator).to(raw.samples.real.dtype)
        found = self.solver(box.centred(raw)[:, inside], operator=operator, weights=weights).value
        voxels = math.prod(box.matrix)
        image = found.reshape(len(found), *box.matrix) * (math.sqrt(voxels) / box.volume)
        return Reconstructed(image, box.grid)
