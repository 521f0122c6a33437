"""Each check finds its fault in a faulty sequence, and nothing in the sound one."""

import math
from dataclasses import replace

import pytest
import torch

from gradatim.base.coherence import Turn
from gradatim.base.errors import UsageError
from gradatim.base.findings import Severity
from gradatim.base.sequence import Block, Pulse, Readout, Sequence, trapezoid
from gradatim.scanner.lint.check import Check
from gradatim.scanner.lint.lint import PHYSICS, lint
from gradatim.scanner.lint.load import ForbiddenBand, Load
from gradatim.scanner.lint.steady_state import MissingDummy
from gradatim.scanner.safety.hardware import EXAMPLE_HARDWARE, SafeHardware
from gradatim.scanner.system import System
from tests.scanner.lint.scenes import DWELL, READ, Balanced, Gre, Tse, reading, turning

SYSTEM = System(0.04, 400.0)
SOUND = (Gre(), Gre(dummies=3), Gre(increment=50.0), Gre(increment=0.0), Balanced(), Tse(), Tse(phase=-90.0))


def codes(sequence: Sequence, **options) -> list[str]:
    return [finding.code for finding in lint(sequence, system=SYSTEM, **options)]


@pytest.mark.parametrize("scene", SOUND, ids=repr)
def test_a_sound_sequence_gives_no_finding(scene):
    assert lint(scene(), system=SYSTEM) == ()


FAULTY = [
    (Tse(phase=0.0), "GD-901"),
    (Tse(phase=60.0), "GD-901"),
    (Tse(shift=20_000), "GD-902"),
    (Tse(surplus=2e-7), "GD-903"),
    (Tse(unwound=1e-7), "GD-903"),
    (Tse(dummies=0), "GD-904"),
    (Gre(flip=math.radians(20)), "GD-904"),
    (Gre(early=0.0), "GD-905"),
    (Tse(crusher=2e-6), "GD-906"),
    (Gre(slice_left=2e-6), "GD-907"),
    (Gre(early=-12.0), "GD-907"),
    (Gre(increment=33.0), "GD-908"),
    (Gre(irregular=1.0), "GD-909"),
    (Gre(receiver=0.0), "GD-910"),
    (Gre(missing=(3,)), "GD-912"),
    (Gre(late=10_000), "GD-919"),
    (Balanced(left=1e-6), "GD-920"),
    (Gre(rewound=0.0), "GD-921"),
]


@pytest.mark.parametrize(("scene", "code"), FAULTY, ids=repr)
def test_a_fault_is_found(scene, code):
    found = lint(scene(), system=SYSTEM)
    assert code in [finding.code for finding in found]
    for finding in found:
        assert finding.where.startswith("block ")
        assert finding.what
        assert finding.allowed
        assert finding.fix


ALONE = {"GD-901", "GD-904", "GD-905", "GD-908", "GD-909", "GD-910", "GD-912", "GD-919", "GD-920", "GD-921"}


@pytest.mark.parametrize(("scene", "code"), [case for case in FAULTY if case[1] in ALONE], ids=repr)
def test_a_fault_brings_no_other_finding(scene, code):
    assert codes(scene()) == [code]


def test_a_field_of_view_may_be_given_and_be_too_large_for_the_samples():
    assert codes(Gre()(), fov=(0.2, 0.2, 0.003)) == []
    assert "GD-911" in codes(Gre()(), fov=(0.3, 0.2, 0.003))
    assert "GD-912" in codes(Gre()(), fov=(0.2, 0.3, 0.003))


def test_without_a_field_of_view_only_gaps_in_the_lines_are_seen():
    bare = Sequence(Gre()().blocks)
    assert codes(bare) == []
    assert codes(Sequence(Gre(missing=(3,))().blocks)) == ["GD-912"]


