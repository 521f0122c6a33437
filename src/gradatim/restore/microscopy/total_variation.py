"""Deconvolution of photon counts with total variation, certified."""

from dataclasses import dataclass

from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.diagonal import Mask
from gradatim.linop.difference import Gradient
from gradatim.linop.identity import Identity
from gradatim.restore.microscopy.field_blur import Border
from gradatim.restore.microscopy.photon_counts import PhotonCounts
from gradatim.solve.constraints import NonNegative
from gradatim.solve.norms import GroupL1
from gradatim.solve.pdhg import Pdhg
from gradatim.solve.poisson import KullbackLeibler
from gradatim.solve.problem import Problem, Term
from gradatim.solve.solution import Solution
from gradatim.solve.stopping import IterationBound, SmallGap, SmallResidual, StoppingRule


@dataclass(frozen=True)
class TotalVariationDeconvolution:
    """min over x ≥ 0 of Σ (m − d + d log(d/m)) + λ Σ |∇x|, m = A x + b: Poisson likelihood and flat pieces.

    The same problem that Richardson-Lucy with total variation steps towards one step late, without its
    division by 1 − λ·curvature, which fails for a large λ; solved by :class:`Pdhg`, with a certificate.
    Needs no early stop: the penalty is the regularisation. It takes contrast from small things; λ of
    0.001 to 0.05 per photon suits most stacks. The object lies on the same larger support as in
    :class:`RichardsonLucy`. About 25 volumes of the support.

    Args:
        weight: λ ≥ 0, edges of ``spacing``'s unit per photon: the price of a step of one photon a voxel.
        rule: when to stop; sees ``change``, ``residual`` and ``gap``.
        border: what lies outside the field.

    Raises:
        UsageError: GD-101 and GD-103, InputError: GD-603, GD-670 and GD-671, as :meth:`PhotonCounts.of` says.

    Source:
        Dey et al., Microsc Res Tech 69:260-266, 2006 (the objective); Setzer, Steidl & Teuber, J Vis Commun Image
        Represent 21:193-199, 2010 (splitting); Chambolle & Pock, J Math Imaging Vis 40:120-145, 2011.

    Example:
        >>> import torch
        >>> image, psf = torch.full((6, 6), 4.0), torch.ones(3, 3) / 9
        >>> found = TotalVariationDeconvolution(0.01)(image, psf=psf)
        >>> bool((found.value - 4.0).abs().max() < 0.05)
        True
    """

    weight: float
    rule: StoppingRule = IterationBound(500) | SmallGap(1e-4) | SmallResidual(1e-5)
    border: Border = Border.OPEN

    def __call__(
        self,
        image: Tensor,
        *,
        psf: Tensor,
        spacing: tuple[float, ...] | None = None,
        background: float | Tensor = 0.0,
        mask: Tensor | None = None,
    ) -> Solution:
        """Deconvolve one image; arguments as those of :class:`RichardsonLucy`.

        Args:
            image: photons a voxel.
            psf: the PSF.
            spacing: voxel edges relative to one another, for the gradient; 1 along each axis if not given.
            background: photons a voxel.
            mask: where data count.
        """
        counts = PhotonCounts.of(image, psf, border=self.border, background=background, mask=mask)
        edges = (1.0,) * image.ndim if spacing is None else tuple(spacing)
        if len(edges) != image.ndim:
            raise UsageError(
                "GD-103", given=f"a spacing of {len(edges)} edges", allowed=f"{image.ndim}", do="give one edge an axis"
            )
        blur, start = counts.blur, counts.flat()
        observed = blur if mask is None else Mask(mask) @ blur
        problem = Problem(
            (
                Term(KullbackLeibler(counts.data, counts.background), observed),
                Term(GroupL1(axis=-image.ndim - 1), Gradient(blur.support, edges), self.weight),
                Term(NonNegative(), Identity(blur.support)),
            )
        )
        found = Pdhg(self.rule)(problem, start=start)
        value = found.value[blur.window].clamp_min(0.0)
        return Solution(value, found.reason, found.iterations, found.history, found.certificate)
