"""Fingerprints: of a file for the provenance, of an image's values to find copies under other names."""

import hashlib
from pathlib import Path

from torch import Tensor


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal.

    Args:
        path: the file.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def values_sha256(values: Tensor) -> str:
    """SHA-256 of an image's shape, type and values, hexadecimal; the header does not count.

    Args:
        values: any tensor on the CPU.

    Example:
        >>> import torch
        >>> values_sha256(torch.zeros(2)) == values_sha256(torch.zeros(2))
        True
    """
    array = values.contiguous().numpy()
    digest = hashlib.sha256(f"{array.dtype} {array.shape}".encode())
    digest.update(array.data)
    return digest.hexdigest()
