"""What the scanner's own designs make has no fault; notes may remain."""

import pytest

from gradatim.base.findings import Severity
from gradatim.scanner.lint.lint import lint
from gradatim.scanner.sequences.encoding import CartesianEncoding
from gradatim.scanner.sequences.epi import EchoPlanar
from gradatim.scanner.sequences.gre import GradientEcho
from gradatim.scanner.sequences.multi_echo_gre import MultiEchoGradientEcho
from gradatim.scanner.sequences.tse import EchoTrain, TurboSpinEcho
from gradatim.scanner.system import System

SMALL = CartesianEncoding(matrix=(32, 16, 1))
DESIGNS = (
    GradientEcho(SMALL),
    MultiEchoGradientEcho(SMALL),
    EchoPlanar(),
    TurboSpinEcho(CartesianEncoding((0.22, 0.22, 0.005), (32, 16, 1), 20e-6), EchoTrain(4), repetition_time=2.0),
)


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: type(design).__name__)
def test_it_has_no_fault(design):
    system = System()
    found = lint(design(system), system=system)
    assert [finding for finding in found if finding.severity is not Severity.NOTE] == []
    assert {finding.code for finding in found} <= {"GD-904"}  # ten dummy pulses of a fast train are few
