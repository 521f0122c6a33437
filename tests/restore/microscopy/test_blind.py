"""A PSF that is wrong becomes less so, on images whose PSF is known; and the data never become less likely."""

import itertools

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.base.grid import Grid
from gradatim.restore.microscopy.blind import BlindModel, BlindRichardsonLucy
from gradatim.restore.microscopy.born_wolf import BornWolf
from gradatim.restore.microscopy.field_blur import Border, FieldBlur
from gradatim.restore.microscopy.richardson_lucy import RichardsonLucy
from gradatim.solve.stopping import IterationBound

SHAPE = (48, 48)


def spots(seed: int, count: int = 40) -> Tensor:
    truth = torch.zeros(SHAPE, dtype=torch.float64)
    places = torch.randint(6, 42, (count, 2), generator=torch.Generator().manual_seed(seed))
    light = torch.rand(count, generator=torch.Generator().manual_seed(seed + 1), dtype=torch.float64)
    return truth.index_put((places[:, 0], places[:, 1]), 2000 + 8000 * light, accumulate=True)


def gaussian(a: float, b: float) -> Tensor:
    x = torch.arange(15, dtype=torch.float64) - 7
    psf = torch.exp(-0.5 * (x[:, None] / a) ** 2 - 0.5 * (x / b) ** 2)
    return psf / psf.sum()


def counted(truth: Tensor, psf: Tensor) -> Tensor:
    means = FieldBlur.periodic(psf, tuple(truth.shape)).apply(truth).clamp_min(0) + 2.0
    return torch.poisson(means, generator=torch.Generator().manual_seed(5))


def distance(psf: Tensor, true: Tensor) -> float:
    return float((psf - true).norm() / true.norm())


def test_a_free_psf_becomes_less_wrong_and_so_does_the_object() -> None:
    truth, psf, wrong = spots(1), gaussian(1.6, 2.2), gaussian(2.2, 2.6)
    image = counted(truth, psf)
    found = BlindRichardsonLucy()(image, psf=wrong, background=2.0)
    assert distance(found.psf, psf) < 0.35 * distance(wrong, psf)
    assert float(found.psf.sum()) == pytest.approx(1.0)
    assert float(found.psf.min()) >= 0
    assert all(b <= a * (1 + 1e-9) for a, b in itertools.pairwise(found.deviances))
    known = RichardsonLucy(IterationBound(300))(image, psf=wrong, background=2.0).value
    smooth = FieldBlur.periodic(gaussian(1.0, 1.0), SHAPE)
    errors = [float((smooth.apply(x) - smooth.apply(truth)).norm()) for x in (found.value, known)]
    assert errors[0] < 0.6 * errors[1]


@pytest.mark.parametrize("start", [0.8, 0.95])
def test_a_models_aperture_is_found(start: float) -> None:
    """NA 1.1 from spots, started 27 % and 14 % too low; found to 3 %, and the PSF with it."""
    grid = Grid((21, 21, 1), (7e-5, 7e-5, 1e-4))

    def model(found) -> Tensor:
        return BornWolf(found["aperture"], 600e-9, 1.515)(grid)[..., 0]

    truth, psf = spots(3), model({"aperture": 1.1})
    psf = psf / psf.sum()
    image = counted(truth, psf)
    found = BlindModel(rounds=25, object_steps=30)(image, model=model, start={"aperture": start}, background=2.0)
    assert found.parameters["aperture"] == pytest.approx(1.1, rel=0.03)
    wrong = model({"aperture": start})
    assert distance(found.psf, psf) < 0.25 * distance(wrong / wrong.sum(), psf)
    assert all(b <= a * (1 + 1e-9) for a, b in itertools.pairwise(found.deviances))


def test_two_parameters_of_a_stack_are_found_together() -> None:
    grid = Grid((11, 11, 9), (9e-5, 9e-5, 2.5e-4))

    def model(found) -> Tensor:
        return BornWolf(found["aperture"], 600e-9, found["index"])(grid)

    truth = torch.zeros(24, 24, 16, dtype=torch.float64)
    for place in ((6, 7, 8), (16, 9, 5), (10, 18, 10)):
        truth[place] = 2e5
    psf = model({"aperture": 1.0, "index": 1.4})
    means = FieldBlur.periodic(psf, (24, 24, 16)).apply(truth).clamp_min(0) + 1.0
    image = torch.poisson(means, generator=torch.Generator().manual_seed(6))
    found = BlindModel(12, 15, Border.PERIODIC)(
        image, model=model, start={"aperture": 1.15, "index": 1.5}, background=1.0
    )
    assert found.parameters["aperture"] == pytest.approx(1.0, rel=0.03)
    assert found.parameters["index"] == pytest.approx(1.4, rel=0.06)


def test_what_cannot_be_done_is_refused() -> None:
    for make in (
        lambda: BlindRichardsonLucy(rounds=0),
        lambda: BlindModel(object_steps=0),
        lambda: BlindModel()(torch.ones(5, 5), model=lambda p: torch.ones(3, 3), start={}),
        lambda: BlindModel()(torch.ones(5, 5), model=lambda p: torch.ones(3, 3), start={"a": 0.0}),
    ):
        with pytest.raises(UsageError) as caught:
            make()
        assert caught.value.code == "GD-101"
