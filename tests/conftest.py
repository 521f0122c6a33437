"""What many tests need: the shared reference material, and the laws of linear operators."""

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data: ``GRADATIM_SHARED``, by default ``../shared`` beside the checkout."""
    folder = Path(os.environ.get("GRADATIM_SHARED", CHECKOUT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder.name}: set GRADATIM_SHARED")
    return folder


@pytest.fixture(scope="session")
def laws() -> ModuleType:
    """The law kit, ``tests/laws/kit.py``: ``laws.adjointness(operator)``."""
    spec = importlib.util.spec_from_file_location("gradatim_law_kit", CHECKOUT / "tests" / "laws" / "kit.py")
    assert spec is not None
    assert spec.loader is not None
    kit = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(kit)
    return kit
