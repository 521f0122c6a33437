"""The example that goes from a scanner's gradients to susceptibility finds what it put into its object."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pypulseq")
pytest.importorskip("matplotlib")

CHECKOUT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^(.+?)\s+(-?\d+\.\d+)\s+(-?\d+\.\d+)\s+([+-]\d+\.\d+)$", re.MULTILINE)


@pytest.mark.slow
def test_each_insert_is_found(tmp_path: Path) -> None:
    command = [sys.executable, "examples/gradients_to_susceptibility.py", str(tmp_path)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = {name: (float(truth), float(value)) for name, truth, value, _ in ROW.findall(done.stdout)}
    assert {name: truth for name, (truth, _) in found.items()} == {
        "iron, high": 0.2,
        "iron, low": 0.08,
        "calcium": -0.1,
    }
    for truth, value in found.values():
        assert value == pytest.approx(truth, abs=0.025)
    assert (tmp_path / "report.png").stat().st_size > 0
    assert (tmp_path / "megre.seq").stat().st_size > 0
