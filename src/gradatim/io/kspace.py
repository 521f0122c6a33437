"""Arrays of raw data in files, NumPy's and MATLAB's: k-space, sampling masks and coil maps. No pickles."""

import math
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
import scipy.io
import torch
from scipy.io.matlab import MatReadError
from torch import Tensor

from gradatim.base.errors import InputError, UnsafeInputError, UsageError
from gradatim.io.atomic import atomic_file, require_place
from gradatim.io.byte_source import open_source
from gradatim.io.memory import default_budget_bytes

_LONGEST_HEADER = 10_000
_DAMAGE = (
    ValueError, TypeError, KeyError, IndexError, OSError, EOFError, NotImplementedError, zlib.error, MatReadError
)  # fmt: skip
_KINDS = "buifc"
"""Letters of NumPy's plain numbers: bool, unsigned, integer, float, complex; no objects, text or records."""


def read_kspace(path: Path | str, *, budget_bytes: int | None = None) -> Tensor:
    """Read complex samples, or coil maps, of one or more coils.

    Args:
        path: a ``.npy`` file, or a MATLAB file (version 4 to 7) of one array, (coil, x, y) or (coil, x, y, z);
            (x, y) is taken for a single coil.
        budget_bytes: the most bytes the array may take; by default an eighth of the free memory.

    Returns:
        (coil, *shape), complex64, or complex128 if the file has that precision.

    Raises:
        InputError: GD-222 for a missing file; GD-684 for another kind of file, one of Python objects, a cut or a
            damaged one; GD-685 if the values are not complex or the axes not two to four; GD-217 if values
            are not finite.
        UnsafeInputError: GD-401 if it would exceed its budget.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "y.npy"
        >>> write_array(file, torch.ones(4, 5) + 1j)
        >>> tuple(read_kspace(file).shape)
        (1, 4, 5)
    """
    array = _read(Path(path), budget_bytes)
    if array.dtype.kind != "c" or array.ndim not in (2, 3, 4):
        raise _other(Path(path), array, "complex numbers (coil, x, y) or (coil, x, y, z)")
    if not np.isfinite(array).all():
        raise InputError(
            "GD-217",
            given=f"{Path(path).name} holds {int((~np.isfinite(array)).sum())} non-finite values",
            allowed="finite values",
            do="write 0 where nothing was measured",
        )
    exact = array.astype(np.complex128 if array.dtype.itemsize > 8 else np.complex64)
    return torch.from_numpy(np.ascontiguousarray(exact if array.ndim > 2 else exact[None]))


def read_sampling_mask(path: Path | str, *, budget_bytes: int | None = None) -> Tensor:
    """Read where k-space was sampled.

    Args:
        path: a ``.npy`` file, or a MATLAB file (version 4 to 7) of one array, of 0 and 1, or bool.
        budget_bytes: the most bytes the array may take; by default an eighth of the free memory.

    Returns:
        (*shape), bool, True where a sample was taken, with the zero frequency where the file has it.

    Raises:
        InputError: as :func:`read_kspace`; GD-224 if other values than 0 and 1 are there.
        UnsafeInputError: GD-401 if it would exceed its budget.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "mask.npy"
        >>> write_array(file, torch.eye(4))
        >>> read_sampling_mask(file).sum().item()
        4
    """
    array = _read(Path(path), budget_bytes)
    if array.dtype.kind == "c" or array.ndim not in (2, 3):
        raise _other(Path(path), array, "a mask (x, y) or (x, y, z)")
    if not np.isin(array, (0, 1)).all():
        raise InputError(
            "GD-224",
            given=f"{Path(path).name} holds values from {array.min()} to {array.max()}",
            allowed="0 and 1",
            do="compare with a threshold first",
        )
    return torch.from_numpy(np.ascontiguousarray(array != 0))


def write_array(path: Path | str, values: Tensor) -> None:
    """Write a tensor as a ``.npy`` file, whole or not at all.

    Args:
        path: final name, ending in ``.npy``; its folder must exist.
        values: of any shape and number type that NumPy knows.

    Raises:
        UsageError: GD-101 for another ending.
        ResourceError: GD-502 to GD-504 if the file cannot be written.
    """
    path = Path(path)
    require_array_name(path)
    with atomic_file(path) as file:
        np.lib.format.write_array(file, values.detach().cpu().resolve_conj().numpy(), allow_pickle=False)


