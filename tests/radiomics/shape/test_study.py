"""The study of shapes finds what its page says: volumes and axes hold, the mesh's area does not."""

import pytest
import torch

from gradatim.radiomics.resample import ResampleTo
from gradatim.radiomics.shape.study import Bias, ShapeStudy, ellipsoid_mask


def bias(study: ShapeStudy) -> dict[str, Bias]:
    return {found.estimator: found for found in study(seed=1)}


def test_closed_forms_are_approached_on_fine_cubes() -> None:
    found = bias(ShapeStudy((18.0, 12.0, 9.0), (0.6, 0.6, 0.6), placements=4))
    for estimator in ("voxel volume", "mesh volume", "major axis", "least axis", "Crofton area", "sphericity, Crofton"):
        assert abs(found[estimator].mean) < 0.01, estimator
        assert found[estimator].spread < 0.01, estimator
    assert 0.07 < found["mesh area"].mean < 0.1
    assert 0 < found["diameter"].mean * 36 < 0.6


def test_thick_slices_and_resampled_masks_make_the_area_of_the_mesh_worse() -> None:
    body = (18.0, 12.0, 9.0)
    cubes = bias(ShapeStudy(body, (1.0, 1.0, 1.0), placements=4))
    slices = bias(ShapeStudy(body, (1.0, 1.0, 4.0), placements=4))
    resampled = bias(ShapeStudy(body, (1.0, 1.0, 4.0), ResampleTo((1.0, 1.0, 1.0)), placements=4))
    assert cubes["mesh area"].mean < slices["mesh area"].mean < resampled["mesh area"].mean
    assert cubes["sphericity, mesh"].mean > slices["sphericity, mesh"].mean
    assert abs(slices["Crofton area"].mean) < slices["mesh area"].mean / 4
    assert abs(slices["voxel volume"].mean) < 0.02


@pytest.mark.parametrize("seed", [0, 5])
def test_a_digitised_ellipsoid_has_its_volume_anywhere(seed: int) -> None:
    mask = ellipsoid_mask((9.0, 7.0, 5.0), (0.5, 0.5, 0.5), seed=seed)
    assert float(mask.sum()) / 8 == pytest.approx(4 / 3 * torch.pi * 9 * 7 * 5, rel=1e-2)
    assert torch.equal(mask, ellipsoid_mask((9.0, 7.0, 5.0), (0.5, 0.5, 0.5), seed=seed))
