"""Tone difference features against IBSI's sums as written, their special cases, and the matrices IBSI prints."""

import csv
from collections import defaultdict
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradatim.io.nifti import read_image, read_labels
from gradatim.radiomics.aggregation import ZONES_AVERAGED, ZONES_VOLUME, Aggregation
from gradatim.radiomics.discretise import FixedBinSize, NoDiscretisation
from gradatim.radiomics.neighbourhoods import tone_differences
from gradatim.radiomics.ngtdm import Ngtdm, ToneDifferences
from gradatim.radiomics.roi import NO_INTENSITIES, Roi
from gradatim.radiomics.undefined import Undefined

RECORDS = {record.id: record for record in Ngtdm.features}

rows = st.lists(st.tuples(st.integers(0, 9), st.floats(0.0, 50.0)), min_size=1, max_size=6).filter(
    lambda row: any(n for n, _ in row)
)


def values(n: list[float], s: list[float]) -> dict[str, float]:
    matrix = ToneDifferences(torch.tensor([n], dtype=torch.float64), torch.tensor([s], dtype=torch.float64))
    return {name: float(record.compute(matrix)) for name, record in RECORDS.items()}


def roi(levels: torch.Tensor) -> Roi:
    inside = levels > 0
    return Roi(levels.to(torch.float64), inside, inside, (1.0, 1.0, 1.0), NoDiscretisation())


@given(rows)
def test_features_are_the_sums_of_the_manual(row: list[tuple[int, float]]) -> None:
    n = [count for count, _ in row]
    s = [total if count else 0.0 for count, total in row]
    voxels = sum(n)
    p = [count / voxels for count in n]
    there = [i for i, count in enumerate(n) if count]
    pairs = [(i, j) for i in there for j in there]
    weighted = sum(p[i] * s[i] for i in there)
    found = values([float(count) for count in n], s)
    assert found["coarseness"] == (pytest.approx(min(1 / weighted, 1e6)) if weighted else 1e6)
    m = len(there)
    spread = sum(p[i] * p[j] * (i - j) ** 2 for i, j in pairs) / (m * (m - 1)) if m > 1 else 0.0
    assert found["contrast"] == pytest.approx(spread * sum(s) / voxels, abs=1e-12)
    across = sum(abs((i + 1) * p[i] - (j + 1) * p[j]) for i, j in pairs)
    if m == 1:
        assert found["busyness"] == 0
    elif across > 1e-9:
        assert found["busyness"] == pytest.approx(weighted / across)
    complexity = sum(abs(i - j) * (p[i] * s[i] + p[j] * s[j]) / (p[i] + p[j]) for i, j in pairs) / voxels
    assert found["complexity"] == pytest.approx(complexity, abs=1e-12)
    strength = sum((p[i] + p[j]) * (i - j) ** 2 for i, j in pairs)
    assert found["strength"] == (pytest.approx(strength / sum(s)) if sum(s) else 0.0)


def test_levels_of_one_moment_have_no_busyness() -> None:
    # 1·(2/3) = 2·(1/3): the denominator is zero though there are two levels.
    assert values([2.0, 1.0], [1.0, 1.0])["busyness"] == float("inf")


def test_one_level_has_the_values_ibsi_gives_it() -> None:
    [matrix] = Ngtdm().measure(roi(torch.full((3, 3, 3), 2)), ZONES_VOLUME)  # type: ignore[misc]
    found = {name: float(record.compute(matrix)) for name, record in RECORDS.items()}
    assert found == {"coarseness": 1e6, "contrast": 0.0, "busyness": 0.0, "complexity": 0.0, "strength": 0.0}


def test_voxels_without_neighbours_have_no_matrix() -> None:
    levels = torch.zeros(3, 3, 3, dtype=torch.int64)
    levels[0, 0, 0], levels[2, 2, 2] = 1, 2
    assert list(Ngtdm().measure(roi(levels), ZONES_VOLUME)) == []  # type: ignore[arg-type]
    levels[0, 0, 2] = levels[1, 0, 2] = 3
    [matrix] = Ngtdm().measure(roi(levels), ZONES_AVERAGED)  # type: ignore[misc]
    assert matrix.n.tolist() == [[0.0, 0.0, 2.0]]


def test_no_intensity_and_no_level_say_why() -> None:
    inside = torch.ones(2, 2, 2, dtype=torch.bool)
    empty = Roi(torch.zeros(2, 2, 2).double(), inside, ~inside, (1.0, 1.0, 1.0), NoDiscretisation())
    assert Ngtdm().measure(empty, ZONES_VOLUME) == Undefined(NO_INTENSITIES)
    low = Roi(torch.zeros(2, 2, 2).double(), inside, inside, (1.0, 1.0, 1.0), FixedBinSize(width=1.0, origin=2.0))
    assert isinstance(Ngtdm().measure(low, ZONES_VOLUME), Undefined)


def test_features_are_differentiable_in_counts_and_sums() -> None:
    draw = torch.Generator().manual_seed(3)
    n, s = ((torch.rand(2, 5, dtype=torch.float64, generator=draw) + 0.5).requires_grad_() for _ in range(2))
    for record in Ngtdm.features:
        assert torch.autograd.gradcheck(lambda n, s, record=record: record.compute(ToneDifferences(n, s)), (n, s))


@pytest.mark.parametrize(("printed", "aggregation"), [("2d", ZONES_AVERAGED), ("3d", ZONES_VOLUME)])
def test_the_matrices_that_ibsi_prints(printed: str, aggregation: Aggregation, shared: Path) -> None:
    folder = shared / "data/radiomics/phantoms/ibsi_1_digital_phantom/nifti"
    image, mask = read_image(folder / "image/phantom.nii.gz"), read_labels(folder / "mask/mask.nii.gz")
    levels = (image.data * (mask.data > 0)).to(torch.int64)
    [(n, s)] = tone_differences(levels, aggregation, n_levels=6)
    tables: defaultdict[str, dict[int, tuple[float, float]]] = defaultdict(dict)
    with (shared / "data/radiomics/ibsi1_digital_phantom_matrices.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if (row["matrix"], row["aggregation"]) == ("ngtdm", printed):
                tables[row["block"]][int(float(row["c1"]))] = (float(row["c3"]), float(row["c2"]))
    # The manual has its own order of slices; the number of voxels of level 1 tells them apart.
    counted = [{i + 1: (float(n[k, i]), float(s[k, i])) for i in range(6) if n[k, i] > 0} for k in range(len(n))]
    for found, expected in zip(
        sorted(counted, key=lambda t: t[1]), sorted(tables.values(), key=lambda t: t[1]), strict=True
    ):
        assert found.keys() == expected.keys()
        for level in found:
            assert found[level] == pytest.approx(expected[level], abs=5e-7)
