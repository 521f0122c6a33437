"""Reading ISMRMRD raw data: HDF5 that may be crafted, a header in XML, acquisitions one by one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gradatim.base.errors import InputError, UnsafeInputError
from gradatim.base.optional import h5py
from gradatim.base.raw import RawData
from gradatim.io.byte_source import open_source
from gradatim.io.memory import default_budget_bytes
from gradatim.io.mrd_header import MrdHeader, broken, mrd_header

COUNTERS = {
    "LIN": "kspace_encode_step_1", "PAR": "kspace_encode_step_2", "AVG": "average", "SLC": "slice", "ECO": "contrast",
    "PHS": "phase", "REP": "repetition", "SET": "set", "SEG": "segment",
}  # fmt: skip
"""Pulseq's name of a counter → ISMRMRD's."""

FLAGS = {"NOISE": (19,), "REF": (20, 21), "REV": (22,), "NAV": (23, 24)}
"""Pulseq's name of a flag → the numbers, from 1, of ISMRMRD's that mean it."""

_HEADS = (
    "number_of_samples", "active_channels", "flags", "idx", "center_sample", "discard_pre", "discard_post",
    "trajectory_dimensions", "sample_time_us",
)  # fmt: skip
_BROKEN = (OSError, KeyError, ValueError, TypeError, IndexError, RuntimeError, AttributeError, UnicodeDecodeError)
"""What damaged bytes make of an HDF5 reader."""

_SMALLEST = 1e-3
"""A field of view below 1 mm is one in m."""

_BYTES = 64
"""What a sample costs with its place and time."""


def read_mrd(
    path: Path | str, *, extent: tuple[float, float, float] | None = None, budget_bytes: int | None = None
) -> RawData:
    """Read the acquisitions of a file's first encoding.

    Places in k-space are the file's trajectory, which is in units of the matrix (±½ at its ends), times matrix over
    field of view; lines of a Cartesian file without trajectory lie at their counters' steps. x, y and z are the
    directions of readout, phase and slice. Times are those of the stated echo times at the centre sample, or else begin
    with each readout. Flags become the counters ``NOISE``, ``REF``, ``REV`` and ``NAV``; a reversed line without
    trajectory runs backwards. Samples to be discarded are left out.

    Links, types, lengths and sizes are checked here, but the HDF5 library itself can crash on bytes that were changed
    inside its own structures: read files of strangers in a process of their own.

    Args:
        path: an ``.mrd`` or ``.h5`` file with one data set of acquisitions.
        extent: field of view, m, where the header's is wrong.
        budget_bytes: the most bytes that the data may take; by default an eighth of the free memory.

    Returns:
        Raw data, complex64, with the matrix and the field of view of k-space.

    Raises:
        InputError: GD-222, GD-236 for a file that is cut, damaged or none, GD-237 for acquisitions of different coils,
            of no samples or with samples that are not finite; GD-238 for a field of view below 1 mm, which is one in m.
        UnsafeInputError: GD-404 for entities in the header, GD-434 for links and data outside of the file, GD-435 if it
            would take more than its budget.
        ResourceError: GD-501 without h5py.

    Source:
        Inati et al., Magn Reson Med 77:411-421, 2017.
    """
    path, budget = Path(path), default_budget_bytes() if budget_bytes is None else budget_bytes
    hdf5 = h5py()
    with open_source(path) as source, _coded(path.name), hdf5.File(source.file, "r") as file:
        group = _group(hdf5, file, path.name)
        table, xml = (_dataset(hdf5, group, key, path.name) for key in ("data", "xml"))
        _require_kinds(hdf5, table, path.name)
        header = mrd_header(_text(xml, path.name), path.name)
        heads, samples, places = _acquisitions(table, budget, path.name)
    if extent is None and min(header.extent[:2]) < _SMALLEST:
        raise InputError(
            "GD-238",
            given=f"{path.name}: a field of view of {header.extent[0] * 1e3:.4g} mm",
            allowed="lengths in mm, as the format defines them",
            do="give extent in m, as the file seems to have it",
        )
    return _raw(header, heads, samples, places, extent or header.extent)


def _group(hdf5: Any, file: Any, name: str) -> Any:
    """The one group that holds a header and acquisitions, reached by a plain link."""
    found = []
    for key in file:
        if not isinstance(file.get(key, getlink=True), hdf5.HardLink):
            raise _outside(name, f"a link {key[:40]!r}")
        if isinstance(file[key], hdf5.Group) and {"data", "xml"} <= set(file[key]):
            found.append(file[key])
    if len(found) != 1:
        raise broken(name, f"{len(found)} groups of acquisitions instead of one")
    return found[0]


def _dataset(hdf5: Any, group: Any, key: str, name: str) -> Any:
    if not isinstance(group.get(key, getlink=True), hdf5.HardLink):
        raise _outside(name, f"a link {key!r}")
    found = group[key]
    if not isinstance(found, hdf5.Dataset) or found.ndim != 1:
        raise broken(name, f"{key} is no list")
    if found.external or found.is_virtual:
        raise _outside(name, f"{key} in other files")
    return found


def _require_kinds(hdf5: Any, table: Any, name: str) -> None:
    """Refuse other types than the format's before a number is read: a lie about lengths of other types is a crash."""
    kinds = table.dtype
    if not len(table) or not {"head", "traj", "data"} <= set(kinds.names or ()):
        raise broken(name, "no acquisitions")
    floats = all(hdf5.check_vlen_dtype(kinds[key]) == np.dtype("<f4") for key in ("traj", "data"))
    head = kinds["head"]
    whole = floats and set(_HEADS) <= set(head.names or ()) and set(COUNTERS.values()) <= set(head["idx"].names or ())
    if not whole or any(head[key].kind not in "uif" for key in _HEADS if key != "idx"):
        raise broken(name, "acquisitions of other types than the format's")