def require_array_name(path: Path) -> None:
    """Refuse, before any work, a name that no array can be written to.

    Args:
        path: the final name.

    Raises:
        UsageError: GD-101 for another ending than ``.npy``.
        ResourceError: GD-503 or GD-504 if no file can appear in that folder.

    Example:
        >>> require_array_name(Path("image.npy"))
    """
    if path.suffix.lower() != ".npy":
        raise UsageError("GD-101", given=f"{path.name!r}", allowed="a name ending in .npy", do="change the ending")
    require_place(path)


def _read(path: Path, budget_bytes: int | None) -> np.ndarray:
    budget = default_budget_bytes() if budget_bytes is None else budget_bytes
    with open_source(path) as source:
        start = source.file.read(128)
        source.file.seek(0)
        if start.startswith(np.lib.format.MAGIC_PREFIX):
            return _read_npy(path, source.file, source.size, budget)
        if start.startswith(b"\x89HDF") or b"MATLAB 7.3" in start:
            raise _unreadable(path, "it is MATLAB 7.3 or HDF5", "save it with -v7 in MATLAB, or as .npy")
        if path.suffix.lower() == ".mat":
            return _read_matlab(path, source.file, budget)
        raise _unreadable(path, "it begins as neither kind", "save the array as .npy")


def _read_npy(path: Path, file: BinaryIO, size: int, budget: int) -> np.ndarray:
    try:
        major, _ = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
        shape, by_column, dtype = header(file, max_header_size=_LONGEST_HEADER)
    except (ValueError, EOFError, SyntaxError, TypeError) as error:
        raise _unreadable(path, f"its header is damaged ({error})", "copy or save the file again") from error
    if dtype.hasobject:
        raise _unreadable(path, "it holds Python objects, which could run code when read", "save plain numbers")
    if dtype.kind not in _KINDS:
        raise _unreadable(path, f"its values are of type {dtype}", "save plain numbers")
    needed = math.prod(shape) * dtype.itemsize
    _require_budget(path, needed, budget)
    if size - file.tell() != needed:
        raise _unreadable(path, f"{size - file.tell()} bytes follow its header, not {needed}", "copy the file again")
    return np.frombuffer(file.read(needed), dtype=dtype).reshape(shape, order="F" if by_column else "C")


def _read_matlab(path: Path, file: BinaryIO, budget: int) -> np.ndarray:
    try:
        listed = [(name, shape) for name, shape, _ in scipy.io.whosmat(file)]
        if len(listed) != 1:
            raise _unreadable(path, f"it holds {len(listed)} arrays", "keep one array a file")
        ((name, shape),) = listed
        _require_budget(path, math.prod(shape) * 16, budget)
        file.seek(0)
        array = scipy.io.loadmat(file, variable_names=[name])[name]
    except _DAMAGE as error:
        raise _unreadable(path, f"it is damaged or of another version ({error})", "save it with -v7") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in _KINDS:
        raise _unreadable(path, "its array is not of plain numbers", "save one full numeric array")
    return array


def _require_budget(path: Path, needed: int, budget: int) -> None:
    if needed > budget:
        raise UnsafeInputError(
            "GD-401",
            given=f"{path.name} declares {needed} bytes of values",
            allowed=f"up to {budget} bytes",
            do="use a machine with more memory, or cut the data into slices",
        )


def _unreadable(path: Path, why: str, do: str) -> InputError:
    return InputError(
        "GD-684", given=f"{path.name}: {why}", allowed="a .npy file, or a MATLAB file of version 4 to 7", do=do
    )


def _other(path: Path, array: np.ndarray, allowed: str) -> InputError:
    return InputError(
        "GD-685",
        given=f"{path.name} holds {array.dtype} of shape {array.shape}",
        allowed=allowed,
        do="give another file, or turn the axes when it is saved",
    )
