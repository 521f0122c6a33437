"""What is said about a restoration: lines for a reader, plain data for a program."""

import pytest
import torch

from gradatim.cli.restored_files import in_lines, record
from gradatim.restore.restored import Restored
from gradatim.solve.solution import Certificate, Progress, Solution, Stop


def restored(reason: Stop, gap: float) -> Restored:
    proof = Certificate(gap=gap, objective=2.0, radius=0.0, strong_convexity=0.0)
    return Restored(torch.zeros(2, 2), 1.0, 0.5, Solution(torch.zeros(2, 2), reason, 7, (Progress(0.1),), proof))


@pytest.mark.parametrize(
    ("reason", "gap", "warning"),
    [
        (Stop.GAP, 1e-3, ""),
        (Stop.RESIDUAL, 0.05, ""),
        (Stop.RESIDUAL, 0.2, "the proof is weak"),
        (Stop.BOUND, 1e-3, "it did not converge"),
        (Stop.BOUND, float("inf"), "it did not converge"),
        (Stop.NON_FINITE, 0.2, "it did not converge"),
    ],
)
def test_a_reader_is_warned_in_one_line(reason: Stop, gap: float, warning: str) -> None:
    found = restored(reason, gap)
    warned = [line for line in in_lines(found) if line.startswith("warning")]
    assert len(warned) == bool(warning)
    assert all(warning in line for line in warned)
    assert record(found)["converged"] is (reason in (Stop.GAP, Stop.RESIDUAL))


def test_what_was_not_iterated_is_not_warned_of() -> None:
    found = Restored(torch.zeros(2, 2), 1.0)
    assert record(found)["converged"] is None
    assert not any(line.startswith("warning") for line in in_lines(found))
