"""A simulated head as a BIDS data set, with its truth as a derivative beside it."""

import math
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from gradatim.base.errors import GradatimError, UsageError
from gradatim.base.grid import Grid
from gradatim.base.nouns import FieldMap, QuantitativeMap, Regions
from gradatim.io.atomic_folder import atomic_folder
from gradatim.io.derivatives import BIDS_VERSION, DerivedImage, bids_stem, write_dataset_files, write_images, write_text
from gradatim.io.nifti import read_image, read_labels, read_mask
from gradatim.io.nifti_write import write_nifti
from gradatim.io.sidecar import read_sidecar, write_sidecar
from gradatim.pipelines.parameters import parameters, parameters_sha256
from gradatim.pipelines.progress import announce
from gradatim.qsm.phantom import Head, HeadPhantom
from gradatim.qsm.scan import HeadScan, SimulatedScan

WHOLE_HEAD_MM = (204.0, 204.0, 153.0)
"""A volume that holds the head from chin to crown."""

TRUTH = Path("derivatives", "truth")
"""Where the truth lies below the data set's root."""

SETTINGS = "simulation.json"
"""The file that says what was simulated."""

_README = """\
# A simulated head

No person was scanned: gradatim {version} drew this head from formulas and simulated its multi-echo gradient-echo scan
with noise, shim, coil shading and phase offset. `derivatives/truth` holds what a perfect chain would find.
"""
_README_TRUTH = """\
# The truth of a simulated head

Susceptibility (ppm, relative to water), R2*, field and regions of the head in the data set above; by gradatim
{version}.
"""


@dataclass(frozen=True, eq=False)
class Truth:
    """What a perfect chain would find.

    Args:
        susceptibility: ppm relative to water, in the brain.
        total: field after the shim, Hz.
        local: field of the brain's own sources, Hz.
        r2_star: 1/s.
        regions: labels with their names.
    """

    susceptibility: QuantitativeMap
    total: FieldMap
    local: FieldMap
    r2_star: QuantitativeMap
    regions: Regions


