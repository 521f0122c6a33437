"""The verdict counts what was put in, and nothing where nothing is wrong."""

import math

import pytest
import torch
from torch import Tensor

from gradatim.base.errors import UsageError
from gradatim.qsm.residual_wraps import ResidualWraps
from gradatim.qsm.unwrap import UnwrappedPhase

TURN = 2.0 * math.pi


def smooth() -> Tensor:
    """A steep, curved phase: steps of up to 5 rad between neighbours, changing by less than 1 rad."""
    axes = [torch.linspace(-1, 1, n, dtype=torch.float64) for n in (24, 20, 16)]
    x, y, z = torch.meshgrid(*axes, indexing="ij")
    return 25 * x * x + 10 * x * y - 8 * z


def verdict(phase: Tensor, mask: Tensor | None = None) -> tuple[float, Tensor]:
    inside = torch.ones(phase.shape, dtype=torch.bool) if mask is None else mask
    found = ResidualWraps()(UnwrappedPhase(phase[None], inside, torch.ones(phase.shape), 1))
    return found.fraction[0], found.suspect[0]


def test_a_steep_field_is_no_error() -> None:
    assert float(torch.diff(smooth(), dim=0).abs().max()) > math.pi
    assert verdict(smooth())[0] == 0.0


@pytest.mark.parametrize("turns", [1, -1, 3])
@pytest.mark.parametrize("region", [(slice(5, 9), slice(3, 8), slice(2, 6)), (3, 3, 3), (0, 0, 0), (slice(0, 8),)])
def test_a_closed_region_is_counted_voxel_by_voxel(turns: int, region: tuple) -> None:
    phase, wrong = smooth(), torch.zeros(24, 20, 16, dtype=torch.bool)
    wrong[region] = True
    phase[region] += turns * TURN
    share, suspect = verdict(phase)
    assert torch.equal(suspect, wrong)
    assert share == pytest.approx(float(wrong.double().mean()))


def test_an_open_seam_is_counted_by_its_area() -> None:
    """Phase that winds around a line ends its seam in the open: one voxel for each torn edge."""
    x, y = torch.meshgrid(torch.arange(24) - 11.5, torch.arange(20) - 9.5, indexing="ij")
    winding = torch.atan2(y, x)[:, :, None].repeat(1, 1, 16).double()
    _, suspect = verdict(winding)
    assert int(suspect.sum()) == pytest.approx(12 * 16, abs=32)


def test_parts_of_the_mask_are_judged_on_their_own() -> None:
    phase, mask = smooth(), torch.ones(24, 20, 16, dtype=torch.bool)
    mask[12] = False
    phase[13:] += 5 * TURN  # cannot be seen, and is not claimed to be
    phase[5, 6, 7] += TURN
    share, suspect = verdict(torch.where(mask, phase, 0.0), mask)
    assert suspect.nonzero().tolist() == [[5, 6, 7]]
    assert share == pytest.approx(1 / int(mask.sum()))


def test_a_slice_and_a_line_can_be_judged() -> None:
    assert verdict(smooth()[:, :, :1])[0] == 0.0
    assert verdict(smooth()[:, :1, :1])[0] == 0.0


def test_a_threshold_must_be_positive() -> None:
    with pytest.raises(UsageError, match="GD-101"):
        ResidualWraps(threshold=0.0)
