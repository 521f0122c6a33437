"""The sixteen formulas on sparse matrices against the double sums that the IBSI manual writes on full ones."""

import pytest
import torch
from torch import Tensor

from gradatim.radiomics.glrlm import Glrlm
from gradatim.radiomics.level_by_size import LevelBySize, level_by_size, sixteen

LEVELS, SIZES = 5, 7


def items(seed: int = 0, *, farthest: int = SIZES) -> dict[str, Tensor]:
    """Three matrices of random entries, the second of them empty."""
    draw = torch.Generator().manual_seed(seed)
    matrix = torch.tensor([0, 2])[torch.randint(0, 2, (90,), generator=draw)]
    level = torch.randint(1, LEVELS + 1, (90,), generator=draw)
    size = torch.randint(1, SIZES + 1, (90,), generator=draw)
    size[0] = farthest
    return {"matrix": matrix, "level": level, "size": size, "voxels": size.double()}


def full(matrices: LevelBySize, *, sizes: int = SIZES) -> Tensor:
    """The matrices with their zeros (batch, level, size)."""
    counts = torch.zeros(len(matrices.voxels), LEVELS, sizes, dtype=torch.float64)
    counts[matrices.matrix, matrices.level - 1, matrices.size - 1] = matrices.count
    return counts


def test_items_are_added_up_and_empty_matrices_left_out() -> None:
    given = items()
    matrices = level_by_size(**given)
    expected = torch.zeros(3, LEVELS, SIZES, dtype=torch.float64)
    for m, i, j in zip(given["matrix"].tolist(), given["level"].tolist(), given["size"].tolist(), strict=True):
        expected[m, i - 1, j - 1] += 1
    assert full(matrices).equal(expected[[0, 2]])
    assert matrices.voxels.equal((expected * torch.arange(1.0, SIZES + 1)).sum((1, 2))[[0, 2]])
    twice = level_by_size(**given, count=torch.full((90,), 2.0, dtype=torch.float64))
    assert full(twice).equal(2 * expected[[0, 2]])


def test_one_huge_size_takes_no_full_table(monkeypatch: pytest.MonkeyPatch) -> None:
    given = items(farthest=300)
    in_a_table = level_by_size(**given)
    monkeypatch.setattr("gradatim.radiomics.level_by_size.SPARE", -4 * 90)
    sorted_ = level_by_size(**given)
    assert full(sorted_, sizes=300).equal(full(in_a_table, sizes=300))
    for record in Glrlm.features:
        torch.testing.assert_close(record.compute(sorted_), record.compute(in_a_table), rtol=1e-13, atol=0)
    given["size"][0] = given["voxels"][0] = 10**12  # a table of this many cells would not fit
    assert level_by_size(**given).size.max() == 10**12


def test_features_follow_their_formulas() -> None:
    matrices = level_by_size(**items())
    n = full(matrices)
    i = torch.arange(1, LEVELS + 1, dtype=torch.float64).view(-1, 1)
    j = torch.arange(1, SIZES + 1, dtype=torch.float64)
    number = n.sum((1, 2))
    p = n / number.view(-1, 1, 1)
    mean_i, mean_j = ((p * x).sum((1, 2)).view(-1, 1, 1) for x in (i, j))
    over_sizes, over_levels = n.sum(2), n.sum(1)
    expected = [
        (p / j**2).sum((1, 2)),
        (p * j**2).sum((1, 2)),
        (p / i**2).sum((1, 2)),
        (p * i**2).sum((1, 2)),
        (p / (i**2 * j**2)).sum((1, 2)),
        (p * i**2 / j**2).sum((1, 2)),
        (p * j**2 / i**2).sum((1, 2)),
        (p * i**2 * j**2).sum((1, 2)),
        (over_sizes**2).sum(1) / number,
        (over_sizes**2).sum(1) / number**2,
        (over_levels**2).sum(1) / number,
        (over_levels**2).sum(1) / number**2,
        number / (n * j).sum((1, 2)),
        ((i - mean_i) ** 2 * p).sum((1, 2)),
        ((j - mean_j) ** 2 * p).sum((1, 2)),
        -torch.where(p > 0, p * p.log2(), 0.0).sum((1, 2)),
    ]
    for record, value in zip(Glrlm.features, expected, strict=True):
        torch.testing.assert_close(record.compute(matrices), value, rtol=1e-12, atol=0)


def test_features_are_differentiable_in_the_counts() -> None:
    matrices = level_by_size(**items())
    m, i, j, voxels = matrices.matrix, matrices.level, matrices.size, matrices.voxels
    count = matrices.count.clone().requires_grad_()
    for record in Glrlm.features:
        assert torch.autograd.gradcheck(
            lambda n, record=record: record.compute(LevelBySize(m, i, j, n, voxels)), (count,)
        ), record.id


def test_a_family_has_sixteen() -> None:
    with pytest.raises(ValueError, match="zip"):
        sixteen("r", (("Short runs emphasis", "22OV", "Galloway 1975"),))