def test_nerves():
    steep = trapezoid(0, 100_000, 500_000, 100_000, amplitude=0.039)
    sequence = Sequence((Block(700_000, lobes=(None, steep, steep)), *Gre()().blocks))
    (found,) = (finding for finding in lint(sequence) if finding.code == "GD-913")
    assert found.severity is Severity.WARN  # the example's limit is no scanner's
    assert "an estimate, not a clearance" in found.what
    x, y, z = EXAMPLE_HARDWARE.axes
    for hardware in (SafeHardware("soft hardware", x, x, z), SafeHardware("a coil of one's own", x, y, z)):
        (found,) = (finding for finding in lint(sequence, hardware=hardware) if finding.code == "GD-913")
    assert found.severity is Severity.REFUSE


def test_nerves_are_no_question_in_a_spectrometer():
    steep = trapezoid(0, 100_000, 2_000_000, 100_000, amplitude=0.5)  # 5000 T/(m·s)
    sequence = Sequence((Block(2_200_000, lobes=(None, None, steep)), *Gre()().blocks))
    (found,) = (finding for finding in lint(sequence) if finding.code == "GD-913")
    assert found.severity is Severity.WARN
    assert "not judged: gradients reach 500 mT/m and 5000 T/(m·s)" in found.what
    (found,) = (f for f in lint(sequence, system=System(0.5, 5000.0)) if f.code == "GD-913")
    assert found.severity is Severity.NOTE
    (found,) = (f for f in lint(sequence, system=System(0.04, 150.0)) if f.code == "GD-913")
    assert found.severity is Severity.WARN
    own = SafeHardware("a coil of one's own", *EXAMPLE_HARDWARE.axes)
    (found,) = (f for f in lint(sequence, hardware=own, system=System(0.5, 5000.0)) if f.code == "GD-913")
    assert found.severity is Severity.REFUSE
    assert " % of the limit of a coil of one's own" in found.what


def test_gradients_beyond_the_system():
    sequence = Gre()()
    strongest = float(sequence.waveform.left.abs().max())
    fastest = float(sequence.waveform.slew.abs().max())
    assert [f.code for f in lint(sequence, system=System(strongest * 0.99, 400.0))] == ["GD-914"]
    assert [f.code for f in lint(sequence, system=System(0.04, fastest * 0.99))] == ["GD-915"]
    assert lint(sequence, system=System(strongest, fastest)) == ()


def test_dead_times():
    assert [f.code for f in lint(Gre()(), system=System(0.04, 400.0, pulse_dead=110_000))] == ["GD-918"]
    assert [f.code for f in lint(Gre()(), system=System(0.04, 400.0, pulse_ringdown=110_000))] == ["GD-918"]
    late = lint(Gre()(), system=System(0.04, 400.0, readout_dead=110_000))
    assert [f.code for f in late] == ["GD-918", "GD-918"]
    assert "11 other places" in late[0].where


def test_a_jump_between_blocks():
    from gradatim.base.sequence import Lobe

    half = Lobe(torch.tensor([0, 100_000, 200_000]), torch.tensor([0.0, 0.01, 0.01], dtype=torch.float64))
    rest = Lobe(torch.tensor([0, 100_000]), torch.tensor([0.01, 0.0], dtype=torch.float64))
    begun, ended = (Block(each.end, lobes=(each, None, None)) for each in (half, rest))
    sound, broken = Gre()().blocks, Block(10_000)
    assert "GD-916" not in codes(Sequence((begun, ended, *sound)))
    assert "GD-916" in codes(Sequence((begun, broken, ended, *sound)))


@pytest.mark.parametrize(
    "block",
    [
        Block(15_000),
        Block(20_000, lobes=(trapezoid(0, 7_000, 0, 10_000, amplitude=1e-4), None, None)),
        Block(30_000, readout=Readout(10_000, 4_923, 2)),
        Block(30_000, readout=Readout(10_300, 1_000, 2)),
        Block(
            30_000,
            pulse=Pulse(10_300, torch.tensor([0, 1_000]), torch.ones(1, dtype=torch.complex128) * 1e-9, 500),
        ),
    ],
)
def test_times_off_the_raster(block):
    assert "GD-917" in [f.code for f in lint(Sequence((block,)))]