def _text(xml: Any, name: str) -> str:
    if len(xml) != 1 or xml.dtype.itemsize > 1 << 20:
        raise broken(name, f"{len(xml)} headers")
    found = xml[0]
    return found.decode("utf-8") if isinstance(found, bytes) else str(found)


def _acquisitions(
    table: Any, budget: int, name: str
) -> tuple[list[dict[str, Any]], list[np.ndarray], list[np.ndarray]]:
    """Heads, samples (coils, n) and trajectories (n, axes), read one by one within the budget."""
    left = budget - len(table) * table.dtype.itemsize
    heads, samples, places = [], [], []
    for index in range(len(table)):
        if left < 0:
            raise UnsafeInputError(
                "GD-435",
                given=f"{name} takes more than its budget at acquisition {index} of {len(table)}",
                allowed=f"up to {budget} bytes",
                do="look at the file before giving it more memory",
            )
        row = table[index]
        head = {key: row["head"][key] for key in _HEADS}
        count, coils, axes = (
            int(head[key]) for key in ("number_of_samples", "active_channels", "trajectory_dimensions")
        )
        data, place = row["data"], row["traj"]
        left -= _BYTES * count + data.nbytes + place.nbytes
        if data.shape != (2 * count * coils,) or place.shape != (count * axes,) or count * coils == 0 or axes > 3:
            raise _unlike(name, f"acquisition {index} of {data.shape} numbers for {count} samples of {coils} coils")
        if not (np.isfinite(data).all() and np.isfinite(place).all()):
            raise _unlike(name, f"acquisition {index} with numbers that are not finite")
        heads.append(head)
        samples.append(data.view(np.complex64).reshape(coils, count))
        places.append(place.reshape(count, axes))
    if len({len(each) for each in samples}) > 1:
        raise _unlike(name, "acquisitions of different numbers of coils")
    return heads, samples, places


def _raw(
    header: MrdHeader,
    heads: list[dict[str, Any]],
    samples: list[np.ndarray],
    places: list[np.ndarray],
    extent: tuple[float, float, float],
) -> RawData:
    kept = [_kept(head) for head in heads]
    position = [
        _position(header, head, place, extent)[keep] for head, place, keep in zip(heads, places, kept, strict=True)
    ]
    times = [_times(header, head)[keep] for head, keep in zip(heads, kept, strict=True)]
    lengths = torch.tensor([len(each) for each in times])
    counters = {name: [int(head["idx"][key]) for head in heads] for name, key in COUNTERS.items()}
    counters |= {name: [_flagged(head, *bits) for head in heads] for name, bits in FLAGS.items()}
    return RawData(
        samples=torch.from_numpy(np.concatenate([each[:, keep] for each, keep in zip(samples, kept, strict=True)], 1)),
        position=torch.from_numpy(np.concatenate(position)),
        times=torch.from_numpy(np.concatenate(times)),
        readout=torch.arange(len(heads)).repeat_interleave(lengths),
        counters={name: torch.tensor(values) for name, values in counters.items()},
        matrix=header.matrix,
        extent=extent,
    )


def _kept(head: dict[str, Any]) -> slice:
    """The samples that are not to be discarded; all of them where none would be left."""
    count, before, after = (int(head[key]) for key in ("number_of_samples", "discard_pre", "discard_post"))
    return slice(before, count - after) if before + after < count else slice(0, count)


def _position(
    header: MrdHeader, head: dict[str, Any], place: np.ndarray, extent: tuple[float, float, float]
) -> np.ndarray:
    """k of all samples of an acquisition, (n, 3), 1/m."""
    found = np.zeros((len(place), 3))
    if place.shape[1]:
        found[:, : place.shape[1]] = place * np.array(header.matrix[: place.shape[1]])
    else:
        along = np.arange(len(place)) - int(head["center_sample"])
        found[:, 0] = -along if _flagged(head, *FLAGS["REV"]) else along
        found[:, 1] = int(head["idx"]["kspace_encode_step_1"]) - header.centre[0]
        found[:, 2] = int(head["idx"]["kspace_encode_step_2"]) - header.centre[1]
    return found / np.array(extent)


def _times(header: MrdHeader, head: dict[str, Any]) -> np.ndarray:
    dwell, contrast = float(head["sample_time_us"]) * 1e-6, int(head["idx"]["contrast"])
    steps = np.arange(int(head["number_of_samples"]))
    if contrast < len(header.echo_times):
        return header.echo_times[contrast] + (steps - int(head["center_sample"])) * dwell
    return (steps + 0.5) * dwell


def _flagged(head: dict[str, Any], *bits: int) -> int:
    return int(any(int(head["flags"]) >> (bit - 1) & 1 for bit in bits))


@contextmanager
def _coded(name: str) -> Iterator[None]:
    """Whatever an HDF5 reader trips over becomes one refusal."""
    try:
        yield
    except _BROKEN as error:
        raise broken(name, f"{type(error).__name__}: {error}") from error


def _outside(name: str, what: str) -> UnsafeInputError:
    return UnsafeInputError(
        "GD-434",
        given=f"{name}: {what}",
        allowed="data that lie in the file itself",
        do="do not open it with other tools either; ask its sender for a clean export",
    )


def _unlike(name: str, what: str) -> InputError:
    return InputError(
        "GD-237",
        given=f"{name}: {what}",
        allowed="acquisitions of the same coils, whole and finite",
        do="export the file again",
    )
