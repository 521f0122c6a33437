"""Priors on how an image varies, as terms of a problem: total variation and its relatives.

Each takes λ as ``weight`` and states its unit; [x] is the unit of the image and [F] that of the objective,
which is 1 where the data term is weighted with inverse variances. Gradients have a free boundary (no flux
through the faces). For a periodic one, as :class:`gradatim.solve.admm.Admm` needs it, write the term out:
``Term(GroupL1(axis=-3), PeriodicGradient((64, 64), (1.0, 1.0)), weight)``.
"""

import math

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.difference import Gradient, Shape, Spacing
from gradatim.linop.slope import SlopeMismatch, SlopePart
from gradatim.linop.symmetrised import SymmetrisedGradient
from gradatim.solve.norms import L1, GroupHuber, GroupL1, SquaredL2
from gradatim.solve.problem import Term

BEND_VOXELS = 2.0
"""α₀/α₁ of total generalised variation in mean voxel edges, as is customary."""


def total_variation(shape: Shape, spacing: Spacing, *, weight: float | Tensor) -> Term:
    """Isotropic total variation λ Σ ‖∇x‖₂: flat regions with sharp borders.

    Args:
        shape: of the image, (x, y) or (x, y, z).
        spacing: voxel edges, mm.
        weight: λ, [F]·mm/[x].

    Source:
        Rudin, Osher & Fatemi, Physica D 60:259-268, 1992.

    Example:
        >>> step = torch.tensor([0.0, 0.0, 1.0]).view(3, 1)
        >>> total_variation((3, 1), (0.5, 1.0), weight=0.1).value(step).item()
        0.2
    """
    return Term(GroupL1(axis=_vectors(shape)), Gradient(shape, spacing), weight)


def smoothed_total_variation(shape: Shape, spacing: Spacing, *, weight: float | Tensor, slope: float) -> Term:
    """Huber's total variation λ Σ φ(‖∇x‖₂), quadratic below a slope, so that ramps do not become stairs.

    Args:
        shape: of the image.
        spacing: voxel edges, mm.
        weight: λ, [F]·mm/[x].
        slope: δ, [x]/mm, from which on a slope counts as an edge.

    Source:
        Chambolle & Pock, J Math Imaging Vis 40:120-145, 2011, section 6.2.3.

    Example:
        >>> step = torch.tensor([0.0, 0.0, 1.0]).view(3, 1)
        >>> smoothed_total_variation((3, 1), (1.0, 1.0), weight=1.0, slope=0.5).value(step).item()
        0.75
    """
    return Term(GroupHuber(slope, axis=_vectors(shape)), Gradient(shape, spacing), weight)


def sobolev(shape: Shape, spacing: Spacing, *, weight: float | Tensor) -> Term:
    """½λ Σ |∇x|², Tikhonov's penalty on the gradient: smooth everywhere.

    Args:
        shape: of the image.
        spacing: voxel edges, mm.
        weight: λ, [F]·mm²/[x]².

    Source:
        Tikhonov, Soviet Math Dokl 4:1035-1038, 1963.

    Example:
        >>> sobolev((3, 1), (0.5, 1.0), weight=1.0).value(torch.tensor([[0.0], [0.0], [1.0]])).item()
        2.0
    """
    return Term(SquaredL2(), Gradient(shape, spacing), weight)


def generalised_variation(
    shape: Shape, spacing: Spacing, *, weight: float | Tensor, length_mm: float | None = None
) -> tuple[Term, Term]:
    """Second-order total generalised variation, min over w of α₁ Σ ‖∇x − w‖₂ + α₀ Σ ‖E w‖, as two terms.

    Ramps cost nothing, up to the border; steps and bends do. The terms act on the stack (x, s) of shape
    (1 + d, *shape), s = ℓ·w with ℓ the geometric mean of the voxel edges: see
    :class:`gradatim.linop.slope.ValuePart`, which gives the data term its image and the caller the result.

    Args:
        shape: of the image.
        spacing: voxel edges, mm.
        weight: λ = α₁, [F]·mm/[x].
        length_mm: α₀/α₁ > 0; of two bends nearer than about this, a step is made. Twice ℓ by default.

    Raises:
        UsageError: GD-101 if the length is not positive and finite.

    Source:
        Bredies, Kunisch & Pock, SIAM J Imaging Sci 3:492-526, 2010; Knoll et al., Magn Reson Med 65:480-491, 2011.

    Example:
        >>> from gradatim.linop.slope import ValuePart
        >>> from gradatim.solve.distances import SquaredDistance
        >>> from gradatim.solve.problem import Problem
        >>> shape, edges = (8, 6), (1.0, 1.0)
        >>> data = Term(SquaredDistance(torch.zeros(shape)), ValuePart(shape))
        >>> F = Problem((data, *generalised_variation(shape, edges, weight=0.1)))
        >>> F.domain_shape
        (3, 8, 6)
    """
    edge = math.prod(spacing) ** (1.0 / len(spacing))
    length = BEND_VOXELS * edge if length_mm is None else length_mm
    if not (math.isfinite(length) and length > 0):
        raise UsageError("GD-101", given=f"length_mm {length}", allowed="a positive number", do="see the default")
    vectors = _vectors(shape)
    return (
        Term(GroupL1(axis=vectors), SlopeMismatch(shape, spacing, edge), weight),
        Term(GroupL1(axis=vectors), SymmetrisedGradient(shape, spacing) @ SlopePart(shape), weight * (length / edge)),
    )


def morphology_weighted(
    magnitude: Tensor, spacing: Spacing, *, mask: Tensor, weight: float | Tensor, edge_share: float = 0.3
) -> Term:
    """λ Σ |M ∇x| with M = 0 on the edges of another image: edges may stand where anatomy has them (MEDI).

    An edge is where a component of the magnitude's gradient is among the largest of all within the mask.

    Args:
        magnitude: image with the anatomy, of the shape of x; any unit.
        spacing: voxel edges, mm.
        mask: bool, where the share of edges is counted.
        weight: λ, [F]·mm/[x].
        edge_share: of gradient components that are edges, in [0, 1).

    Raises:
        UsageError: GD-101 if the share is out of range, GD-103 if image and mask differ in shape.

    Source:
        Liu et al., NeuroImage 59:2560-2568, 2012.

    Example:
        >>> step = torch.tensor([0.0, 0.0, 5.0, 5.0]).view(4, 1)
        >>> inside = torch.ones(4, 1, dtype=torch.bool)
        >>> morphology_weighted(step, (1.0, 1.0), mask=inside, weight=1.0, edge_share=0.2).value(step).item()
        0.0
    """
    if not 0.0 <= edge_share < 1.0:
        raise UsageError("GD-101", given=f"edge_share {edge_share}", allowed="0 ≤ share < 1", do="use 0.3")
    if magnitude.shape != mask.shape:
        raise UsageError(
            "GD-103",
            given=f"a magnitude of shape {tuple(magnitude.shape)} and a mask of shape {tuple(mask.shape)}",
            allowed="one shape",
            do="use the mask of the same image",
        )
    gradient = Gradient(tuple(magnitude.shape), spacing)
    with torch.no_grad():
        steep = gradient.apply(magnitude).abs()
        inside = steep[mask.expand(steep.shape)]
        rank = math.ceil((1.0 - edge_share) * inside.numel())
        limit = inside.kthvalue(rank).values if rank else inside.new_zeros(())
    return Term(L1((steep <= limit).to(magnitude.dtype)), gradient, weight)


def _vectors(shape: Shape) -> int:
    """The axis of the components of a vector field on that grid."""
    return -len(shape) - 1
