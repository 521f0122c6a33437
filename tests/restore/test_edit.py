"""Editing: the seam vanishes, harmonic offsets do not matter, the outside is untouched."""

import pytest
import torch

from gradatim.base.errors import InputError, UsageError
from gradatim.restore.edit import MixedEdit, SeamlessEdit
from tests.restore.pictures import colour, grey


def disk(size: int, radius: float) -> torch.Tensor:
    place = torch.arange(size) - size // 2
    return place[:, None].square() + place.square() < radius**2


def test_the_source_comes_back_if_it_is_the_target_plus_a_harmonic_function() -> None:
    target = grey("camera", 64).double()
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    harmonic = 30.0 + 0.5 * rows - columns + 0.01 * (rows.square() - columns.square())
    found = SeamlessEdit()(target, source=target + harmonic, region=disk(64, 20)).value
    assert torch.allclose(found, target, atol=1e-3)


def test_outside_nothing_changes_and_inside_the_laplacian_is_the_sources() -> None:
    target, source, region = grey("camera", 64).double(), grey("coins", 64).double(), disk(64, 20)
    found = SeamlessEdit()(target, source=source, region=region).value
    assert torch.equal(found[~region], target[~region])

    def laplacian(x: torch.Tensor) -> torch.Tensor:
        return x[2:, 1:-1] + x[:-2, 1:-1] + x[1:-1, 2:] + x[1:-1, :-2] - 4 * x[1:-1, 1:-1]

    inside = region[1:-1, 1:-1]
    assert torch.allclose(laplacian(found)[inside], laplacian(source)[inside], atol=1e-2)


def test_a_region_at_the_pictures_edge_has_a_free_border() -> None:
    target = torch.arange(20.0).expand(20, 20).double()
    region = torch.zeros(20, 20, dtype=torch.bool)
    region[:, 12:] = True
    found = SeamlessEdit()(target, source=torch.zeros(20, 20).double(), region=region).value
    assert torch.allclose(found[:, 12:], torch.full((20, 8), 11.0).double(), atol=1e-4)


def test_colours_and_volumes() -> None:
    target = colour(32)
    found = SeamlessEdit()(target, source=target.flip(0) * 0 + 9.0, region=disk(32, 8)).value
    one = SeamlessEdit()(target[1], source=torch.zeros(32, 32), region=disk(32, 8)).value
    assert torch.allclose(found[1], one, atol=0.05)
    volume = torch.zeros(8, 8, 8)
    region = torch.zeros(8, 8, 8, dtype=torch.bool)
    region[3:5, 3:5, 3:5] = True
    assert float(SeamlessEdit((1.0, 1.0, 2.0))(volume, source=volume + 5, region=region).value.abs().max()) < 1e-4


def test_where_the_source_is_flat_the_target_shows_through() -> None:
    target = grey("camera", 48)
    found = MixedEdit()(target, source=torch.full((48, 48), 200.0), region=disk(48, 15)).value
    assert torch.allclose(found, target, atol=0.01)


@pytest.mark.parametrize("region", [torch.zeros(8, 8).bool(), torch.ones(8, 8).bool()])
def test_regions_without_border_are_refused(region: torch.Tensor) -> None:
    with pytest.raises(InputError, match="GD-663"):
        SeamlessEdit()(torch.zeros(8, 8), source=torch.ones(8, 8), region=region)


def test_shapes_must_agree() -> None:
    with pytest.raises(UsageError, match="GD-103"):
        SeamlessEdit()(torch.zeros(8, 8), source=torch.ones(8, 9), region=torch.zeros(8, 8).bool())
