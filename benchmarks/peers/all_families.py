"""Runs one peer of the radiomics benchmark on a saved volume, in the interpreter that has it, and prints what it took.

``PYTHON benchmarks/peers/all_families.py NAME VOLUME.npz``, where the volume holds ``image``, ``mask``, ``spacing`` and
``levels``. Prints one JSON object: version, seconds (the shortest of three after one run to load and compile), peak
memory in MB, and a few values by which the inputs are seen to be the same.
"""

import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

Run = Callable[[], dict[str, float]]


def pictologics(image: np.ndarray, mask: np.ndarray, spacing: tuple[float, ...], levels: int) -> Run:
    """All its families but Moran's I and local peaks, as its own comparison has them."""
    from pictologics.features.intensity import calculate_intensity_features
    from pictologics.features.morphology import calculate_morphology_features
    from pictologics.features.texture import calculate_all_texture_features
    from pictologics.loader import Image

    picture, region = (Image(array.astype(float), spacing, (0.0, 0.0, 0.0)) for array in (image, mask))
    places = np.nonzero(mask)
    box = tuple(slice(int(p.min()), int(p.max()) + 1) for p in places)
    flags = mask.astype(np.uint8)

    def run() -> dict[str, float]:
        cut, inside = image[box], flags[box]
        texture = calculate_all_texture_features(cut, inside, levels, distance_mask_array=inside)
        found = texture | calculate_intensity_features(image[mask]) | calculate_morphology_features(region, picture)
        return {"joint average": next(v for k, v in found.items() if "60VM" in k), "count": len(found)}

    return run


def pyradiomics(image: np.ndarray, mask: np.ndarray, spacing: tuple[float, ...], levels: int) -> Run:
    import logging

    import SimpleITK
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    logging.getLogger("radiomics").setLevel(logging.ERROR)
    picture, region = (SimpleITK.GetImageFromArray(a.astype(t).T) for a, t in ((image, float), (mask, np.uint8)))
    for each in (picture, region):
        each.SetSpacing(spacing)
    extractor = RadiomicsFeatureExtractor(binWidth=1)
    extractor.disableAllFeatures()
    for family in ("firstorder", "shape", "glcm", "glrlm", "glszm", "ngtdm", "gldm"):
        extractor.enableFeatureClassByName(family)

    def run() -> dict[str, float]:
        found = extractor.execute(picture, region)
        values = {k: v for k, v in found.items() if k.startswith("original_")}
        return {"joint average": float(found["original_glcm_JointAverage"]), "count": len(values)}

    return run


def mirp(image: np.ndarray, mask: np.ndarray, spacing: tuple[float, ...], levels: int) -> Run:
    from mirp import extract_features

    def run() -> dict[str, float]:
        (table,) = extract_features(
            image=image.T.astype(int),
            mask=mask.T.astype(int),
            image_modality="mr",
            base_discretisation_method="none",
            base_feature_families="all",
            glcm_spatial_method="3d_volume_merge",
            glrlm_spatial_method="3d_volume_merge",
            glszm_spatial_method="3d",
            gldzm_spatial_method="3d",
            ngtdm_spatial_method="3d",
            ngldm_spatial_method="3d",
            write_features=False,
            export_features=True,
        )
        name = next(column for column in table.columns if column.startswith("cm_joint_avg"))
        return {"joint average": float(table[name].iloc[0]), "count": table.shape[1]}

    return run


def flash(image: np.ndarray, mask: np.ndarray, spacing: tuple[float, ...], levels: int) -> Run:
    import tempfile

    import SimpleITK
    from flash_radiomics import RadiomicsFeatureExtractor

    folder = Path(tempfile.mkdtemp())
    for name, array, kind in (("image", image, float), ("mask", mask, np.uint8)):
        each = SimpleITK.GetImageFromArray(array.astype(kind).T)
        each.SetSpacing(spacing)
        SimpleITK.WriteImage(each, str(folder / f"{name}.nii"))
    extractor = RadiomicsFeatureExtractor(binWidth=1)

    def run() -> dict[str, float]:
        found = extractor.execute(str(folder / "image.nii"), str(folder / "mask.nii"))
        values = {k: v for k, v in found.items() if "original" in k}
        return {"joint average": float(next(v for k, v in found.items() if "JointAverage" in k)), "count": len(values)}

    return run


PEERS = {"pictologics": pictologics, "pyradiomics": pyradiomics, "mirp": mirp, "flash-radiomics": flash}


def main(name: str, path: str) -> None:
    volume = np.load(path)
    mask = volume["mask"].astype(bool)
    run = PEERS[name](volume["image"], mask, tuple(volume["spacing"].tolist()), int(volume["levels"]))
    values, seconds = run(), []
    for _ in range(3 if name != "mirp" else 1):
        start = time.perf_counter()
        values = run()
        seconds.append(time.perf_counter() - start)
    peak = int(Path("/proc/self/status").read_text(encoding="ascii").split("VmHWM:")[1].split()[0]) / 1024
    print(json.dumps({"version": version(name), "seconds": min(seconds), "peak_mb": peak} | values))


if __name__ == "__main__":
    main(*sys.argv[1:])
