"""Runs PyRadiomics' voxel-based GLCM on a saved volume, in the interpreter that has it, and prints what it took.

``PYTHON benchmarks/peers/feature_maps.py VOLUME.npz``, where the volume holds ``image`` (whole numbers from 1) and
``mask``. All its features but the maximal correlation coefficient, which IBSI does not have and which costs more than
all others; the second of two runs.
"""

import json
import logging
import sys
import time
from importlib.metadata import version

import numpy as np
import SimpleITK

BATCH = 50
"""Voxels at a time, with which it is quickest here: all at once, its default, takes 1.5 times as long."""

sys.path.pop(0)  # this folder has a radiomics.py of its own


def main(path: str) -> None:
    from radiomics.glcm import RadiomicsGLCM

    logging.getLogger("radiomics").setLevel(logging.ERROR)
    saved = np.load(path)
    picture, region = (SimpleITK.GetImageFromArray(saved[name].T) for name in ("image", "mask"))
    for _ in range(2):
        family = RadiomicsGLCM(
            picture, region, binWidth=1, voxelBased=True, kernelRadius=2, maskedKernel=True, voxelBatch=BATCH
        )
        family.enableAllFeatures()
        family.enableFeatureByName("MCC", False)
        wall, cpu = time.perf_counter(), time.process_time()
        made = family.execute()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    contrast = float(SimpleITK.GetArrayFromImage(made["Contrast"]).mean())
    said = {"seconds": wall, "cpu": cpu, "count": len(made), "contrast": contrast}
    print(json.dumps(said | {"version": version("pyradiomics")}))


if __name__ == "__main__":
    main(sys.argv[1])
