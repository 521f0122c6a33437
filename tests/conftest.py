"""What many tests need: the shared reference material, the laws of linear operators, and who may skip."""

import functools
import importlib.util
import os
import signal
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest
from beartype import BeartypeConf
from beartype.claw import beartype_packages

# Types are checked at run time while testing. The page and the commands are left out: their edge takes what
# strangers give and refuses it with a code, which is what their tests show.
CHECKED = (
    *("base", "linop", "solve", "nets", "io", "pipelines"),
    *("scanner", "qsm", "relaxation", "diffusion", "restore", "segment", "radiomics", "transport"),
)
beartype_packages([f"gradatim.{floor}" for floor in CHECKED], conf=BeartypeConf(is_pep484_tower=True))

# The clock of a shared machine is noisy, and a red run must be the change's own fault.
hypothesis.settings.register_profile(
    "house", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("house")

# A run in the background starts with Ctrl-C ignored, and so would the commands that it starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

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


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--slow`` runs the tests that take more than about ten seconds."""
    parser.addoption("--slow", action="store_true", help="run the tests marked slow as well")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked slow or gpu skip, with a reason, where they cannot or should not run."""
    for item in items:
        if "slow" in item.keywords and not config.getoption("--slow"):
            item.add_marker(pytest.mark.skip(reason="slow: runs with --slow"))
        if "gpu" in item.keywords and not _has_gpu():
            item.add_marker(pytest.mark.skip(reason="gpu: no CUDA device here"))


@functools.cache
def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()
