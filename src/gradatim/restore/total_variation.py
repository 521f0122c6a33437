"""Denoising by total variation, λ of the least estimated error, with a proof of how good the answer is."""

from dataclasses import dataclass, field

from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.linop.channels import ChannelGradient
from gradatim.linop.difference import Gradient
from gradatim.linop.identity import Identity
from gradatim.restore.restored import Restored, require_image, require_positive, require_spacing
from gradatim.restore.white_noise import white_noise
from gradatim.solve.distances import SquaredDistance
from gradatim.solve.norms import GroupL1
from gradatim.solve.pdhg import Pdhg
from gradatim.solve.problem import Problem, Term
from gradatim.solve.regularisation_path import ProblemAt, Solver
from gradatim.solve.rof import RudinOsherFatemi
from gradatim.solve.selection import Selected
from gradatim.solve.solution import Solution
from gradatim.solve.stopping import IterationBound, SmallGap, StoppingRule
from gradatim.solve.sure import Sure

LEAST, MOST = 0.1, 4.0
"""Range of λ in units of σ times the smallest edge; the best one for pictures lies between 0.4 and 1.2."""
POINTS = 7
"""Of the first grid over that range; a factor of 1.85 from each to the next."""


@dataclass(frozen=True)
class TotalVariationDenoising:
    """Minimises ½‖x − y‖² + λ Σ |∇x|₂ over images x, the λ of the least estimated error for the noise there is.

    λ is chosen by Stein's unbiased risk estimate (:class:`~gradatim.solve.sure.Sure`), which knows σ but not the
    truth. On pictures it finds the best λ within a few per cent, where the discrepancy principle loses 0.5 to 0.8 dB.
    Edges stay, plateaus lose contrast by 2λ over their radius, and texture weaker than the noise goes. Leading axes
    are batch and share λ. Not differentiable.

    Args:
        noise: σ of white noise, unit of the image; None to estimate it.
        weight: λ, unit of the image times mm; None to choose it.
        spacing: edges of a pixel or voxel, mm; their number says how many trailing axes are space.
        rule: when a solve stops; the certificate is the duality gap.

    Raises:
        UsageError: GD-101 if a parameter is not positive; GD-103 if the image has too few axes.
        InputError: GD-640 if the noise cannot be told; GD-660 if the image is not finite.

    Source:
        Rudin, Osher & Fatemi, Physica D 60:259-268, 1992; Stein, Ann Stat 9:1135-1151, 1981.

    Example:
        >>> import torch
        >>> noise = torch.randn(48, 48, generator=torch.Generator().manual_seed(0))
        >>> found = TotalVariationDenoising()(100.0 + 5.0 * noise)
        >>> float(found.value.std()) < 0.5, round(found.noise), found.certificate.relative < 1e-3
        (True, 5, True)
    """

    noise: float | None = None
    weight: float | None = None
    spacing: tuple[float, ...] = (1.0, 1.0)
    rule: StoppingRule = field(default=IterationBound(2000) | SmallGap(1e-3))

    def __post_init__(self) -> None:
        _check(self.noise, self.weight, self.spacing)

    def __call__(self, image: Tensor) -> Restored:
        """Denoise an image, (..., x, y) or (..., x, y, z)."""
        axes = len(self.spacing)
        require_image(image, axes)
        shape = tuple(image.shape[image.ndim - axes :])
        gradient = Gradient(shape, self.spacing)

        def problem_at(weight: float) -> Problem:
            prior = Term(GroupL1(axis=-1 - axes), gradient, weight)
            return Problem((Term(SquaredDistance(image), Identity(shape)), prior))

        return _chosen(image, problem_at, _Fused(self.rule, self.spacing), self.noise, self.weight, self.spacing)


@dataclass(frozen=True)
class ColourTotalVariationDenoising:
    """Minimises ½‖x − y‖² + λ Σ ‖(∇x_red, ∇x_green, ∇x_blue)‖₂: the colours share their edges.

    As :class:`TotalVariationDenoising` but for images with one channel axis before space; the length is that of the
    gradients of all channels together, so that an edge that one channel has costs the others less. Works for any
    number of channels of one noise: echoes, contrasts, spectra.

    Args:
        noise: σ of white noise in every channel; None to estimate it.
        weight: λ, unit of the image times mm; None to choose it.
        spacing: edges of a pixel or voxel, mm.
        rule: when a solve stops.

    Raises:
        UsageError: GD-101 if a parameter is not positive; GD-103 if the image has no channel axis.
        InputError: GD-640 if the noise cannot be told; GD-660 if the image is not finite.

    Source:
        Bresson & Chan, Inverse Probl Imaging 2:455-484, 2008.

    Example:
        >>> import torch
        >>> noise = torch.randn(3, 32, 32, generator=torch.Generator().manual_seed(0))
        >>> float(ColourTotalVariationDenoising(noise=5.0)(100.0 + 5.0 * noise).value.std()) < 0.5
        True
    """

    noise: float | None = None
    weight: float | None = None
    spacing: tuple[float, ...] = (1.0, 1.0)
    rule: StoppingRule = field(default=IterationBound(2000) | SmallGap(1e-3))

    def __post_init__(self) -> None:
        _check(self.noise, self.weight, self.spacing)

    def __call__(self, image: Tensor) -> Restored:
        """Denoise an image, (..., channel, x, y) or (..., channel, x, y, z)."""
        axes = len(self.spacing)
        require_image(image, axes)
        if image.ndim < axes + 1:
            raise UsageError(
                "GD-103",
                given=f"an image of shape {tuple(image.shape)}",
                allowed="a channel axis before space",
                do="use TotalVariationDenoising for one channel",
            )
        shape = tuple(image.shape[image.ndim - axes - 1 :])
        gradient = ChannelGradient(shape, self.spacing)

        def problem_at(weight: float) -> Problem:
            prior = Term(GroupL1(axis=-1 - axes), gradient, weight)
            return Problem((Term(SquaredDistance(image), Identity(shape)), prior))

        return _chosen(image, problem_at, Pdhg(self.rule), self.noise, self.weight, self.spacing)


@dataclass(frozen=True)
class _Fused:
    """Solves the problem of :class:`TotalVariationDenoising` by the fused sweeps of its own solver."""

    rule: StoppingRule
    spacing: tuple[float, ...]

    def __call__(self, problem: Problem, *, start: Tensor) -> Solution:
        data, prior = problem.terms
        target = data.function.target if isinstance(data.function, SquaredDistance) else start
        return RudinOsherFatemi(self.rule)(target, weight=float(prior.weight), spacing=self.spacing)


def _check(noise: float | None, weight: float | None, spacing: tuple[float, ...]) -> None:
    require_positive(noise, "noise")
    require_positive(weight, "weight")
    require_spacing(spacing)


def _chosen(
    image: Tensor,
    problem_at: ProblemAt,
    method: Solver,
    noise: float | None,
    weight: float | None,
    spacing: tuple[float, ...],
) -> Restored:
    """Solve at the given λ, or at the one of the least estimated error."""
    sigma = white_noise(image, axes=len(spacing)) if noise is None else noise
    if weight is not None:
        solution = method(problem_at(weight), start=image)
        return Restored(solution.value, sigma, weight, solution)
    unit = sigma * min(spacing)
    found = Selected(Sure(sigma), method, (LEAST * unit, MOST * unit), POINTS)(problem_at, start=image)
    return Restored(found.value, sigma, found.weight, found.solution, found.message)
