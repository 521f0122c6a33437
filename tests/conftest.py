"""Where the shared reference material lies, and nothing else."""

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data: ``GRADATIM_SHARED``, by default ``../shared`` beside the checkout."""
    folder = Path(os.environ.get("GRADATIM_SHARED", CHECKOUT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder.name}: set GRADATIM_SHARED")
    return folder
