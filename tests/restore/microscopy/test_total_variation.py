"""Poisson data with total variation: certified, better on flat pieces than the best early stop."""

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import GradatimError
from gradatim.restore.microscopy.field_blur import Border, FieldBlur
from gradatim.restore.microscopy.richardson_lucy import RichardsonLucy
from gradatim.restore.microscopy.total_variation import TotalVariationDeconvolution
from gradatim.solve.stopping import IterationBound, SmallGap


def scene() -> tuple[Tensor, Tensor, Tensor]:
    truth = torch.full((40, 40), 5.0, dtype=torch.float64)
    truth[8:20, 10:30] = 40.0
    truth[24:34, 6:16] = 80.0
    x = torch.arange(9, dtype=torch.float64) - 4
    psf = torch.exp(-(x[:, None] ** 2 + x**2) / (2 * 1.5**2))
    psf = psf / psf.sum()
    means = FieldBlur.periodic(psf, (40, 40)).apply(truth)
    return truth, psf, torch.poisson(means, generator=torch.Generator().manual_seed(1))


def test_flat_pieces_are_found_better_than_by_any_early_stop() -> None:
    truth, psf, image = scene()
    found = TotalVariationDeconvolution(0.05)(image, psf=psf)
    assert found.certificate is not None
    error = float((found.value - truth).norm() / truth.norm())
    stopped = [
        float((RichardsonLucy(IterationBound(n))(image, psf=psf).value - truth).norm() / truth.norm())
        for n in (5, 10, 15, 20, 30, 50, 100)
    ]
    assert error < 0.75 * min(stopped)
    assert float(found.value.min()) >= 0


def test_the_gap_is_a_bound() -> None:
    """The certified objective lies within its gap of that of a far longer run."""
    _, psf, image = scene()
    short, long = (
        TotalVariationDeconvolution(0.05, IterationBound(n), Border.PERIODIC)(image, psf=psf).certificate
        for n in (150, 1500)
    )
    assert -1e-9 * long.objective <= short.objective - long.objective <= short.gap
    assert long.gap < short.gap


def test_masked_data_do_not_matter() -> None:
    _, psf, image = scene()
    mask = torch.ones(40, 40, dtype=torch.bool)
    mask[12:14, 14:16] = False
    spoiled = torch.where(mask, image, torch.nan)
    method = TotalVariationDeconvolution(0.05, IterationBound(60) | SmallGap(1e-3))
    a, b = (method(each, psf=psf, mask=mask, background=0.0).value for each in (image, spoiled))
    assert torch.equal(a, b)


def test_a_spacing_of_other_axes_is_refused() -> None:
    with pytest.raises(GradatimError) as caught:
        TotalVariationDeconvolution(0.1)(torch.ones(5, 5), psf=torch.ones(3, 3), spacing=(1.0,))
    assert caught.value.code == "GD-103"
