"""Writing raw data as ISMRMRD: one acquisition a readout, with its trajectory; whole or not at all."""

import math
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import torch

from gradatim.base.errors import ResourceError, UsageError
from gradatim.base.optional import h5py
from gradatim.base.raw import RawData
from gradatim.io.atomic import atomic_file, require_place
from gradatim.io.mrd import COUNTERS, FLAGS, read_mrd

_INDEX = np.dtype([*((name, "<u2") for name in COUNTERS.values()), ("user", "<u2", (8,))])
_HEAD = np.dtype(
    [
        ("version", "<u2"), ("flags", "<u8"), ("measurement_uid", "<u4"), ("scan_counter", "<u4"),
        ("acquisition_time_stamp", "<u4"), ("physiology_time_stamp", "<u4", (3,)), ("number_of_samples", "<u2"),
        ("available_channels", "<u2"), ("active_channels", "<u2"), ("channel_mask", "<u8", (16,)),
        ("discard_pre", "<u2"), ("discard_post", "<u2"), ("center_sample", "<u2"), ("encoding_space_ref", "<u2"),
        ("trajectory_dimensions", "<u2"), ("sample_time_us", "<f4"), ("position", "<f4", (3,)),
        ("read_dir", "<f4", (3,)), ("phase_dir", "<f4", (3,)), ("slice_dir", "<f4", (3,)),
        ("patient_table_position", "<f4", (3,)), ("idx", _INDEX), ("user_int", "<i4", (8,)),
        ("user_float", "<f4", (8,)),
    ]
)  # fmt: skip
"""The head of an acquisition, packed as ISMRMRD 1 defines it."""

_XML = """<?xml version="1.0" encoding="utf-8"?>
<ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD">
<experimentalConditions><H1resonanceFrequency_Hz>{frequency}</H1resonanceFrequency_Hz></experimentalConditions>
<encoding><encodedSpace>{space}</encodedSpace><reconSpace>{space}</reconSpace>
<encodingLimits/><trajectory>other</trajectory></encoding>
</ismrmrdHeader>
"""
_LARGEST = (1 << 16) - 1


def write_mrd(path: Path | str, raw: RawData, *, frequency: int) -> None:
    """Write raw data; k-space is stored in single precision, times as the dwell of each readout.

    Counters go into the index and the flags of each acquisition, by the names that :func:`read_mrd` gives them.

    Args:
        path: final name, ending in ``.mrd`` or ``.h5``; its folder must exist.
        raw: with its matrix and field of view.
        frequency: of protons in the scanner's field, Hz, which the format demands.

    Raises:
        UsageError: GD-101 for another ending, GD-163 for raw data that the format cannot hold.
        ResourceError: GD-501 without h5py; GD-502 to GD-504 if the file cannot be written, GD-506 if it does not read
            back.
    """
    path = Path(path)
    if path.suffix not in {".mrd", ".h5"}:
        raise UsageError("GD-101", given=f"the file name {path.name!r}", allowed=".mrd or .h5", do="name it so")
    require_place(path)
    _require_fit(raw, frequency)
    hdf5 = h5py()
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "draft.mrd"
        with hdf5.File(draft, "w", track_order=False) as file:
            group = file.create_group("dataset")
            text = hdf5.string_dtype("utf-8")
            group.create_dataset("xml", data=np.array([_header(raw, frequency)], dtype=object), dtype=text)
            row = np.dtype([("head", _HEAD), ("traj", hdf5.vlen_dtype("<f4")), ("data", hdf5.vlen_dtype("<f4"))])
            group.create_dataset("data", data=_rows(raw, row))
        found = read_mrd(draft)
        same = torch.equal(found.samples, raw.samples.detach().cpu().to(torch.complex64))
        if not same or not torch.equal(found.readout, raw.readout.cpu()) or found.matrix != raw.matrix:
            raise ResourceError(
                "GD-506",
                given=f"{path}: what was written does not read back",
                allowed="a disk that keeps what it is given",
                do="look at the disk, then run again",
            )
        with atomic_file(path) as target:
            target.write(draft.read_bytes())


def _require_fit(raw: RawData, frequency: int) -> None:
    lengths = raw.readout.bincount() if len(raw.readout) else torch.zeros(1, dtype=torch.int64)
    counts = torch.cat([counter.flatten().long().cpu() for counter in raw.counters.values()] or [lengths.cpu()])
    finite = bool(torch.isfinite(raw.samples).all()) and bool(torch.isfinite(raw.position).all())
    known = raw.matrix is not None and raw.extent is not None
    fits = 1 <= int(lengths.min()) <= int(lengths.max()) <= _LARGEST and 0 <= int(counts.min()) <= int(counts.max())
    if not (
        finite and known and fits and int(counts.max()) <= _LARGEST and len(raw.samples) <= _LARGEST and frequency > 0
    ):
        raise UsageError(
            "GD-163",
            given=f"{raw.readouts} readouts of {int(lengths.min())} to {int(lengths.max())} samples, counters up to "
            f"{int(counts.max())}, a matrix of {raw.matrix} in {raw.extent} m, {frequency} Hz",
            allowed=f"finite samples, a known matrix and field of view, counts from 0 to {_LARGEST}",
            do="split the readouts, or give what is missing",
        )


def _header(raw: RawData, frequency: int) -> str:
    sizes = "".join(f"<{a}>{n}</{a}>" for a, n in zip("xyz", raw.matrix or (), strict=True))
    lengths = "".join(f"<{a}>{length * 1e3:.12g}</{a}>" for a, length in zip("xyz", raw.extent or (), strict=True))
    space = f"<matrixSize>{sizes}</matrixSize><fieldOfView_mm>{lengths}</fieldOfView_mm>"
    return _XML.format(frequency=escape(str(frequency)), space=space)


def _rows(raw: RawData, row: np.dtype) -> np.ndarray:
    rows = np.zeros(raw.readouts, dtype=row)
    scale = torch.tensor(raw.extent, dtype=torch.float64) / torch.tensor(raw.matrix, dtype=torch.float64)
    places = (raw.position.detach().cpu().double() * scale).float().numpy()
    samples = raw.samples.detach().cpu().to(torch.complex64).numpy()
    ends = raw.readout.bincount().cumsum(0).tolist()
    for index, (begin, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        head = rows[index]["head"]
        times = raw.times[begin:end].detach().cpu().double()
        dwell = float(times[1] - times[0]) if end - begin > 1 else 0.0
        head["version"], head["scan_counter"], head["number_of_samples"] = 1, index, end - begin
        head["available_channels"] = head["active_channels"] = len(samples)
        head["trajectory_dimensions"], head["center_sample"] = 3, (end - begin) // 2
        head["sample_time_us"] = dwell * 1e6 if math.isfinite(dwell) else 0.0
        head["read_dir"], head["phase_dir"], head["slice_dir"] = np.eye(3, dtype=np.float32)
        for name, key in COUNTERS.items():
            if name in raw.counters:
                head["idx"][key] = int(raw.counters[name][index])
        for name, bits in FLAGS.items():
            if name in raw.counters and int(raw.counters[name][index]):
                head["flags"] |= np.uint64(1 << (bits[0] - 1))
        rows[index]["traj"] = places[begin:end].reshape(-1)
        rows[index]["data"] = np.ascontiguousarray(samples[:, begin:end]).view(np.float32).reshape(-1)
    return rows
