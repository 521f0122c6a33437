"""Blind deconvolution: the object and what is not known of the PSF, in turn."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.restore.microscopy.em_sweeps import EmSweeps
from gradatim.restore.microscopy.field_blur import Border, FieldBlur
from gradatim.restore.microscopy.photon_counts import PhotonCounts, unit_sum


@dataclass(frozen=True, eq=False)
class Blind:
    """Object and PSF as they were found together.

    Args:
        value: the object on the image's grid, photons a voxel.
        psf: the PSF, sum 1.
        parameters: the model's parameters; empty where the PSF is free.
        deviances: of the data, after each round.
    """

    value: Tensor
    psf: Tensor
    parameters: Mapping[str, float]
    deviances: tuple[float, ...]


@dataclass(frozen=True)
class BlindRichardsonLucy:
    """A free PSF, stepped like the object: p ← p · Σ_j x_{j−k} d_j/m_j, then p ≥ 0 and Σ p = 1.

    In each round the object takes ``object_steps`` steps of :class:`RichardsonLucy`, then the PSF as many as
    ``psf_steps``. Both never make the data less likely; the rounds end where the deviance is that of noise, for
    beyond it both fit noise. Of the many pairs that explain an image this finds one near the start. So start from
    a PSF that is too wide: one that is too narrow is explained by a broader object, and stays. It mends the shape
    of a PSF on sparse objects, and gives an image of one blob no PSF that could be trusted. Where a few
    numbers of the microscope are in doubt, :class:`BlindModel` is the safer choice. The PSF never outgrows its array.

    Args:
        rounds: at most, ≥ 1.
        object_steps: of the object a round, ≥ 1; fewer than some tens let the PSF fit what the object has not yet.
        psf_steps: of the PSF a round, ≥ 1.
        border: what lies outside the field.

    Raises:
        UsageError: GD-101 for a count below 1; as :meth:`PhotonCounts.of` says.

    Source:
        Fish et al., J Opt Soc Am A 12:58-65, 1995; Holmes, J Opt Soc Am A 9:1052-1061, 1992.

    Example:
        >>> image = torch.ones(8, 8)
        >>> round(BlindRichardsonLucy(rounds=2)(image, psf=torch.ones(3, 3)).psf.sum().item(), 5)
        1.0
    """

    rounds: int = 20
    object_steps: int = 50
    psf_steps: int = 2
    border: Border = Border.OPEN

    def __post_init__(self) -> None:
        _require_counts(self.rounds, self.object_steps, self.psf_steps)

    def __call__(
        self, image: Tensor, *, psf: Tensor, background: float | Tensor = 0.0, mask: Tensor | None = None
    ) -> Blind:
        """Deconvolve one image by a PSF that is only roughly known; arguments as those of RichardsonLucy."""
        guess, deviances = unit_sum(psf).to(image), []
        counts = PhotonCounts.of(image, guess, border=self.border, background=background, mask=mask)
        x = counts.flat()
        for _ in range(self.rounds):
            x, _ = object_steps(counts, x, self.object_steps)
            for _ in range(self.psf_steps):
                guess = psf_step(counts, guess, x)
            counts = PhotonCounts.of(image, guess, border=self.border, background=background, mask=mask)
            figures = EmSweeps(counts).compare(x)
            deviances.append(figures.deviance)
            if figures.misfit <= 1.0:
                break
        return Blind(x[counts.blur.window].clone(), guess, {}, tuple(deviances))


@dataclass(frozen=True)
class BlindModel:
    """The PSF of a model whose parameters are not quite those of the microscope: NA, wavelength, depth, index.

    In each round the object takes steps of :class:`RichardsonLucy` from where it was, then the parameters take
    one Gauss-Newton step of the Poisson likelihood, by automatic differentiation through blur and model, halved
    until the data become more likely. A handful of numbers cannot explain noise or structure, so this is far
    safer than a free PSF. Start from a PSF that is too wide (an NA that is too low): one that is too narrow is
    explained by a broader object. A little iterated object is smooth and makes the PSF look too sharp: let the
    object have steps enough.

    Args:
        rounds: ≥ 1.
        object_steps: of the object a round, ≥ 1.
        border: what lies outside the field.

    Raises:
        UsageError: GD-101 for a count below 1 or no parameter; as :meth:`PhotonCounts.of` says.

    Source:
        Maximum likelihood over object and optics in turn, as Markham & Conchello, J Opt Soc Am A 16:2377-2391, 1999.

    Example:
        >>> from gradatim.base.grid import Grid
        >>> from gradatim.restore.microscopy.gaussian_psf import GaussianPsf
        >>> grid = Grid((7, 7, 1), (1e-4, 1e-4, 1e-4))
        >>> model = lambda found: GaussianPsf(found["width"], 3e-7)(grid)[..., 0]
        >>> found = BlindModel(rounds=1)(torch.ones(9, 9), model=model, start={"width": 1e-7})
        >>> list(found.parameters)
        ['width']
    """

    rounds: int = 15
    object_steps: int = 10
    border: Border = Border.OPEN

    def __post_init__(self) -> None:
        _require_counts(self.rounds, self.object_steps, 1)

    def __call__(
        self,
        image: Tensor,
        *,
        model: Callable[[Mapping[str, Tensor]], Tensor],
        start: Mapping[str, float],
        background: float | Tensor = 0.0,
        mask: Tensor | None = None,
    ) -> Blind:
        """Deconvolve one image and fit its PSF.

        Args:
            image: photons a voxel.
            model: parameters (float64 scalars) → PSF, differentiable; its sum is made 1.
            start: first values of the parameters, none of them 0; their size is taken as their scale.
            background: photons a voxel.
            mask: where data count.
        """
        if not start or any(value == 0 for value in start.values()):
            raise UsageError(
                "GD-101",
                given=f"parameters {dict(start)}",
                allowed="at least one, none of them 0",
                do="give first values",
            )
        scale = torch.tensor(list(start.values()), dtype=torch.float64)

        def psf_of(relative: Tensor) -> Tensor:
            return unit_sum(model(dict(zip(start, relative * scale, strict=True)))).to(image)

        relative, deviances = torch.ones_like(scale), []
        counts = PhotonCounts.of(image, psf_of(relative), border=self.border, background=background, mask=mask)
        x = counts.flat()
        for _ in range(self.rounds):
            counts = PhotonCounts.of(image, psf_of(relative), border=self.border, background=background, mask=mask)
            x, deviance = object_steps(counts, x, self.object_steps)
            relative, deviance = _model_step(counts, x, psf_of, relative, deviance)
            deviances.append(deviance)
        found = dict(zip(start, (relative * scale).tolist(), strict=True))
        return Blind(x[counts.blur.window].clone(), psf_of(relative), found, tuple(deviances))


def object_steps(counts: PhotonCounts, x: Tensor, steps: int) -> tuple[Tensor, float]:
    """Steps of Richardson and Lucy from an object on the support; the object and its deviance."""
    sweeps = EmSweeps(counts)
    x = torch.where(sweeps.inverse_sensitivity > 0, counts.within(x), 0.0)
    figures = sweeps.compare(x)
    for _ in range(steps):
        out = torch.empty_like(x)
        figures, _ = sweeps.step(x, out)
        x = out
    return x, figures.deviance


def psf_step(counts: PhotonCounts, psf: Tensor, x: Tensor) -> Tensor:
    """One step of expectation and maximisation of the PSF for a known object, its sum 1; pure."""
    weights = torch.ones_like(counts.data) if counts.weights is None else counts.weights
    with torch.enable_grad():
        p = psf.detach().requires_grad_()
        blurred = FieldBlur(p, counts.blur.shape, counts.blur.support, counts.blur.first).apply(x)
        ratio = counts.data / (blurred.detach() + counts.background).clamp_min(torch.finfo(psf.dtype).tiny)
        (pull,) = torch.autograd.grad(blurred, p, ratio, retain_graph=True)
        (seen,) = torch.autograd.grad(blurred, p, weights)
    return unit_sum(psf * (pull / seen.clamp_min(torch.finfo(psf.dtype).tiny)).clamp_min(0.0))


def _model_step(
    counts: PhotonCounts, x: Tensor, psf_of: Callable[[Tensor], Tensor], relative: Tensor, before: float
) -> tuple[Tensor, float]:
    """One guarded Gauss-Newton (Fisher scoring) step of the parameters."""
    weights = torch.ones_like(counts.data) if counts.weights is None else counts.weights

    def means(parameters: Tensor) -> Tensor:
        blur = FieldBlur(psf_of(parameters), counts.blur.shape, counts.blur.support, counts.blur.first)
        return (blur.apply(x) + counts.background).clamp_min(torch.finfo(x.dtype).tiny)

    def deviance(parameters: Tensor) -> float:
        try:
            m = means(parameters)
        except UsageError:  # the model says that no microscope is like that
            return math.inf
        terms = torch.xlogy(counts.data, counts.data / m) - counts.data + weights * m
        return 2.0 * float(terms.sum(dtype=torch.float64))

    m = means(relative).double()
    slopes = torch.stack([_slope(means, relative, i) for i in range(len(relative))])
    fisher = torch.einsum("i...,j...->ij", slopes * (weights / m), slopes)
    score = (slopes * (counts.data / m - 1.0) * weights).flatten(1).sum(1)
    step = torch.linalg.lstsq(fisher, score[:, None]).solution[:, 0].clamp(-0.2, 0.2)
    for _ in range(6):
        found = deviance(relative + step)
        if found < before:
            return relative + step, found
        step = step / 2
    return relative, before


def _slope(means: Callable[[Tensor], Tensor], at: Tensor, index: int) -> Tensor:
    """∂m/∂θᵢ, (field), by two reverse passes: the derivative of a vector-Jacobian product in its vector."""
    with torch.enable_grad():
        theta = at.detach().requires_grad_()
        m = means(theta)
        probe = torch.zeros_like(m, requires_grad=True)
        (pulled,) = torch.autograd.grad(m, theta, probe, create_graph=True)
        (slope,) = torch.autograd.grad(pulled[index], probe)
    return slope.double()


def _require_counts(*counts: int) -> None:
    if min(counts) < 1:
        raise UsageError("GD-101", given=f"counts {counts}", allowed="at least 1 each", do="allow some steps")
