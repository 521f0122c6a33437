"""Maps beside PyRadiomics 3.0.1's voxel-based ones, on a cut-out of its own example image."""

from pathlib import Path

import pytest
import torch

from gradatim.base.grid import Grid
from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.io.volume import read_regions, read_volume
from gradatim.radiomics.aggregation import VOLUME_AVERAGED
from gradatim.radiomics.discretise import NoDiscretisation
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.glcm import Glcm
from gradatim.radiomics.maps.feature_maps import FeatureMaps
from gradatim.radiomics.maps.window import Cube
from gradatim.radiomics.preparation import Preparation

NAMES = ("contrast", "joint_entropy", "cluster_shade", "inverse_difference_moment", "information_correlation_2")
VOXELS = {
    (13, 0, 9): (42.7011396011396, 5.867991490420911, -137.3864623269149, 0.1926689153093861, 0.9848299977297363),
    (9, 11, 10): (61.4729511121953, 4.9306821620643335, 401.11424005377194, 0.27275418380497984, 0.9736884619845252),
    (15, 5, 6): (21.041120392930342, 4.359776691752159, 69.70758877190087, 0.27116916028370114, 0.9875008001371366),
    (9, 3, 7): (58.605397727272724, 3.9398621417739883, -97.63281084780448, 0.12756371478059067, 0.9827609504797465),
}
"""Its RadiomicsGLCM with voxelBased, kernelRadius 2, maskedKernel and binWidth 1 on the levels below."""


def test_glcm_maps_of_a_brain_are_pyradiomics_s(shared: Path) -> None:
    folder = shared / "data/radiomics/pyradiomics"
    image = read_volume(folder / "brain1_image.nrrd")
    layer = read_regions(folder / "brain1_label.nrrd", like=image).layers[0].labels > 0
    cut = (slice(178, 194), slice(98, 114), slice(6, 22))
    values, region = image.data[cut].to(torch.float64), layer[cut]
    levels = torch.where(region, ((values - values[region].min()) / 25).floor() + 1, 0.0)
    assert (int(region.sum()), int(levels.max())) == (855, 30)
    grid = Grid((16, 16, 16), (1.0, 1.0, 1.0))
    given = QuantitativeMap(levels, region, grid, "levels", "")
    extraction = Extraction(Preparation(NoDiscretisation()), (Glcm(),), (VOLUME_AVERAGED,))
    made = FeatureMaps(extraction, tuple(f"glcm.{name}" for name in NAMES), Cube(2))(
        given, Regions(region.to(torch.int64), grid)
    )
    for place, published in VOXELS.items():
        for name, value in zip(NAMES, published, strict=True):
            assert float(made[f"glcm.{name}"].value[place]) == pytest.approx(value, rel=1e-9), (place, name)
