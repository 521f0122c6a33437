"""A small DICOM patient, written for tests: series, structure sets and segmentations of known content."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

CANARY = "CANARY^PATIENT"
STUDY, SERIES, FRAME = (generate_uid(entropy_srcs=[word]) for word in ("study", "series", "frame"))
CT = UID("1.2.840.10008.5.1.4.1.1.2")
OBLIQUE = np.array([[0.8, 0.36, -0.48], [0.0, 0.8, 0.6], [0.6, -0.48, 0.64]])
"""A rotation with short decimals, so that header texts hold it without rounding."""


def lps(spacing: Sequence[float], origin: Sequence[float] = (0, 0, 0), turn: np.ndarray | None = None) -> np.ndarray:
    """Affine voxel → LPS mm."""
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3) if turn is None else turn) * np.asarray(spacing, float)
    affine[:3, 3] = origin
    return affine


def ras(affine: np.ndarray) -> np.ndarray:
    """The same affine → RAS mm."""
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


def image(values: np.ndarray, affine: np.ndarray, index: int, *, series: str = SERIES, **elements: Any) -> Dataset:
    """One slice: values (x, y) int16, its place in the affine of the volume."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = CT
    made.SOPInstanceUID = generate_uid(entropy_srcs=[series, str(index)])
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.PatientName, made.PatientID, made.PatientBirthDate, made.PatientSex = CANARY, CANARY, "19000101", "O"
    made.StudyDate, made.StudyTime, made.AccessionNumber, made.StudyID = "20200101", "101010", "1", "1"
    made.ReferringPhysicianName = CANARY
    made.StudyInstanceUID, made.SeriesInstanceUID, made.FrameOfReferenceUID = STUDY, series, FRAME
    made.PositionReferenceIndicator = ""
    made.Modality, made.SeriesNumber, made.InstanceNumber = "CT", 1, index + 1
    made.Rows, made.Columns = values.shape[1], values.shape[0]
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    made.PixelSpacing = [float(spacing[1]), float(spacing[0])]
    made.SliceThickness = float(spacing[2])
    made.ImageOrientationPatient = [
        *np.round(affine[:3, 0] / spacing[0], 9).tolist(),
        *np.round(affine[:3, 1] / spacing[1], 9).tolist(),
    ]
    made.ImagePositionPatient = np.round(affine[:3, 2] * index + affine[:3, 3], 6).tolist()
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit, made.PixelRepresentation = 15, 1
    made.RescaleSlope, made.RescaleIntercept = 1, 0
    made.PixelData = np.ascontiguousarray(values.T).astype("<i2").tobytes()
    for key, value in elements.items():
        if value is None:
            delattr(made, key)
        else:
            setattr(made, key, value)
    return made


def write_series(folder: Path, values: np.ndarray, affine: np.ndarray, **elements: Any) -> list[Dataset]:
    """A series of (x, y, z) int16; files are named against the order of the slices."""
    folder.mkdir(exist_ok=True, parents=True)
    slices = [image(values[:, :, k], affine, k, **elements) for k in range(values.shape[2])]
    for made in slices:
        save(made, folder / f"{len(slices) - made.InstanceNumber:03d}-{made.SeriesInstanceUID[-4:]}.dcm")
    return slices


def save(made: Dataset, path: Path) -> None:
    """Write a data set as a file of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pydicom.dcmwrite(path, made, enforce_file_format=True)


def structure_set(structures: Sequence[tuple[str, Sequence[np.ndarray]]], *, frame: str = FRAME) -> Dataset:
    """A structure set: each structure's name and closed contours, (point, 3) in LPS mm."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.481.3")
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.Modality, made.PatientName, made.PatientID = "RTSTRUCT", CANARY, CANARY
    made.StructureSetROISequence, made.ROIContourSequence = [], []
    for number, (name, contours) in enumerate(structures, 1):
        structure, drawn = Dataset(), Dataset()
        structure.ROINumber, structure.ROIName, structure.ReferencedFrameOfReferenceUID = number, name, frame
        drawn.ReferencedROINumber, drawn.ContourSequence = number, []
        for points in contours:
            contour = Dataset()
            contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", len(points)
            contour.ContourData = np.round(points, 4).ravel().tolist()
            drawn.ContourSequence.append(contour)
        made.StructureSetROISequence.append(structure)
        made.ROIContourSequence.append(drawn)
    return made


def circle(affine: np.ndarray, centre: Sequence[float], radius: float, index: int, *, points: int = 360) -> np.ndarray:
    """A circle on slice ``index`` about pixel coordinates ``centre``, radius in pixels; (point, 3) LPS mm."""
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    x, y = centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)
    return (affine @ np.vstack([x, y, np.full(points, index), np.ones(points)]))[:3].T


def segmentation(slices: list[Dataset], masks: Sequence[tuple[str, np.ndarray]], kind: str = "BINARY") -> Dataset:
    """A SEG made by highdicom from masks (x, y, z), or shares of voxels for the kind FRACTIONAL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import highdicom
        from pydicom.sr.codedict import codes

        described = [
            highdicom.seg.SegmentDescription(
                segment_number=number,
                segment_label=name,
                segmented_property_category=codes.SCT.Tissue,
                segmented_property_type=codes.SCT.ConnectiveTissue,
                algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
            )
            for number, (name, _) in enumerate(masks, 1)
        ]
        pixels = np.stack([mask.transpose(2, 1, 0) for _, mask in masks], axis=-1)
        if kind == "LABELMAP":
            numbers = np.arange(1, len(masks) + 1)
            pixels = (pixels * numbers).max(-1).astype(np.uint8)
        return highdicom.seg.Segmentation(
            source_images=slices,
            pixel_array=pixels.astype(np.float32 if kind == "FRACTIONAL" else np.uint8),
            segmentation_type=highdicom.seg.SegmentationTypeValues(kind),
            segment_descriptions=described,
            series_instance_uid=generate_uid(),
            series_number=9,
            sop_instance_uid=generate_uid(),
            instance_number=1,
            manufacturer="tests",
            manufacturer_model_name="tests",
            software_versions="1",
            device_serial_number="1",
        )


def ball(shape: Sequence[int], centre: Sequence[float], radius: float, spacing: Sequence[float]) -> np.ndarray:
    """Voxels whose centre lies within ``radius`` mm of pixel coordinates ``centre``."""
    axes = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    return sum(((a - c) * s) ** 2 for a, c, s in zip(axes, centre, spacing, strict=True)) <= radius**2
