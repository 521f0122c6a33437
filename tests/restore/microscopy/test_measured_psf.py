"""A PSF measured from simulated beads is the one that blurred them."""

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import GradatimError
from gradatim.base.grid import Grid
from gradatim.restore.microscopy.born_wolf import BornWolf
from gradatim.restore.microscopy.measured_psf import MeasuredPsf, RoundAverage, shifted

MODEL, SPACING = BornWolf(1.2, 520e-9, 1.33), (8e-5, 8e-5, 2e-4)


def beads(places: list[tuple[float, float, float]], light: float, level: float) -> Tensor:
    """Photon counts of beads at sub-voxel places over a background."""
    grid = Grid((70, 60, 40), SPACING)
    image = sum(light * MODEL(grid, centre=place) for place in places) + level
    return torch.poisson(image, generator=torch.Generator().manual_seed(1))


def test_beads_between_voxels_give_back_the_psf_and_their_places() -> None:
    places = [(18.3, 15.6, 19.8), (17.8, 44.1, 20.4), (50.5, 30.2, 19.6)]
    found = MeasuredPsf((21, 21, 21))(beads(places, 3e6, 20.0), background=20.0)
    truth = MODEL(Grid((21, 21, 21), SPACING))
    assert len(found.places) == 3
    ordered = torch.tensor(sorted(found.places.tolist()))
    torch.testing.assert_close(ordered, torch.tensor(sorted(places)), rtol=0, atol=0.05)
    assert float((found.psf - truth).norm() / truth.norm()) < 0.06
    assert float(found.psf.sum()) == pytest.approx(1.0)
    assert float(found.psf.min()) >= 0
    assert found.scatter < 0.06
    alone = MeasuredPsf((21, 21, 21))(beads(places, 3e6, 20.0)).psf[6:15, 6:15, 6:15]
    core = truth[6:15, 6:15, 6:15]
    assert float((alone / alone.max() - core / core.max()).norm() / (core / core.max()).norm()) < 0.06


def test_beads_that_touch_or_lie_at_the_border_are_left_out() -> None:
    image = beads([(18.0, 15.0, 20.0), (24.0, 15.0, 20.0), (50.0, 30.0, 20.0), (66.0, 54.0, 20.0)], 3e6, 20.0)
    assert MeasuredPsf((21, 21, 21))(image).places.round().tolist() == [[50.0, 30.0, 20.0]]


def test_round_averaging_keeps_a_round_psf_and_takes_noise_out() -> None:
    truth = MODEL(Grid((15, 15, 5), SPACING))
    torch.testing.assert_close(RoundAverage()(truth), truth, rtol=1e-9, atol=1e-15)
    noise = 1e-3 * torch.randn(truth.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    assert float((RoundAverage()(truth + noise) - truth).norm()) < 0.5 * float(noise.norm())
    assert float(RoundAverage()(noise).sum()) == pytest.approx(float(noise.sum()))


def test_a_shift_there_and_back_changes_nothing() -> None:
    image = torch.randn(8, 7, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    whole = shifted(image, [1.0, -2.0, 0.0])
    torch.testing.assert_close(whole, image.roll((1, -2), (0, 1)))
    odd = image[:7]
    torch.testing.assert_close(shifted(shifted(odd, [0.3, -0.4, 0.1]), [-0.3, 0.4, -0.1]), odd)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: MeasuredPsf((1, 5)), "GD-101"),
        (lambda: MeasuredPsf((5, 5), prominence=0.0), "GD-101"),
        (lambda: MeasuredPsf((5, 5))(torch.zeros(9, 9, 9)), "GD-103"),
        (lambda: MeasuredPsf((5, 5))(torch.zeros(9, 9)), "GD-673"),
        (lambda: MeasuredPsf((5, 5))(torch.randn(50, 50, generator=torch.Generator().manual_seed(4))), "GD-673"),
    ],
)
def test_what_holds_no_bead_is_refused(make, code: str) -> None:
    with pytest.raises(GradatimError) as caught:
        make()
    assert caught.value.code == code
