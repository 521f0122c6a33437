"""Richardson-Lucy deconvolution: expectation and maximisation for photon counts."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from gradatim.restore.microscopy.em_sweeps import EmSweeps, Figures
from gradatim.restore.microscopy.field_blur import Border
from gradatim.restore.microscopy.photon_counts import PhotonCounts
from gradatim.solve.drive import drive
from gradatim.solve.solution import Progress, Solution
from gradatim.solve.stopping import Discrepancy, IterationBound, StoppingRule


class Estimate(NamedTuple):
    """Where the iteration stands.

    Attributes:
        x: the object on its support, photons a voxel.
        spare: memory for the next one; holds the object before.
        figures: how well x explains the data.
        change: relative change that led to x.
    """

    x: Tensor
    spare: Tensor
    figures: Figures
    change: float


@dataclass(frozen=True)
class RichardsonLucy:
    """x ← x · A*(d / (A x + b)) / A* 1: towards the most likely object for counts d ~ Poisson(A x + b).

    A step never makes the data less likely, keeps x ≥ 0 and, where b = 0, keeps the light: Σ (A* 1) x = Σ d.
    Dividing by A* 1 accounts for the share of a voxel's light that reached a datum: light that comes from
    outside the field is explained by an object there, and the border is neither dark nor bright for want of it.
    The first object is flat. Noise grows with the iterations, so stopping is the regularisation: the default
    rule stops where the deviance is that of Poisson noise, for which data must be photons (PhotonTransfer).

    A step costs four real transforms. The history's objective is the deviance of each iterate, its misfit is 1
    at the noise. Memory on the CPU, in volumes of the support: two objects, a spectrum, the PSF's spectrum
    and 1/A* 1, five in all; six measured, with slabs and image. Not differentiable; unroll :class:`FieldBlur` for that.

    Args:
        rule: when to stop; sees ``change``, ``misfit`` and ``objective``.
        border: what lies outside the field.

    Raises:
        UsageError: GD-101 and GD-103, InputError: GD-603, GD-670 and GD-671, as :meth:`PhotonCounts.of` says.

    Source:
        Richardson, J Opt Soc Am 62:55-59, 1972; Lucy, Astron J 79:745-754, 1974; Shepp & Vardi, IEEE Trans Med
        Imaging 1:113-122, 1982. Border: Bertero & Boccacci, Astron Astrophys 437:369-374, 2005.

    Example:
        >>> from gradatim.restore.microscopy.field_blur import FieldBlur
        >>> bead = torch.zeros(9, 9, 9)
        >>> bead[4, 4, 4] = 1000.0
        >>> psf = torch.ones(3, 3, 3) / 27
        >>> blurred = FieldBlur.periodic(psf, (9, 9, 9)).apply(bead).clamp_min(0)
        >>> found = RichardsonLucy(IterationBound(50))(blurred, psf=psf)
        >>> tuple(found.value.shape), bool(found.value[4, 4, 4] > 10 * blurred.max())
        ((9, 9, 9), True)
    """

    rule: StoppingRule = IterationBound(100) | Discrepancy()
    border: Border = Border.OPEN

    def __call__(
        self,
        image: Tensor,
        *,
        psf: Tensor,
        background: float | Tensor = 0.0,
        mask: Tensor | None = None,
        start: Tensor | None = None,
    ) -> Solution:
        """Deconvolve one image.

        Args:
            image: d, (x, y) or (x, y, z), photons a voxel, ≥ 0, float32 or float64.
            psf: as many axes and the same sampling, its centre at index n // 2; its sum is made 1.
            background: b, light that did not come through the PSF (dark counts, haze), photons a voxel.
            mask: where data count; False for dead or saturated voxels.
            start: the first object on the image's grid; a voxel that is 0 stays 0.

        Returns:
            The object on the image's grid, photons a voxel.
        """
        counts = PhotonCounts.of(image, psf, border=self.border, background=background, mask=mask)
        sweeps = EmSweeps(counts)
        x = sweeps.first(start)
        return drive(
            lambda state: em_step(sweeps, state),
            Estimate(x, torch.empty_like(x), sweeps.compare(x), 0.0),
            rule=self.rule,
            measure=progress,
            value=lambda state: state.x[counts.blur.window].clone(),
        )


def em_step(sweeps: EmSweeps, state: Estimate) -> Estimate:
    """One step; the state before keeps its object, its spare memory is used."""
    figures, change = sweeps.step(state.x, state.spare)
    return Estimate(state.spare, state.x, figures, change)


def progress(before: Estimate, after: Estimate) -> Progress:
    """What a step did."""
    return Progress(change=after.change, misfit=after.figures.misfit, objective=after.figures.deviance)