def test_load_and_bands():
    sequence = Tse()()
    assert codes(sequence, further=(Load(most=0.02, window=0.02),)) == []
    assert codes(sequence, further=(Load(most=0.005, window=0.01),)) == ["GD-922"]
    train = Sequence(tuple(Block(1_000_000, lobes=(trapezoid(0, 100_000, 300_000, 100_000, amplitude=a), None, None))
                           for a in (0.01, -0.01) * 100))  # fmt: skip
    near: Check = ForbiddenBand(frequency=500.0, width=60.0)
    far: Check = ForbiddenBand(frequency=700.0, width=60.0)
    assert "GD-923" in codes(train, further=(near,))
    assert "GD-923" not in codes(train, further=(far,))


def test_nothing_excited_and_readouts_before_any_pulse():
    assert codes(Sequence((reading(16),))) == ["GD-924"]
    early = lint(Sequence((reading(16), *Gre()().blocks)), system=SYSTEM)
    assert [(finding.code, finding.severity) for finding in early] == [("GD-924", Severity.NOTE)]
    assert codes(Sequence((Block(1_000_000),))) == ["GD-924"]
    assert codes(Sequence(())) == ["GD-924"]


def test_the_magnetisation_of_a_spoiled_train_is_that_of_the_closed_form():
    """Mz right before pulse n approaches (1 − E)/(1 − E·cos α) geometrically, by E·cos α a repetition."""
    flip, t1 = math.radians(12), 0.5
    sequence = Gre(flip=flip)()
    (found,) = (finding for finding in MissingDummy(t1=t1)(_played(sequence)))
    decay = math.exp(-sequence.duration / 12 / 1e9 / t1)
    steady = (1 - decay) / (1 - decay * math.cos(flip))
    last = steady + (1 - steady) * (decay * math.cos(flip)) ** 11
    assert f"the last from {last:.3f}" in found.what
    assert found.severity is Severity.WARN


def _played(sequence: Sequence):
    from gradatim.base.coherence import turns_by_use
    from gradatim.scanner.lint.played import Played

    return Played(sequence, turns_by_use(sequence), None)


def test_slices_are_judged_apart():
    """Three slices read once each need no dummy, though the pulses follow at once."""
    blocks = []
    for shot in range(3):
        blocks += [turning(math.pi / 2, frequency=4000.0 * shot), reading(16), Block(1_000_000)]
    assert "GD-904" not in codes(Sequence(tuple(blocks)))


def test_turns_may_be_told():
    sequence = Tse()()
    turns = [Turn.EXCITE if pulse.use.value == "excitation" else Turn.PASS for _, pulse in sequence.pulses]
    assert "GD-901" not in codes(Sequence(Tse(phase=0.0)().blocks), turns=turns)
    with pytest.raises(UsageError, match="GD-103"):
        lint(sequence, turns=turns[:-1])


@pytest.mark.parametrize("fov", [(0.0, 0.2, 0.2), (math.nan, 0.2, 0.2), (-0.2, 0.2, 0.2), (0.2, math.inf, 0.2)])
def test_an_impossible_field_of_view_is_refused(fov):
    with pytest.raises(UsageError, match="GD-175"):
        lint(Gre()(), fov=fov)


@pytest.mark.parametrize("number", [0.0, -1.0, math.nan, math.inf])
def test_checks_with_impossible_numbers_are_refused(number):
    for made in (
        lambda: MissingDummy(t1=number),
        lambda: MissingDummy(tolerance=number),
        lambda: Load(most=number),
        lambda: Load(most=0.01, window=number),
        lambda: ForbiddenBand(frequency=number, width=10.0),
        lambda: ForbiddenBand(frequency=500.0, width=number),
        *(lambda check=check: replace(check, tolerance=number) for check in PHYSICS if hasattr(check, "tolerance")),
    ):
        with pytest.raises(UsageError, match="GD-175"):
            made()


def test_the_half_sample_is_told_in_numbers():
    (found,) = lint(Gre(early=0.0)(), system=SYSTEM)
    assert "0.50 of a step" in found.what
    assert READ * DWELL > 0