@dataclass(frozen=True)
class SimulatedDataset:
    """Draws and scans a head, and writes it as the only subject of a data set, whole or not at all.

    Args:
        phantom: the head.
        scan: how it is scanned.
        subject: the subject's label.
    """

    phantom: HeadPhantom = HeadPhantom()
    scan: HeadScan = HeadScan()
    subject: str = "head"

    def __call__(self, root: Path) -> None:
        """Write the data set, unless the same one lies there already.

        Args:
            root: its folder; what gradatim wrote there before is replaced.

        Raises:
            UsageError: GD-107 if something else lies there.
            ResourceError: GD-502 to GD-504 if it cannot be written.
        """
        said = parameters(self)
        settings = {"Parameters": said, "Key": parameters_sha256(said)}
        if root.exists() and any(root.iterdir()):
            if _settings(root).get("Key") == settings["Key"]:
                return
            if "Key" not in _settings(root):
                raise UsageError(
                    "GD-107",
                    given=f"{root.name}, which holds something that gradatim did not simulate",
                    allowed="a new or empty folder, or an earlier demo",
                    do="choose another output folder",
                )
        announce("drawing the head", 0.0)
        head = self.phantom()
        announce("scanning it", 0.6)
        scan = self.scan(head)
        announce("writing it", 0.7)
        with atomic_folder(root) as folder:
            self._write_raw(folder, scan)
            self._write_truth(folder / TRUTH, head, scan)
            write_sidecar(folder / SETTINGS, settings)

    def _write_raw(self, root: Path, scan: SimulatedScan) -> None:
        anat = root / f"sub-{self.subject}" / "anat"
        anat.mkdir(parents=True)
        description = {"Name": "A simulated head", "BIDSVersion": BIDS_VERSION, "DatasetType": "raw"}
        write_sidecar(root / "dataset_description.json", {**description, "License": "CC0", "Authors": ["gradatim"]})
        write_text(root / "README.md", _README.format(version=version("gradatim")))
        write_text(root / "participants.tsv", f"participant_id\nsub-{self.subject}\n")
        write_text(root / ".bidsignore", f"{SETTINGS}\n")
        for number, time in enumerate(scan.signal.echo_times, start=1):
            for part, values in (("mag", scan.signal.magnitude), ("phase", scan.signal.phase)):
                entities = [("sub", self.subject), ("echo", str(number)), ("part", part)]
                stem = bids_stem(entities, "MEGRE")
                write_nifti(anat / f"{stem}.nii.gz", values[number - 1], scan.signal.grid)
                unit = {"Units": "rad" if part == "phase" else "arbitrary"}
                said = {"EchoTime": time, "MagneticFieldStrength": scan.signal.field_strength, **unit}
                write_sidecar(anat / f"{stem}.json", said)

    def _write_truth(self, root: Path, head: Head, scan: SimulatedScan) -> None:
        place = root / f"sub-{self.subject}"
        place.mkdir(parents=True)
        write_dataset_files(root, raw=root.parents[1], title="The truth of a simulated head", readme=_README_TRUTH)
        names = {label: head.regions.name(label) for label in head.regions.present}
        truth, brain = (("desc", "truth"),), (("desc", "brain"),)
        maps = (("Chimap", scan.susceptibility.value, "ppm"), ("R2starmap", scan.r2_star.value, "1/s"))
        fields = (("total", scan.total.field), ("local", scan.local.field))
        images = (
            *(DerivedImage("anat", truth, suffix, data, head.grid, {"Units": unit}) for suffix, data, unit in maps),
            *(DerivedImage("fmap", (("desc", n),), "fieldmap", d, head.grid, {"Units": "Hz"}) for n, d in fields),
            *(
                DerivedImage("fmap", (("desc", n),), "magnitude", scan.signal.magnitude[0], head.grid, {})
                for n, _ in fields
            ),
            DerivedImage("anat", brain, "mask", head.mask, head.grid, {"Type": "Brain"}),
            DerivedImage("anat", truth, "dseg", head.regions.labels, head.grid, {}, names),
        )
        first = f"bids:raw:sub-{self.subject}/anat/sub-{self.subject}_echo-1_part-mag_MEGRE.nii.gz"
        said = {"SkullStripped": True, "SpatialReference": first, "Sources": [first], "Description": "Truth"}
        write_images(place, images, scan=[("sub", self.subject)], said=said)

    def truth(self, root: Path) -> Truth:
        """Read the truth of a data set that was written here.

        Args:
            root: the data set's folder.
        """
        place, start = root / TRUTH / f"sub-{self.subject}", f"sub-{self.subject}"
        chi = read_image(place / "anat" / f"{start}_desc-truth_Chimap.nii.gz")
        mask = read_mask(place / "anat" / f"{start}_desc-brain_mask.nii.gz").data
        rate = read_image(place / "anat" / f"{start}_desc-truth_R2starmap.nii.gz").data
        labels = read_labels(place / "anat" / f"{start}_desc-truth_dseg.nii.gz").data
        total, local = (
            read_image(place / "fmap" / f"{start}_desc-{name}_fieldmap.nii.gz").data for name in ("total", "local")
        )
        strength, grid, exact = self.scan.field_strength, chi.grid, torch.zeros_like(total)
        return Truth(
            susceptibility=QuantitativeMap(chi.data, mask, grid, "susceptibility", "ppm", reference="water"),
            total=FieldMap(total, exact, mask, strength, grid),
            local=FieldMap(local, exact, mask, strength, grid),
            r2_star=QuantitativeMap(rate, mask, grid, "R2*", "1/s"),
            regions=Regions(labels, grid),
        )


def head_dataset(voxel_mm: float, *, seed: int = 0) -> SimulatedDataset:
    """A whole head in cubic voxels, centred on the scanner's origin.

    Args:
        voxel_mm: edge of a voxel, mm, > 0.
        seed: of the person and of the noise.
    """
    x, y, z = (2 * math.ceil(length / voxel_mm / 2) for length in WHOLE_HEAD_MM)
    affine = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    affine[:3, 3] = [-voxel_mm * (n - 1) / 2 for n in (x, y, z)]
    return SimulatedDataset(HeadPhantom(Grid.from_affine((x, y, z), affine), seed=seed), HeadScan(seed=seed))


def _settings(root: Path) -> dict[str, object]:
    try:
        return read_sidecar(root / SETTINGS)
    except GradatimError:
        return {}
