"""How far PyRadiomics is from IBSI 1 on the CT phantom, configuration C: by its own processing, and by IBSI's.

Source: IBSI reference manual, arXiv:1612.07003, compliance sheet. The phantom is CC BY-NC 3.0 and read from the
reference data only.
"""

import csv
from pathlib import Path

import torch

from gradatim.base.nouns import QuantitativeMap, Regions
from gradatim.io.nifti import read_image, read_labels
from gradatim.radiomics.aggregation import VOLUME_AVERAGED, ZONES_VOLUME
from gradatim.radiomics.catalogue import CATALOGUE
from gradatim.radiomics.comparison.counterparts import meaning
from gradatim.radiomics.discretise import Discretisation
from gradatim.radiomics.extraction import Extraction
from gradatim.radiomics.preparation import Preparation, Resampling
from gradatim.radiomics.presets import IBSI_C
from gradatim.radiomics.pyradiomics.discretise import ZeroAlignedBins
from gradatim.radiomics.pyradiomics.families import PYRADIOMICS
from gradatim.radiomics.pyradiomics.resample import CornerAlignedResampling

WITH_A_REFERENCE = 102
"""Of the 107 features; five are not IBSI's: total energy, the maximal correlation coefficient, three 2-D diameters."""


BINS_OF_25 = ZeroAlignedBins(25.0)


def verdicts(shared: Path, resampling: Resampling, bins: Discretisation = BINS_OF_25) -> dict[str, bool]:
    """IBSI meaning → whether the value is within the sheet's tolerance."""
    folder = shared / "data/radiomics/phantoms/ibsi_1_ct_radiomics_phantom/nifti"
    image, mask = read_image(folder / "image/phantom.nii.gz"), read_labels(folder / "mask/mask.nii.gz")
    whole = torch.ones(image.grid.shape, dtype=torch.bool)
    preparation = Preparation(bins, IBSI_C.preparation.resegmentation, resampling)
    extraction = Extraction(preparation, PYRADIOMICS, (VOLUME_AVERAGED, ZONES_VOLUME))
    values = QuantitativeMap(image.data, whole, image.grid, "CT", "HU")
    with (shared / "data/radiomics/ibsi1_reference.csv").open(newline="") as file:
        sheet = {
            (row["ibsi_code"], row["aggregation_code"]): row
            for row in csv.DictReader(file)
            if row["config"] == "ct_config_c" and row["value"] and row["family"] != "diagnostics"
        }
    found = {}
    for feature in extraction(values, Regions(mask.data, mask.grid)):
        name = meaning(feature.family, feature.feature, feature.ibsi_code)
        if name in CATALOGUE:
            row = sheet[CATALOGUE[name].code, feature.aggregation]
            rounded = float(f"{feature.value:.3g}")
            found[name] = abs(rounded - float(row["value"])) <= float(row["tolerance"]) * (1 + 1e-9)
    return found


def test_on_the_image_that_ibsi_resampled_only_bins_and_kurtosis_are_left(shared: Path) -> None:
    found = verdicts(shared, IBSI_C.preparation.resampling)
    assert len(found) == WITH_A_REFERENCE
    assert sum(found.values()) == 79
    missed = {name for name, fits in found.items() if not fits}
    of_the_level = {name for name in missed if "grey_level" in name and ("emphasis" in name)}
    assert missed - of_the_level == {
        "statistics.excess_kurtosis",
        "glcm.autocorrelation",
        "glcm.joint_average",
        "glcm.sum_average",
        "ngtdm.busyness",
    }
    assert len(of_the_level) == 18


def test_with_the_origin_of_the_bins_too_only_kurtosis_is_left(shared: Path) -> None:
    found = verdicts(shared, IBSI_C.preparation.resampling, IBSI_C.preparation.discretisation)
    assert [name for name, fits in found.items() if not fits] == ["statistics.excess_kurtosis"]


def test_by_its_own_resampling_few_are_left(shared: Path) -> None:
    found = verdicts(shared, CornerAlignedResampling((2.0, 2.0, 2.0)))
    assert len(found) == WITH_A_REFERENCE
    assert sum(found.values()) == 20
